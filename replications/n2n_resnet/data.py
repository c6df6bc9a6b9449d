"""The photographs: BSDS300 in `paper`, nine tenths to train and one to validate; the embedded ones elsewhere."""

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np

from common import command, params
from common.datasets.images import center_crop
from common.datasets.registry import describe, load, local_root
from common.datasets.splits import save_splits
from common.errors import UserError
from common.noise.sensor import keyed_rng
from common.store import Arrays
from replications.n2n_resnet.noise import MEDICAL
from replications.n2n_resnet.params import Data, Face, Settings

PAPER = "n2n_resnet"


def main() -> None:
    """Write the clean images of the splits, and the face of the panels."""
    everything: Settings = params.load(PAPER)
    settings: Data = everything.data
    root = everything.data.root
    train = load(settings.train, "train", root)
    if settings.validation is not None:
        validation = load(settings.validation, "val", root)
    else:
        train, validation = hold_out(train, settings.validation_share or 0, everything.seed)
    natural = dict(islice(load(settings.test, "test", root).items(), settings.test_images))
    medical = {f"{MEDICAL}{name}": image for name, image in load(settings.medical, "test", root).items()}
    face = choose_face(settings.faces, root)
    save_splits(
        PAPER,
        {
            "train": (settings.train, train),
            "val": (settings.validation or settings.train, _centres(validation, settings.validation_crop)),
            "test": (settings.test, _centres(natural | medical, settings.test_crop)),
            "face": (face.dataset, {face.image: crop_face(load(face.dataset, "test", root), face)}),
        },
    )


def hold_out(images: Mapping[str, np.ndarray], share: float, seed: int) -> tuple[Arrays, Arrays]:
    """Split images into those to train on and a random `share` of them (rounded) to validate on."""
    names = sorted(images)
    held = set(keyed_rng("validation images", seed).choice(names, round(share * len(names)), replace=False))
    return {name: images[name] for name in names if name not in held}, {name: images[name] for name in sorted(held)}


def choose_face(faces: Sequence[Face], root: str | None) -> Face:
    """The first whose data set is on this machine, else the last: the paper's face is in no package."""
    return next((face for face in faces if describe(face.dataset).find(local_root(root)) is not None), faces[-1])


def crop_face(images: Mapping[str, np.ndarray], face: Face) -> np.ndarray:
    """The square of the photograph that the panels show; UserError where it is not inside."""
    if face.image not in images:
        raise UserError(f"data.faces: image must be one of {', '.join(images)} ({face.dataset}), got {face.image}")
    image = images[face.image]
    crop = image[face.top : face.top + face.side, face.left : face.left + face.side]
    if crop.shape[:2] != (face.side, face.side):
        height, width = image.shape[:2]
        raise UserError(f"data.faces: the square leaves {face.image}, which is {width}×{height}")
    return crop


def _centres(images: Mapping[str, np.ndarray], side: int) -> Arrays:
    return {name: center_crop(image, side, name) for name, image in images.items()}


if __name__ == "__main__":
    command.run(main)
