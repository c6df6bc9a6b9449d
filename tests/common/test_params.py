"""The parameters: what is in the files, and what is refused."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from common import params
from common.errors import UserError
from common.run.settings import budgets, every_profile

ROOT = Path.cwd()
OWN = "replications/udncnn/params.yaml"


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the files into an empty folder with one of them changed; returns udncnn's settings there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / OWN).parent.mkdir(parents=True)

    def load(file: str, old: str, new: str, profile: str | None = None) -> Any:
        for name in ("params.yaml", OWN):
            shutil.copy(ROOT / name, name)
        text = Path(file).read_text()
        assert old in text
        Path(file).write_text(text.replace(old, new, 1))
        return params.load("udncnn", profile)

    return load


def test_quick_is_the_default_and_every_paper_is_valid_under_every_profile() -> None:
    assert params.shared().profile == "quick"
    for profile in params.PROFILES:
        for paper in params.papers():
            assert params.load(paper, profile).profile == profile


def test_a_row_has_the_value_of_the_profile() -> None:
    steps = [params.load("udncnn", profile).train.recipe.steps for profile in params.PROFILES]
    assert steps == [150, 640, 10000]
    assert params.load("udncnn", "paper").network.width == 64  # the lineage's
    assert params.load("udncnn").noise.sigma == 30  # the lineage's σ


def test_the_paper_profile_keeps_the_published_values() -> None:
    """Protocols of the papers' texts, as claims.yaml quotes them."""
    n2n, dsc = params.load("n2n_resnet", "paper"), params.load("dsc_autoencoder", "paper")
    assert (n2n.train.recipe.batch, n2n.train.recipe.lr, n2n.train.recipe.schedule.lowest) == (128, 0.1, 0.0001)
    assert (dsc.train.recipe.batch, dsc.train.recipe.steps, dsc.network.bottleneck) == (10, 10000, 518)
    edcnn, wgan = params.load("edcnn", "paper"), params.load("wgan_denoiser", "paper")
    assert (edcnn.train.recipe.crop, edcnn.network.width) == (256, 64)
    assert wgan.train.recipe.steps == 10000


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("params.yaml", "sigma: null", "sigma: -5", r"noise.sigma must be ≥ 0 \(params.yaml\), got -5"),
        (
            "params.yaml",
            "sigma: null",
            "sigma: loud",
            r"noise.sigma must be a valid number \(params.yaml\), got 'loud'",
        ),
        ("params.yaml", "sigma: null", "sigma: .nan", r"noise.sigma must be"),
        ("params.yaml", "sigma: null", "sigmas: 25", r"noise.sigmas is not a parameter .*did you mean sigma\?"),
        ("params.yaml", "{sigma: null}", "{}", r"noise.sigma is missing \(params.yaml\)"),
        ("params.yaml", "profile: quick", "profile: fast", r"profile must be 'smoke', 'quick' or 'paper'.*got 'fast'"),
        ("params.yaml", "profile: quick", "profile: [", r"params.yaml is not valid YAML"),
        ("params.yaml", "seed: 0", "seed: -1", r"seed must be ≥ 0"),
        (
            "params.yaml",
            "quick: 1, paper: null}\n",
            "quick: 0, paper: null}\n",
            r"training.threads of this profile must",
        ),
        ("params.yaml", "training:\n", "trainings:\n", r"trainings is not a parameter .*did you mean training\?"),
        (
            OWN,
            "quick: 640",
            "quick: 0",
            r"train.recipe.steps of this profile must be ≥ 1 \(replications/udncnn/.*got 0",
        ),
        (OWN, "quick: 640, ", "", r"train.recipe.steps must have a value for each of smoke, quick, paper"),
        (OWN, "    steps: {smoke: 150", "    step: {smoke: 150", r"train.recipe.step is not .*did you mean steps\?"),
        (OWN, "quick: 0.03, ", "quick: 1e-3, ", r"train.recipe.lr of this profile must be a valid number .*got '1e-3'"),
        (OWN, "quick: 0.03, ", "quick: 1e-3, ", r"got '1e-3'; write 0\.001$"),
        ("params.yaml", "sigma: null", "sigma: 25e0", r"noise.sigma must be .*got '25e0'; write 25$"),
        ("params.yaml", "seed: 0", "seed: 0\nseed: 1", r"seed stands twice, in lines 7 and 8 \(params.yaml\)"),
        ("params.yaml", "{sigma: null}", "{sigma: 3, sigma: null}", r"sigma stands twice, in lines (\d+) and \1 \("),
        (OWN, "  peak: 4 ", "  peak: 3\n  peak: 4 ", r"peak stands twice, in lines \d+ and \d+ \(replications/udncnn"),
        ("params.yaml", "root: null", "root: ''", r"data.root must be a folder, or null \(params.yaml\), got ''"),
        ("params.yaml", "seed: 0", "seed: [0]", r"seed must be a valid integer \(params.yaml\), got \[0\]"),
        ("params.yaml", "seed: 0", "seed: 0.5", r"seed must be a valid integer \(params.yaml\), got 0.5"),
        ("params.yaml", "sigma: null", "sigma: .inf", r"noise.sigma must be a finite number"),
        (
            OWN,
            "quick: [3, 10, 20, 40]",
            "quick: [40, 3]",
            r"ladders.jpeg.* must be two or more qualities, ascending \(",
        ),
        (OWN, "blind_sigma: [10, 75]", "blind_sigma: [75, 10]", r"noise.blind_sigma must be the lower bound first \("),
        (OWN, "  peak: 4 ", "  peak: [4] ", r"noise.peak must be a valid number \(replications/udncnn/params.yaml\)"),
        (OWN, "panels:", "pannels:", r"pannels is not a parameter .*did you mean panels\?"),
        (OWN, "panels:", "seed:", r"seed is a parameter of all papers: set it in params.yaml"),
        (OWN, "      dncnn:", "      dn_gaussian:", r"train.*different names: dn_gaussian is in two groups"),
    ],
)
def test_a_wrong_parameter_is_named_in_one_line(change: Any, file: str, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as failure:
        change(file, old, new)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "- 1\n"])
def test_a_file_without_parameters_is_named(change: Any, text: str) -> None:
    with pytest.raises(UserError, match=r"^replications/udncnn/params.yaml must hold parameters"):
        change(OWN, Path(ROOT / OWN).read_text(), text)


def test_a_file_that_is_no_text_is_named(change: Any) -> None:
    change(OWN, "noise", "noise")
    Path(OWN).write_bytes(b"noise: \xff\n")
    with pytest.raises(UserError, match="is not text in UTF-8"):
        params.load("udncnn")


def test_the_levels_of_a_u_need_an_even_depth(change: Any) -> None:
    text = Path(ROOT / OWN).read_text()
    (row,) = re.findall(r"^  depth: .*$", text, re.MULTILINE)
    with pytest.raises(UserError, match=r"network.depth must be even: the U has D/2 - 1 levels \(.*, got 3"):
        change(OWN, row, "  depth: 3")


def test_a_data_set_that_there_is_not_is_refused_under_every_profile(change: Any) -> None:
    change(OWN, "paper: bsds300}\n  validation:", "paper: bsds3000}\n  validation:")
    with pytest.raises(UserError, match=r"data.train of this profile must be a data set .*did you mean bsds300\?"):
        every_profile("udncnn")


def test_a_data_set_of_the_benchmark_is_held_to_the_same(change: Any) -> None:
    change("params.yaml", "- embedded_grey", "- embeded_grey")
    with pytest.raises(UserError, match=r"benchmark.sets.1 must be a data set .*did you mean embedded_grey\?"):
        every_profile(None)


def test_the_budget_of_the_benchmark_is_held_to_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = params.BUDGET_FILE.read_text()
    (tmp_path / params.BUDGET_FILE).parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for before, after, refused in (
        (
            "steps: {smoke: 24,",
            "steps: {smoke: 0,",
            r"steps of this profile must be ≥ 1 \(common/benchmark/budget.yaml\), got 0",
        ),
        ("sigma: [0, 55]", "sigma: [55, 0]", "must be a range of levels"),
        ("quick: embedded,", "quick: embeded,", r"train of this profile must be a data set .*did you mean embedded"),
        ("batch:", "batches:", "batches is not a parameter"),
    ):
        assert before in text
        params.BUDGET_FILE.write_text(text.replace(before, after, 1))
        with pytest.raises(UserError, match=refused):
            budgets()


def test_a_folder_of_ones_own_is_a_data_set(change: Any) -> None:
    change(OWN, "paper: bsds300}\n  validation:", "paper: 'folder:photographs'}\n  validation:")
    assert every_profile("udncnn")["paper"].data.train == "folder:photographs"


def test_a_number_replaces_the_level_of_pure_gaussian_noise_and_no_other(change: Any) -> None:
    after = change("params.yaml", "sigma: null", "sigma: 50").noise
    before = change("params.yaml", "sigma: null", "sigma: null").noise
    assert (before.sigma, after.sigma) == (30, 50)
    assert after.model_copy(update={"sigma": before.sigma}) == before


def test_a_papers_own_level_is_in_its_own_file(change: Any) -> None:
    assert change(OWN, "sigma: 30", "sigma: 25").noise.sigma == 25


def test_the_folder_of_data_sets_reaches_every_paper(change: Any) -> None:
    assert change("params.yaml", "root: null", "root: /elsewhere").data.root == "/elsewhere"


def test_a_missing_file_says_where_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="run from the top folder"):
        params.shared()


@pytest.mark.parametrize("change", ["noise.sigma=50", "profile=smoke", "data.root=/elsewhere", "seed=1"])
def test_a_change_for_one_run_is_one_line(tmp_path: Path, change: str) -> None:
    """`dvc exp run -S` writes the whole file anew, lists one item a line: it stands here as DVC writes it."""
    copy = tmp_path / "params.yaml"
    shutil.copy("params.yaml", copy)
    apply_overrides(copy, [change])
    lines = zip(Path("params.yaml").read_text().splitlines(), copy.read_text().splitlines(), strict=True)
    assert len([before for before, after in lines if before != after]) == 1


@pytest.mark.parametrize("paper", params.papers())
def test_a_papers_knob_is_changed_for_one_run_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paper: str
) -> None:
    shutil.copytree("replications", tmp_path / "replications", ignore=shutil.ignore_patterns("*.py[co]", "pretrained"))
    shutil.copy("params.yaml", tmp_path)
    before = params.load(paper)
    monkeypatch.chdir(tmp_path)
    apply_overrides(f"replications/{paper}/params.yaml", ["train.recipe.steps.quick=7"])
    after = params.load(paper)
    assert after.train.recipe == before.train.recipe.model_copy(update={"steps": 7})
    assert after.model_copy(update={"train": before.train}) == before
