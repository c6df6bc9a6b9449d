"""What a checkpoint belongs to: the dependencies that the training stage's dvc.yaml names."""

from pathlib import Path

import pytest

from common import params
from common.errors import UserError
from common.train.stage import stage_key, training_stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = params.load("udncnn")
    monkeypatch.setattr(params, "load", lambda paper: settings)
    monkeypatch.chdir(tmp_path)
    for file in ("code/a.py", "code/deep/b.py", "code/__pycache__/a.pyc", "other.py", "replications/udncnn/dvc.yaml"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(file)
    Path("replications/udncnn/dvc.yaml").write_text(
        """
stages:
  train_table1:
    cmd: python -m replications.udncnn.train table1
    deps: [code]
    params:
      - results/udncnn/settings.json: [noise.sigma, train.recipe]
"""
    )


def key(**noise: float) -> str:
    settings = params.load("udncnn")
    changed = settings.noise.model_copy(update=noise)
    return stage_key("udncnn", "table1", settings.model_copy(update={"noise": changed}))


@pytest.mark.usefixtures("stage")
def test_the_code_and_the_parameters_of_the_stage_change_the_key_and_nothing_else_does() -> None:
    first = key()
    Path("other.py").write_text("changed")
    Path("code/__pycache__/a.pyc").write_text("changed")
    assert key(peak=8.0) == key() == first
    assert key(sigma=50.0) != first
    Path("code/deep/b.py").write_text("changed")
    assert key() != first


@pytest.mark.usefixtures("stage")
def test_a_group_without_a_stage_is_named() -> None:
    with pytest.raises(UserError, match=r"replications/udncnn/dvc.yaml has no stage that trains codecs"):
        training_stage("udncnn", "codecs")


@pytest.mark.parametrize("paper", params.papers())
def test_every_group_has_a_stage_that_lists_its_variants(paper: str) -> None:
    for group in params.load(paper).train.variants:
        stage = training_stage(paper, group)
        assert stage["outs"] == [f"models/{paper}/{group}"]
        (keys,) = stage["params"][0].values()
        assert f"train.variants.{group}" in keys
        assert len(stage_key(paper, group, params.load(paper))) == 16
