"""The settings of a run, which no other module here reads, and how near they are to the paper's."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import pandas as pd

from common import params
from common.claims.schema import Experiment
from common.errors import UserError


class Fidelity(NamedTuple):
    """level: `full`, `reduced` or `stand-in`. off_protocol: the noise is not the paper's. differs: what, in words."""

    level: str = "full"
    off_protocol: bool = False
    differs: str = ""


def settings_of(paper: str, profile: str | None = None) -> dict[str, Any]:
    """A paper's settings in effect by dotted path; of a `profile`, as published, whatever params.yaml chooses now."""
    settings = params.load(paper, profile, own_sigma=profile is not None)
    (flat,) = pd.json_normalize(settings.model_dump()).to_dict("records")
    return {str(path): value for path, value in flat.items()}


def matching(path: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a path, in which `*` stands for any keys. Raises UserError where there is none."""
    found = {name: value for name, value in settings.items() if fnmatchcase(name, path)}
    if not found:
        raise UserError(f"{path} is not a setting (claims.yaml)")
    return found


def compare(experiment: Experiment, settings: Mapping[str, Any], seeds: int | None) -> Fidelity:
    """The fidelity of an experiment, computed, never asserted; fewer trainings (`seeds`) than its are named."""
    noise, data, recipe = (
        [
            f"{name} {_text(ours)} (paper {_text(published)})"
            for path, published in section.items()
            for name, ours in matching(path, settings).items()
            if ours != published
        ]
        for section in (experiment.noise, experiment.data, experiment.recipe)
    )
    differs = [*noise, *data, *recipe, *experiment.always.values()]
    level = "stand-in" if data or "stand-in" in experiment.always else "reduced" if differs else "full"
    few = [f"{seeds} of {experiment.seeds} training seeds"] if seeds and seeds < experiment.seeds else []
    return Fidelity(level, bool(noise), "; ".join([*differs, *few]))


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
