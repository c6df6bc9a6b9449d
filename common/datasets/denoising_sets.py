"""The test sets of the denoising literature beside CBSD68: Set12 and BSD68 in grey; Kodak24, McMaster, Urban100."""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from common.datasets import download
from common.datasets.bsds import BSDS300
from common.datasets.dataset import Dataset
from common.datasets.folders import find, image_files, load_lossless, require_all, some
from common.datasets.images import Images, checksum, read_image
from common.errors import UserError

NAME_IT = "name the folder that holds it as data.root (params.yaml)"


def _load_local(folders: tuple[str, ...], ids: tuple[str, ...], pixels: str, split: str, root: Path | None) -> Images:
    """A grey set published in a repository, from a local folder."""
    place = find(root, *folders)
    if place is None:
        raise UserError(
            f"{folders[0]} is not here, and its source has no archive: put its images in a folder {folders[0]} and "
            f"{NAME_IT}"
        )
    return load_lossless(folders[0].lower(), place, ids, pixels, channels=1)


SET12_FOLDERS = ("Set12", "set12")
SET12 = Dataset(
    name="set12",
    title="Set12",
    splits={"test": 12},
    loader=partial(
        _load_local,
        SET12_FOLDERS,
        tuple(f"{number:02d}" for number in range(1, 13)),
        "fecdd836831b50621491c296752a758d338f946d1f35ceed34f26a50b4c8cf89",
    ),
    find=lambda root: find(root, *SET12_FOLDERS),
    url="https://github.com/cszn/DnCNN/tree/master/testsets/Set12",
    checksum="sha256 of the decoded pixels",
    licence="none stated; traditional test images",
    citation=(
        "K. Zhang, W. Zuo, Y. Chen, D. Meng, L. Zhang: Beyond a Gaussian denoiser: residual learning of deep CNN for "
        "image denoising. IEEE TIP 26(7), 3142–3155, 2017"
    ),
    notes="grey, seven of 256×256 and five of 512×512, from a local folder only; Set14 shows some of the same scenes",
)

BSD68_FOLDERS = ("BSD68", "bsd68")
BSD68 = replace(
    SET12,
    name="bsd68",
    title="BSD68",
    splits={"test": 68},
    loader=partial(
        _load_local,
        BSD68_FOLDERS,
        tuple(f"test{number:03d}" for number in range(1, 69)),
        "d862b5c1c67d7607e9270ddd1b0ad4ab6aa85a950e6a40fc0db4fdf85d302ab7",
    ),
    find=lambda root: find(root, *BSD68_FOLDERS),
    url="https://github.com/cszn/DnCNN/tree/master/testsets/BSD68",
    licence=BSDS300.licence,
    citation=f"{BSDS300.citation}; selection: S. Roth, M. J. Black: Fields of experts. IJCV 82, 205–229, 2009",
    notes="the grey version of cbsd68, published as PNG, from a local folder only: never train on BSDS500's val",
)

KODAK_URL = "https://r0k.us/graphics/kodak/kodak"
KODAK_FOLDERS = ("Kodak24", "kodak24", "Kodak", "kodak")
KODAK_IDS = tuple(f"kodim{number:02d}" for number in range(1, 25))
KODAK_PIXELS = "f66f034209668b03a20ae70aa0c24ba24a85c5206d45a44092f5140c9f7cf45a"


def find_kodak(root: Path | None) -> Path | None:
    """Local folder of the set, or else the folder of downloads where all of it is there."""
    whole = all((download.DOWNLOADS / f"{key}.png").is_file() for key in KODAK_IDS)
    return find(root, *KODAK_FOLDERS) or (download.DOWNLOADS if whole else None)


def load_kodak(split: str, root: Path | None) -> Images:
    """The 24 photographs, from a local folder or file by file from their page."""
    place = find(root, *KODAK_FOLDERS)
    if place:
        return load_lossless("kodak24", place, KODAK_IDS, KODAK_PIXELS)
    fix = f"put kodim01.png … kodim24.png in a folder Kodak24 and {NAME_IT}"
    files = {key: download.download("kodak24", f"{KODAK_URL}/{key}.png", fix) for key in KODAK_IDS}
    images = {key: read_image(path, str(path)) for key, path in files.items()}
    if checksum(images) != KODAK_PIXELS:
        raise UserError(f"kodak24 in {download.DOWNLOADS} has a wrong checksum: delete kodim*.png there and run again")
    return images


KODAK24 = Dataset(
    name="kodak24",
    title="Kodak24",
    splits={"test": 24},
    loader=load_kodak,
    find=find_kodak,
    url="https://r0k.us/graphics/kodak/",
    checksum="sha256 of the decoded pixels",
    licence="released by Kodak for unrestricted use",
    citation="Eastman Kodak Company: Kodak lossless true color image suite (PhotoCD PCD0992), by R. W. Franzen",
    notes="768×512 and 512×768; kodim23 is also in embedded",
)

MCMASTER_URL = "https://www4.comp.polyu.edu.hk/~cslzhang/DATA/McM.zip"
MCMASTER_SHA256 = "6c3eaba44ab5801f155cc470d12125d5fe18f6f2fbaad363353e5e92667023c1"
MCMASTER_PASSWORD = b"McM_CDM"
"""Of the archive, as its page publishes it."""
MCMASTER_FOLDERS = ("McMaster", "mcmaster", "McM")
MCMASTER_PIXELS: dict[str, str] = {
    key: sha256
    for sha256, key in map(str.split, Path(__file__).with_name("mcmaster-pixels.txt").read_text().splitlines())
}
"""Image id → sha256 over "<width>x<height>:RGB:" and the decoded pixels. These sums and the archive's are those that
github.com/catid/SoftMenon gives (benchmark/datasets.json); its sums of BSDS500 are those of Berkeley's files."""


def find_mcmaster(root: Path | None) -> Path | None:
    """Local folder of the set, or else the archive under `root` or the one downloaded earlier; None without any."""
    return find(root, *MCMASTER_FOLDERS) or download.find_archive(root, MCMASTER_URL)


def load_mcmaster(split: str, root: Path | None) -> Images:
    """The 18 images (500×500), from a local folder or the archive; UserError for one that is not as published."""
    fix = f"put 1.tif … 18.tif in a folder McMaster and {NAME_IT}"
    place = find_mcmaster(root) or download.download("mcmaster", MCMASTER_URL, fix)
    files = _from_folder(place) if place.is_dir() else _from_zip(place, fix)
    require_all("mcmaster", place, MCMASTER_PIXELS, files)
    images = {key: read_image(files[key], f"{place}/{key}") for key in MCMASTER_PIXELS}
    wrong = [key for key, image in images.items() if _pixels(image.shape, image.tobytes()) != MCMASTER_PIXELS[key]]
    if wrong:
        raise UserError(
            f"mcmaster in {place} has a wrong checksum: {some(wrong)} not as published; replace the copy by "
            f"{MCMASTER_URL}, or use it as it is by the name folder:{place}"
        )
    return images


def _pixels(shape: tuple[int, ...], pixels: bytes) -> str:
    return hashlib.sha256(f"{shape[1]}x{shape[0]}:RGB:".encode() + pixels).hexdigest()


def _from_folder(folder: Path) -> Mapping[str, bytes | Path]:
    return {str(int(key)) if key.isdigit() else key: path for key, path in image_files(folder).items()}


def _from_zip(archive: Path, fix: str) -> Mapping[str, bytes | Path]:
    """Image id → file content. The archive is read where it is: nothing of it is unpacked to disk."""
    content = archive.read_bytes()
    if hashlib.sha256(content).hexdigest() != MCMASTER_SHA256:
        raise UserError(f"{archive} has a wrong checksum: delete it and run again")
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.endswith(".tif")]
            return {Path(name).stem: opened.read(name, MCMASTER_PASSWORD) for name in names}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise UserError(f"{archive} cannot be read ({error}): {fix}") from None


MCMASTER = Dataset(
    name="mcmaster",
    title="McMaster",
    splits={"test": 18},
    loader=load_mcmaster,
    find=find_mcmaster,
    url="https://www4.comp.polyu.edu.hk/~cslzhang/CDM_Dataset.htm",
    checksum="sha256 of the archive and of each image's decoded pixels (mcmaster-pixels.txt)",
    licence="none stated",
    citation=(
        "L. Zhang, X. Wu, A. Buades, X. Li: Color demosaicking by local directional interpolation and nonlocal "
        "adaptive thresholding. Journal of Electronic Imaging 20(2), 023016, 2011"
    ),
    notes="500×500; its page has the archive's password",
)

URBAN_URL = "https://github.com/jbhuang0604/SelfExSR"
URBAN_FOLDERS = ("Urban100", "urban100")
URBAN_NAME = re.compile(r"(?:.*_)?(img_\d{3})(?:_SRF_\d_HR)?")
"""Ids of the high-resolution images: "img_001", or "img_001_SRF_4_HR" as the authors' repository names them."""
URBAN_IDS = tuple(f"img_{number:03d}" for number in range(1, 101))


def load_urban(split: str, root: Path | None) -> Images:
    """The 100 images, from a local folder; UserError where one is missing or is there twice."""
    place = find(root, *URBAN_FOLDERS)
    if place is None:
        raise UserError(
            f"Urban100 is not here, and {URBAN_URL} has no archive with a checksum: put its high-resolution images in "
            f"a folder Urban100 and {NAME_IT}"
        )
    files: dict[str, Path] = {}
    for key, path in image_files(place).items():
        match = URBAN_NAME.fullmatch(key)
        if match is None:
            continue
        if match[1] in files:
            raise UserError(f"urban100: {files[match[1]]} and {path} are the same image: keep one of the two")
        files[match[1]] = path
    require_all("urban100", place, URBAN_IDS, files)
    return {key: read_image(files[key], str(files[key]), grey_to_rgb=True) for key in URBAN_IDS}


URBAN100 = Dataset(
    name="urban100",
    title="Urban100",
    splits={"test": 100},
    loader=load_urban,
    find=lambda root: find(root, *URBAN_FOLDERS),
    url=URBAN_URL,
    checksum="the number and names of its images: no sum is published, and copies differ in size",
    licence="none stated",
    citation=(
        "J.-B. Huang, A. Singh, N. Ahuja: Single image super-resolution from transformed self-exemplars. CVPR 2015, "
        "5197–5206"
    ),
    notes="from a local folder only, img_001 … img_100 (or img_001_SRF_4_HR …); the authors' crops depend on the "
    "factor of super-resolution, so scores compare within one copy only",
)
