import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from common.errors import UserError
from common.run import sweep
from common.run.sweep import Sweep, draw, gather, level, planned, printed
from common.store import write_csv, write_json
from tests.common import fake_results

SIGMAS = (15.0, 50.0)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """A finished sweep of one paper: an experiment of DVC for each level, PSNR falling by 1 dB for 5 of σ."""
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    finished = Sweep(SIGMAS, (fake_results.PAPER,), "smoke", all_papers=False)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    git("init", "-q")
    git("add", "params.yaml")
    git(*identity, "commit", "-qm", "start")
    head = git("rev-parse", "HEAD")
    results = Path("results", fake_results.PAPER)
    for sigma in SIGMAS:
        lower = {name: psnr_db - sigma / 5 for name, psnr_db in fake_results.PSNR_DB.items()}
        other = fake_results.scores({"dncnn": 10.0}).assign(experiment="poisson")
        write_csv(results / "scores.csv", pd.concat([fake_results.scores(lower), other]))
        write_json(results / "settings.json", {"noise": {"sigma": sigma}})
        git("add", "results")
        git(*identity, "commit", "-qm", "experiment")
        git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{finished.name(sigma)}", "HEAD")
    git("reset", "-q", "--hard", head)
    return finished


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_the_scores_of_every_level_are_gathered_from_dvcs_experiments(run: Sweep) -> None:
    table = gather(run, git("rev-parse", "HEAD"))
    assert set(table["experiment"]) == {"table1"}  # photon noise has no σ
    scores = table.set_index(["network", "sigma"])["psnr_db"]
    for network in ("dncnn", "dudncnn", "noisy"):
        for sigma in SIGMAS:
            assert scores[network, sigma] == pytest.approx(fake_results.PSNR_DB[network] - sigma / 5)
    kinds = table.set_index("network")["kind"].to_dict()
    assert (kinds["dncnn"], kinds["bm3d"], kinds["noisy"]) == ("network", "filter", "trivial")
    assert set(table["images"]) == {2}
    assert not Path("results/udncnn/scores.csv").exists()  # the work tree is as it was


def test_an_experiment_that_is_not_there_is_named(run: Sweep) -> None:
    with pytest.raises(UserError, match="sigma25-smoke-udncnn"):
        gather(Sweep((25.0,), run.papers, "smoke", all_papers=False), git("rev-parse", "HEAD"))


def test_the_table_has_a_column_for_each_level_and_the_figure_a_line_for_each_denoiser(run: Sweep) -> None:
    table = gather(run, git("rev-parse", "HEAD"))
    heading, columns, *rows = printed(table).splitlines()
    assert heading.startswith("udncnn, ")
    assert [level.strip() for level in columns.split("σ = ")[1:]] == ["15", "50"]
    assert [float(number) for number in rows[-1].split()[-2:]] == [16.0, 9.0]  # the noisy input is last
    assert "all black" not in printed(table)
    with Image.open(draw(table, "udncnn")) as drawn:
        assert min(drawn.size) > 300


def test_the_level_in_effect_is_that_of_the_run(run: Sweep) -> None:
    gather(run, git("rev-parse", "HEAD"))
    folder = sweep.SWEEP / run.name(15.0) / "results"
    assert set(level("udncnn", 15.0, folder)["sigma"]) == {15.0}


def test_all_papers_of_gaussian_noise_are_swept_by_name_and_profile() -> None:
    one = planned([50, 15, 15], None, None)
    assert one.sigmas == (15, 50)
    assert set(one.papers) == {"edcnn", "n2n_resnet", "udncnn", "wgan_denoiser"}  # the fifth's is a mixture
    assert (one.name(15), one.name(12.5)) == ("sigma15-quick", "sigma12.5-quick")
    assert planned([15], "udncnn", "smoke").name(15) == "sigma15-smoke-udncnn"


@pytest.mark.parametrize("sigma", [0, -5, 300, float("nan")])
def test_a_level_off_the_scale_is_refused(sigma: float) -> None:
    with pytest.raises(UserError, match="0–255"):
        planned([sigma], None, None)


@pytest.mark.parametrize("paper", ["dsc_autoencoder", "udnccn"])
def test_a_paper_without_gaussian_noise_is_refused(paper: str) -> None:
    with pytest.raises(UserError, match="these have: edcnn, n2n_resnet, udncnn, wgan_denoiser"):
        planned([15], paper, None)


EVALUATE = """
import json
import pandas as pd
import yaml

params = yaml.safe_load(open("params.yaml"))
scores = pd.read_csv("kept/scores.csv")
scores["psnr_db"] -= params["noise"]["sigma"] / 5
scores.to_csv("results/udncnn/scores.csv", index=False)
json.dump({"profile": params["profile"]}, open("results/udncnn/settings.json", "w"))
"""
PAPERS_STAGES = """
stages:
  evaluate:
    wdir: ../..
    cmd: python kept/evaluate.py
    deps: [kept/evaluate.py, kept/scores.csv]
    params: [params.yaml: [profile, noise.sigma]]
    plots:
    - results/udncnn/scores.csv: {cache: false}
    - results/udncnn/settings.json: {cache: false}
"""
STAGES = """
stages:
  baselines:
    matrix: {paper: [udncnn]}
    cmd: cp kept/baselines.csv results/${item.paper}/baselines.csv
    deps: [kept/baselines.csv]
    plots: [results/udncnn/baselines.csv: {cache: false}]
"""


@pytest.mark.long
def test_each_level_is_an_experiment_beside_the_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With stages that take no time: DVC's part of it."""
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    (tmp_path / "results/udncnn").rename(tmp_path / "kept")
    for path, text in {
        "kept/evaluate.py": EVALUATE,
        "replications/udncnn/dvc.yaml": PAPERS_STAGES,
        "dvc.yaml": STAGES,
        "results/udncnn/.gitkeep": "",
        ".gitignore": ".scratch/\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    git("init", "-q")
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    git("add", "-A")
    git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-qm", "start")
    (tmp_path / ".scratch/downloads").mkdir(parents=True)  # goes along
    wanted = Sweep(SIGMAS, ("udncnn",), "smoke", all_papers=False)
    head = git("rev-parse", "HEAD")
    for sigma in (*SIGMAS, SIGMAS[-1]):  # once more: it is replaced
        sweep.run(wanted, sigma, head)
    scores = gather(wanted, head).set_index(["network", "sigma"])["psnr_db"]
    assert [scores["dncnn", sigma] for sigma in SIGMAS] == [29 - sigma / 5 for sigma in SIGMAS]
    assert capfd.readouterr().out.count("Running stage") == 3  # the rest is DVC's cache
    assert git("status", "--porcelain") == ""
    assert not list(sweep.FOLDERS.glob("*"))
    (tmp_path / "kept/evaluate.py").write_text("raise SystemExit(1)")
    with pytest.raises(UserError, match="σ = 15 ended with status"):
        sweep.run(wanted, SIGMAS[0], head)
    assert not list(sweep.FOLDERS.glob("*"))
