"""The noise level the paper does not state: the σ at which BM3D averages the published 33.67 dB (claim G8).

NLM at that σ is the check: Table 1 has it too, and nothing was fitted to it.
"""

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import islice

import numpy as np
from scipy.optimize import brentq

from common import command, params
from common.datasets.images import center_crop
from common.errors import UserError
from common.noise.sensor import keyed_rng
from common.score.baselines import filters
from common.score.metrics import psnr_db
from common.store import Arrays, load_arrays, write_json
from replications.wgan_denoiser.params import Settings

PAPER = "wgan_denoiser"
PUBLISHED_DB = 33.6711
"""BM3D in Table 1, which prints it as BD3M."""
BRACKET = (5.0, 40.0)
"""σ at which BM3D is certainly better and certainly worse than that."""
TOLERANCE = 0.005
"""Of log σ: about 0.03 dB."""


def main() -> None:
    """Write results/wgan_denoiser/implied_sigma.json."""
    settings: Settings = params.load(PAPER)
    clean = crops(load_arrays(f"data/{PAPER}/test.safetensors"), list(settings.data.families), settings)
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of torch's threads
    with ProcessPoolExecutor(mp_context=context) as pool:

        @cache  # the search ends at a σ that it has tried
        def mean_psnr_db(name: str, log_sigma: float) -> float:
            scores = pool.map(partial(_psnr_db, name, math.exp(log_sigma), settings.seed), clean.items())
            return float(np.mean(list(scores)))

        low, high = map(math.log, BRACKET)
        if not mean_psnr_db("bm3d", high) < PUBLISHED_DB < mean_psnr_db("bm3d", low):
            raise UserError(
                f"BM3D does not fall through {PUBLISHED_DB} dB from σ = {BRACKET[0]:g} to {BRACKET[1]:g} on the test "
                "images: claim G8 needs photographs of a scene (data.families of replications/wgan_denoiser)"
            )
        # PSNR is all but linear in log σ, so that inverse interpolation needs half the steps of plain bisection.
        found = float(brentq(lambda tried: mean_psnr_db("bm3d", tried) - PUBLISHED_DB, low, high, xtol=TOLERANCE))
        reached = {name: {"psnr_db": round(mean_psnr_db(name, found), 4)} for name in ("bm3d", "nlm")}
    record = {"sigma": round(math.exp(found), 3), "images": len(clean), **reached}
    write_json(f"results/{PAPER}/implied_sigma.json", record)


def crops(images: Arrays, families: list[str], settings: Settings) -> Arrays:
    """The centre of the first test images of each family."""
    chosen: Arrays = {}
    for family in families:
        own = (name for name in images if name.startswith(f"{family}/"))
        chosen |= {name: images[name] for name in islice(own, settings.implied_sigma.images)}
    return {name: center_crop(image, settings.implied_sigma.crop, name) for name, image in chosen.items()}


def _psnr_db(filter_name: str, sigma: float, seed: int, image: tuple[str, np.ndarray]) -> float:
    """PSNR of a filter on one image; the noise at another σ is the same, scaled, so that PSNR is smooth in σ."""
    name, clean = image
    draw = keyed_rng("implied sigma", name, seed).standard_normal(clean.shape, dtype=np.float32)
    noisy = clean.astype(np.float32) + np.float32(sigma) * draw
    return psnr_db(filters(sigma)[filter_name](noisy), clean)


if __name__ == "__main__":
    command.run(main)
