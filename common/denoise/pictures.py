"""Pictures as people have them: 8 or 16 bits, colour or grey, with transparency, orientation and colour profile.

Eight bits are read and written by Pillow; sixteen by imagecodecs (PNG) and tifffile (TIFF), since Pillow cuts colour of
16 bits to 8.
"""

import errno
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common.datasets.images import unreadable
from common.errors import UserError
from common.store import write_bytes

ORIENTATION = 0x0112
PROFILE = 34675
"""Tags of a TIFF's directory; the first is EXIF's too."""
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
JPEG_QUALITY = 95
"""With colour at full resolution: a denoised picture loses next to nothing to the file format."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
IHDR_END = 33
"""Bytes of a PNG's signature and first chunk."""
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
"""Suffix → Pillow's name of the file format."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture as it is stored: not turned by its EXIF orientation, which is kept.

    pixels: (H, W, 3) RGB or (H, W, 1) grey, uint8 or uint16. alpha: (H, W) of the same type, or None.
    exif, profile: the EXIF block and the ICC profile as they stand in the file; empty where there is none.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    exif: bytes = b""
    profile: bytes = b""

    @property
    def white(self) -> int:
        """The largest level: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 (upright) to 8."""
        tags = Image.Exif()
        tags.load(self.exif)
        return int(tags.get(ORIENTATION, 1))


def read_picture(path: Path) -> Picture:
    """Decode a PNG, JPEG or TIFF file. A palette becomes RGB, and so does CMYK, without its profile.

    UserError, in one line that names the file, where it cannot be read or decoded, has several pages or more than 16
    bits, or is too large for Pillow's guard against bombs.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the path") from None
    try:
        if content[:4] in TIFF_STARTS and (picture := _from_deep_tiff(content)):
            return picture
        with Image.open(io.BytesIO(content)) as image:
            # A phone's MPO file is one photograph with a preview, not an animation.
            pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            exif, profile = image.info.get("exif") or b"", image.info.get("icc_profile") or b""
            if image.format == "PNG" and ";16" in str(image.tile) + image.mode:
                return _split(_png_levels(content), exif, profile)
            if pages == 1 and image.mode not in ("I", "F"):
                # Pillow turns a TIFF upright as it reads it, and nothing else.
                return _split(_levels(image), exif, b"" if image.mode == "CMYK" else profile)
    except Exception as error:  # decoders raise many kinds on a broken file
        raise unreadable(str(path), error) from None
    if pages > 1:
        raise UserError(f"{path} has {pages} pages: save the one you mean as a picture of its own")
    raise UserError(f"{path} has more than 16 bits a channel: convert it to 8 or 16")


def write_picture(path: Path, picture: Picture) -> None:
    """Write a picture in the format of the path's suffix, at once or not at all.

    JPEG has quality 95 and colour at full resolution. UserError for another suffix, and for what a JPEG cannot hold.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path} must end in {', '.join(FORMATS)}")
    deep = picture.pixels.dtype == np.uint16
    if kind == "JPEG" and (deep or picture.alpha is not None):
        raise UserError(f"{path}: JPEG holds 8 bits and no transparency: name a .png or .tif file")
    pixels = picture.pixels
    if picture.alpha is not None:
        pixels = np.concatenate([pixels, picture.alpha[..., None]], axis=2)
    if deep:
        content = _png16(pixels, picture) if kind == "PNG" else _tiff16(pixels, picture)
    else:
        content = _encoded(pixels, picture, kind)
    try:
        write_bytes(path, content)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(f"{path} cannot be written ({error.strerror}): name another place") from None


def _levels(image: Image.Image) -> np.ndarray:
    """(H, W, C) uint8, C = 1 to 4, of what Pillow opened."""
    grey = image.mode in ("1", "L", "LA")
    mode = ("LA" if grey else "RGBA") if image.has_transparency_data else ("L" if grey else "RGB")
    return np.atleast_3d(np.asarray(image.convert(mode)))


def _png_levels(content: bytes) -> np.ndarray:
    """(H, W, C) uint16, C = 1 to 4."""
    import imagecodecs

    return np.atleast_3d(imagecodecs.png_decode(content))


def _from_deep_tiff(content: bytes) -> Picture | None:
    """A TIFF of one page with whole levels of 16 bits; None: of another kind."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        if len(file.pages) > 1 or page.dtype != np.uint16:
            return None
        pixels = page.asarray()
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            pixels = np.iinfo(pixels.dtype).max - pixels
        tags = Image.Exif()
        tags[ORIENTATION] = int(page.tags.valueof(ORIENTATION, 1))
        profile = page.tags.valueof(PROFILE, b"")
    return _split(np.atleast_3d(pixels), tags.tobytes(), bytes(profile))


def _split(pixels: np.ndarray, exif: bytes, profile: bytes) -> Picture:
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.shape[2] not in (1, 2, 3, 4):
        raise ValueError(f"{pixels.shape[2]} channels of type {pixels.dtype}")
    colours = 3 if pixels.shape[2] > 2 else 1
    alpha = pixels[..., -1] if pixels.shape[2] in (2, 4) else None
    return Picture(pixels[..., :colours], alpha, exif, profile)


def _encoded(pixels: np.ndarray, picture: Picture, kind: str) -> bytes:
    """A file of 8 bits by Pillow, or one of 16 bits in grey."""
    file = io.BytesIO()
    options: dict[str, Any] = {"quality": JPEG_QUALITY, "subsampling": 0} if kind == "JPEG" else {}
    if picture.profile:
        options["icc_profile"] = picture.profile
    if kind == "TIFF":  # a TIFF's EXIF block is its directory: what describes the old file must not be taken over
        tags = Image.Exif()
        tags[ORIENTATION] = picture.orientation
        options |= {"exif": tags, "compression": "tiff_adobe_deflate"}
    elif picture.exif:
        options["exif"] = picture.exif
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(file, kind, **options)
    return file.getvalue()


def _png16(pixels: np.ndarray, picture: Picture) -> bytes:
    """A PNG of 16 bits by imagecodecs, with its profile and EXIF block put in behind the first chunk."""
    import imagecodecs

    squeezed = pixels.squeeze(2) if pixels.shape[2] == 1 else pixels
    encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(squeezed), level=6))
    chunks = b""
    if picture.profile:
        chunks += _chunk(b"iCCP", b"profile\0\0" + zlib.compress(picture.profile))
    if picture.exif:
        chunks += _chunk(b"eXIf", picture.exif.removeprefix(b"Exif\0\0"))
    return encoded[:IHDR_END] + chunks + encoded[IHDR_END:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiff16(pixels: np.ndarray, picture: Picture) -> bytes:
    import tifffile

    file = io.BytesIO()
    grey = pixels.shape[2] < 3
    tags = [(ORIENTATION, "H", 1, picture.orientation, True)]
    if picture.profile:
        tags.append((PROFILE, "B", len(picture.profile), picture.profile, True))  # type: ignore[arg-type]
    tifffile.imwrite(
        file,
        pixels.squeeze(2) if pixels.shape[2] == 1 else pixels,
        photometric="minisblack" if grey else "rgb",
        extrasamples=["unassalpha"] if picture.alpha is not None else None,
        planarconfig="contig",
        compression="adobe_deflate",
        extratags=tags,
        metadata=None,
    )
    return file.getvalue()
