"""The noise level the paper does not state: the σ at which BM3D averages the published 33.67 dB (claim G8).

NLM at that σ is the check: Table 1 has it too, and nothing was fitted to it.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

import numpy as np
from scipy.optimize import brentq

from common import command, params
from common.baselines import filters
from common.datasets.images import center_crop
from common.metrics import CONVENTIONS, score
from common.noise import keyed_rng
from common.store import Arrays, load_arrays, write_json
from replications.wgan_denoiser.params import Settings

PAPER = "wgan_denoiser"
PUBLISHED_DB = 33.6711
"""BM3D in Table 1, which prints it as BD3M."""
BRACKET = (2.0, 60.0)
TOLERANCE = 0.05
"""Of the σ found, on the 0–255 scale: 0.03 dB at σ = 12."""


def main() -> None:
    """Write results/wgan_denoiser/implied_sigma.json."""
    everything = params.load()
    settings: Settings = everything.paper(PAPER)
    clean = crops(load_arrays(f"data/{PAPER}/test.safetensors"), list(settings.data.families), settings)
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of torch's threads
    with ProcessPoolExecutor(mp_context=context) as pool:

        def mean_psnr_db(sigma: float, name: str) -> float:
            tasks = [(image, sigma, name, everything.seed) for image in clean.items()]
            return float(np.mean(list(pool.map(_psnr_db, *zip(*tasks, strict=True)))))

        def excess_db(sigma: float) -> float:
            return mean_psnr_db(sigma, "bm3d") - PUBLISHED_DB

        sigma = float(brentq(excess_db, *BRACKET, xtol=TOLERANCE))
        found = {name: {"psnr_db": round(mean_psnr_db(sigma, name), 4)} for name in ("bm3d", "nlm")}
    write_json(f"results/{PAPER}/implied_sigma.json", {"sigma": round(sigma, 3), "images": len(clean), **found})


def crops(images: Arrays, families: list[str], settings: Settings) -> Arrays:
    """The centre of the first test images of each family."""
    chosen: Arrays = {}
    for family in families:
        own = (name for name in images if name.startswith(f"{family}/"))
        chosen |= {name: images[name] for name in islice(own, settings.implied_sigma.images)}
    return {name: center_crop(image, settings.implied_sigma.crop, name) for name, image in chosen.items()}


def _psnr_db(image: tuple[str, np.ndarray], sigma: float, name: str, seed: int) -> float:
    """PSNR of a filter on one image; the noise at another σ is the same, scaled, so that PSNR is smooth in σ."""
    key, clean = image
    draw = keyed_rng("implied sigma", key, seed).standard_normal(clean.shape, dtype=np.float32)
    noisy = clean.astype(np.float32) + np.float32(sigma) * draw
    return score(filters(sigma)[name](noisy), clean.astype(np.float32), CONVENTIONS["suite"]).psnr_db


if __name__ == "__main__":
    command.run(main)
