"""Networks, filters and trivial predictors by the names that readers know: DnCNN, not dncnn.

A paper's names stand in replications/<paper>/names.yaml, by the ids of its variants; results hold the ids. There
"<experiment>/<id>" names what is called otherwise in one experiment, `super_resolution_x2/noisy: bicubic`, and
"<experiment>/" the experiment itself.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml

SHARED = {
    "bm3d": "BM3D",
    "vst_bm3d": "VST + BM3D",
    "nlm": "NLM",
    "wavelet": "wavelets",
    "tv": "TV",
    "noisy": "noisy input",
    "black": "all black",
    "mean": "mean colour",
}
"""What every paper is compared with: `common.score.baselines` and `common.score.evaluation.TRIVIAL`."""

T = TypeVar("T")


def names_of(paper: str) -> dict[str, str]:
    """The names of all that a paper is about, by their ids."""
    return {**SHARED, **_read(Path("replications", paper, "names.yaml").absolute())}


def name_of(paper: str, network: str, experiment: str | None = None) -> str:
    """The name of a network, filter or trivial predictor, in an experiment; its id where it has no other."""
    names = names_of(paper)
    return names.get(f"{experiment}/{network}", names.get(network, network))


def experiment_name(paper: str, experiment: str) -> str:
    """The name of a paper's experiment; its id where it has no other."""
    return names_of(paper).get(f"{experiment}/", experiment)


def named(paper: str, by_id: Mapping[str, T]) -> dict[str, T]:
    """A mapping by ids as one by names, in the same order. ValueError where two of them share a name."""
    by_name = {name_of(paper, network): value for network, value in by_id.items()}
    if len(by_name) < len(by_id):
        raise ValueError(f"two of {', '.join(by_id)} have the same name (replications/{paper}/names.yaml)")
    return by_name


@cache
def _read(file: Path) -> dict[str, str]:
    return yaml.safe_load(file.read_text()) if file.is_file() else {}
