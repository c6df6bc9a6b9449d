"""How near an experiment is to the paper's: computed from the settings in effect, never asserted."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from common.claims.schema import Experiment, Setting
from common.errors import UserError
from common.params import Settings, Trainings


@dataclass(frozen=True)
class Fidelity:
    """level: `full`, `reduced` or `stand-in`. off_protocol: the noise is not the paper's. differs: what, in words."""

    level: str
    off_protocol: bool
    differs: str


LEVELS = ("full", "reduced", "stand-in")
FULL = Fidelity("full", off_protocol=False, differs="")


def compare(experiment: Experiment, settings: Settings, seeds: int | None) -> Fidelity:
    """The fidelity of an experiment under a paper's settings; seeds: trainings (None: nothing was trained)."""
    data, noise, recipe = (
        [line for path, published in section.items() for line in _differences(path, published, settings)]
        for section in (experiment.data, experiment.noise, experiment.recipe)
    )
    few = [f"{seeds} of {experiment.seeds} training seeds"] if seeds is not None and seeds < experiment.seeds else []
    lines = [*noise, *data, *recipe, *few, *experiment.always.values()]
    level = "stand-in" if data or "stand-in" in experiment.always else "reduced" if lines else "full"
    return Fidelity(level, bool(noise), "; ".join(lines))


def setting(path: str, settings: Settings) -> Any:
    """A paper's setting in effect, by dotted path."""
    ((_, value),) = _resolve(path, settings)
    return value


def _differences(path: str, published: Setting, settings: Settings) -> Iterator[str]:
    for name, ours in _resolve(path, settings):
        if not _same(ours, published):
            yield f"{name} {_text(ours)} (paper {_text(published)})"


def _resolve(path: str, settings: Settings) -> list[tuple[str, Any]]:
    """Settings at a dotted path; `*` stands for every key."""
    found: list[tuple[str, Any]] = [("", settings)]
    for key in path.split("."):
        found = [member for name, value in found for member in _members(name, value, key, path)]
    return found


def _members(name: str, value: Any, key: str, path: str) -> list[tuple[str, Any]]:
    fields: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    if isinstance(value, BaseModel):
        fields = {field: getattr(value, field) for field in type(value).model_fields}
    if isinstance(value, Trainings):
        fields = {**fields, "variants": value.every}  # a claim names a variant, whatever its group
    if key != "*" and key not in fields:
        raise UserError(f"{path} is not a setting (claims.yaml): there is {', '.join(fields) or 'no key'}, not {key}")
    return [(f"{name}.{chosen}".strip("."), fields[chosen]) for chosen in (fields if key == "*" else [key])]


def _same(ours: Any, published: Setting) -> bool:
    if isinstance(ours, float) and isinstance(published, int | float):
        return math.isclose(ours, published)
    return bool(ours == published)


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
