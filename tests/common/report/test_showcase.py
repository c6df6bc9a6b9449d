from pathlib import Path

import numpy as np
import pytest
from torch import nn

from common.denoise.pretrained import load_pretrained, pretrained
from common.errors import UserError
from common.report import showcase
from common.report.summaries import Showcase, load
from common.score.panels import RECORD
from common.store import read_json
from tests.common import fake_results

SHOWN = Showcase(
    what="noise", dataset="embedded", split="test", image="boat", crop=(8, 4, 32, 48), sigma=30, networks=["dudncnn"]
)


@pytest.fixture
def photograph(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The only image of the data set: a grey ramp."""
    image = np.repeat(np.tile(np.linspace(60, 190, 64), (64, 1))[..., None], 3, axis=-1).astype(np.uint8)
    monkeypatch.setattr(showcase, "load_images", lambda name, split, root: {"boat": image})
    return image


def test_a_published_network_restores_a_part_of_a_photograph(photograph: np.ndarray, tmp_path: Path) -> None:
    showcase.draw("udncnn", SHOWN, tmp_path)
    record = read_json(tmp_path / "udncnn/boat" / RECORD)
    assert (record["width"], record["height"]) == (48, 32)
    noisy, restored, _ = record["pictures"]
    assert (noisy["name"], restored["name"]) == ("noisy", "DUDnCNN")
    assert noisy["psnr_db"] == pytest.approx(18.59, abs=0.4)  # 20·log10(255 / 30): hardly clipped
    assert restored["psnr_db"] > noisy["psnr_db"] + 10


def test_a_crop_beyond_the_image_and_an_unknown_image_are_refused(photograph: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="reaches beyond"):
        showcase.draw("udncnn", SHOWN.model_copy(update={"crop": (40, 0, 32, 48)}), tmp_path)
    with pytest.raises(UserError, match=r"ship is not in embedded test .*it has boat"):
        showcase.draw("udncnn", SHOWN.model_copy(update={"image": "ship"}), tmp_path)
    assert not (tmp_path / "udncnn").exists()


def test_what_a_summary_shows_comes_with_the_suite() -> None:
    shown = load("udncnn", "").showcase
    assert shown is not None
    assert set(shown.networks) <= set(pretrained())
    assert isinstance(load_pretrained(shown.networks[0])[0], nn.Module)


def test_the_stage_draws_what_a_summary_asks_for_and_no_more(
    photograph: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    showcase.main()
    assert list(Path("results/showcase").iterdir()) == []
    summary = Path("replications/udncnn/summary.yaml")
    summary.write_text(f"{summary.read_text()}showcase: {SHOWN.model_dump_json()}\n")
    showcase.main()
    assert Path("results/showcase/udncnn/boat", RECORD).is_file()
