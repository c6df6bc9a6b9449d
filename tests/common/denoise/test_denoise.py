"""Networks at work: tiles against the whole, the choice of a network, the command."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from common.denoise import __main__ as command
from common.denoise.choice import best_network, distance, estimated_sigma, fits
from common.denoise.pictures import Picture, read_picture, write_picture
from common.denoise.pretrained import Network, Record, load_pretrained, pretrained, read_record
from common.denoise.tiles import denoise_levels, windows
from common.errors import UserError
from common.noise.sensor import Gaussian, corrupt
from common.score.evaluation import as_denoiser
from tests.common.datasets.test_datasets import picture, write

RECORDS = {name: read_record(path) for name, path in pretrained().items()}
TILED = [name for name, record in RECORDS.items() if record.network.receptive_field]


def photograph(height: int, width: int, channels: int = 3, sigma: float = 30.0) -> np.ndarray:
    """Soft shapes with noise, uint8."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 80 * np.sin(rows / (9 + 4 * c)) * np.cos(columns / (13 - 3 * c)) for c in range(channels)]
    clean = np.stack(waves, axis=-1).astype(np.uint8)
    return np.clip(corrupt({"a": clean}, Gaussian(sigma), seed=1)["a"].round(), 0, 255).astype(np.uint8)


@pytest.mark.long
@pytest.mark.parametrize("shape", [(90, 131), (64, 64), (70, 33)], ids=str)
@pytest.mark.parametrize("name", TILED)
def test_tiles_give_what_the_whole_gives(name: str, shape: tuple[int, int]) -> None:
    """In float64, where rounding cannot hide behind a difference of order, to 1e-8 of a level."""
    network, record = load_pretrained(name)
    network = network.double()
    colours = record.trained_for.colours
    noisy = photograph(*shape, colours).astype(np.float64)

    def denoise(part: np.ndarray) -> np.ndarray:
        unit = torch.from_numpy(part.transpose(2, 0, 1)[None] / 127.5 - 1)
        with torch.inference_mode():
            return (network(unit)[0].numpy().transpose(1, 2, 0) + 1) * 127.5

    whole, pieced = denoise(noisy), np.full(noisy.shape, np.nan)
    count = 0
    for inside, around in windows(shape, record.network, tile=24):
        top, left = inside[0].start - around[0].start, inside[1].start - around[1].start
        height, width = (part.stop - part.start for part in inside)
        pieced[inside] = denoise(noisy[around])[top : top + height, left : left + width]
        count += 1
    assert count == np.prod([-(-side // _step(record)) for side in shape])
    assert shape[0] * shape[1] < 10_000 or count > 1
    np.testing.assert_allclose(pieced, whole, atol=1e-8, rtol=0)


def _step(record: Record) -> int:
    """Side of a tile of 24 pixels or more that is a multiple of the network's period."""
    return -(-24 // record.network.period) * record.network.period


def test_a_smaller_margin_would_show() -> None:
    """The test above can fail: with half the margin, pieces differ from the whole."""
    network, record = load_pretrained("dudncnn")
    denoise = as_denoiser(network, record.scale)
    noisy = photograph(60, 80).astype(np.float32)
    half = record.network.model_copy(update={"receptive_field": 9})
    (_, _), (inside, around), *_ = windows((60, 80), half, tile=24)
    left = inside[1].start - around[1].start
    piece = denoise(noisy[around])[: inside[0].stop, left : left + 24]
    assert np.abs(piece - denoise(noisy)[inside]).max() > 0.01


@pytest.mark.long
def test_levels_of_tiles_and_whole_are_equal() -> None:
    network, record = load_pretrained("udncnn")
    denoiser = as_denoiser(network, record.scale)
    noisy = photograph(150, 170)
    whole = denoise_levels(noisy, denoiser, record.network, 3, lambda: None)
    calls: list[None] = []
    pieced = denoise_levels(noisy, denoiser, record.network, 3, lambda: calls.append(None), tile=64)
    assert len(calls) == 9
    # float32 may round a value that lies between two levels to either
    assert np.abs(pieced.astype(int) - whole).max() <= 1
    assert np.mean(pieced != whole) < 1e-3


@pytest.mark.long
@pytest.mark.parametrize("name", ["dncnn", "udncnn", "dudncnn", "udncnn_code", "dn_gaussian", "dn_blind"])
def test_a_records_field_and_period_are_the_networks(name: str) -> None:
    """Moving the input by a period moves the output; the field is what the gradient reaches (README card)."""
    network, record = load_pretrained(name)
    network = network.double()
    period = record.network.period
    colours = record.trained_for.colours
    image = torch.rand(1, colours, 96, 96, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.inference_mode():
        moved = network(image[..., period:, period:])[..., 40:44, 40:44]
        torch.testing.assert_close(moved, network(image)[..., 40 + period : 44 + period, 40 + period : 44 + period])
    fields = {"dncnn": 17, "udncnn": 36, "udncnn_code": 44, "dudncnn": 33, "dn_gaussian": 37, "dn_blind": 37}
    assert record.network.receptive_field == fields[name]


def test_a_network_that_sees_everything_is_given_the_whole_up_to_a_size() -> None:
    network = Network(factory="replications.a.models:b", settings={}, range=[0.0, 1.0], receptive_field=None, period=1)
    assert len(list(windows((2000, 2000), network))) == 1
    with pytest.raises(UserError, match="6000×4000 pixels are too many"):
        list(windows((4000, 6000), network))


@pytest.mark.parametrize("sigma", [10.0, 25.0, 50.0])
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_the_noise_level_is_estimated_on_the_same_scale(sigma: float, deep: bool) -> None:
    clean = np.full((200, 220, 3), 128, np.uint8)
    noisy = corrupt({"a": clean}, Gaussian(sigma), seed=0)["a"]
    levels = np.clip(noisy * (257 if deep else 1), 0, 65535 if deep else 255).round()
    assert estimated_sigma(levels.astype(np.uint16 if deep else np.uint8)) == pytest.approx(sigma, rel=0.05)


def record(sigma: list[float] | None, psnr_db: float, colours: int = 3) -> Record:
    first = RECORDS["dncnn"]
    purpose = first.trained_for.model_copy(update={"sigma": sigma, "colours": colours})
    scores = [first.scores[0].model_copy(update={"psnr_db": psnr_db})]
    return first.model_copy(update={"trained_for": purpose, "scores": scores})


class TestChoice:
    def test_the_nearest_level_then_the_better_score(self) -> None:
        known = {
            "low": record([15, 15], 34.0),
            "high": record([50, 50], 28.0),
            "better": record([50, 50], 28.5),
            "jpeg": record(None, 40.0),
        }
        assert best_network(known, 3, 12.0) == "low"
        assert best_network(known, 3, 40.0) == "better"
        assert best_network({**known, "blind": record([5, 75], 27.0)}, 3, 40.0) == "blind"

    def test_the_pictures_colours_come_first(self) -> None:
        known = {"colour": record([25, 25], 31.0), "grey": record([50, 50], 28.0, colours=1)}
        assert best_network(known, 1, 25.0) == "grey"
        assert best_network(known, 3, 25.0) == "colour"

    def test_a_network_for_the_level_comes_before_one_for_the_colours(self) -> None:
        known = {"colour": record([30, 30], 31.0), "blind": record([10, 75], 28.0, colours=1)}
        assert best_network(known, 3, 30.0) == "colour"
        assert best_network(known, 3, 50.0) == "blind"
        assert best_network(known, 3, 5.0) == "colour"  # neither is for that level

    def test_grey_noise_on_three_equal_channels_counts_for_more(self) -> None:
        assert distance(RECORDS["dncnn"], 30 / 3**0.5, colours=1) == pytest.approx(0, abs=1e-9)
        assert not fits(RECORDS["dncnn"], 30.0, colours=1)
        assert fits(RECORDS["dncnn"], 30.0, colours=3)

    def test_without_any_for_gaussian_noise_one_must_be_named(self) -> None:
        with pytest.raises(UserError, match="name one by --network"):
            best_network({"jpeg": record(None, 40.0)}, 3, 25.0)


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["denoise", *map(str, words)])
    command.main()


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write(tmp_path / "in/a.png", photograph(40, 52))
        write(tmp_path / "in/sub/ä b.tif", photograph(30, 41))
        Image.fromarray(photograph(32, 33)).save(tmp_path / "in/a.jpg")
        return tmp_path / "in"

    def test_a_folder_is_mirrored_and_gone_on_with(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = folder.parent / "out"
        run(monkeypatch, folder, out)
        names = ["a.jpg", "a.png", "sub/ä b.tif"]
        assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == names
        assert "a.png: σ ≈ " in capsys.readouterr().out
        before = (out / "a.png").stat().st_mtime_ns
        (out / "a.jpg").unlink()
        run(monkeypatch, folder, out)
        assert (out / "a.jpg").is_file()
        assert (out / "a.png").stat().st_mtime_ns == before
        assert "2 of 3 pictures are in" in capsys.readouterr().out

    def test_a_picture_gets_closer_to_the_clean_one(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        run(monkeypatch, folder / "a.png", folder.parent / "b.png", "--network", "dudncnn", "--sigma", 30)
        clean = photograph(40, 52, sigma=0.0).astype(float)
        noisy, denoised = (read_picture(path).pixels for path in (folder / "a.png", folder.parent / "b.png"))
        assert np.mean((denoised - clean) ** 2) < np.mean((noisy - clean) ** 2) / 5

    def test_depth_alpha_and_orientation_stay(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        turned = Image.Exif()
        turned[0x0112] = 8
        alpha = np.random.default_rng(0).integers(0, 65536, (30, 41)).astype(np.uint16)
        noisy = Picture(photograph(30, 41).astype(np.uint16) * 257, alpha, turned.tobytes())
        write_picture(tmp_path / "in.png", noisy)
        run(monkeypatch, tmp_path / "in.png", tmp_path / "out.tif")
        denoised = read_picture(tmp_path / "out.tif")
        assert denoised.pixels.dtype == np.uint16
        assert denoised.orientation == 8
        np.testing.assert_array_equal(denoised.alpha, alpha)
        assert len(np.unique(denoised.pixels % 257)) > 100  # not 8 bits in a file of 16

    def test_grey_stays_grey(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(tmp_path / "in.png", photograph(40, 40, channels=1, sigma=17.0))
        run(monkeypatch, tmp_path / "in.png", tmp_path / "out.png", "--network", "dncnn")
        assert read_picture(tmp_path / "out.png").pixels.shape == (40, 40, 1)
        assert "a colour network, which meets grey noise as" in capsys.readouterr().out

    def test_a_bad_picture_is_named_at_the_end(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "0.png").write_text("no picture")
        with pytest.raises(UserError, match="1 of 4 pictures were not denoised"):
            run(monkeypatch, folder, folder.parent / "out")
        assert "0.png is not a readable image" in capsys.readouterr().err
        assert len(list((folder.parent / "out").rglob("*.*"))) == 3

    def test_links_in_a_circle_and_folders_named_as_pictures(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "round").symlink_to(folder)
        (folder / "b.png").symlink_to(folder / "b.png")
        (folder / "folder.png").mkdir()
        with pytest.raises(UserError, match="1 of 4 pictures were not denoised"):
            run(monkeypatch, folder, folder.parent / "out")
        assert "b.png cannot be read" in capsys.readouterr().err

    def test_a_tiny_picture_works(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Image.fromarray(picture(1, 1, 1)).save(tmp_path / "in.png")
        run(monkeypatch, tmp_path / "in.png", tmp_path / "out.png")
        assert read_picture(tmp_path / "out.png").pixels.shape == (1, 1, 3)

    def test_what_is_wrong_is_one_line(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder.parent / "empty").mkdir()
        for words, message in [
            ((folder / "nowhere.png", "b.png"), "is neither a picture nor a folder"),
            ((folder, folder / "out"), "name a folder outside it"),
            ((folder, folder / "a.png"), "is a file: name a folder"),
            ((folder / "a.png", folder / "a.png"), "is the picture itself"),
            ((folder / "a.png", "b.gif"), r"b\.gif must end in \.png"),
            ((folder.parent / "empty", "out"), "has no pictures"),
            ((folder, "out", "--network", "unet"), "--network unet is not here: known are"),
        ]:
            with pytest.raises(UserError, match=message) as error:
                run(monkeypatch, *words)
            assert "\n" not in str(error.value)

    def test_the_list_says_what_there_is_and_how_good(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COLUMNS", "200")
        run(monkeypatch, "--list")
        shown = capsys.readouterr().out
        for name, known in RECORDS.items():
            assert name in shown
            assert f"{known.scores[0].psnr_db:.2f} dB" in shown


THREE_TILES = """
from common.denoise import __main__ as command, tiles
every = tiles.windows
tiles.windows = lambda *arguments: list(every(*arguments))[:3]
command.main()
"""
"""The command, but that most of the picture stays as it was allocated: a tile needs what the one before it left."""


@pytest.mark.long
def test_24_megapixels_need_less_than_3_gb(tmp_path: Path) -> None:
    Image.new("RGB", (6000, 4000), "grey").save(tmp_path / "in.png", compress_level=1)
    words = [str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--network", "udncnn_code"]  # the fastest
    subprocess.run([sys.executable, "-c", THREE_TILES, *words], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert peak < 3e9
    with Image.open(tmp_path / "out.png") as denoised:
        assert denoised.size == (6000, 4000)
