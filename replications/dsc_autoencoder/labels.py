"""Classes of labelled images, as their ids tell them."""

import numpy as np

from common.store import Arrays


def label_of(image_id: str) -> str:
    """The class of a labelled image: what stands before the slash of its id."""
    return image_id.split("/")[0]


def labelled_arrays(images: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, 3) uint8 and their classes (N,), numbered in the order of the classes' names."""
    _, numbers = np.unique([label_of(image) for image in images], return_inverse=True)
    return np.stack(list(images.values())), numbers
