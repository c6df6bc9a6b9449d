"""Image codecs as corruptions: JPEG and JPEG 2000 by Pillow, HEVC-intra by pillow-heif, with the bits they spend.

HEVC-intra stands in for BPG, whose encoder is not packaged: a BPG file holds one HEVC intra frame, too. A codec stores
8-bit files, so it clips and rounds an image first. Bits are those of the whole file: of a colour file, about 280 bytes
are headers in JPEG, 130 in JPEG 2000 and 430 in HEVC-intra, or 0.03, 0.02 and 0.05 bit per pixel at 256×256.
"""

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image, features

from common.errors import UserError


@dataclass(frozen=True)
class Codec(ABC):
    """A lossy file format at one quality, as a corruption: nothing is random.

    quality: a whole number in [lowest, highest], on the format's own scale; more quality takes more bits.
    """

    quality: int

    lowest: ClassVar[int]
    highest: ClassVar[int]

    def __post_init__(self) -> None:
        if self.quality not in range(self.lowest, self.highest + 1):
            raise ValueError(
                f"quality must be a whole number in [{self.lowest}, {self.highest}] for {type(self).__name__}, "
                f"got {self.quality}"
            )

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.stack([self.encode(image)[0] for image in clean])

    def encode(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Compress an image (H, W, C) on the 0–255 scale, C = 1 (grey) or 3 (RGB).

        Returns the decoded image, float32 in whole levels 0–255, and the file's bits per pixel (not per channel).
        Raises UserError where the codec is not installed.
        """
        height, width, channels = image.shape
        levels = np.clip(np.round(image), 0, 255).astype(np.uint8)
        file = self._compress(Image.fromarray(levels[:, :, 0] if channels == 1 else levels))
        decoded = np.asarray(self._decode(file), dtype=np.float32).reshape(image.shape)
        return decoded, 8 * len(file) / (height * width)

    @abstractmethod
    def _compress(self, image: Image.Image) -> bytes: ...

    def _decode(self, file: bytes) -> Image.Image:
        return Image.open(io.BytesIO(file))


class Jpeg(Codec):
    """Baseline JPEG by libjpeg-turbo, whose quality scales the standard quantisation tables.

    Colour is subsampled 4:2:0, libjpeg's habit; Huffman tables are fitted to the image.
    """

    lowest, highest = 1, 95  # above, files grow and images hardly change (Pillow's documentation)

    def _compress(self, image: Image.Image) -> bytes:
        _require("jpg", "JPEG")
        file = io.BytesIO()
        image.save(file, "JPEG", quality=self.quality, subsampling="4:2:0", optimize=True)
        return file.getvalue()


class Jpeg2000(Codec):
    """JPEG 2000 by OpenJPEG: 9/7 wavelet, one quality layer; its quality is the PSNR in dB that the encoder aims at.

    So every image gets the same PSNR, where the other formats quantise every image alike: means over a set of images
    compare within a format, not between them. Colour is decorrelated, not subsampled. The file is a bare codestream.
    """

    lowest, highest = 15, 60  # 0 dB would mean lossless to OpenJPEG

    def _compress(self, image: Image.Image) -> bytes:
        _require("jpg_2000", "JPEG 2000")
        file = io.BytesIO()
        layer = {"quality_mode": "dB", "quality_layers": [self.quality]}
        image.save(file, "JPEG2000", **layer, mct=int(image.mode == "RGB"), irreversible=True, no_jp2=True)
        return file.getvalue()


class HevcIntra(Codec):
    """One HEVC intra frame in an HEIF file, by x265; its quality q is the constant rate factor 50 - q / 2.

    Colour is subsampled 4:2:0, as in BPG by default, which bounds the PSNR of saturated colour. Tuned for PSNR, as
    BPG is compared by it (libheif's own is SSIM); libheif's preset, slow. No thread pool: with one, the bits depend on
    the number of cores.
    """

    lowest, highest = 0, 100

    def _compress(self, image: Image.Image) -> bytes:
        _require_hevc()
        from pillow_heif import from_pillow

        file = io.BytesIO()
        options = {"tune": "psnr", "x265:pools": "none"}
        from_pillow(image).save(file, quality=self.quality, chroma=420, enc_params=options)
        return file.getvalue()

    def _decode(self, file: bytes) -> Image.Image:
        from pillow_heif import open_heif

        return open_heif(io.BytesIO(file)).to_pillow()


CODECS: dict[str, type[Codec]] = {"jpeg": Jpeg, "jpeg2000": Jpeg2000, "hevc_intra": HevcIntra}


@dataclass(frozen=True)
class RandomQuality:
    """Compression at a quality drawn for each image, uniform over the whole numbers in [low, high], for blind training.

    codec: a name in `CODECS`. low, high: bounds on its scale of quality, low ≤ high.
    """

    codec: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise ValueError(f"codec must be one of {', '.join(CODECS)}, got {self.codec!r}")
        for bound in (self.low, self.high):
            CODECS[self.codec](bound)  # refuses what is off the scale
        if self.low > self.high:
            raise ValueError(f"high must be ≥ low = {self.low}, got {self.high}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        qualities = rng.integers(self.low, self.high + 1, size=len(clean))
        compress = CODECS[self.codec]
        return np.stack(
            [compress(int(quality)).encode(image)[0] for quality, image in zip(qualities, clean, strict=True)]
        )


def _require(feature: str, name: str) -> None:
    if not features.check(feature):
        raise UserError(f"this Pillow has no {name}: install its wheel (pip install --force-reinstall pillow)")


def _require_hevc() -> None:
    fix = "install its wheel (pip install --force-reinstall pillow-heif)"
    try:
        from pillow_heif import libheif_info
    except ImportError as error:
        raise UserError(f"HEVC needs pillow-heif, which cannot be imported ({error}): {fix}") from None
    if "x265" not in libheif_info()["encoders"]:
        raise UserError(f"this pillow-heif has no HEVC encoder: {fix}")
