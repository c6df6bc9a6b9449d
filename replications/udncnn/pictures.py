"""The photographs in colour and in grey: the paper's first source denoises colour images, DN-ResNet grey ones."""

from collections.abc import Mapping

import numpy as np

from common.store import Arrays

GREY = "grey/"
"""What the ids of grey versions begin with."""
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of R, G and B (BT.601, full range)."""


def in_grey(images: Mapping[str, np.ndarray]) -> Arrays:
    """The grey versions of colour images, under ids of their own: (H, W, 3) uint8 → (H, W, 1) uint8."""
    return {f"{GREY}{name}": np.round(image @ LUMA)[..., None].astype(np.uint8) for name, image in images.items()}


def of_colours(images: Mapping[str, np.ndarray], colours: int) -> Arrays:
    """Those of the images and their grey versions that have so many channels."""
    return {name: image for name, image in images.items() if image.shape[-1] == colours}
