"""Which network for which picture: what there is, and which of it was trained for the noise at hand."""

import math
from collections.abc import Mapping

import numpy as np

from common.denoise.pretrained import Record, Result
from common.errors import UserError

TOLERANCE = 1.25
"""Factor by which the noise may miss what a network was trained for before that is said."""


def estimated_sigma(pixels: np.ndarray) -> float:
    """Noise level of an image (H, W, C) of whole levels, on the 0–255 scale, mean over channels.

    From the finest wavelet coefficients, on the assumption that the noise is Gaussian (Donoho & Johnstone 1994), by
    scikit-image. Fine texture counts as noise. A side below 4 pixels says nothing: 0.
    """
    from skimage.restoration import estimate_sigma

    if min(pixels.shape[:2]) < 4:
        return 0.0
    scale = 255 / np.iinfo(pixels.dtype).max
    # channel by channel: a float copy of one channel is all the memory it takes
    levels = [
        float(estimate_sigma(pixels[..., channel].astype(np.float32), channel_axis=None))
        for channel in range(pixels.shape[2])
    ]
    return float(np.mean(levels)) * scale


def best_network(records: Mapping[str, Record], colours: int, sigma: float) -> str:
    """Name of the network for pictures with so many colours and Gaussian noise of this level (0–255 scale).

    Among those for Gaussian noise, first those that were trained for about this level, then those for the picture's
    colours, each where there are any; then those whose training levels are nearest to sigma, by ratio; then the one
    with the highest PSNR on what all of these were tested on. UserError where no network is for Gaussian noise.
    """
    gaussian = {name: record for name, record in records.items() if record.trained_for.sigma is not None}
    if not gaussian:
        raise UserError("no network that comes with the suite was trained for Gaussian noise: name one by --network")
    suited = {name: record for name, record in gaussian.items() if fits(record, sigma, colours)} or gaussian
    own = {name: record for name, record in suited.items() if record.trained_for.colours == colours} or suited
    least = min(distance(record, sigma, colours) for record in own.values())
    near = {name: record for name, record in own.items() if distance(record, sigma, colours) == least}
    tests = set.intersection(*(set(map(_test, record.scores)) for record in near.values()))
    return max(sorted(near), key=lambda name: _mean_psnr(near[name], tests))


def seen_sigma(record: Record, sigma: float, colours: int) -> float:
    """The level as the network meets it: of grey noise on three equal channels, √3 times its own.

    In the mean of three channels with independent noise of σ, which the network learnt from, σ / √3 is left. Measured
    on Set12 with networks for σ = 30: PSNR rises by 7.5 dB at σ = 15 (26 as seen), 7.7 at 20 (35), 3.6 at 30 (52).
    """
    return sigma * math.sqrt(3) if colours < record.trained_for.colours else sigma


def distance(record: Record, sigma: float, colours: int) -> float:
    """|log ratio| of a noise level to the nearest that the network was trained for; 0 inside its range."""
    low, high = record.trained_for.sigma or (0.0, 0.0)
    seen = seen_sigma(record, sigma, colours)
    if low <= seen <= high:
        return 0.0
    nearest = low if seen < low else high
    return abs(math.log(max(seen, 0.01) / max(nearest, 0.01)))


def fits(record: Record, sigma: float, colours: int) -> bool:
    """Whether a noise level is about what the network was trained for."""
    return record.trained_for.sigma is not None and distance(record, sigma, colours) <= math.log(TOLERANCE)


def levels(record: Record) -> str:
    """What the network was trained for, in words."""
    purpose = record.trained_for
    if purpose.sigma is None:
        return purpose.corruption
    low, high = (f"{level:g}" for level in purpose.sigma)
    return f"{purpose.corruption}, σ = {low}" + ("" if low == high else f" to {high}")


def _test(result: Result) -> tuple[str, str, float | None, str]:
    return result.test, result.corruption, result.sigma, result.convention


def _mean_psnr(record: Record, tests: set[tuple[str, str, float | None, str]]) -> float:
    scores = [result.psnr_db for result in record.scores if _test(result) in tests]
    return float(np.mean(scores)) if scores else -math.inf
