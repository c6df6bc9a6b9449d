"""STL-10: labelled images of ten classes, and unlabelled ones.

The official archive is read where it is. Its five binaries (and so an unpacked folder, too) are held to the md5 sums
that torchvision.datasets.STL10 gives. An image is 3 planes of 96 columns of 96 bytes: column-major.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np

from common.datasets import download
from common.datasets.dataset import Dataset
from common.datasets.folders import Pin, find, image_files, read_pinned
from common.datasets.images import Images, read_image
from common.errors import UserError

URL = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
FOLDER = "stl10_binary"
FIX = "put stl10_binary.tar.gz, or the folder stl10_binary in it, in a folder and name that as data.root (params.yaml)"
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
SIDE = 96
BLOCK = 1000
"""Images read at a time: the unlabelled ones (2.8 GB) are never in memory twice."""


@dataclass(frozen=True)
class Binary:
    """A file of `count` records of `shape` bytes each."""

    file: str
    count: int
    shape: tuple[int, ...]
    md5: str


@dataclass(frozen=True)
class Part:
    """A split: its images, their classes (1 to 10) where there are such, and the number of its first image."""

    pixels: Binary
    labels: Binary | None
    first: int


PIXELS = (3, SIDE, SIDE)
PARTS = {
    "train": Part(
        Binary("train_X.bin", 5000, PIXELS, "918c2871b30a85fa023e0c44e0bee87f"),
        Binary("train_y.bin", 5000, (), "5a34089d4802c674881badbb80307741"),
        first=0,
    ),
    "test": Part(
        Binary("test_X.bin", 8000, PIXELS, "7f263ba9f9e0b06b93213547f721ac82"),
        Binary("test_y.bin", 8000, (), "36f9794fa4beb8a2c72628de14fa638e"),
        first=5000,
    ),
    "unlabeled": Part(
        Binary("unlabeled_X.bin", 100_000, PIXELS, "5242ba1fed5e4be9e1e742405eb56ca4"), None, first=13_000
    ),
}

SAMPLE = "STL10_unlabeled_sample"
SAMPLE_PIN = Pin(246, "af35a3e6b2d578f7c4ef38cc6c1d152fb5e0c1d18ca5ab49085d62a65c041097")


def find_stl10(root: Path | None) -> Path | None:
    """The unpacked folder or the archive under `root`, or else the archive downloaded earlier; None without any."""
    return find(root, FOLDER) or download.find_archive(root, URL)


def load_stl10(split: str, root: Path | None) -> Images:
    """Images (96, 96, 3) of a split, "<class>/<number>" or "unlabeled/<number>" → pixels.

    The number is the place in the file, counted on from split to split (train from 0, test from 5000, unlabeled from
    13000), so that no two splits share an id. UserError for a binary that is missing, cut off or not the published one.
    """
    place = find_stl10(root) or download.download("stl10", URL, FIX)
    part = PARTS[split]
    read = _read(place, {binary.file: binary for binary in (part.pixels, part.labels) if binary})
    images = read[part.pixels.file]
    names = [CLASSES[label - 1] for label in read[part.labels.file]] if part.labels else ["unlabeled"] * len(images)
    return {f"{name}/{part.first + k:06d}": image for k, (name, image) in enumerate(zip(names, images, strict=True))}


def find_stl10_sample(root: Path | None) -> Path | None:
    """Folder of the sample under `root`."""
    return find(root, SAMPLE)


def load_stl10_sample(split: str, root: Path | None) -> Images:
    """246 of the unlabelled images, from a local folder of PNG files; the id is the path with "_" for "/"."""
    place = find_stl10_sample(root)
    if place is None:
        raise UserError(
            f"{SAMPLE} is not here, and its source has no archive: put the folder into one named as data.root "
            "(params.yaml), or use stl10"
        )
    files = image_files(place)
    contents = read_pinned("stl10_sample", place, files, SAMPLE_PIN)
    return {key: read_image(content, str(files[key])) for key, content in contents.items()}


def _read(place: Path, binaries: Mapping[str, Binary]) -> dict[str, np.ndarray]:
    """File → its records, from the unpacked folder or the archive."""
    read: dict[str, np.ndarray] = {}
    if place.is_dir():
        for file, binary in binaries.items():
            if (place / file).is_file():
                with (place / file).open("rb") as stream:
                    read[file] = _records(stream, binary, place)
    else:
        with download.opened(place) as tar:
            for member in tar:
                file = Path(member.name).name
                if file in binaries:
                    read[file] = _records(tar.extractfile(member), binaries[file], place)  # type: ignore[arg-type]
                if len(read) == len(binaries):
                    break
    missing = [file for file in binaries if file not in read]
    if missing:
        raise UserError(
            f"stl10 in {place} is not complete: {', '.join(missing)} is missing; replace it by a whole copy"
        )
    return read


def _records(stream: IO[bytes], binary: Binary, place: Path) -> np.ndarray:
    """Images as (N, 96, 96, 3), or labels as (N,)."""
    is_image = len(binary.shape) == 3
    records = np.empty((binary.count, *binary.shape[::-1]), np.uint8)
    start = 0
    for block in _blocks(stream, binary, place):
        records[start : start + len(block)] = block.transpose(0, 3, 2, 1) if is_image else block
        start += len(block)
    return records


def _blocks(stream: IO[bytes], binary: Binary, place: Path) -> Iterator[np.ndarray]:
    digest = hashlib.md5(usedforsecurity=False)
    size = int(np.prod(binary.shape, dtype=np.int64))
    for start in range(0, binary.count, BLOCK):
        wanted = min(BLOCK, binary.count - start) * size
        content = stream.read(wanted)
        if len(content) < wanted:
            raise UserError(
                f"{place}: {binary.file} is cut off after {start * size + len(content)} of {binary.count * size} "
                f"bytes; replace it by a whole copy of {URL}"
            )
        digest.update(content)
        yield np.frombuffer(content, np.uint8).reshape(-1, *binary.shape)
    if stream.read(1):
        raise UserError(f"{place}: {binary.file} is longer than {binary.count * size} bytes; replace it by {URL}")
    if digest.hexdigest() != binary.md5:
        raise UserError(
            f"{place}: {binary.file} has md5 {digest.hexdigest()}, published is {binary.md5}; replace it by {URL}"
        )


STL10 = Dataset(
    name="stl10",
    title="STL-10",
    splits={split: part.pixels.count for split, part in PARTS.items()},
    loader=load_stl10,
    find=find_stl10,
    url=URL,
    checksum="md5 of each binary, as torchvision gives them",
    licence="none stated; images from ImageNet, whose terms are non-commercial research and education",
    citation=(
        "A. Coates, H. Lee, A. Y. Ng: An analysis of single-layer networks in unsupervised feature learning. "
        "AISTATS 2011"
    ),
    notes='96×96; ids "<class>/<number>" (ten classes), "unlabeled/<number>"; the archive has 2.6 GB',
)

STL10_SAMPLE = replace(
    STL10,
    name="stl10_sample",
    title="STL-10, a sample",
    splits={"unlabeled": SAMPLE_PIN.count},
    loader=load_stl10_sample,
    find=find_stl10_sample,
    url="https://github.com/semihyagli/STL10-Labeled",
    checksum="sha256 over the names and contents of the files",
    notes=f"genuine images of STL-10's unlabeled split, from a local folder {SAMPLE} only; their groups are a third "
    "party's (MIT) and no labels to train on",
)
