from pathlib import Path

import pytest

from common import params
from common.errors import UserError

TEXT = Path("params.yaml").read_text()


def load(tmp_path: Path, old: str, new: str) -> params.Params:
    assert old in TEXT
    (tmp_path / "params.yaml").write_text(TEXT.replace(old, new, 1))
    return params.load(tmp_path / "params.yaml")


def test_the_committed_file_is_valid_and_quick_is_the_default() -> None:
    everything = params.load()
    assert everything.profile == "quick"
    assert everything.noise.sigma is None
    assert everything.sigma("udncnn") == 30  # the lineage's σ


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sigma: null", "sigma: -5", r"noise.sigma must be ≥ 0 \(params.yaml\), got -5"),
        ("sigma: null", "sigma: loud", r"noise.sigma must be a valid number \(params.yaml\), got 'loud'"),
        ("sigma: null", "sigma: .nan", r"noise.sigma must be"),
        ("sigma: null", "sigmas: 25", r"noise.sigmas is not a parameter .*did you mean sigma\?"),
        ("  sigma: null", "  {}", r"noise.sigma is missing|not valid YAML"),
        ("profile: quick", "profile: fast", r"profile must be 'smoke', 'quick' or 'paper'.*got 'fast'"),
        ("seed: 0", "seed: -1", r"seed must be ≥ 0"),
        ("steps: 150", "steps: 0", r"profiles.smoke.udncnn.train.recipe.steps must be ≥ 1 .*got 0"),
        (
            "steps: 150",
            "step: 150",
            r"profiles.smoke.udncnn.train.recipe.step is not a parameter .*did you mean steps\?",
        ),
        ("lr: 0.02 ", "lr: 1e-3 ", r"profiles.smoke.udncnn.train.recipe.lr must be a valid number .*got '1e-3'"),
        ("    udncnn:\n", "    udncn:\n", r"udncn"),
        ("    training: {threads: 1} #", "    #", r"profiles.smoke.training is missing"),
        ("threads: 1}", "threads: 0}", r"profiles.smoke.training.threads must be ≥ 1 .*got 0"),
        ("profile: quick", "profile: [", r"params.yaml is not valid YAML"),
    ],
)
def test_a_wrong_parameter_is_named_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as failure:
        load(tmp_path, old, new)
    assert "\n" not in str(failure.value)


def test_a_number_overrides_the_level_of_every_paper(tmp_path: Path) -> None:
    assert load(tmp_path, "sigma: null", "sigma: 50").sigma("udncnn") == 50


def test_a_papers_own_level_changes_that_paper_alone(tmp_path: Path) -> None:
    assert load(tmp_path, "sigma: 30", "sigma: 25").sigma("udncnn") == 25


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run from the top folder"):
        params.load(tmp_path / "params.yaml")
