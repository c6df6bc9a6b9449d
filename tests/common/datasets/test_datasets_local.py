"""The labelled, segmented and sampled sets, each on a tiny synthetic copy."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.datasets import download, imagenette, pets, registry, samples, stl10
from common.datasets.folders import Pin, fingerprint, image_files, shuffled
from common.datasets.images import read_image
from common.errors import UserError
from tests.common.datasets.test_datasets import encoded, picture, write


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been downloaded, and nothing can be: every address is the discard port, where nobody listens."""
    monkeypatch.setattr(download, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(stl10, "URL", "http://127.0.0.1:9/stl10_binary.tar.gz")
    monkeypatch.setattr(imagenette, "URL", "http://127.0.0.1:9/imagenette2-160.tgz")
    pairs = zip(("images.tar.gz", "annotations.tar.gz"), pets.ARCHIVES.values(), strict=True)
    monkeypatch.setattr(pets, "ARCHIVES", {f"http://127.0.0.1:9/{name}": md5 for name, md5 in pairs})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def pack(archive: Path, files: Mapping[str, bytes]) -> str:
    """Write a .tar.gz; returns its md5."""
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return hashlib.md5(archive.read_bytes()).hexdigest()


def unpack(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def one_line(error: pytest.ExceptionInfo[UserError]) -> bool:
    return "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["stl10", "imagenette", "oxford_pet"])
def test_without_network_the_address_and_the_fix_are_named(name: str, root: Path) -> None:
    with pytest.raises(UserError, match=rf"{name} is not here and http://.* cannot be .*data\.root") as error:
        registry.load(name, "train", str(root))
    assert one_line(error)


@pytest.mark.parametrize("name", ["stl10_sample", "oxford_pet_sample", "carbike", "marine100", "grassland100"])
def test_local_set_without_a_copy_says_where_to_put_it(name: str, root: Path) -> None:
    split = next(iter(registry.describe(name).splits))
    with pytest.raises(UserError, match=r"is not here.*data\.root") as error:
        registry.load(name, split, str(root))
    assert one_line(error)
    assert registry.describe(name).find(root) is None


class TestStl10:
    """Three images to train on (ship, cat, ship) and two unlabelled ones."""

    IMAGES = tuple(picture(seed, 96, 96) for seed in range(5))

    @pytest.fixture(autouse=True)
    def files(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
        files = {
            "train_X.bin": b"".join(map(self.column_major, self.IMAGES[:3])),
            "train_y.bin": bytes([9, 4, 9]),
            "unlabeled_X.bin": b"".join(map(self.column_major, self.IMAGES[3:])),
        }
        md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
        parts = {
            "train": stl10.Part(
                stl10.Binary("train_X.bin", 3, stl10.PIXELS, md5["train_X.bin"]),
                stl10.Binary("train_y.bin", 3, (), md5["train_y.bin"]),
                first=0,
            ),
            "unlabeled": stl10.Part(
                stl10.Binary("unlabeled_X.bin", 2, stl10.PIXELS, md5["unlabeled_X.bin"]), None, first=13_000
            ),
        }
        monkeypatch.setattr(stl10, "PARTS", parts)
        monkeypatch.setattr(stl10, "BLOCK", 2)  # so that the last block is a part of one
        return files

    @staticmethod
    def column_major(image: np.ndarray) -> bytes:
        """Red, green, blue plane; each column by column, top to bottom (the data set's own description)."""
        return bytes(image[row, column, plane] for plane in range(3) for column in range(96) for row in range(96))

    @pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
    def test_pixels_and_labels_are_those_of_the_binaries(
        self, packed: bool, files: dict[str, bytes], root: Path
    ) -> None:
        inside = {f"stl10_binary/{name}": content for name, content in files.items()}
        if packed:
            pack(root / "stl10_binary.tar.gz", inside)
        else:
            unpack(root, inside)
        train = registry.load("stl10", "train", str(root))
        assert list(train) == ["cat/000001", "ship/000000", "ship/000002"]
        unlabelled = registry.load("stl10", "unlabeled", str(root))
        assert list(unlabelled) == ["unlabeled/013000", "unlabeled/013001"]
        for key, image in {**train, **unlabelled}.items():
            number = int(key.split("/")[1])
            np.testing.assert_array_equal(image, self.IMAGES[number if number < 3 else number - 13_000 + 3])
            assert image.flags.c_contiguous

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda content: content[:-1], r"train_X\.bin is cut off after 82943 of 82944 bytes"),
            (lambda content: content + b"\0", r"train_X\.bin is longer than 82944 bytes"),
            (lambda content: content[:-1] + bytes([content[-1] ^ 1]), r"train_X\.bin has md5 .*, published is"),
        ],
        ids=["truncated", "too long", "changed"],
    )
    def test_wrong_binary_is_named(self, damage, message: str, files: dict[str, bytes], root: Path) -> None:
        unpack(root / "stl10_binary", {**files, "train_X.bin": damage(files["train_X.bin"])})
        with pytest.raises(UserError, match=message) as error:
            registry.load("stl10", "train", str(root))
        assert one_line(error)

    def test_missing_binary_and_damaged_archive_are_named(self, files: dict[str, bytes], root: Path) -> None:
        archive = root / "stl10_binary.tar.gz"
        pack(archive, {"stl10_binary/train_X.bin": files["train_X.bin"]})
        with pytest.raises(UserError, match=r"stl10 in .* is not complete: train_y\.bin is missing"):
            registry.load("stl10", "train", str(root))
        archive.write_bytes(archive.read_bytes()[:1000])
        with pytest.raises(UserError, match=r"stl10_binary\.tar\.gz is damaged"):
            registry.load("stl10", "train", str(root))

    def test_sample_is_a_set_of_its_own(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = write(root / "STL10_unlabeled_sample/bear/b0.png", picture(1))
        monkeypatch.setattr(stl10, "SAMPLE_PIN", Pin(1, fingerprint({"bear_b0": file.read_bytes()})))
        np.testing.assert_array_equal(registry.load("stl10_sample", "unlabeled", str(root))["bear_b0"], picture(1))
        assert stl10.find_stl10(root) is None


def test_published_stl10_ids_are_unique_over_the_splits() -> None:
    ends = [(part.first, part.first + part.pixels.count) for part in stl10.PARTS.values()]
    assert ends == [(0, 5000), (5000, 13_000), (13_000, 113_000)]  # 5000, 8000 and 100000 images


IMAGENETTE = {
    "train/n01440764/a_1.JPEG": encoded(Image.fromarray(picture(1, 12, 16)), "JPEG"),
    "train/n01440764/a_2.JPEG": encoded(Image.new("L", (10, 9), 77), "JPEG"),
    "train/n03028079/b_1.JPEG": encoded(Image.fromarray(picture(2, 10, 10)), "JPEG"),
    "val/n03028079/c_1.JPEG": encoded(Image.fromarray(picture(3, 11, 11)), "JPEG"),
}


class TestImagenette:
    """Two tenches and a church to train on, one church to test; the archive's folders have no class names."""

    @pytest.fixture(autouse=True)
    def counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(imagenette, "WHOLE", {"train": 3, "test": 1})
        monkeypatch.setattr(imagenette, "FOLDERS", {name: {"train": 3, "test": 1} for name in imagenette.FOLDERS})

    @pytest.mark.parametrize("layout", ["archive", "imagenette2-160", "imagenette2-320", "Imagenette224_sample"])
    def test_every_layout_gives_the_same_images(self, layout: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if layout == "archive":
            files = {f"imagenette2-160/{name}": content for name, content in IMAGENETTE.items()}
            files |= {"imagenette2-160/noisy_imagenette.csv": b"path\n", "imagenette2-160/.DS_Store": b"litter"}
            monkeypatch.setattr(imagenette, "MD5", pack(root / "imagenette2-160.tgz", files))
        elif layout.endswith("sample"):
            named = {name.replace("n03028079", "n03028079_church"): content for name, content in IMAGENETTE.items()}
            unpack(root / layout, named)
        else:
            unpack(root / layout, IMAGENETTE)
        train = registry.load("imagenette", "train", str(root))
        assert list(train) == ["n01440764_tench/a_1", "n01440764_tench/a_2", "n03028079_church/b_1"]
        np.testing.assert_array_equal(
            train["n01440764_tench/a_1"], read_image(IMAGENETTE["train/n01440764/a_1.JPEG"], "a")
        )
        assert (train["n01440764_tench/a_2"] == 77).all()
        assert train["n01440764_tench/a_2"].shape == (9, 10, 3)
        assert list(registry.load("imagenette", "test", str(root))) == ["n03028079_church/c_1"]

    def test_incomplete_folder_is_refused(self, root: Path) -> None:
        unpack(root / "imagenette2-160", dict(list(IMAGENETTE.items())[1:]))
        with pytest.raises(UserError, match=r"imagenette in .* is not complete: 2 of 3 train images are there"):
            registry.load("imagenette", "train", str(root))

    def test_archive_with_another_md5_is_refused(self, root: Path) -> None:
        pack(root / "imagenette2-160.tgz", IMAGENETTE)
        with pytest.raises(UserError, match=r"imagenette2-160\.tgz has md5 .*, published is e793b78c.*delete it"):
            registry.load("imagenette", "train", str(root))


TRIMAP = np.array([[1, 2, 3, 2], [1, 1, 3, 2], [1, 3, 2, 2]], np.uint8)


PETS = {
    "Abyssinian_1": encoded(Image.fromarray(picture(1, 3, 4)), "JPEG"),
    "Egyptian_Mau_2": encoded(Image.fromarray(picture(2, 3, 4)).quantize(8), "GIF"),
    "pug_3": encoded(Image.fromarray(picture(3, 3, 4)), "JPEG"),
}
PET_LISTS = {
    "annotations/trainval.txt": b"Abyssinian_1 1 1 1\nEgyptian_Mau_2 1 1 1\n",
    "annotations/test.txt": b"pug_3 1 1 1\n",
}


class TestOxfordPet:
    """Two images to train on (one of them a GIF named .jpg, as there are in the set), one to test."""

    @pytest.fixture(autouse=True)
    def counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pets, "COUNTS", {"train": 2, "test": 1})

    def images(self) -> dict[str, bytes]:
        return {f"images/{key}.jpg": content for key, content in PETS.items()}

    def annotations(self, trimap: np.ndarray = TRIMAP) -> dict[str, bytes]:
        content = encoded(Image.fromarray(trimap))
        litter = {"annotations/trimaps/._pug_3.png": b"a file manager's"}
        return {**PET_LISTS, **litter, **{f"annotations/trimaps/{key}.png": content for key in PETS}}

    @pytest.mark.parametrize("packed", [True, False], ids=["archives", "folder"])
    def test_images_and_trimaps_have_the_same_ids(
        self, packed: bool, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = root / "oxford-iiit-pet"
        if packed:
            folder.mkdir()
            parts = {"images.tar.gz": self.images(), "annotations.tar.gz": self.annotations()}
            md5s = {name: pack(folder / name, files) for name, files in parts.items()}
            monkeypatch.setattr(pets, "ARCHIVES", {f"http://127.0.0.1:9/{name}": md5 for name, md5 in md5s.items()})
        else:
            unpack(folder, self.images() | self.annotations())
        assert pets.find_oxford_pet(root) == (folder / "images.tar.gz" if packed else folder)
        train = registry.load("oxford_pet", "train", str(root))
        trimaps = registry.load("oxford_pet", "train_trimaps", str(root))
        assert list(train) == list(trimaps) == ["Abyssinian_1", "Egyptian_Mau_2"]
        assert train["Egyptian_Mau_2"].shape == (3, 4, 3)
        np.testing.assert_array_equal(train["Abyssinian_1"], read_image(PETS["Abyssinian_1"], "a"))
        np.testing.assert_array_equal(trimaps["Abyssinian_1"], TRIMAP[:, :, None])
        assert list(registry.load("oxford_pet", "test_trimaps", str(root))) == ["pug_3"]

    @pytest.mark.parametrize(
        ("trimap", "message"),
        [
            (TRIMAP.T, r"pug_3\.png has shape \(4, 3\), its image \(3, 4\)"),
            (TRIMAP - 1, r"pug_3\.png has the values 0 beside \(1, 2, 3\)"),
            (TRIMAP.repeat(3).reshape(3, 4, 3), r"pug_3\.png has shape \(3, 4, 3\), its image \(3, 4\)"),
        ],
        ids=["size", "values", "colour"],
    )
    def test_wrong_trimap_is_named(self, trimap: np.ndarray, message: str, root: Path) -> None:
        unpack(root / "oxford-iiit-pet", self.images() | self.annotations(trimap))
        with pytest.raises(UserError, match=message) as error:
            registry.load("oxford_pet", "test_trimaps", str(root))
        assert one_line(error)

    def test_incomplete_copies_are_named(self, root: Path) -> None:
        folder = root / "oxford-iiit-pet"
        unpack(folder, self.images() | self.annotations())
        (folder / "annotations/trimaps/pug_3.png").unlink()
        with pytest.raises(UserError, match=r"1 of 1 images are missing \(pug_3\)"):
            registry.load("oxford_pet", "test_trimaps", str(root))
        (folder / "images/pug_3.jpg").unlink()
        with pytest.raises(UserError, match=r"oxford_pet in .* is not complete: 1 of 1 images are missing \(pug_3\)"):
            registry.load("oxford_pet", "test", str(root))
        (folder / "annotations/trainval.txt").write_text("Abyssinian_1 1 1 1\n")
        with pytest.raises(UserError, match=r"annotations/trainval\.txt lists 1 images, 2 were published"):
            registry.load("oxford_pet", "train", str(root))
        (folder / "annotations/test.txt").unlink()
        with pytest.raises(UserError, match=r"annotations/test\.txt is missing"):
            registry.load("oxford_pet", "test", str(root))

    def test_archive_with_another_md5_is_refused(self, root: Path) -> None:
        pack(root / "images.tar.gz", self.images())
        with pytest.raises(UserError, match=r"images\.tar\.gz has md5 .*, published is 5c4f3ee8"):
            registry.load("oxford_pet", "train", str(root))

    def test_sample_is_split_by_the_hash_of_its_ids(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = root / "OxfordPet_sample"
        ids = [f"pug_{k}" for k in range(5)]
        for k, key in enumerate(ids):
            write(folder / f"images/{key}.png", picture(k, 3, 4))
            write(folder / f"trimaps/{key}.png", TRIMAP)
        order = sorted(ids, key=lambda key: hashlib.sha256(key.encode()).hexdigest())
        parts = {"test": order[:2], "train": order[2:]}
        places = {"": folder / "images", "_trimaps": folder / "trimaps"}
        pins = {
            part + kind: Pin(len(keys), fingerprint({key: (place / f"{key}.png").read_bytes() for key in keys}))
            for part, keys in parts.items()
            for kind, place in places.items()
        }
        monkeypatch.setattr(pets, "SAMPLE_TEST", 2)
        monkeypatch.setattr(pets, "SAMPLE_PINS", pins)
        for part, keys in parts.items():
            assert list(registry.load("oxford_pet_sample", part, str(root))) == sorted(keys)
            trimaps = registry.load("oxford_pet_sample", f"{part}_trimaps", str(root))
            assert list(trimaps) == sorted(keys)
            np.testing.assert_array_equal(trimaps[keys[0]], TRIMAP[:, :, None])
        (folder / f"trimaps/{ids[0]}.png").unlink()
        with pytest.raises(UserError, match=r"trimaps of oxford_pet_sample .*1 of 5 images are missing \(pug_0\)"):
            registry.load("oxford_pet_sample", "train_trimaps", str(root))


class TestSamples:
    @pytest.fixture
    def cars(self, root: Path) -> samples.Sample:
        """Three pictures to train on, two of which differ in their suffix alone."""
        write(root / "CarBike855/train/car/1.png", picture(1))
        write(root / "CarBike855/train/car/1.bmp", picture(2))
        write(root / "CarBike855/train/motorcycle/1.png", picture(3))
        files = {path.relative_to(root / "CarBike855/train"): path for path in root.rglob("1.*")}
        pin = Pin(3, fingerprint({key.as_posix(): path.read_bytes() for key, path in files.items()}))
        return samples.Sample("carbike", "CarBike855", {"train": pin})

    def test_label_is_the_folder(self, cars: samples.Sample, root: Path) -> None:
        images = cars.load("train", root)
        assert sorted(images) == ["car/1.bmp", "car/1.png", "motorcycle/1.png"]
        np.testing.assert_array_equal(images["car/1.bmp"], picture(2))

    def test_other_files_are_refused(self, cars: samples.Sample, root: Path) -> None:
        write(root / "CarBike855/train/car/1.png", picture(4))
        with pytest.raises(UserError, match=r"carbike in .* has a wrong checksum"):
            cars.load("train", root)
        (root / "CarBike855/train/car/1.png").unlink()
        with pytest.raises(UserError, match=r"carbike in .* is not complete: 2 of 3 images are there"):
            cars.load("train", root)

    def test_one_pool_is_divided_among_its_splits(self, root: Path) -> None:
        for k in range(5):
            write(root / f"Marine100/fish_{k}.png", picture(k))
        files = image_files(root / "Marine100")
        order = shuffled(files)
        parts = {"train": order[:2], "val": order[2:3], "test": order[3:]}
        pins = {
            split: Pin(len(keys), fingerprint({key: files[key].read_bytes() for key in keys}))
            for split, keys in parts.items()
        }
        pool = samples.Sample("marine100", "Marine100", pins)
        for split, keys in parts.items():
            assert sorted(pool.load(split, root)) == sorted(keys)
        swapped = replace(pool, pins={**pins, "val": replace(pins["val"], sha256=pins["test"].sha256)})
        with pytest.raises(UserError, match=r"marine100 in .* has a wrong checksum"):
            swapped.load("val", root)


def test_fingerprint_sees_ids_contents_and_their_pairing() -> None:
    variants = [{"a": b"1", "b": b"2"}, {"a": b"2", "b": b"1"}, {"a": b"1"}, {"a": b"1", "c": b"2"}]
    assert len({fingerprint(contents) for contents in variants}) == 4
    assert fingerprint({"b": b"2", "a": b"1"}) == fingerprint(variants[0])
