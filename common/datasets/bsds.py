"""The Berkeley segmentation data set: BSDS300, and CBSD68 within it.

The 300 photographs are also part of BSDS500, where the test images of BSDS300 are called "val". Every file is held to
its sha256 in bsds300-files.txt, which depends on no JPEG decoder and serves the archive and both folder layouts alike;
the archive itself has no pinned sum, since Berkeley gives none and only its contents count. The listed files together
have the digest 44584b06a9d2f22028d345f087f99d2428a5b6c410e8bede069770a60a8a24ef (sha256 over "BSDS300/images/…/….jpg",
a zero byte and the content of each, in the order of the names), which github.com/Chicken20145/
ai-assisted-parallel-image-processing gives for the contents of Berkeley's archive.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from common.datasets import download
from common.datasets.dataset import Dataset
from common.datasets.folders import find, image_files, load_lossless, require_all, some
from common.datasets.images import Images, read_image
from common.errors import UserError

URL = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/BSDS300-images.tgz"
CHECKSUMS = Path(__file__).with_name("bsds300-files.txt")
FIX = "put BSDS300/images/{train,test} or BSDS500/{train,val} in a folder and name it as data.root (params.yaml)"
FOLDERS_OF_500 = ("BSDS500", "BSDS500/data/images", "BSR/BSDS500/data/images")
FOLDERS = {
    "train": ("BSDS300/images/train", *(f"{folder}/train" for folder in FOLDERS_OF_500)),
    "test": ("BSDS300/images/test", *(f"{folder}/val" for folder in FOLDERS_OF_500)),
}

CBSD68_FOLDERS = ("CBSD68", "cbsd68")
CBSD68_IDS = tuple(Path(__file__).with_name("cbsd68-ids.txt").read_text().split())
"""The 68 test images that Roth and Black chose, by their BSDS names."""
CBSD68_PIXELS = "30ebe917f94e2a234afc604a8934689c4a596c71ea97ef736052f31b987d419a"


def find_bsds300(split: str, root: Path | None) -> Path | None:
    """Local folder of the split, or else the archive under `root` or the one downloaded earlier; None without any."""
    return find(root, *FOLDERS[split]) or download.find_archive(root, URL)


def load_bsds300(split: str, root: Path | None) -> Images:
    """BSDS300 `split`, 200 images "train" or 100 "test"; UserError for a file that is missing or not as published."""
    return _load("bsds300", split, root, _checksums(split))


def find_cbsd68(root: Path | None) -> Path | None:
    """Local folder of CBSD68's own PNG files, or else of BSDS300's test images."""
    folder = find(root, *CBSD68_FOLDERS)
    return folder if folder and image_files(folder) else find_bsds300("test", root)


def load_cbsd68(split: str, root: Path | None) -> Images:
    """The 68 images of CBSD68, from a folder of its PNG files or from BSDS300's test images (the same pixels)."""
    place = find_cbsd68(root)
    if place and place.name in CBSD68_FOLDERS:
        return load_lossless("cbsd68", place, CBSD68_IDS, CBSD68_PIXELS)
    checksums = _checksums("test")
    return _load("cbsd68", "test", root, {name: checksums[name] for name in CBSD68_IDS})


def _load(name: str, split: str, root: Path | None, checksums: dict[str, str]) -> Images:
    place = find_bsds300(split, root) or download.download(name, URL, FIX)
    files = _from_folder(place) if place.is_dir() else _from_archive(place, split)
    require_all(name, place, checksums, files)
    wrong = [key for key in checksums if hashlib.sha256(files[key]).hexdigest() != checksums[key]]
    if wrong:
        raise UserError(
            f"{name} in {place} has wrong checksums: {len(wrong)} of {len(checksums)} files are not the published ones "
            f"({some(wrong)}); replace it by a copy of {URL}"
        )
    return {key: read_image(files[key], f"{place}/{key}.jpg") for key in checksums}


def _checksums(split: str) -> dict[str, str]:
    """Image id → sha256 of its file."""
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {Path(file).stem: sha256 for sha256, file in lines if file.startswith(split + "/")}


def _from_folder(folder: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in folder.glob("*.jpg")}


def _from_archive(archive: Path, split: str) -> dict[str, bytes]:
    """Image id → file content. The archive is read where it is: nothing of it is unpacked to disk."""
    with download.opened(archive) as tar:
        members = [member for member in tar if member.isfile() and Path(member.name).parent.name == split]
        return {Path(member.name).stem: tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]


BSDS300 = Dataset(
    name="bsds300",
    title="BSDS300",
    splits={"train": 200, "test": 100},
    loader=load_bsds300,
    find=lambda root: find_bsds300("test", root),
    url=URL,
    checksum="sha256 of each file (bsds300-files.txt)",
    licence="non-commercial research and education",
    citation=(
        "D. Martin, C. Fowlkes, D. Tal, J. Malik: A database of human segmented natural images and its application to "
        "evaluating segmentation algorithms and measuring ecological statistics. ICCV 2001, vol. 2, 416–423"
    ),
    notes="the test images are the folder val of BSDS500: never train on it; JPEG, so not free of artefacts",
)

CBSD68 = replace(
    BSDS300,
    name="cbsd68",
    title="CBSD68",
    splits={"test": 68},
    loader=load_cbsd68,
    find=find_cbsd68,
    checksum="as bsds300; for a folder of PNG files, sha256 of the decoded pixels",
    citation=f"{BSDS300.citation}; selection: S. Roth, M. J. Black: Fields of experts. IJCV 82, 205–229, 2009",
    notes="68 of the test images of bsds300: never train on BSDS500's val",
)
