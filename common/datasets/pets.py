"""Oxford-IIIT Pet: photographs of cats and dogs with trimaps.

The two official archives are held to the md5 sums that torchvision.datasets.OxfordIIITPet gives; an unpacked folder to
the number of images that its split files list.
"""

import io
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from common.datasets import download
from common.datasets.dataset import Dataset
from common.datasets.folders import Pin, find, image_files, read_pinned, require_all, shuffled
from common.datasets.images import Images, read_as_rgb, unreadable
from common.errors import UserError

SERVER = "https://thor.robots.ox.ac.uk/~vgg/data/pets"
ARCHIVES = {
    f"{SERVER}/images.tar.gz": "5c4f3ee8e5d25df40f4fd59a7f44e54c",
    f"{SERVER}/annotations.tar.gz": "95a8c909bbe2e81eed6a22bccdf3f68f",
}
"""Address → md5; the second holds the trimaps and the lists of the splits."""
FOLDERS = ("oxford-iiit-pet", "OxfordIIITPet")
FIX = f"put images.tar.gz and annotations.tar.gz in a folder {FOLDERS[0]} below one named as data.root (params.yaml)"
LISTS = {"train": "annotations/trainval.txt", "test": "annotations/test.txt"}
COUNTS = {"train": 3680, "test": 3669}
PET, BACKGROUND, BORDER = TRIMAP = (1, 2, 3)
TRIMAPS = "_trimaps"

SAMPLE = "OxfordPet_sample"
SAMPLE_TEST = 80
SAMPLE_PINS = {
    "train": Pin(190, "3450556fa579fea52478ac7edc75992eee64cdcbb02456e321bdffaad404a6bb"),
    "test": Pin(SAMPLE_TEST, "1c4906e42fe16826cc923d6a48981f8a2ff083084f688f7ca1fa90ef53a73a46"),
    "train_trimaps": Pin(190, "9629c2f1ba5617adb13e8ce42acea4a22d045386fd584263e7cc1abc13fb565d"),
    "test_trimaps": Pin(SAMPLE_TEST, "89481b664415a197bbfc57efa5518afeeffc3292a1918fc7ecb026a16d49c0de"),
}


def find_oxford_pet(root: Path | None) -> Path | None:
    """The unpacked folder under `root`, or else the images' archive where both are here; None without either."""
    archives = [download.find_archive(root, url, FOLDERS[0]) for url in ARCHIVES]
    return _unpacked(root) or (archives[0] if all(archives) else None)


def load_oxford_pet(split: str, root: Path | None) -> Images:
    """The images (H, W, 3) of "train" (the authors' trainval) or "test", or their trimaps (H, W, 1) of "…_trimaps".

    UserError for an incomplete or damaged copy, and for a trimap of another size than its image or with other values.
    """
    images_in, annotations_in = _places(root)
    list_file = LISTS[split.removesuffix(TRIMAPS)]
    ids = _listed(annotations_in, list_file)
    if len(ids) != COUNTS[split.removesuffix(TRIMAPS)]:
        raise UserError(
            f"oxford_pet in {annotations_in} is not complete: {list_file} lists {len(ids)} images, "
            f"{COUNTS[split.removesuffix(TRIMAPS)]} were published; replace it by a whole copy"
        )
    images = _contents(images_in, {f"images/{key}.jpg": key for key in ids})
    require_all("oxford_pet", images_in, ids, images)
    if not split.endswith(TRIMAPS):
        return {key: read_as_rgb(images[key], f"{images_in}/images/{key}.jpg") for key in ids}
    trimaps = _contents(annotations_in, {f"annotations/trimaps/{key}.png": key for key in ids})
    require_all("trimaps of oxford_pet", annotations_in, ids, trimaps)
    return {key: _trimap(trimaps[key], images[key], f"{annotations_in}/annotations/trimaps/{key}.png") for key in ids}


def find_oxford_pet_sample(root: Path | None) -> Path | None:
    """Folder of the sample under `root`."""
    return find(root, SAMPLE)


def load_oxford_pet_sample(split: str, root: Path | None) -> Images:
    """As `load_oxford_pet`, of 270 images from a local folder: 80 to test, the first in the order of `shuffled`."""
    place = find_oxford_pet_sample(root)
    if place is None:
        raise UserError(
            f"{SAMPLE} is not here, and its source has no archive: put the folder into one named as data.root "
            "(params.yaml), or use oxford_pet"
        )
    images, trimaps = image_files(place / "images"), image_files(place / "trimaps")
    require_all("trimaps of oxford_pet_sample", place, images, trimaps)
    order = shuffled(images)
    ids = order[:SAMPLE_TEST] if split.startswith("test") else order[SAMPLE_TEST:]
    if not split.endswith(TRIMAPS):
        contents = read_pinned("oxford_pet_sample", place, {key: images[key] for key in ids}, SAMPLE_PINS[split])
        return {key: read_as_rgb(contents[key], str(images[key])) for key in ids}
    contents = read_pinned("oxford_pet_sample", place, {key: trimaps[key] for key in ids}, SAMPLE_PINS[split])
    return {key: _trimap(contents[key], images[key].read_bytes(), str(trimaps[key])) for key in ids}


def _unpacked(root: Path | None) -> Path | None:
    folder = find(root, *FOLDERS)
    return folder if folder and (folder / "images").is_dir() and (folder / "annotations").is_dir() else None


def _places(root: Path | None) -> tuple[Path, Path]:
    """Where the images and the annotations are: the unpacked folder twice, or the two archives."""
    folder = _unpacked(root)
    if folder:
        return folder, folder
    archives = []
    for url, md5 in ARCHIVES.items():
        archive = download.find_archive(root, url, FOLDERS[0]) or download.download("oxford_pet", url, FIX)
        download.check_md5(archive, md5)
        archives.append(archive)
    return archives[0], archives[1]


def _listed(place: Path, list_file: str) -> list[str]:
    """The ids of a split: the first word of each line."""
    content = _contents(place, {list_file: "list"})
    if not content:
        raise UserError(f"oxford_pet in {place} is not complete: {list_file} is missing; replace it by a whole copy")
    return [line.split()[0] for line in content["list"].decode().splitlines() if line.strip() and line[0] != "#"]


def _contents(place: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    """The files of `names` (path → name) that are there, name → content, from an unpacked folder or an archive."""
    if place.is_dir():
        return {name: (place / path).read_bytes() for path, name in names.items() if (place / path).is_file()}
    with download.opened(place) as tar:
        members = ((Path(member.name).as_posix(), member) for member in tar)
        return {names[path]: tar.extractfile(member).read() for path, member in members if path in names}  # type: ignore[union-attr]


def _trimap(content: bytes, image: bytes, name: str) -> np.ndarray:
    values = _decoded(content, name)
    width, height = _size(image, name)
    if values.shape != (height, width):
        raise UserError(
            f"{name} has shape {values.shape}, its image {(height, width)}: replace it by the published one"
        )
    others = sorted(set(np.unique(values).tolist()) - set(TRIMAP))
    if others:
        raise UserError(f"{name} has the values {_some(others)} beside {TRIMAP}: replace it by the published trimap")
    return values[:, :, None]


def _decoded(content: bytes, name: str) -> np.ndarray:
    try:
        return np.array(Image.open(io.BytesIO(content)))
    except Exception as error:  # Pillow raises many kinds on a broken file
        raise unreadable(name, error) from None


def _size(content: bytes, name: str) -> tuple[int, int]:
    try:
        return Image.open(io.BytesIO(content)).size
    except Exception as error:
        raise unreadable(f"the image of {name}", error) from None


def _some(values: Collection[int]) -> str:
    return ", ".join(map(str, list(values)[:5]))


OXFORD_PET = Dataset(
    name="oxford_pet",
    title="Oxford-IIIT Pet",
    splits={split + kind: count for kind in ("", TRIMAPS) for split, count in COUNTS.items()},
    loader=load_oxford_pet,
    find=find_oxford_pet,
    url=f"{SERVER}/images.tar.gz, annotations.tar.gz",
    checksum="md5 of the archives, as torchvision gives them; a folder: the number of its images",
    licence="CC BY-SA 4.0 (its page; its README: research only); the images' copyright remains with their owners",
    citation="O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar: Cats and dogs. CVPR 2012",
    notes="train is the authors' trainval; trimaps are 1 pet, 2 background, 3 border; sizes differ; JPEG",
)

OXFORD_PET_SAMPLE = replace(
    OXFORD_PET,
    name="oxford_pet_sample",
    title="Oxford-IIIT Pet, a sample",
    splits={split: pin.count for split, pin in SAMPLE_PINS.items()},
    loader=load_oxford_pet_sample,
    find=find_oxford_pet_sample,
    url="https://github.com/Naveen-Dodda/Sample_Pets_dataset",
    checksum="sha256 over the names and contents of the files",
    notes=f"270 genuine pairs of three breeds (files of 250 kB at most), from a local folder {SAMPLE} only; the split "
    "is ours: the 80 ids whose sha256 comes first are for testing, across the authors' own split",
)
