"""Image sets that lie in folders: finding them under `data.root`, reading them, holding them to the published ones."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.datasets.images import Images, checksum, read_image, to_grey
from common.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
SPLITS = ("train", "val", "test")


def find(root: Path | None, *layouts: str) -> Path | None:
    """First of the layouts ("BSDS500/val", …) that lies under `root`, or that begins with `root` itself; else None."""
    if root is None:
        return None
    for layout in layouts:
        head = Path(layout).parts[0]
        path = (root.parent if root.name == head else root) / layout
        if path.exists():
            return path
    return None


def image_files(folder: Path) -> dict[str, Path]:
    """Image id → file, for every image in `folder` and below.

    The id is the path inside the folder without its suffix, "_" for "/". UserError where two files have the same id.
    """
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith(".") or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix().replace("/", "_")
        if name in files:
            raise UserError(f"{files[name]} and {path} have the same id {name}: rename one of them")
        files[name] = path
    return files


def load_folder(path: str, split: str, root: Path | None, *, grey: bool = False) -> Images:
    """Every image of a plain folder: of its subfolder `split` where it has one, else of the whole folder.

    grey: as grey images, colour ones by `to_grey`; else all must be in colour. A relative path starts at `root` where
    there is one. UserError for a missing or empty folder, and where the folder has subfolders for other splits but not
    for this one.
    """
    files = folder_files(path, split, root, word="grey" if grey else "folder")
    return {name: read_member(file, grey=grey) for name, file in files.items()}


def read_member(file: Path, *, grey: bool) -> np.ndarray:
    """An image of a plain folder, in colour or in grey."""
    return to_grey(read_image(file, str(file), channels=None)) if grey else read_image(file, str(file))


def folder_files(path: str, split: str, root: Path | None, *, word: str = "folder") -> dict[str, Path]:
    """The files of `load_folder`, unread. word: what stands before the colon of the set's name."""
    if not path:
        raise UserError(f"data set {word} needs a path: write {word}:<path>")
    folder = (root or Path()) / Path(path).expanduser()
    if not folder.is_dir():
        raise UserError(f"image folder {folder} is missing: give the path of a folder with images as {word}:<path>")
    splits = [name for name in SPLITS if (folder / name).is_dir()]
    if splits and split not in splits:
        raise UserError(f"image folder {folder} has no {split} images: it has {', '.join(splits)}")
    folder = folder / split if splits else folder
    files = image_files(folder)
    if not files:
        raise UserError(f"image folder {folder} has no images: {', '.join(SUFFIXES)} files are read")
    return files


def load_lossless(name: str, folder: Path, ids: Collection[str], sha256: str, channels: int = 3) -> Images:
    """Images `ids` of a set published as PNG or BMP, whose decoded pixels must have the checksum `sha256`.

    A "_GT" at the end of a file's name is no part of the id; in a colour set (`channels` 3) a grey image gets three
    equal channels. UserError names missing images, or the wrong checksum.
    """
    files = {key.removesuffix("_GT"): path for key, path in image_files(folder).items()}
    require_all(name, folder, ids, files)
    images = {key: read_image(files[key], str(files[key]), channels=channels, grey_to_rgb=True) for key in ids}
    if checksum(images) != sha256:
        raise UserError(
            f"{name} in {folder} has a wrong checksum: its {len(ids)} images are not, pixel for pixel, the "
            f"published ones; replace them, or use them as they are by the name "
            f"{'folder' if channels == 3 else 'grey'}:{folder}"
        )
    return images


def require_all(name: str, place: Path, ids: Collection[str], present: Collection[str]) -> None:
    """UserError naming the images of `ids` that are not among those `present`."""
    missing = [key for key in ids if key not in present]
    if missing:
        raise UserError(
            f"{name} in {place} is not complete: {len(missing)} of {len(ids)} images are missing ({some(missing)}); "
            "replace it by a whole copy"
        )


def some(names: list[str]) -> str:
    """The first few of the names, for an error message."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


@dataclass(frozen=True)
class Pin:
    """What the files of a split are held to: how many there are, and their `fingerprint`."""

    count: int
    sha256: str


def fingerprint(contents: Mapping[str, bytes]) -> str:
    """sha256 over id, a zero byte, the sha256 of the content: of every file, in the order of the ids."""
    digest = hashlib.sha256()
    for key in sorted(contents):
        digest.update(key.encode() + b"\0" + hashlib.sha256(contents[key]).digest())
    return digest.hexdigest()


def read_pinned(name: str, place: Path, files: Mapping[str, Path], pin: Pin) -> dict[str, bytes]:
    """Id → content of each file; UserError where they are not the pinned ones."""
    if len(files) != pin.count:
        raise UserError(
            f"{name} in {place} is not complete: {len(files)} of {pin.count} images are there; replace it by a whole "
            f"copy, or use it as it is by the name folder:{place}"
        )
    contents = {key: path.read_bytes() for key, path in files.items()}
    if fingerprint(contents) != pin.sha256:
        raise UserError(
            f"{name} in {place} has a wrong checksum: its files are not the ones this set was made of; replace them, "
            f"or use them as they are by the name folder:{place}"
        )
    return contents


def shuffled(ids: Iterable[str]) -> list[str]:
    """The ids in the order of their sha256: as good as random, and the same everywhere."""
    return sorted(ids, key=lambda key: hashlib.sha256(key.encode()).digest())
