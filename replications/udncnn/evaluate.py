"""Scores every trained variant on the noisy test set, draws the panels, and looks at networks before training (U4)."""

from itertools import islice
from pathlib import Path

import numpy as np
import torch

from common import command, params
from common.evaluation import as_denoiser, score_experiment, summary
from common.noise import noisy_file
from common.panels import draw_panels
from common.scale import Scale
from common.seeding import seeded
from common.store import Arrays, load_arrays, write_csv, write_json
from common.weights import load_trained
from replications.udncnn.models import NETWORKS, Build, DnCNN, variants
from replications.udncnn.noise import TABLE1
from replications.udncnn.params import Settings

PAPER = "udncnn"
PROBED_DEPTHS = (1, 2, 4, 8, 16)
PROBE_CROP = 64


def main() -> None:
    """Write the scores, the metrics, the panels and the probe of untrained networks."""
    everything = params.load()
    settings: Settings = everything.paper(PAPER)
    results = Path("results") / PAPER
    clean = load_arrays(f"data/{PAPER}/test.safetensors")
    noisy = load_arrays(noisy_file(PAPER, TABLE1, "test"))
    denoisers = {
        name: {
            seed: as_denoiser(network)
            for seed, network in load_trained(PAPER, name, variant, variants(settings)[name]).items()
        }
        for name, variant in settings.train.variants.items()
    }
    scores, estimates = score_experiment(TABLE1, denoisers, noisy, clean)
    write_csv(results / "scores.csv", scores)
    write_json(results / "metrics.json", summary(scores))
    write_json(results / "initialisation.json", probe_initialisation(noisy, everything.seed))
    shown = {name: images for name, images in estimates.items() if name in NETWORKS}
    draw_panels(results / "panels" / TABLE1, list(islice(clean, settings.panels)), clean, noisy, shown)


def probe_initialisation(noisy: Arrays, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """What an untrained DnCNN of the paper's width does, by initialisation and depth (claim U4).

    For each, with the noisy test images in [-1, 1] as input: the standard deviation over pixels of the residual f(x)
    (its mean is the last bias, which knows nothing of the input), and the root mean square of the gradient that the
    squared error of a noise-free mid-grey target sends to the first convolution's weights.
    """
    crops = np.stack([image[:PROBE_CROP, :PROBE_CROP] for image in noisy.values()])
    images = Scale().to_network(crops)
    probe: dict[str, dict[str, dict[str, float]]] = {}
    for initialisation in ("he", "default"):
        probe[initialisation] = {}
        for depth in PROBED_DEPTHS:
            with seeded(seed):
                network = DnCNN(Build(depth=depth, initialisation=initialisation))
            residual = network.residual(images)
            (images + residual).square().mean().backward()
            gradient = network.head.weight.grad
            assert gradient is not None
            probe[initialisation][f"d{depth}"] = {
                "residual_std": _rounded(residual.std(dim=(0, 2, 3)).mean()),
                "first_gradient_rms": _rounded(gradient.square().mean().sqrt()),
            }
    return probe


def _rounded(value: torch.Tensor) -> float:
    return float(f"{value.item():.4g}")


if __name__ == "__main__":
    command.run(main)
