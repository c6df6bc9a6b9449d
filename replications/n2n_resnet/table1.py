"""Tries Table 1's recipe as printed (claim N10): does it diverge, and does it learn?

Batches of 128, momentum SGD at a learning rate of 0.1, weight decay 0.0002, on Gaussian noise with noisy targets; with
pixels on the paper's 0–255 scale less its middle, and with pixels in [-1, 1]; then at lower rates. It is tried for a
few steps, at the rate that the schedule starts with: a recipe that diverges does so at once.
"""

from dataclasses import dataclass

import numpy as np

from common import command, params
from common.noise.sensor import noisy_file
from common.params import SGD, Constant, Recipe
from common.progress import progress
from common.score.metrics import psnr_db
from common.score.scale import Scale
from common.store import load_arrays, write_json
from common.train.loop import NotFiniteLossError
from common.train.phases import joined
from common.train.variants import fit_variant
from replications.n2n_resnet.params import Settings
from replications.n2n_resnet.tasks import TASKS
from replications.n2n_resnet.train import PAPER, training_of


@dataclass(frozen=True)
class Attempt:
    """A learning rate, and the range of the network that pixels are mapped to."""

    lr: float
    scale: Scale


GREY_LEVELS, UNIT = Scale(-127.5, 127.5), Scale()
ATTEMPTS = {
    "grey_levels": Attempt(0.1, GREY_LEVELS),
    "grey_levels_slow": Attempt(0.0001, GREY_LEVELS),
    "unit": Attempt(0.1, UNIT),
}
BATCH, MOMENTUM, WEIGHT_DECAY = 128, 0.9, 0.0002
"""Table 1's; it names momentum, not its value: 0.9 is the usual one."""


def main() -> None:
    """Write how each attempt ends."""
    settings: Settings = params.load(PAPER)
    record = {}
    with progress(len(ATTEMPTS), "Table 1's recipe") as advance:
        for name, attempt in ATTEMPTS.items():
            record[name] = outcome(attempt, settings)
            advance(note=name)
    write_json(f"results/{PAPER}/table1.json", record)


def outcome(attempt: Attempt, settings: Settings) -> dict[str, float]:
    """How training for `table1.steps` steps ends.

    diverged: 1 where the loss was not finite, else 0. gain_db: validation PSNR over that of the noisy images, where it
    was finite. learns: 1 where that is positive, else 0.
    """
    steps = settings.table1.steps
    recipe = Recipe(
        steps=steps,
        batch=BATCH,
        crop=settings.table1.crop,
        optimizer=SGD(name="sgd", momentum=MOMENTUM, weight_decay=WEIGHT_DECAY),
        lr=attempt.lr,
        schedule=Constant(name="constant"),
        precision="fp32",
        validate_every=steps,
    )
    training = training_of(TASKS["gaussian_noisy"], settings, recipe, attempt.scale)
    try:
        trained = fit_variant(PAPER, training, recipe, seed=settings.seed, own_seed=0, label="")
    except NotFiniteLossError:
        return {"diverged": 1, "learns": 0}
    gain_db = float(joined(trained).history["val_psnr_db"].iloc[-1]) - noisy_psnr_db()
    return {"diverged": 0, "learns": int(gain_db > 0), "gain_db": gain_db}


def noisy_psnr_db() -> float:
    """Mean PSNR of the noisy validation images in dB."""
    clean = load_arrays(f"data/{PAPER}/val.safetensors")
    noisy = load_arrays(noisy_file(PAPER, "gaussian", "val"))
    return float(np.mean([psnr_db(noisy[name], image) for name, image in clean.items()]))


if __name__ == "__main__":
    command.run(main)
