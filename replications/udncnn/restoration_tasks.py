"""What each network learns that restores no noise: images after a codec, and enlarged ones (super-resolution)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from common.noise.codecs import CODECS
from common.store import Arrays
from replications.udncnn import super_resolution
from replications.udncnn.compression import CodedPatches, training_corruption
from replications.udncnn.models import DNResNet, dn_build
from replications.udncnn.params import Settings
from replications.udncnn.pictures import of_colours
from replications.udncnn.super_resolution import FACTORS
from replications.udncnn.tasks import Task, cascade


def restoration_tasks(settings: Settings) -> dict[str, Task]:
    """Every variant that restores."""
    return compression_tasks(settings) | super_resolution_tasks(settings)


def compression_tasks(settings: Settings) -> dict[str, Task]:
    """DN-ResNet by cascade after each codec, at any quality of its ladder; watched at the ladder's middle."""
    build = dn_build(settings)
    tasks = {}
    for codec, ladder in settings.compression.ladders.model_dump().items():
        task = Task(
            codec,
            pictures=partial(of_colours, colours=build.colours),
            corruption=training_corruption(codec, ladder),
            watched=CODECS[codec](sorted(ladder)[len(ladder) // 2]),
            build=partial(DNResNet, build),
            patches=CodedPatches,
            recipe="restoration",
        )
        tasks[f"dn_{codec}"] = cascade(task, build, settings.network.dn_resnet.cascade)
    return tasks


def super_resolution_tasks(settings: Settings) -> dict[str, Task]:
    """DN-ResNet by a longer cascade on the luminance of enlarged images, for each factor."""
    build = replace(dn_build(settings), colours=1)
    tasks = {}
    for factor in FACTORS:
        task = Task(
            super_resolution.experiment(factor),
            pictures=partial(_luminance, factor=factor),
            corruption=super_resolution.Bicubic(factor),
            watched=super_resolution.Bicubic(factor),
            build=partial(DNResNet, build),
            recipe="restoration",
        )
        tasks[f"dn_x{factor}"] = cascade(task, build, settings.super_resolution.cascade)
    return tasks


def _luminance(images: Mapping[str, np.ndarray], factor: int) -> Arrays:
    """Luminance of the colour images, whose sides lose what is over a multiple of the factor."""
    luminance = super_resolution.luminance(of_colours(images, 3))
    return {name: super_resolution.modcrop(image, factor) for name, image in luminance.items()}
