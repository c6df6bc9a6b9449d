"""The DAG as a user runs it, on the smoke profile in a fresh copy."""

import ast
import json
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from common.params import papers
from common.score.results import history, of_variant
from common.store import read_json
from common.train.stage import member
from tests.conftest import dvc, run

STAGES = (Path("dvc.yaml"), Path("common/benchmark/dvc.yaml"), *Path("replications").glob("*/dvc.yaml"))

TRAINED = {
    "dsc_autoencoder": "dsc",
    "edcnn": "full_skip",
    "n2n_resnet": "impulse_noisy",
    "udncnn": "dncnn",
    "wgan_denoiser": "wgan",
}
"""A variant of each paper that the smoke profile trains."""


@pytest.mark.slow
def test_the_smoke_dag_ends_in_a_report(smoke: Path) -> None:
    for name in (
        "report.html",
        "report.md",
        "README.md",
        "claims.csv",
        "figures/published_vs_ours_udncnn.png",
        "tables/udncnn_table1.csv",
    ):
        assert (smoke / "results" / name).is_file(), name
    metrics = read_json(smoke / "results/udncnn/metrics.json")
    for network in ("dncnn", "udncnn", "dudncnn"):
        assert metrics["table1"][network]["psnr_db"] > metrics["table1"]["noisy"]["psnr_db"] + 2, network


@pytest.mark.slow
def test_every_paper_has_verdicts_scores_and_pictures(smoke: Path) -> None:
    ledger = pd.read_csv(smoke / "results/claims.csv")
    for paper in papers():
        assert (ledger["paper"] == paper).any(), paper
        assert read_json(smoke / f"results/{paper}/metrics.json"), paper
        assert list((smoke / f"results/{paper}/panels").rglob("*.webp")), paper
    assert ledger["verdict"].notna().all()


@pytest.mark.slow
def test_with_nothing_to_do_repro_takes_seconds(smoke: Path) -> None:
    """A quarter of a second a stage at most, most of it DVC's."""
    dvc(smoke, "repro")
    times = []
    for _ in range(3):
        started = time.monotonic()
        output = dvc(smoke, "repro")
        times.append(time.monotonic() - started)
        assert "Running stage" not in output
    assert min(times) <= 0.25 * len(dvc(smoke, "stage", "list", "--all").splitlines())


@pytest.mark.slow
def test_evaluating_again_gives_bit_identical_metrics(smoke: Path) -> None:
    results = smoke / "results/udncnn"
    first = {name: (results / name).read_bytes() for name in ("metrics.json", "scores.csv")}
    ended = run(["python", "-m", "replications.udncnn.evaluate"], smoke)
    assert ended.returncode == 0, ended.stderr
    assert {name: (results / name).read_bytes() for name in first} == first


@pytest.mark.slow
@pytest.mark.parametrize(("paper", "variant"), TRAINED.items())
def test_training_again_gives_bit_identical_weights_and_history(smoke: Path, paper: str, variant: str) -> None:
    weights = of_variant(smoke / "models" / paper, f"{variant}/seed0.safetensors")
    curves = smoke / "results"
    first, curve = weights.read_bytes(), history(paper, variant, curves).drop(columns="seconds")
    ended = run(["python", "-m", f"replications.{paper}.train", weights.parts[-3]], smoke)
    assert ended.returncode == 0, ended.stderr
    assert weights.read_bytes() == first
    assert history(paper, variant, curves).drop(columns="seconds").equals(curve)


def test_compiled_code_and_the_toy_paper_change_no_stage() -> None:
    for path in ("common/claims/__pycache__/judge.cpython-311.pyc", "tests/toy/dvc.yaml"):
        assert run([sys.executable, "-m", "dvc", "check-ignore", path], Path.cwd()).stdout.strip() == path


def test_every_stage_depends_on_the_code_it_imports() -> None:
    """Import closure of each stage's script within its paper and common/, against `deps` of its dvc.yaml."""
    ground = {f"common/{name}.py" for name in ("command", "errors", "params", "progress")}
    not_results = ground | {"common/score/workers.py"}  # results come in the order of the jobs
    missing = []
    for file, name, stage in stages():
        _, _, module, *arguments = stage["cmd"].split()
        for path in _imports(module, arguments[0] if arguments else ""):
            covered = any(path == dep or path.startswith(f"{dep}/") for dep in stage["deps"])
            settings = path.endswith("/params.py") or path.endswith("/__init__.py")
            if not (covered or settings or path in not_results):
                missing.append(f"{file}: {name} does not depend on {path}")
    assert not missing, "\n".join(missing)


def test_every_stage_that_can_use_a_gpu_says_so() -> None:
    """Where stages run side by side, the others may be given a worker that sees no GPU."""
    computes = re.compile(r"torch\.cuda\.is_available|Accelerator\(|cuda\.device_count")
    wrong = []
    for file, name, stage in stages():
        _, _, module, *arguments = stage["cmd"].split()
        code = _imports(module, arguments[0] if arguments else "")
        uses = any(computes.search(Path(path).read_text()) for path in code)
        uses = uses and name != "filter_latency"  # filters run on CPUs
        if uses != bool(stage.get("meta", {}).get("gpu")):
            wrong.append(f"{file}: {name}")
    assert not wrong, wrong


def stages() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Every stage with its file and name, one for each paper where it has a matrix, each member where it has a list."""
    for file in STAGES:
        for name, stage in yaml.safe_load(file.read_text())["stages"].items():
            if "foreach" in stage:
                yield from ((file, f"{name}@{key}", member(file, name, key)) for key in stage["foreach"])
                continue
            for paper in stage.get("matrix", {"paper": [""]})["paper"]:
                yield file, name, json.loads(json.dumps(stage).replace("${item.paper}", paper))


def _imports(module: str, paper: str, seen: set[str] | None = None) -> set[str]:
    """Files of this repository that a command imports, its own included; of its paper those it imports by name."""
    command, seen = seen is None, set() if seen is None else seen
    base = Path(module.replace(".", "/"))
    path = next(
        (path for path in (base / "__main__.py", base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None
    )
    if path is None or str(path) in seen:
        return seen
    seen.add(str(path))
    text = path.read_text()
    named = re.findall(r'import_module\(f"replications\.\{paper\}\.(\w+)"\)', text)
    for name in (f"replications.{paper}.{own}" for own in named if command):
        _imports(name, paper, seen)
    for name in _imported_names(path):
        _imports(name, paper, seen)
    return seen


@cache
def _imported_names(path: Path) -> list[str]:
    """Dotted names of this repository that a module imports."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] in ("common", "replications")]
