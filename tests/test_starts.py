"""A stage loads what it uses: importing torch takes a second, scipy.stats, pandas and matplotlib half of one each."""

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from tests.test_dag import STAGES

HEAVY = ("accelerate", "bm3d", "fvcore", "matplotlib", "pandas", "pywt", "scipy.stats", "seaborn", "skimage", "torch")
"""Packages that take a tenth of a second or more to import. scikit-image's own start is short; its parts are not."""
LOADED: dict[tuple[str, ...], set[str]] = {
    ("common.run.*", "common.noise", "replications.*.data", "replications.*.implied_sigma"): set(),
    ("common.score.baselines",): set(),
    ("common.benchmark.networks", "common.benchmark.stage", "common.claims", "common.report"): {"pandas"},
    ("common.benchmark.untrained", "common.benchmark.shipped", "common.report.showcase"): {"torch", "pandas"},
    ("common.score.complexity", "common.score.latency"): {"torch"},
    ("common.benchmark.train", "replications.*.train*", "replications.*.table1"): {"torch", "accelerate", "pandas"},
    ("replications.*.evaluate",): {"torch", "accelerate", "pandas", "matplotlib"},
}
"""Commands of stages, and what they may load before they start to work."""


def commands() -> set[str]:
    """The module that each stage of the DAG runs."""
    stages = [stage for file in STAGES for stage in yaml.safe_load(file.read_text())["stages"].values()]
    return {stage.get("do", stage)["cmd"].split()[2] for stage in stages}


def chosen(patterns: tuple[str, ...]) -> list[str]:
    return [name for name in sorted(commands()) if any(fnmatch(name, pattern) for pattern in patterns)]


def test_every_command_is_listed_once() -> None:
    listed = [name for patterns in LOADED for name in chosen(patterns)]
    assert sorted(listed) == sorted(commands())


@pytest.mark.parametrize("patterns", LOADED, ids=" ".join)
def test_a_stage_starts_with_no_more_than_it_uses(patterns: tuple[str, ...]) -> None:
    files = [Path(name.replace(".", "/")) for name in chosen(patterns)]
    modules = [".".join(file.parts) + (".__main__" if file.is_dir() else "") for file in files]
    code = f"import sys, {', '.join(modules)}; print(*sorted({set(HEAVY)} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ended.stdout.split()) <= LOADED[patterns]
