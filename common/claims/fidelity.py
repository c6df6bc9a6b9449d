"""The settings of a run, which no other module here reads, and how near they are to the paper's."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from common import params
from common.claims.schema import Experiment
from common.errors import UserError

Settings = Mapping[str, Any]
"""Every setting in effect by its dotted path, `profile`, `seed` and the level after the override of `noise.sigma` too."""


@dataclass(frozen=True)
class Fidelity:
    """level: `full`, `reduced` or `stand-in`. off_protocol: the noise is not the paper's. differs: what, in words."""

    level: str = "full"
    off_protocol: bool = False
    differs: tuple[str, ...] = ()


def settings_of(paper: str, profile: str | None = None) -> Settings:
    """A paper's settings in effect; or a profile's as they are published, whatever params.yaml chooses at present."""
    chosen = params.load()
    if profile is not None:
        unchanged = chosen.noise.model_copy(update={"sigma": None})
        chosen = chosen.model_copy(update={"profile": profile, "noise": unchanged})
    sections = {**chosen.paper(paper).model_dump(), "latency": chosen.latency.model_dump()}
    level = {"noise.sigma": chosen.sigma(paper)} if chosen.has_sigma(paper) else {}
    return {**dict(_leaves(sections)), **level, "profile": chosen.profile, "seed": chosen.seed}


def matching(path: str, settings: Settings) -> dict[str, Any]:
    """The settings of a path, in which `*` stands for any keys. Raises UserError where there is none."""
    found = {name: value for name, value in settings.items() if fnmatchcase(name, path)}
    if not found:
        raise UserError(f"{path} is not a setting (claims.yaml)")
    return found


def compare(experiment: Experiment, settings: Settings) -> Fidelity:
    """The fidelity of an experiment, computed, never asserted."""
    noise, data, recipe = (
        [
            f"{name} {_text(ours)} (paper {_text(published)})"
            for path, published in section.items()
            for name, ours in matching(path, settings).items()
            if not _same(ours, published)
        ]
        for section in (experiment.noise, experiment.data, experiment.recipe)
    )
    differs = (*noise, *data, *recipe, *experiment.always.values())
    level = "stand-in" if data or "stand-in" in experiment.always else "reduced" if differs else "full"
    return Fidelity(level, bool(noise), differs)


def _leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _same(ours: Any, published: Any) -> bool:
    numbers = isinstance(ours, float) and isinstance(published, int | float)
    return math.isclose(ours, published) if numbers else bool(ours == published)


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
