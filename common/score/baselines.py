"""Classical denoisers, each with its parameters from the noise level alone: what a network has to beat.

A stage: `python -m common.score.baselines <paper>` filters the paper's noisy test images and writes
results/<paper>/baselines.csv. BM3D's licence allows non-commercial use only.
"""

import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from common import params
from common.command import run
from common.noise.sensor import Corruption, Gaussian, Poisson, PoissonGaussian, noisy_file, rms
from common.score.metrics import COLUMNS, Score, score_all
from common.score.workers import side_by_side, usable_cpus
from common.store import load_arrays, write_csv

if TYPE_CHECKING:
    import pandas as pd

    from common.score.evaluation import Denoiser

BM3D_SMALLEST = 16
"""Side in pixels up to which images are mirrored for BM3D: the package crashes on an image of one 8×8 block."""


def filters(sigma: float) -> "dict[str, Denoiser]":
    """The filters for white Gaussian noise of level `sigma` (0–255 scale), by name; at σ = 0 each returns its input."""
    if sigma == 0:
        return dict.fromkeys(FILTERS, _unchanged)
    return {name: partial(denoise, sigma=sigma) for name, denoise in FILTERS.items()}


def filters_for(corruption: Corruption, validation: Mapping[str, np.ndarray], seed: int) -> "dict[str, Denoiser]":
    """The filters that suit a corruption, by name.

    White Gaussian noise: all, at its level. Anything else: all but BM3D, whose thresholds rest on Gaussian noise, at
    the σ that is the corruption's root mean squared error on the clean validation images (uint8, by id). For photon
    noise, with or without Gaussian noise on top, "vst_bm3d" at its own levels takes BM3D's place.
    """
    if isinstance(corruption, Gaussian):
        return filters(corruption.sigma)
    known = filters(rms(corruption, validation, seed=seed))
    if isinstance(corruption, Poisson):
        known["bm3d"] = partial(vst_bm3d, peak=corruption.peak)
    elif isinstance(corruption, PoissonGaussian):
        known["bm3d"] = partial(vst_bm3d, peak=corruption.peak, sigma=corruption.sigma)
    else:
        del known["bm3d"]
    return {VST if name == "bm3d" else name: denoise for name, denoise in known.items()}


def bm3d(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """BM3D (Dabov et al. 2007), colour by block-matching in luminance; the package's `np` profile.

    One thread: with several, its sums change order and its output changes from run to run.
    """
    import bm3d as package

    profile = package.BM3DProfile()
    profile.num_threads = 1
    height, width, channels = noisy.shape
    margins = [(0, max(BM3D_SMALLEST - side, 0)) for side in (height, width)]
    mirrored = np.pad(noisy, [*margins, (0, 0)], mode="symmetric").astype(np.float64)
    denoise = package.bm3d_rgb if channels == 3 else package.bm3d
    estimate = np.atleast_3d(denoise(mirrored, sigma, profile))
    return estimate[:height, :width].astype(np.float32)


def vst_bm3d(noisy: np.ndarray, peak: float, sigma: float = 0.0) -> np.ndarray:
    """BM3D between a variance-stabilising transform and its exact unbiased inverse, for photon (and Gaussian) noise.

    peak: photons of a white pixel; sigma: Gaussian noise on the 0–255 scale (0: photon noise alone). The transform is
    Anscombe's, generalised (Mäkitalo & Foi 2011, 2013); after it the noise has a variance of about 1 everywhere.
    """
    photons, read_out = noisy * (peak / 255), sigma * peak / 255
    stabilised = bm3d(anscombe(photons, read_out), sigma=1.0)
    return (inverse_anscombe(stabilised, read_out) * (255 / peak)).astype(np.float32)


def anscombe(photons: np.ndarray, sigma: float = 0.0) -> np.ndarray:
    """Generalised Anscombe transform, 2 √(z + 3/8 + σ²), of counts z with Gaussian noise of σ counts.

    0 where the root would be of a negative number. σ = 0: Anscombe 1948; any σ: Starck, Murtagh & Bijaoui 1998.
    """
    return 2 * np.sqrt(np.maximum(photons + (3 / 8 + sigma**2), 0))


def inverse_anscombe(stabilised: np.ndarray, sigma: float = 0.0) -> np.ndarray:
    """Counts whose transformed noisy values have this mean D: D²/4 + √(3/2)/(4D) − 11/(8D²) + 5√(3/2)/(8D³) − 1/8 − σ².

    The closed-form approximation of the exact unbiased inverse (Mäkitalo & Foi, IEEE Transactions on Image Processing
    20(9), 2011; generalised by − σ² in 22(1), 2013). Unlike the algebraic inverse it is unbiased at few photons. No
    mean lies below the one of no photons at all, 2 √(3/8): its inverse is that one's.
    """
    mean = np.maximum(stabilised.astype(np.float64), 2 * np.sqrt(3 / 8))
    root = np.sqrt(3 / 2)
    counts = mean**2 / 4 + root / (4 * mean) - 11 / (8 * mean**2) + 5 * root / (8 * mean**3) - 1 / 8
    return np.maximum(counts - sigma**2, 0)


def nlm(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Non-local means (Buades et al. 2005) with scikit-image's recommendation for its fast mode and a known σ.

    h = 0.6 σ, 5×5 patches, 13×13 search window. Within 0.2 dB of the best h on the photographs of `tv`, σ = 10 to 75.
    """
    from skimage.restoration import denoise_nl_means

    estimate = denoise_nl_means(
        noisy,
        patch_size=5,
        patch_distance=6,
        h=0.6 * sigma,
        sigma=sigma,
        fast_mode=True,
        preserve_range=True,
        channel_axis=-1,
    )
    return np.asarray(estimate, np.float32).reshape(noisy.shape)  # a grey image comes back without its channel


def wavelet(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """BayesShrink (Chang et al. 2000), soft thresholds on Haar wavelets; colour in YCbCr.

    On the photographs of `tv` at σ = 30 YCbCr is 1.3 dB better than RGB.
    """
    from skimage.restoration import denoise_wavelet

    colour = noisy.shape[-1] == 3
    estimate = denoise_wavelet(
        noisy,
        sigma=[sigma] * noisy.shape[-1],
        method="BayesShrink",
        mode="soft",
        convert2ycbcr=colour,
        rescale_sigma=True,
        channel_axis=-1,
    )
    return np.asarray(estimate, np.float32)


def tv(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Total variation (Rudin, Osher & Fatemi 1992; Chambolle's algorithm, 2004), weight = 0.3 σ^1.28.

    The weight is ours: a power law through the best weights on 160×160 crops of eight photographs of BSDS500's training
    set, σ = 10, 15, 30, 50, 75 (0.55, 0.65, 0.8, 0.9, 1.0 times σ). It costs less than 0.1 dB against each of those.
    """
    from skimage.restoration import denoise_tv_chambolle

    return np.asarray(denoise_tv_chambolle(noisy, weight=0.3 * sigma**1.28, channel_axis=-1), np.float32)


def median(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Median over a square window in each channel: 3×3 below σ = 30, 5×5 below 45, 7×7 from there on.

    The sizes are ours: the best on the photographs of `tv`.
    """
    from skimage.filters import median as skimage_median

    side = 3 if sigma < 30 else 5 if sigma < 45 else 7
    return np.asarray(skimage_median(noisy, np.ones((side, side, 1))), np.float32)


def _unchanged(noisy: np.ndarray) -> np.ndarray:
    return noisy


FILTERS = {"bm3d": bm3d, "nlm": nlm, "wavelet": wavelet, "tv": tv, "median": median}
"""For white Gaussian noise."""
VST = "vst_bm3d"
"""What stands for BM3D where a transform makes the noise Gaussian."""
SLOWEST_FIRST = (VST, *FILTERS)


@dataclass(frozen=True)
class Filtering:
    """Filters by name, and the images that they are tried on, by id: noisy, and clean (there may be more of these)."""

    denoisers: "Mapping[str, Denoiser]"
    noisy: Mapping[str, np.ndarray]
    clean: Mapping[str, np.ndarray]


def score_filters(experiments: Mapping[str, Filtering], processes: int | None = None) -> "pd.DataFrame":
    """Every filter on every image of each experiment, in so many processes (None: one per core).

    Returns the columns of `common.score.metrics.COLUMNS` and `seconds`, the filter's own time on the image; rows by
    experiment, filter, image and convention, whatever finished first. All but `seconds` depends on the arguments alone.
    """
    import pandas as pd

    tasks = [
        (experiment, name, image)
        for experiment, own in experiments.items()
        for name in own.denoisers
        for image in own.noisy
    ]
    in_order = sorted(tasks, key=lambda task: SLOWEST_FIRST.index(task[1]))  # so that the processes end together
    jobs = [
        (own.denoisers[name], own.noisy[image], own.clean[image])
        for experiment, name, image in in_order
        for own in [experiments[experiment]]
    ]
    scored = side_by_side(_filtered, jobs, processes or len(usable_cpus()), label="classical filters")
    results = dict(zip(in_order, scored, strict=True))
    rows = [
        (experiment, name, 0, image, convention, score.mse, score.psnr_db, score.ssim, results[task][1])
        for task in tasks
        for experiment, name, image in [task]
        for convention, score in results[task][0].items()
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "seconds"])


def _filtered(job: "tuple[Denoiser, np.ndarray, np.ndarray]") -> tuple[dict[str, Score], float]:
    denoise, noisy, clean = job
    started = time.perf_counter()
    estimate = denoise(noisy)
    seconds = time.perf_counter() - started
    return score_all(estimate, clean), seconds


def main() -> None:
    """The stage: the profile's filters on the noisy test images of each experiment, scored under every convention."""
    (paper,) = sys.argv[1:]
    settings = params.load(paper)
    wanted: Collection[str] = settings.baselines.filters
    corruptions: Mapping[str, Corruption] = import_module(f"replications.{paper}.noise").corruptions(settings)
    clean, validation = (load_arrays(f"data/{paper}/{split}.safetensors") for split in ("test", "val"))
    experiments = {}
    for experiment, corruption in corruptions.items():
        known = filters_for(corruption, validation, settings.seed)
        chosen = {name: denoise for name, denoise in known.items() if name in wanted}
        experiments[experiment] = Filtering(chosen, load_arrays(noisy_file(paper, experiment, "test")), clean)
    write_csv(f"results/{paper}/baselines.csv", score_filters(experiments))


if __name__ == "__main__":
    run(main)
