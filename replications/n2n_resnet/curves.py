"""Shapes of the validation curves of Figs. 13–15 and 19–21, on an axis of images seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from replications.n2n_resnet.tasks import NoiseName

EPOCHS = (15, 20, 32, 35, 40, 45)
"""Those the paper names."""
ENOUGH = 0.95
"""The share of its change at which a curve has arrived (ours)."""

Record = dict[str, Any]


def change_by(seen: np.ndarray, values: np.ndarray, at: float) -> float:
    """Share of a curve's change, from its first to its best value, that it has made by `at` images.

    seen: images seen at each value, ascending. values: the higher the better (a loss with its sign turned). Between two
    values the curve is a line; `at` before the first one is none of the change. A curve that starts at its best: 1.
    """
    best = values.max()
    if best == values[0]:
        return 1.0
    return float((np.interp(at, seen, values) - values[0]) / (best - values[0]))


def arrival(seen: np.ndarray, values: np.ndarray, share: float = ENOUGH) -> float:
    """Images seen at the first value that has made `share` of the change from the first to the best."""
    target = values[0] + share * (values.max() - values[0])
    return float(seen[np.argmax(values >= target)])


def shapes(histories: Sequence[pd.DataFrame], psnr_column: str, loss_column: str, epochs: int) -> Record:
    """The shapes of several trainings' curves, one number of each list for each training.

    histories: a training each, columns images_seen, psnr_column, loss_column. epochs: into how many the training is
    divided. psnr_rise, loss_fall: shares of the change by each of `EPOCHS`. psnr_arrival, loss_arrival: where `ENOUGH`
    of it is made, in images and in epochs. best_psnr: its epoch. final_loss: the last.
    """
    record: Record = {"psnr_rise": {}, "loss_fall": {}}
    curves = []
    for history in histories:
        seen = history["images_seen"].to_numpy(float)
        curves.append((seen, history[psnr_column].to_numpy(), -history[loss_column].to_numpy(), seen[-1] / epochs))
    for epoch in EPOCHS:
        record["psnr_rise"][str(epoch)] = [change_by(seen, psnr, epoch * long) for seen, psnr, _, long in curves]
        record["loss_fall"][str(epoch)] = [change_by(seen, loss, epoch * long) for seen, _, loss, long in curves]
    for name, index in (("psnr", 1), ("loss", 2)):
        arrivals = [arrival(curve[0], curve[index]) for curve in curves]
        lengths = [curve[3] for curve in curves]
        record[f"{name}_arrival_images"] = arrivals
        record[f"{name}_arrival_epoch"] = [images / long for images, long in zip(arrivals, lengths, strict=True)]
    record["best_psnr_epoch"] = [float(seen[psnr.argmax()] / long) for seen, psnr, _, long in curves]
    record["final_loss"] = [float(-loss[-1]) for _, _, loss, _ in curves]
    return record


LOSSES: dict[NoiseName, str] = {"gaussian": "val_mse", "impulse": "val_mse", "text": "val_mae"}
"""Validation loss of each noise, 0–255 scale; the annealed loss of the impulse noise ends at 1 whatever is learnt."""
