"""Reading, cropping and fingerprinting 8-bit images."""

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import UserError

Images = dict[str, np.ndarray]
"""Image id → (H, W, 3) uint8 RGB, or (H, W, 1) uint8 grey."""

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Of R, G and B in the luma of BT.601, full range: how colour becomes grey wherever the suite makes it so."""


def read_image(
    source: Path | bytes, name: str, *, channels: int | None = 3, grey_to_rgb: bool = False, min_size: int = 1
) -> np.ndarray:
    """Decode a file (or its bytes) to (H, W, `channels`) uint8, upright by its EXIF orientation.

    `channels` is 3 (RGB), 1 (grey) or None: as the file is. A palette becomes RGB and an opaque alpha channel is
    dropped: neither changes a pixel. Whatever would (16 bits, CMYK, transparency, colour to grey, and grey to RGB
    unless `grey_to_rgb`) is refused, as is a side shorter than `min_size`: UserError with the name and the fix.
    """
    image = _decode(_read(source, name), name)
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        raise UserError(f"{name} has transparent pixels: flatten it onto a background and save it without alpha")
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
        raise UserError(f"{name} is a {image.mode} image: convert it to 8-bit RGB")
    is_grey = image.mode in ("1", "L", "LA")
    if is_grey and channels == 3 and not grey_to_rgb:
        raise UserError(
            f"{name} is grey where colour is needed: use a colour image, or load its folder by the name grey:<path>"
        )
    if not is_grey and channels == 1:
        raise UserError(f"{name} is a colour image where grey is needed: convert it to 8-bit grey")
    if min(image.size) < min_size:
        raise UserError(
            f"{name} is too small: {_size(image.height, image.width)}, at least {min_size} a side is needed"
        )
    channels = channels or (1 if is_grey else 3)
    pixels = np.array(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(image.height, image.width, channels)


def read_as_rgb(source: Path | bytes, name: str) -> np.ndarray:
    """Decode a file of a set gathered from the web to (H, W, 3) uint8, whatever its mode, type and suffix.

    Grey, palette, CMYK and transparent files become RGB as by Pillow's `convert`, of an animation the first frame; EXIF
    orientation plays no part. So do the common loaders of such sets, whose labels were made for these pixels.
    UserError for a file that cannot be decoded.
    """
    content = _read(source, name)
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
        # By way of RGBA: Pillow warns of palettes with transparency otherwise; the colours are the same.
        return np.array((image.convert("RGBA") if image.has_transparency_data else image).convert("RGB"))
    except Exception as error:  # see _decode
        raise unreadable(name, error) from None


def unreadable(name: str, error: Exception) -> UserError:
    """What to raise where Pillow cannot decode a file: its name, and Pillow's reason where that says something."""
    # Pillow's own words name an object in memory
    reason = "no known picture format" if isinstance(error, UnidentifiedImageError) else " ".join(str(error).split())
    return UserError(f"{name} is not a readable image ({reason}): it is damaged or of another type")


def to_grey(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB → (H, W, 1) uint8: luma by `GREY_WEIGHTS`, rounded. A grey image stays as it is."""
    return image if image.shape[-1] == 1 else np.round(image @ GREY_WEIGHTS)[..., None].astype(np.uint8)


def center_crop(image: np.ndarray, size: int, name: str) -> np.ndarray:
    """Central (size, size, C) part of an (H, W, C) image; UserError, naming it, where it is smaller than that."""
    height, width = _shape_for_crop(image, size, name)
    return _crop(image, (height - size) // 2, (width - size) // 2, size)


def random_crop(image: np.ndarray, size: int, rng: np.random.Generator, name: str) -> np.ndarray:
    """A (size, size, C) part of an (H, W, C) image, every position equally likely; errors as `center_crop`."""
    height, width = _shape_for_crop(image, size, name)
    return _crop(image, int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1)), size)


def checksum(images: Mapping[str, np.ndarray]) -> str:
    """sha256 over ids, shapes, types and pixels, in the order of the ids: the fingerprint of an image set."""
    digest = hashlib.sha256()
    for name in sorted(images):
        image = np.ascontiguousarray(images[name])
        digest.update(f"{name} {image.shape} {image.dtype}\n".encode())
        digest.update(image.tobytes())
    return digest.hexdigest()


def _read(source: Path | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror}): check the path") from None


def _decode(content: bytes, name: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content))
        # A phone's MPO file is one photograph with a preview, not an animation.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        deep = image.mode[0] in "IF" or re.search(";16[BLN]", str(image.tile))  # Pillow cuts RGB;16B to 8 bits silently
        image.load()
        upright = ImageOps.exif_transpose(image)
    except Exception as error:  # Pillow raises many kinds, SyntaxError and struct.error among them, on a broken file
        raise unreadable(name, error) from None
    if frames > 1:
        raise UserError(f"{name} has {frames} frames: save the one you mean as an image of its own")
    if deep:
        raise UserError(f"{name} has more than 8 bits a channel: convert it to 8-bit RGB")
    return upright


def _shape_for_crop(image: np.ndarray, size: int, name: str) -> tuple[int, int]:
    height, width = image.shape[:2]
    if min(height, width) < size:
        raise UserError(f"{name} is {_size(height, width)}, too small for a {_size(size, size)} crop: make it smaller")
    return height, width


def _crop(image: np.ndarray, top: int, left: int, size: int) -> np.ndarray:
    return np.ascontiguousarray(image[top : top + size, left : left + size])


def _size(height: int, width: int) -> str:
    return f"{width}×{height} pixels"
