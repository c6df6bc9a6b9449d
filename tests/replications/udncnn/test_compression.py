from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common import params
from common.datasets.embedded import skimage_data
from common.datasets.images import read_image
from common.noise.codecs import CODECS, Jpeg2000, RandomQuality
from common.noise.sensor import corrupt
from common.score.evaluation import score_experiment
from common.score.metrics import psnr
from common.store import Arrays
from common.train.patches import Patches
from replications.udncnn import train, train_restoration
from replications.udncnn.compression import (
    CODINGS,
    CodedPatches,
    Compressed,
    at_rate,
    compress,
    compress_to,
    rate_distortion,
    training_corruption,
)
from replications.udncnn.figures import draw_rate_distortion
from replications.udncnn.params import Ladders
from replications.udncnn.restoration_tasks import restoration_tasks
from replications.udncnn.tasks import Drawn

COFFEE = read_image(skimage_data() / "coffee.png", "coffee")
IMAGES: Arrays = {"cup": COFFEE[150:214, 200:264], "spoon": COFFEE[250:314, 350:414]}


@pytest.fixture(scope="module")
def ladder() -> Compressed:
    return compress(IMAGES, "jpeg", [20, 5])


@pytest.fixture(scope="module")
def table(ladder: Compressed) -> pd.DataFrame:
    brighter = {0: lambda noisy: noisy + 3, 1: lambda noisy: noisy - 3}
    scores, _ = score_experiment("jpeg", {"restorer": brighter}, ladder.decoded, ladder.clean)
    return rate_distortion(scores, ladder.bits_per_pixel)


def test_a_ladder_holds_every_image_at_every_quality(ladder: Compressed) -> None:
    assert list(ladder.decoded) == ["cup#5", "spoon#5", "cup#20", "spoon#20"]
    assert list(ladder.decoded) == list(ladder.clean) == list(ladder.bits_per_pixel)
    decoded, bits_per_pixel = CODECS["jpeg"](20).encode(IMAGES["spoon"])
    np.testing.assert_array_equal(ladder.decoded["spoon#20"], decoded)
    np.testing.assert_array_equal(ladder.clean["spoon#20"], IMAGES["spoon"])
    assert ladder.bits_per_pixel["spoon#20"] == bits_per_pixel


def test_a_restorer_is_trained_between_the_ends_of_the_ladder() -> None:
    assert training_corruption("jpeg", [40, 5, 10]) == RandomQuality("jpeg", 5, 40)


def test_crops_are_cut_from_photographs_that_were_coded_whole() -> None:
    corruption = training_corruption("jpeg2000", [25, 36])
    coded = [corrupt(IMAGES, corruption, seed=3, draw=draw) for draw in range(CODINGS)]
    pairs = [np.concatenate([decoded[name], IMAGES[name]], axis=2) for decoded in coded for name in IMAGES]
    windows = np.concatenate(
        [np.lib.stride_tricks.sliding_window_view(pair, (16, 16, 6)).reshape(-1, 16, 16, 6) for pair in pairs]
    )
    known = {window.tobytes() for window in windows}
    batch = CodedPatches(IMAGES, corruption, batch=24, crop=16, seed=3)(7)
    assert batch.inputs.shape == batch.targets.shape == (24, 16, 16, 3)
    for both in np.concatenate([batch.inputs, batch.targets], axis=3):
        poses = [np.rot90(view, k) for view in (both, both[:, ::-1]) for k in range(4)]
        assert any(np.ascontiguousarray(pose).tobytes() in known for pose in poses)


def test_a_batch_of_coded_photographs_depends_on_seed_and_step_alone() -> None:
    corruption = training_corruption("jpeg", [1, 95])

    def inputs(seed: int, step: int) -> np.ndarray:
        return CodedPatches(IMAGES, corruption, batch=4, crop=64, seed=seed)(step).inputs

    np.testing.assert_array_equal(inputs(0, 5), inputs(0, 5))
    assert not np.array_equal(inputs(0, 5), inputs(0, 6))
    # Crops as large as their photographs differ by their poses, which keep the deviation, and by their qualities.
    deviations = [{float(crop.astype(float).std().round(6)) for crop in inputs(seed, 5)} for seed in (0, 1)]
    assert deviations[0].isdisjoint(deviations[1])


def test_jpeg_2000_gives_crops_coded_alone_one_psnr_and_crops_of_a_photograph_their_own() -> None:
    photograph = {"coffee": np.ascontiguousarray(COFFEE[:384, :576, 1:2])}

    def spread(patches: Drawn) -> float:
        batch = patches(photograph, Jpeg2000(36), batch=40, crop=48, seed=0)(0)
        errors = np.mean((batch.inputs - batch.targets) ** 2, axis=(1, 2, 3))
        return float(np.std([psnr(float(error)) for error in errors]))

    assert 2 * spread(Patches) < spread(CodedPatches)


def test_restorers_after_a_codec_alone_learn_from_coded_photographs() -> None:
    whole = {name for name, task in restoration_tasks(params.load("udncnn")).items() if task.patches is CodedPatches}
    assert whole == {f"dn_{codec}" for codec in CODECS}


def test_the_stage_draws_as_its_task_says(monkeypatch: pytest.MonkeyPatch) -> None:
    grey = {name: image[:, :, :1] for name, image in IMAGES.items()}
    monkeypatch.setattr(train, "load_arrays", lambda path: grey)
    assert isinstance(train_restoration.training("dn_jpeg", params.load("udncnn")).batches(0), CodedPatches)


@pytest.mark.parametrize("codec", CODECS)
def test_no_quality_comes_nearer_to_a_rate(codec: str) -> None:
    image, wanted = IMAGES["cup"], 1.5
    found = at_rate(image, codec, wanted)
    others = range(found.quality - 3, found.quality + 4)
    rates = {quality: abs(CODECS[codec](quality).encode(image)[1] - wanted) for quality in others}
    assert rates[found.quality] == min(rates.values())


def test_a_rate_out_of_reach_gives_the_end_of_the_scale() -> None:
    jpeg = CODECS["jpeg"]
    assert at_rate(IMAGES["cup"], "jpeg", 0.01).encode(IMAGES["cup"])[1] == jpeg(1).encode(IMAGES["cup"])[1]
    assert at_rate(IMAGES["cup"], "jpeg", 24.0) == jpeg(jpeg.highest)


def test_images_compressed_to_a_rate_keep_their_qualities_apart() -> None:
    compressed = compress_to(IMAGES, "jpeg2000", 2.0)
    assert [name.partition("#")[0] for name in compressed.decoded] == ["cup", "spoon"]
    assert all(abs(bits_per_pixel - 2.0) < 0.25 for bits_per_pixel in compressed.bits_per_pixel.values())


def test_the_points_of_the_figure_are_means_over_images_and_seeds(ladder: Compressed, table: pd.DataFrame) -> None:
    def psnr_db(name: str, shift: float) -> float:
        estimate = np.clip(ladder.decoded[name] + shift, 0, 255)
        return psnr(float(np.mean((estimate - ladder.clean[name].astype(float)) ** 2)))

    assert table["codec"].tolist() == ["jpeg", "jpeg"]
    assert table["quality"].tolist() == [5, 20]
    for row in table.itertuples():
        names = [f"{image}#{row.quality}" for image in IMAGES]
        decoded = np.mean([psnr_db(name, 0) for name in names])
        restored = np.mean([psnr_db(name, shift) for name in names for shift in (3, -3)])
        assert row.bits_per_pixel == pytest.approx(np.mean([ladder.bits_per_pixel[name] for name in names]))
        assert row.decoded_psnr_db == pytest.approx(decoded)
        assert row.restored_psnr_db == pytest.approx(restored)
        assert row.gain_psnr_db == pytest.approx(restored - decoded)
        assert row.gain_ssim == pytest.approx(row.restored_ssim - row.decoded_ssim)


def test_without_a_restorer_the_decoded_images_have_points_alone(ladder: Compressed, table: pd.DataFrame) -> None:
    scores, _ = score_experiment("jpeg", {"restorer": {}}, ladder.decoded, ladder.clean)
    decoded = rate_distortion(scores, ladder.bits_per_pixel)
    assert decoded["decoded_psnr_db"].equals(table["decoded_psnr_db"])
    assert decoded[["restored_psnr_db", "gain_psnr_db", "restored_ssim", "gain_ssim"]].isna().all(axis=None)


def test_the_figure_is_small_and_the_same_each_time(table: pd.DataFrame, tmp_path: Path) -> None:
    both = pd.concat([table, table.assign(codec="jpeg2000", restored_psnr_db=np.nan)], ignore_index=True)
    for name in ("once", "again"):
        draw_rate_distortion(both, tmp_path / f"{name}.png")
    once = (tmp_path / "once.png").read_bytes()
    assert once == (tmp_path / "again.png").read_bytes()
    assert len(once) < 300_000
    with Image.open(tmp_path / "once.png") as drawn:
        assert drawn.width == 750


@pytest.mark.parametrize("codec", CODECS)
def test_a_quality_off_a_codecs_scale_is_refused(codec: str) -> None:
    scale = CODECS[codec]
    whole = {"jpeg": [5, 20], "jpeg2000": [26, 31], "hevc_intra": [5, 25]}
    assert Ladders(**whole | {codec: [scale.lowest, scale.highest]})
    for ladder in ([scale.lowest - 1, scale.highest], [scale.lowest, scale.highest + 1], [20, 16]):
        with pytest.raises(ValueError, match=codec):
            Ladders(**whole | {codec: ladder})
