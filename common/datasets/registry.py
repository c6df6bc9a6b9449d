"""Every image set by its name: how it is loaded and checked, where it comes from, under which terms, whom to cite."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from common.datasets import bsds, composites, embedded, imagenette, pets, samples, sets, stand_ins, stl10, voc
from common.datasets import denoising_sets as denoising
from common.datasets.dataset import Dataset
from common.datasets.folders import SPLITS, load_folder
from common.errors import UserError


def describe(name: str) -> Dataset:
    """The data set of that name; UserError that lists the known ones.

    A plain folder is "folder:<path>" in colour and "grey:<path>" in grey.
    """
    kind, _, path = name.partition(":")
    if kind in PLAIN_FOLDERS:
        return replace(DATASETS[kind], name=name, loader=partial(load_folder, path, grey=kind == "grey"))
    if name not in DATASETS:
        known = ", ".join(name + (":<path>" if name in PLAIN_FOLDERS else "") for name in DATASETS)
        raise UserError(f"{name} is not a data set: known are {known}")
    return DATASETS[name]


def load(name: str, split: str, root: str | None) -> dict[str, np.ndarray]:
    """Images of a split, id → (H, W, 3) uint8 RGB or, of a grey set, (H, W, 1) uint8, in the order of the ids.

    In a labelled set the label is the part of the id before the first "/". Splits named …_trimaps hold, under the ids
    of the images, (H, W, 1) uint8 label maps. A copy under `root` (data.root of params.yaml) comes first, then an
    earlier download, then the official archive. UserError for an unknown name or split, a `root` that is missing, and
    whatever the set's loader finds wrong.
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


FOLDER = Dataset(
    name="folder",
    splits=dict.fromkeys(SPLITS),
    loader=partial(load_folder, ""),
    find=lambda root: None,
    url="",
    checksum="none",
    licence="the images' own",
    citation="",
    notes="folder:<path>, colour, from data.root where that is set; png, jpg, bmp, tif and webp files, at any depth; "
    "subfolders train, val and test are the splits where there are such, else every split is the whole folder",
)
GREY_FOLDER = replace(
    FOLDER,
    name="grey",
    loader=partial(load_folder, "", grey=True),
    notes="grey:<path>, as folder:<path>, but in grey: of colour the BT.601 luma, 0.299 R + 0.587 G + 0.114 B, rounded",
)
PLAIN_FOLDERS = (FOLDER.name, GREY_FOLDER.name)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        *(embedded.EMBEDDED, embedded.EMBEDDED_GREY),
        *(stand_ins.SCENES, composites.COMPOSITES, stand_ins.MARINE, stand_ins.GRASSLAND, stand_ins.MEDICAL_IMAGES),
        *(bsds.BSDS300, bsds.CBSD68, sets.SET5, sets.SET14),
        *(denoising.SET12, denoising.BSD68, denoising.KODAK24, denoising.MCMASTER, denoising.URBAN100, voc.VOC2012),
        *(stl10.STL10, stl10.STL10_SAMPLE, imagenette.IMAGENETTE, pets.OXFORD_PET, pets.OXFORD_PET_SAMPLE),
        *(samples.CARBIKE, samples.MARINE100, samples.GRASSLAND100),
        *(FOLDER, GREY_FOLDER),
    )
}
