"""Small test sets of the super-resolution literature, which have no archive to download: Set5 and Set14."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from common.datasets.dataset import Dataset
from common.datasets.folders import find, load_lossless
from common.datasets.images import Images
from common.errors import UserError


def _load_local(folder: str, ids: tuple[str, ...], pixels: str, url: str, split: str, root: Path | None) -> Images:
    place = find(root, folder, folder.lower())
    if place is None:
        raise UserError(
            f"{folder} is not here, and {url} has no archive with a checksum: put its images in a folder {folder} and "
            "name the folder that holds it as data.root (params.yaml)"
        )
    return load_lossless(folder.lower(), place, ids, pixels)


SET5_URL = "http://people.rennes.inria.fr/Aline.Roumy/results/SR_BMVC12.html"
SET5_IDS = ("baby", "bird", "butterfly", "head", "woman")
SET5_PIXELS = "5ebfe4b3628f0e697d0f3d4fdd7e2e3ca11a39639744454cb5a32e0c87a2f92e"
SET5 = Dataset(
    name="set5",
    title="Set5",
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
    title="Set14",
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
