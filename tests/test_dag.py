"""The DAG as a user runs it, on the smoke profile in a fresh copy."""

import ast
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from common.store import read_json
from tests.conftest import dvc, run


@pytest.mark.slow
def test_the_smoke_dag_ends_in_a_report(smoke: Path) -> None:
    for name in (
        "report.html",
        "report.md",
        "README.md",
        "claims.csv",
        "figures/published_vs_ours.png",
        "tables/udncnn_table1.csv",
    ):
        assert (smoke / "results" / name).is_file(), name
    metrics = read_json(smoke / "results/udncnn/metrics.json")
    for network in ("dncnn", "udncnn", "dudncnn"):
        assert metrics["table1"][network]["psnr_db"] > metrics["table1"]["noisy"]["psnr_db"] + 2, network


@pytest.mark.slow
def test_with_nothing_to_do_repro_takes_three_seconds_at_most(smoke: Path) -> None:
    dvc(smoke, "repro")
    times = []
    for _ in range(3):
        started = time.monotonic()
        output = dvc(smoke, "repro")
        times.append(time.monotonic() - started)
        assert "Running stage" not in output
    assert min(times) <= 3


@pytest.mark.slow
def test_training_and_evaluating_again_gives_bit_identical_metrics(smoke: Path) -> None:
    results = smoke / "results/udncnn"
    first = {name: (results / name).read_bytes() for name in ("metrics.json", "scores.csv")}
    history = pd.read_csv(results / "history/dncnn.csv").drop(columns="seconds")
    weights = (smoke / "models/udncnn/dncnn/seed0.safetensors").read_bytes()
    for stage in ("replications.udncnn.train dncnn", "replications.udncnn.evaluate"):
        ended = run(["python", "-m", *stage.split()], smoke)
        assert ended.returncode == 0, ended.stderr
    assert (smoke / "models/udncnn/dncnn/seed0.safetensors").read_bytes() == weights
    assert {name: (results / name).read_bytes() for name in first} == first
    assert pd.read_csv(results / "history/dncnn.csv").drop(columns="seconds").equals(history)


def test_every_stage_depends_on_the_code_it_imports() -> None:
    """Import closure of each stage's script within its paper and common/, against `deps` of its dvc.yaml."""
    not_results = {"common/command.py", "common/errors.py", "common/params.py", "common/progress.py"}
    missing = []
    for file in (Path("dvc.yaml"), *Path("replications").glob("*/dvc.yaml")):
        for name, stage in yaml.safe_load(file.read_text())["stages"].items():
            for path in _imports(stage["cmd"].split()[2]):
                covered = any(path == dep or path.startswith(f"{dep}/") for dep in stage["deps"])
                settings = path.endswith("/params.py") or path.endswith("/__init__.py")
                if not (covered or settings or path in not_results):
                    missing.append(f"{file}: {name} does not depend on {path}")
    assert not missing, "\n".join(missing)


def _imports(module: str, seen: set[str] | None = None) -> set[str]:
    """Files of this repository that a module imports, itself included."""
    seen = set() if seen is None else seen
    base = Path(module.replace(".", "/"))
    path = next(
        (path for path in (base / "__main__.py", base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None
    )
    if path is None or str(path) in seen:
        return seen
    seen.add(str(path))
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] in ("common", "replications"):
                _imports(name, seen)
    return seen
