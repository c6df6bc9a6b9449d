"""The test sets of the denoising literature, and folders in grey."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from common.datasets import denoising_sets, download, registry, voc
from common.datasets.images import checksum, to_grey
from common.errors import UserError
from tests.common.datasets.test_datasets import encoded, picture, write

SETS = ("set12", "bsd68", "kodak24", "mcmaster", "urban100", "voc2012")


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been downloaded, and nothing can be: every address is the discard port, where nobody listens."""
    monkeypatch.setattr(download, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(denoising_sets, "KODAK_URL", "http://127.0.0.1:9/kodak")
    monkeypatch.setattr(denoising_sets, "MCMASTER_URL", "http://127.0.0.1:9/McM.zip")
    monkeypatch.setattr(voc, "URL", "http://127.0.0.1:9/VOCtrainval.tar")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", SETS)
def test_a_set_that_is_not_here_says_where_to_put_it(name: str, root: Path) -> None:
    with pytest.raises(UserError, match=r"(?s)is not here.*data\.root") as error:
        registry.load(name, "test", str(root))
    assert "\n" not in str(error.value)
    assert registry.describe(name).find(root) is None


@pytest.mark.parametrize("name", SETS)
def test_every_set_names_its_source_terms_and_paper(name: str) -> None:
    dataset = registry.describe(name)
    assert all((dataset.url, dataset.licence, dataset.citation, dataset.checksum))


@pytest.mark.parametrize(
    ("name", "folder", "ids"),
    [
        ("set12", "Set12", [f"{number:02d}" for number in range(1, 13)]),
        ("bsd68", "BSD68", [f"test{number:03d}" for number in range(1, 69)]),
    ],
)
def test_grey_sets_are_held_to_their_pixels(name: str, folder: str, ids: list[str], root: Path) -> None:
    first, count = ids[0], len(ids)
    assert registry.describe(name).splits == {"test": count}
    for number, key in enumerate(ids):
        write(root / folder / f"{key}.png", picture(number, channels=1))
    with pytest.raises(UserError, match=rf"{name} in .* has a wrong checksum.*grey:"):
        registry.load(name, "test", str(root))
    (root / folder / f"{first}.png").unlink()
    with pytest.raises(UserError, match=rf"{name} in .* is not complete: 1 of {count} images are missing \({first}\)"):
        registry.load(name, "test", str(root))


class TestKodak:
    @pytest.fixture(autouse=True)
    def pictures(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
        pictures = {key: picture(number) for number, key in enumerate(denoising_sets.KODAK_IDS)}
        monkeypatch.setattr(denoising_sets, "KODAK_PIXELS", checksum(pictures))
        return pictures

    @pytest.mark.parametrize("place", ["root/Kodak24", "root/kodak", "downloads"])
    def test_folders_and_earlier_downloads_are_found(
        self, place: str, pictures: dict[str, np.ndarray], tmp_path: Path, root: Path
    ) -> None:
        for key, image in pictures.items():
            write(tmp_path / place / f"{key}.png", image)
        assert registry.describe("kodak24").find(root) == tmp_path / place
        loaded = registry.load("kodak24", "test", str(root))
        assert list(loaded) == list(denoising_sets.KODAK_IDS)
        np.testing.assert_array_equal(loaded["kodim24"], pictures["kodim24"])

    def test_another_pixel_is_refused(self, pictures: dict[str, np.ndarray], tmp_path: Path, root: Path) -> None:
        for key, image in pictures.items():
            write(tmp_path / f"downloads/{key}.png", image)
        write(tmp_path / "downloads/kodim07.png", picture(99))
        with pytest.raises(UserError, match=r"kodak24 in .* has a wrong checksum"):
            registry.load("kodak24", "test", str(root))


class TestMcMaster:
    IMAGES: ClassVar = {str(number): picture(number) for number in range(1, 19)}

    @pytest.fixture(autouse=True)
    def sums(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sums = {key: hashlib.sha256(b"8x6:RGB:" + image.tobytes()).hexdigest() for key, image in self.IMAGES.items()}
        monkeypatch.setattr(denoising_sets, "MCMASTER_PIXELS", sums)

    def zipped(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        archive = root / "McM.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            for key, image in self.IMAGES.items():
                opened.writestr(f"McM/{key}.tif", encoded(Image.fromarray(image), "TIFF"))
        monkeypatch.setattr(denoising_sets, "MCMASTER_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
        return archive

    def test_folder_and_archive_hold_the_same_images(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        archive = self.zipped(root, monkeypatch)
        from_archive = registry.load("mcmaster", "test", str(root))
        archive.unlink()
        for key, image in self.IMAGES.items():
            write(root / f"McMaster/{int(key):02d}.tif", image)
        from_folder = registry.load("mcmaster", "test", str(root))
        assert checksum(from_folder) == checksum(from_archive) == checksum(self.IMAGES)

    def test_another_pixel_or_archive_is_refused(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        archive = self.zipped(root, monkeypatch)
        archive.write_bytes(archive.read_bytes() + b" ")
        with pytest.raises(UserError, match=r"McM\.zip has a wrong checksum"):
            registry.load("mcmaster", "test", str(root))
        for key, image in self.IMAGES.items():
            write(root / f"McMaster/{key}.tif", picture(50) if key == "7" else image)
        with pytest.raises(UserError, match=r"mcmaster in .* has a wrong checksum: 7 not as published"):
            registry.load("mcmaster", "test", str(root))

    def test_published_sums_are_of_eighteen_images(self) -> None:
        lines = Path(denoising_sets.__file__).with_name("mcmaster-pixels.txt").read_text().splitlines()
        assert [line.split()[1] for line in lines] == [str(number) for number in range(1, 19)]


class TestUrban:
    def test_names_of_both_distributions_are_understood(self, root: Path) -> None:
        for number in range(1, 101):
            name = f"img_{number:03d}" if number % 2 else f"image_SRF_4/img_{number:03d}_SRF_4_HR"
            write(root / f"Urban100/{name}.png", picture(number))
        write(root / "Urban100/image_SRF_4/img_002_SRF_4_LR.png", picture(1))
        loaded = registry.load("urban100", "test", str(root))
        assert list(loaded) == list(denoising_sets.URBAN_IDS)
        np.testing.assert_array_equal(loaded["img_002"], picture(2))
        write(root / "Urban100/image_SRF_2/img_002_SRF_2_HR.png", picture(2))
        with pytest.raises(UserError, match="are the same image: keep one of the two"):
            registry.load("urban100", "test", str(root))

    def test_missing_images_are_named(self, root: Path) -> None:
        write(root / "Urban100/img_001.png", picture(1))
        with pytest.raises(UserError, match=r"urban100 in .* is not complete: 99 of 100 images are missing"):
            registry.load("urban100", "test", str(root))


class TestVoc:
    FILES: ClassVar = {
        f"JPEGImages/2008_00000{k}.jpg": encoded(Image.fromarray(picture(k, 9, 12)), "JPEG") for k in range(4)
    }
    LIST: ClassVar = {voc.LIST: b"2008_000003\n2008_000001\n2008_000002\n"}

    @pytest.fixture(autouse=True)
    def counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(voc, "LISTED", 3)
        monkeypatch.setattr(voc, "USED", 2)

    @pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
    def test_the_first_of_the_validation_images_by_id(
        self, packed: bool, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = {f"VOCdevkit/VOC2012/{name}": content for name, content in (self.FILES | self.LIST).items()}
        if packed:
            archive = root / "VOCtrainval.tar"
            with tarfile.open(archive, "w") as tar:
                for name, content in files.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
            with pytest.raises(UserError, match=r"VOCtrainval\.tar has md5 .*, published is 6cd6e144"):
                registry.load("voc2012", "val", str(root))
            monkeypatch.setattr(voc, "MD5", hashlib.md5(archive.read_bytes()).hexdigest())
        else:
            for name, content in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
        loaded = registry.load("voc2012", "val", str(root))
        assert list(loaded) == ["2008_000001", "2008_000002"]
        assert loaded["2008_000001"].shape == (9, 12, 3)

    def test_a_copy_that_is_not_complete_is_named(self, root: Path) -> None:
        folder = root / "VOC2012"
        (folder / "ImageSets/Main").mkdir(parents=True)
        (folder / voc.LIST).write_bytes(self.LIST[voc.LIST])
        with pytest.raises(UserError, match=r"voc2012 in .* is not complete: 2 of 2 images are missing"):
            registry.load("voc2012", "val", str(root))
        (folder / voc.LIST).write_bytes(b"2008_000003\n")
        with pytest.raises(UserError, match=r"ImageSets/Main/val\.txt lists 1 images, 3 were published"):
            registry.load("voc2012", "val", str(root))


class TestGreyFolders:
    def test_colour_becomes_luma_and_grey_stays(self, root: Path) -> None:
        write(root / "mine/a.png", picture(1))
        write(root / "mine/b.png", picture(2, channels=1))
        loaded = registry.load("grey:mine", "test", str(root))
        np.testing.assert_array_equal(loaded["b"], picture(2, channels=1))
        np.testing.assert_array_equal(loaded["a"], to_grey(picture(1)))

    def test_luma_is_bt601s(self) -> None:
        """Rec. ITU-R BT.601: E'Y = 0.299 E'R + 0.587 E'G + 0.114 E'B."""
        colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
        assert to_grey(colours).ravel().tolist() == [76, 150, 29, 255]

    def test_a_grey_picture_in_a_colour_folder_names_the_way(self, root: Path) -> None:
        write(root / "mine/b.png", picture(2, channels=1))
        with pytest.raises(UserError, match=r"b\.png is grey where colour is needed.*grey:<path>"):
            registry.load("folder:mine", "test", str(root))

    def test_what_is_wrong_names_the_word(self, root: Path) -> None:
        with pytest.raises(UserError, match="data set grey needs a path: write grey:<path>"):
            registry.load("grey", "test", str(root))
        with pytest.raises(UserError, match="is missing: give the path of a folder with images as grey:<path>"):
            registry.load("grey:nowhere", "test", str(root))


@pytest.mark.parametrize("words", ["", "<html>not found</html>"])
def test_a_text_named_as_a_picture_is_said_to_be_none(words: str, root: Path) -> None:
    (root / "a.png").write_text(words)
    with pytest.raises(UserError, match=r"a\.png is not a readable image \(no known picture format\)") as error:
        registry.load(f"folder:{root}", "test", None)
    assert "0x" not in str(error.value)
