import json
import shutil
from pathlib import Path

import pytest
import torch

from common.denoise import pretrained
from common.denoise.pretrained import FOLDER, load_pretrained, read_record, save_pretrained
from common.errors import UserError

NAMES = list(pretrained.pretrained())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of papers with two networks in it."""
    folder = tmp_path / "first/pretrained"
    folder.mkdir(parents=True)
    for name in ("dncnn", "udncnn"):
        for suffix in (".json", ".safetensors"):
            shutil.copy(FOLDER / f"udncnn/pretrained/{name}{suffix}", folder)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_rebuilt_from_its_record_alone(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # without any parameter file, and from any folder
    network, record = load_pretrained(name)
    colours = record.trained_for.colours
    noisy = torch.zeros(1, colours, 37, 26)
    with torch.inference_mode():
        assert network(noisy).shape == noisy.shape
    assert not network.training


@pytest.mark.parametrize("name", NAMES)
def test_a_record_agrees_with_itself(name: str) -> None:
    record = read_record(pretrained.pretrained()[name])
    training = record.training
    assert training.images_seen == training.steps * training.recipe["batch"]
    assert training.history[-1].step == training.steps
    assert training.history[-1].val_psnr_db > training.history[0].val_psnr_db
    assert record.scores
    if record.trained_for.sigma:
        assert record.trained_for.sigma == sorted(record.trained_for.sigma)


def test_saving_writes_what_loading_reads(copy: Path) -> None:
    network, record = load_pretrained("dncnn", copy)
    save_pretrained(copy / "second/pretrained", "mine", network, record.model_dump(exclude={"sha256"}))
    again, its_record = load_pretrained("mine", copy)
    assert its_record == record
    for key, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


def test_variants_of_one_name_are_told_apart_by_their_paper(copy: Path) -> None:
    shutil.copytree(copy / "first", copy / "second")
    (copy / "second/pretrained/udncnn.json").unlink()
    assert list(pretrained.pretrained(copy)) == ["first/dncnn", "second/dncnn", "udncnn"]


def test_other_weights_than_the_records_are_refused(copy: Path) -> None:
    shutil.copy(copy / "first/pretrained/dncnn.safetensors", copy / "first/pretrained/udncnn.safetensors")
    with pytest.raises(UserError, match=r"udncnn\.safetensors .*restore both from git") as error:
        load_pretrained("udncnn", copy)
    assert "\n" not in str(error.value)


def test_bad_records_and_names_are_named(copy: Path) -> None:
    with pytest.raises(UserError, match=r"nothing is not a network .*: known are dncnn, udncnn"):
        load_pretrained("nothing", copy)
    path = copy / "first/pretrained/dncnn.json"
    record = json.loads(path.read_text())
    record["network"]["period"] = 0
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"dncnn\.json: network\.period: .*restore it from git"):
        load_pretrained("dncnn", copy)
    path.write_text("{")
    with pytest.raises(UserError, match=r"dncnn\.json is not valid JSON"):
        load_pretrained("dncnn", copy)
