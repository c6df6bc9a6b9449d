"""How near an experiment is to the paper's: computed from the settings in effect, never asserted."""

import math
from dataclasses import dataclass
from typing import Any

from common.claims.inputs import resolve
from common.claims.schema import Experiment, Setting, Settings
from common.params import Params


@dataclass(frozen=True)
class Fidelity:
    """level: `full`, `reduced` or `stand-in`. off_protocol: the noise is not the paper's. differs: what, in words."""

    level: str
    off_protocol: bool
    differs: tuple[str, ...]


FULL = Fidelity("full", off_protocol=False, differs=())


def compare(experiment: Experiment, paper: str, settings: Params) -> Fidelity:
    """The fidelity of an experiment under `settings`."""

    def differences(section: Settings) -> list[str]:
        return [
            f"{name} {_text(ours)} (paper {_text(published)})"
            for path, published in section.items()
            for name, ours in resolve(path, paper, settings)
            if not _same(ours, published)
        ]

    data, noise, recipe = map(differences, (experiment.data, experiment.noise, experiment.recipe))
    lines = (*noise, *data, *recipe, *experiment.always.values())
    level = "stand-in" if data or "stand-in" in experiment.always else "reduced" if lines else "full"
    return Fidelity(level, bool(noise), lines)


def _same(ours: Any, published: Setting) -> bool:
    if isinstance(ours, float) and isinstance(published, int | float):
        return math.isclose(ours, published)
    return bool(ours == published)


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
