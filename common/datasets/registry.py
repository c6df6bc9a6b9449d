"""Every image set by its name: how it is loaded and checked, where it comes from, under which terms, whom to cite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from common.datasets import bsds, embedded
from common.datasets.folders import SPLITS, find, load_folder, load_lossless
from common.datasets.images import Images
from common.errors import UserError


@dataclass(frozen=True)
class Dataset:
    """An image set."""

    name: str
    splits: Mapping[str, int | None]
    """Split → number of images; None where it is not known before they are read."""
    loader: Callable[[str, Path | None], Images]
    """(split, folder of local copies) → images; UserError for a missing, damaged or wrong copy."""
    find: Callable[[Path | None], Path | None]
    """Folder of local copies → where this set lies on this machine, or None."""
    url: str
    checksum: str
    """What a copy is held to."""
    licence: str
    citation: str
    notes: str = ""


def describe(name: str) -> Dataset:
    """The data set of that name, "folder:<path>" for a plain folder; UserError that lists the known ones."""
    kind, _, path = name.partition(":")
    if kind == "folder":
        return replace(DATASETS["folder"], name=name, loader=partial(load_folder, path))
    if name not in DATASETS:
        raise UserError(f"{name} is not a data set: known are {', '.join(DATASETS)}:<path>")
    return DATASETS[name]


def load(name: str, split: str, root: str | None) -> dict[str, np.ndarray]:
    """Images of a split, id → (H, W, 3) uint8 RGB or, of a grey set, (H, W, 1) uint8, in the order of the ids.

    A copy under `root` (data.root of params.yaml) comes first, then an earlier download, then the official archive.
    UserError for an unknown name or split, a `root` that is missing, and whatever the set's loader finds wrong.
    """
    dataset = describe(name)
    if split not in dataset.splits:
        raise UserError(f"data set {name} has no {split} images: it has {', '.join(dataset.splits)}")
    images = dataset.loader(split, local_root(root))
    return {key: images[key] for key in sorted(images)}


def local_root(root: str | None) -> Path | None:
    """The folder of local copies; UserError where one is named and missing."""
    if root is None:
        return None
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise UserError(f"data.root must be a folder with data sets, or null (params.yaml): {root} is not a folder")
    return folder


def _load_local(folder: str, ids: tuple[str, ...], pixels: str, url: str, split: str, root: Path | None) -> Images:
    place = find(root, folder, folder.lower())
    if place is None:
        raise UserError(
            f"{folder} is not here, and {url} has no archive with a checksum: put its images in a folder {folder} and "
            "name the folder that holds it as data.root (params.yaml)"
        )
    return load_lossless(folder.lower(), place, ids, pixels)


EMBEDDED = Dataset(
    name="embedded",
    splits={"train": 46, "val": 5, "test": 11},
    loader=embedded.load_embedded,
    find=lambda root: embedded.find_wheels(),
    url="https://pypi.org/project/pyvision-toolkit/1.3.6/, sporco/0.2.2.post1/, plenoptic/2.1.1/; scikit-image",
    checksum="sha256 of each wheel (embedded-wheels.txt); scikit-image by its version (constraints.txt)",
    licence=(
        "train and val: BSD, as their package (which says nothing of the photographs). test: astronaut, rocket and "
        "macaque public domain; chelsea and coffee CC0; kodim23 released by Kodak for unrestricted use; monarch, sail "
        "and tulips free of copyright restrictions (Waterloo BragZone); barbara and motorcycle_left: none stated, "
        "distributed with sporco and scikit-image (BSD)"
    ),
    citation=(
        "pyvision-toolkit; sporco; plenoptic; scikit-image; motorcycle_left: D. Scharstein et al.: High-resolution "
        "stereo datasets with subpixel-accurate ground truth. GCPR 2014"
    ),
    notes="pip fetches the wheels; train and val are JPEG photographs of 640×480, so not free of artefacts",
)

EMBEDDED_GREY = Dataset(
    name="embedded_grey",
    splits={"test": 6},
    loader=embedded.load_embedded_grey,
    find=lambda root: embedded.skimage_data(),
    url="https://scikit-image.org, https://pywavelets.readthedocs.io",
    checksum="the packages' versions (constraints.txt)",
    licence="camera, brick, grass and gravel CC0; ascent public domain; aero: none stated, from PyWavelets (MIT)",
    citation="scikit-image; PyWavelets",
)

BSDS300 = Dataset(
    name="bsds300",
    splits={"train": 200, "test": 100},
    loader=bsds.load_bsds300,
    find=lambda root: bsds.find_bsds300("test", root),
    url=bsds.URL,
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
    splits={"test": 68},
    loader=bsds.load_cbsd68,
    find=bsds.find_cbsd68,
    checksum="as bsds300; for a folder of PNG files, sha256 of the decoded pixels",
    citation=f"{BSDS300.citation}; selection: S. Roth, M. J. Black: Fields of experts. IJCV 82, 205–229, 2009",
    notes="68 of the test images of bsds300: never train on BSDS500's val",
)

SET5_URL = "http://people.rennes.inria.fr/Aline.Roumy/results/SR_BMVC12.html"
SET5_IDS = ("baby", "bird", "butterfly", "head", "woman")
SET5_PIXELS = "5ebfe4b3628f0e697d0f3d4fdd7e2e3ca11a39639744454cb5a32e0c87a2f92e"
SET5 = Dataset(
    name="set5",
    splits={"test": 5},
    loader=partial(_load_local, "Set5", SET5_IDS, SET5_PIXELS, SET5_URL),
    find=lambda root: find(root, "Set5", "set5"),
    url=SET5_URL,
    checksum="sha256 of the decoded pixels",
    licence="none stated",
    citation=(
        "M. Bevilacqua, A. Roumy, C. Guillemot, M.-L. Alberi-Morel: Low-complexity single-image super-resolution based "
        "on nonnegative neighbor embedding. BMVC 2012"
    ),
    notes="the high-resolution originals, from a local folder only",
)

SET14_URL = "https://sites.google.com/site/romanzeyde/research-interests"
SET14_IDS = (
    *("baboon", "barbara", "bridge", "coastguard", "comic", "face", "flowers"),
    *("foreman", "lenna", "man", "monarch", "pepper", "ppt3", "zebra"),
)
SET14_PIXELS = "95d5e8a4f9f4562bff656efc37439b26b84f719fed84246a95eee6f4060edfaa"
SET14 = replace(
    SET5,
    name="set14",
    splits={"test": 14},
    loader=partial(_load_local, "Set14", SET14_IDS, SET14_PIXELS, SET14_URL),
    find=lambda root: find(root, "Set14", "set14"),
    url=SET14_URL,
    citation=(
        "R. Zeyde, M. Elad, M. Protter: On single image scale-up using sparse-representations. Curves and Surfaces "
        "2010, LNCS 6920, 711–730"
    ),
    notes="the high-resolution originals, from a local folder only; bridge is grey, used as three equal channels",
)

FOLDER = Dataset(
    name="folder",
    splits=dict.fromkeys(SPLITS),
    loader=partial(load_folder, ""),
    find=lambda root: None,
    url="",
    checksum="none",
    licence="the images' own",
    citation="",
    notes="folder:<path>, from data.root where that is set; png, jpg, bmp, tif and webp files, at any depth; "
    "subfolders train, val and test are the splits where there are such, else every split is the whole folder",
)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset for dataset in (EMBEDDED, EMBEDDED_GREY, BSDS300, CBSD68, SET5, SET14, FOLDER)
}
