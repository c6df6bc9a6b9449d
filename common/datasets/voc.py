"""PASCAL VOC 2012: photographs of its validation split.

The archive is held to the md5 that torchvision.datasets.VOCDetection gives; an unpacked folder to the number of images
that its list has.
"""

from collections.abc import Mapping
from pathlib import Path

from common.datasets import download
from common.datasets.dataset import Dataset
from common.datasets.folders import find, require_all
from common.datasets.images import Images, read_image
from common.errors import UserError

URL = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar"
MD5 = "6cd6e144f989b92b3379bac3b3de84fd"
FOLDERS = ("VOCdevkit/VOC2012", "VOC2012")
LIST = "ImageSets/Main/val.txt"
LISTED = 5823
USED = 1000
"""First images by id: the number on which DN-ResNet was tested; which ones those were is not published."""
FIX = "put VOCtrainval_11-May-2012.tar, or the folder VOCdevkit in it, in a folder named as data.root (params.yaml)"


def find_voc(root: Path | None) -> Path | None:
    """The unpacked folder or the archive under `root`, or else the archive downloaded earlier; None without any."""
    return find(root, *FOLDERS) or download.find_archive(root, URL)


def load_voc(split: str, root: Path | None) -> Images:
    """The first 1,000 validation images by id, of differing sizes; UserError for a copy that is not complete."""
    place = find_voc(root) or download.download("voc2012", URL, FIX)
    if not place.is_dir():
        download.check_md5(place, MD5)
    listed = _contents(place, {LIST: "list"}).get("list", b"").decode().split()
    if len(listed) != LISTED:
        raise UserError(f"voc2012 in {place}: {LIST} lists {len(listed)} images, {LISTED} were published: replace it")
    ids = sorted(listed)[:USED]
    files = _contents(place, {f"JPEGImages/{key}.jpg": key for key in ids})
    require_all("voc2012", place, ids, files)
    return {key: read_image(files[key], f"{place}/{key}.jpg", grey_to_rgb=True) for key in ids}


def _contents(place: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    """The files of `names` (path inside VOC2012 → name) that are there, name → content, of a folder or the archive."""
    if place.is_dir():
        return {name: (place / path).read_bytes() for path, name in names.items() if (place / path).is_file()}
    with download.opened(place) as tar:
        members = ((member.name.partition("VOC2012/")[2], member) for member in tar)
        return {names[path]: tar.extractfile(member).read() for path, member in members if path in names}  # type: ignore[union-attr]


VOC2012 = Dataset(
    name="voc2012",
    title="PASCAL VOC 2012",
    splits={"val": USED, "test": USED},
    loader=load_voc,
    find=find_voc,
    url=URL,
    checksum="md5 of the archive, as torchvision gives it; a folder: the number of images that its list has",
    licence="images from flickr, whose terms of use apply",
    citation=(
        "M. Everingham, L. Van Gool, C. K. I. Williams, J. Winn, A. Zisserman: The PASCAL Visual Object Classes "
        "Challenge 2012 (VOC2012) results"
    ),
    notes="the first 1,000 of the 5,823 validation images by id, under both names; the archive has 2 GB; JPEG",
)
