"""Imagenette: ten easily told classes of ImageNet.

fast.ai's archive with a shorter side of 160 pixels is held to the md5 that torchvision.datasets.Imagenette gives; an
unpacked folder, whose files have no published sums, to the number of its images.
"""

from collections.abc import Iterable
from pathlib import Path

from common.datasets import download
from common.datasets.dataset import Dataset
from common.datasets.folders import find
from common.datasets.images import Images, read_as_rgb
from common.errors import UserError

URL = "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz"
MD5 = "e793b78cc4c9e9a4ccc0c1155377a412"
FIX = "put imagenette2-160.tgz, or the folder imagenette2-160 in it, in a folder named as data.root (params.yaml)"
CLASSES = {
    "n01440764": "tench",
    "n02102040": "english_springer",
    "n02979186": "cassette_player",
    "n03000684": "chain_saw",
    "n03028079": "church",
    "n03394916": "french_horn",
    "n03417042": "garbage_truck",
    "n03425413": "gas_pump",
    "n03445777": "golf_ball",
    "n03888257": "parachute",
}
SPLITS = {"train": "train", "test": "val"}
"""Split → its folder."""
WHOLE = {"train": 9469, "test": 3925}
FOLDERS = {
    "imagenette2-160": WHOLE,
    "imagenette2-320": WHOLE,
    "Imagenette224_sample": {"train": 1500, "test": 500},
}
"""Folder → the number of its images in each split."""


def find_imagenette(root: Path | None) -> Path | None:
    """The first of the folders under `root`, or else the archive there or downloaded earlier; None without any."""
    return find(root, *FOLDERS) or download.find_archive(root, URL)


def load_imagenette(split: str, root: Path | None) -> Images:
    """Images (H, W, 3) of differing sizes, "<wnid>_<class>/<file's stem>" → pixels.

    UserError for a copy with another number of images than it should have, a damaged archive or a broken image.
    """
    place = find_imagenette(root) or download.download("imagenette", URL, FIX)
    if place.is_dir():
        files: Iterable[tuple[Path, bytes]] = _from_folder(place, split)
        count = FOLDERS[place.name][split]
    else:
        download.check_md5(place, MD5)
        files = _from_archive(place, split)
        count = WHOLE[split]
    images = {_id(path): read_as_rgb(content, f"{place}/{path}") for path, content in files}
    if len(images) != count:
        raise UserError(
            f"imagenette in {place} is not complete: {len(images)} of {count} {split} images are there; replace it by "
            f"a whole copy of {URL}"
        )
    return images


def _id(path: Path) -> str:
    wnid = path.parent.name[:9]
    return f"{wnid}_{CLASSES[wnid]}/{path.stem}"


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in (".jpeg", ".jpg") and path.parent.name[:9] in CLASSES and path.name[0] != "."


def _from_folder(folder: Path, split: str) -> Iterable[tuple[Path, bytes]]:
    paths = sorted((folder / SPLITS[split]).glob("*/*"))
    return [(path.relative_to(folder), path.read_bytes()) for path in paths if _is_image(path)]


def _from_archive(archive: Path, split: str) -> Iterable[tuple[Path, bytes]]:
    """(path inside the archive's one folder, content) of each image."""
    files = []
    with download.opened(archive) as tar:
        for member in tar:
            path = Path(*Path(member.name).parts[-3:])
            if member.isfile() and path.parts[0] == SPLITS[split] and _is_image(path):
                files.append((path, tar.extractfile(member).read()))  # type: ignore[union-attr]
    return files


IMAGENETTE = Dataset(
    name="imagenette",
    title="Imagenette",
    splits=dict.fromkeys(SPLITS),
    loader=load_imagenette,
    find=find_imagenette,
    url=URL,
    checksum="md5 of the archive, as torchvision gives it; a folder: the number of its images",
    licence="none stated for the images: ImageNet's terms, non-commercial research and education (code: Apache-2.0)",
    citation=(
        "J. Howard: Imagenette, https://github.com/fastai/imagenette; J. Deng, W. Dong, R. Socher, L.-J. Li, K. Li, "
        "L. Fei-Fei: ImageNet: A large-scale hierarchical image database. CVPR 2009"
    ),
    notes='ids "<wnid>_<class>/<file>" (ten classes); test is the folder val; 9469 + 3925 images with a shorter side '
    "of 160 or 320 pixels, or the local folder Imagenette224_sample: 1500 + 500 of 224×224; JPEG",
)
