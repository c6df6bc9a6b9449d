"""Scores of what is no noise: compressed images (U17, Fig. 7) and super-resolution (U18)."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pandas as pd

from common.score.evaluation import Denoiser, denoise_all, score_experiment
from common.score.panels import draw_panels
from common.store import Arrays
from replications.udncnn.compression import compress, compress_to, rate_distortion
from replications.udncnn.params import Settings
from replications.udncnn.pictures import of_colours
from replications.udncnn.super_resolution import FACTORS, experiment, luminance, score_factor

Denoisers = Mapping[str, Mapping[str, Mapping[int, Denoiser]]]
"""Experiment → network → training seed → denoiser."""


def score_compression(
    clean: Arrays, restorers: Denoisers, settings: Settings, panels: Path, names: Mapping[str, str]
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """The codecs' ladders, decoded and restored: their score tables, and the points of Fig. 7.

    Draws the first image at Fig. 7's rate into <panels>/<codec>.
    names: network → its name for readers.
    """
    pictures = of_colours(clean, settings.network.dn_resnet.colours)
    chosen = dict(islice(pictures.items(), settings.compression.test_images))
    tables, points = [], []
    for codec, ladder in settings.compression.ladders.model_dump().items():
        own, compressed = restorers[codec], compress(chosen, codec, ladder)
        scores, _ = score_experiment(codec, own, compressed.decoded, compressed.clean)
        tables.append(scores)
        points.append(rate_distortion(scores, compressed.bits_per_pixel))
        shown = compress_to(dict(islice(chosen.items(), 1)), codec)
        first = {name: next(iter(seeds.values())) for name, seeds in own.items() if seeds}
        estimates = {names[name]: denoise_all(denoise, shown.decoded) for name, denoise in first.items()}
        draw_panels(panels / codec, list(shown.decoded), shown.clean, shown.decoded, estimates, "decoded")
    return tables, pd.concat(points, ignore_index=True)


def score_super_resolution(images: Arrays, networks: Denoisers) -> pd.DataFrame:
    """Bicubic enlargement and the networks at every factor, on the luminance of RGB images."""
    clean = luminance(images)
    return pd.concat(
        [score_factor(factor, networks[experiment(factor)], clean)[0] for factor in FACTORS], ignore_index=True
    )
