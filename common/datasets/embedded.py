"""Photographs that come with Python packages: real images wherever there is a package index, without any download site.

Three wheels (24 MB) are fetched by pip, pinned by hash, and read as zip files; nothing of them is installed or
imported. The other images lie in scikit-image and PyWavelets, which the suite needs anyway.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from common.datasets.dataset import Dataset
from common.datasets.download import DOWNLOADS
from common.datasets.images import Images, read_image
from common.errors import UserError

REQUIREMENTS = Path(__file__).with_name("embedded-wheels.txt")
WHEELS = DOWNLOADS / "wheels"

NONFACE = {f"nonface_{number:02d}": f"pyvision/data/nonface/NONFACE_{number}.jpg" for number in range(1, 52)}
# Chosen by eye for variety: mushroom in leaves, buildings, fawns, papaya trees, a plate of food. None of them resembles
# another photograph; those that do resemble each other (17/18, 28/32, 30/31, 38/40, 47 to 51) are all for training.
VALIDATION = ("nonface_07", "nonface_19", "nonface_33", "nonface_41", "nonface_46")
SPORCO = ("barbara", "kodim23", "monarch", "sail", "tulips")
SKIMAGE = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
SKIMAGE_GREY = ("brick.png", "camera.png", "grass.png", "gravel.png")
PYWAVELETS_GREY = ("aero", "ascent")
PYVISION_URL = "https://pypi.org/project/pyvision-toolkit/1.3.6/"
PYVISION_LICENCE = "BSD, as their package (which says nothing of the photographs)"


def load_embedded(split: str, root: Path | None) -> Images:
    """Colour photographs: 46 to train on, 5 to validate, 11 to test. `root` plays no part."""
    if split == "test":
        wheels = _wheels()
        files = {name: f"sporco/data/{name}.png" for name in SPORCO}
        images = _from_skimage(SKIMAGE, 3) | _from_wheel(wheels["sporco"], files)
        return images | _from_wheel(wheels["plenoptic"], {"macaque": "plenoptic/data/macaca_nigra_self-portrait.jpg"})
    return load_nonface(name for name in NONFACE if (name in VALIDATION) == (split == "val"))


def load_nonface(names: Iterable[str]) -> Images:
    """Those of the 51 photographs to train and validate on that are named, 640×480: "nonface_01", …"""
    return _from_wheel(_wheels()["pyvision-toolkit"], {name: NONFACE[name] for name in names})


def load_embedded_grey(split: str, root: Path | None) -> Images:
    """Six grey photographs and textures of 512×512, to test on. `root` plays no part."""
    folder = _package("pywt") / "data"
    aerial = {name: np.load(folder / f"{name}.npz", allow_pickle=False)["data"] for name in PYWAVELETS_GREY}
    return _from_skimage(SKIMAGE_GREY, 1) | {name: image[:, :, None] for name, image in aerial.items()}


def find_wheels() -> Path | None:
    """The folder of the wheels where all of them are here and whole."""
    return WHEELS if all(_here(*pinned) for pinned in _pinned()) else None


def skimage_data() -> Path:
    """The folder of scikit-image's own images, which come with the package."""
    return _package("skimage") / "data"


def _wheels() -> dict[str, Path]:
    """Package → its wheel; fetched by pip where one is missing or damaged."""
    if find_wheels() is None:
        _fetch()
    return {package: _file(package, version) for package, version, _ in _pinned()}


def _fetch() -> None:
    print(f"fetching the embedded photographs (24 MB) from the package index into {WHEELS}", flush=True)
    WHEELS.mkdir(parents=True, exist_ok=True)
    # Into a folder of our own first: a wheel that another process is reading is only ever replaced by a whole one.
    with tempfile.TemporaryDirectory(dir=WHEELS) as scratch:
        options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", scratch, "-r", str(REQUIREMENTS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip() or "no message").splitlines()[-1].removeprefix("ERROR: ")
            raise UserError(
                f"pip cannot fetch the embedded photographs ({reason}): connect to a package index, or put the wheels "
                f"that {REQUIREMENTS.name} lists into {WHEELS}"
            )
        for wheel in Path(scratch).glob("*.whl"):
            os.replace(wheel, WHEELS / wheel.name)


def _pinned() -> list[tuple[str, str, str]]:
    """(package, version, sha256) of each wheel."""
    pattern = r"^(\S+)==(\S+) --hash=sha256:(\w+)$"
    return re.findall(pattern, REQUIREMENTS.read_text(), re.MULTILINE)


def _file(package: str, version: str) -> Path:
    return WHEELS / f"{package.replace('-', '_')}-{version}-py3-none-any.whl"


def _here(package: str, version: str, sha256: str) -> bool:
    wheel = _file(package, version)
    return wheel.is_file() and hashlib.sha256(wheel.read_bytes()).hexdigest() == sha256


def _from_wheel(wheel: Path, files: dict[str, str]) -> Images:
    with zipfile.ZipFile(wheel) as archive:
        return {name: read_image(archive.read(path), f"{wheel}/{path}") for name, path in files.items()}


def _from_skimage(files: tuple[str, ...], channels: int) -> Images:
    folder = skimage_data()
    return {Path(file).stem: read_image(folder / file, str(folder / file), channels=channels) for file in files}


def _package(name: str) -> Path:
    """Folder of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise UserError(f"package {name} is not installed: install the dependencies of pyproject.toml")
    return Path(spec.origin).parent


EMBEDDED = Dataset(
    name="embedded",
    title="embedded photographs",
    splits={"train": 46, "val": 5, "test": 11},
    loader=load_embedded,
    find=lambda root: find_wheels(),
    url=f"{PYVISION_URL}, sporco/0.2.2.post1/, plenoptic/2.1.1/; scikit-image",
    checksum="sha256 of each wheel (embedded-wheels.txt); scikit-image by its version (constraints.txt)",
    licence=(
        f"train and val: {PYVISION_LICENCE}. test: astronaut, rocket and "
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
    title="embedded photographs in grey",
    splits={"test": 6},
    loader=load_embedded_grey,
    find=lambda root: skimage_data(),
    url="https://scikit-image.org, https://pywavelets.readthedocs.io",
    checksum="the packages' versions (constraints.txt)",
    licence="camera, brick, grass and gravel CC0; ascent public domain; aero: none stated, from PyWavelets (MIT)",
    citation="scikit-image; PyWavelets",
)
