"""What each denoiser learns: network, noise, loss, and the way there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from common.noise.sensor import Corruption
from common.store import Arrays
from common.train.losses import canny_edges, edge_aware, sobel_magnitude
from common.train.patches import Batch, Patches
from common.train.phases import WHOLE, Phase, network_after
from common.train.turns import Loss
from common.train.weights import Parent
from replications.udncnn.models import (
    NETWORKS,
    DNBuild,
    DNResNet,
    blocks_of,
    dn_build,
    dncnn_s,
    grow,
    separate,
    variants,
)
from replications.udncnn.noise import (
    GAUSSIAN,
    POISSON,
    POISSON_GAUSSIAN,
    TABLE1,
    blind_corruptions,
    colours_of,
    corruptions,
    watched,
)
from replications.udncnn.params import Settings
from replications.udncnn.pictures import of_colours

NOISES = (GAUSSIAN, POISSON, POISSON_GAUSSIAN)
EVOLVED = "dn_blind"
"""The variant from which the depthwise-separable networks evolve; the paper's are blind, too."""

Drawn = Callable[..., Callable[[int], Batch]]
"""(images, corruption, batch, crop, seed), as of `common.train.patches.Patches` → step → batch."""


@dataclass(frozen=True)
class Task:
    """A training.

    experiment: whose test images the network is scored on.
    pictures: a split → its images that are learnt from, or watched.
    corruption: of what `patches` draws; watched: of the validation images.
    build, phases, inherits, architecture: as in `common.train.variants.Training`. recipe: its key in the settings'
    `train`.
    """

    experiment: str
    pictures: Callable[[Mapping[str, np.ndarray]], Arrays]
    corruption: Corruption
    watched: Corruption
    build: Callable[[], nn.Module]
    patches: Drawn = Patches
    phases: tuple[Phase, ...] = (WHOLE,)
    inherits: Parent | None = None
    loss: Loss = mse_loss
    recipe: Literal["recipe", "dn_resnet", "evolution", "restoration"] = "dn_resnet"
    architecture: str | None = None

    def network(self) -> nn.Module:
        """The untrained network at the end of all phases."""
        return network_after(self.build, self.phases)

    def snapshots(self) -> dict[str, Callable[[], nn.Module]]:
        """Phases before the last → the untrained network of each."""
        return {
            phase.name: partial(network_after, self.build, self.phases[: number + 1])
            for number, phase in enumerate(self.phases[:-1])
        }


def tasks(settings: Settings) -> dict[str, Task]:
    """Every variant that denoises."""
    return table1_tasks(settings) | denoising_tasks(settings) | separable_tasks(settings)


def table1_tasks(settings: Settings) -> dict[str, Task]:
    """Table 1 and Fig. 4."""
    return {
        name: replace(
            at_once(TABLE1, settings),
            build=build,
            recipe="recipe",
            architecture=name if name in NETWORKS else None,
        )
        for name, build in variants(settings).items()
    }


def denoising_tasks(settings: Settings) -> dict[str, Task]:
    """DN-ResNets by cascade for each noise, known and blind; what they are compared with; the edge-aware loss."""
    known = {name: at_once(name, settings) for name in NOISES}
    blind = {name: at_once(name, settings, blind=True) for name in NOISES}
    by_cascade = partial(cascade, build=dn_build(settings), layers=settings.network.dn_resnet.cascade)
    blind_gaussian = by_cascade(blind[GAUSSIAN])
    return {
        "dn_gaussian": by_cascade(known[GAUSSIAN]),
        "dn_gaussian_at_once": known[GAUSSIAN],
        "dncnn_s": replace(known[GAUSSIAN], build=partial(dncnn_s, settings), architecture="dncnn_s"),
        "dn_poisson": by_cascade(known[POISSON]),
        "dn_poisson_gaussian": by_cascade(known[POISSON_GAUSSIAN]),
        "dn_blind": blind_gaussian,
        "dn_blind_edge_a": replace(blind_gaussian, loss=edge_loss(sobel_magnitude, settings.edge_weight.a)),
        "dn_blind_edge_b": replace(blind_gaussian, loss=edge_loss(canny_edges, settings.edge_weight.b)),
        "dn_poisson_blind": by_cascade(blind[POISSON]),
        "dn_poisson_gaussian_blind": by_cascade(blind[POISSON_GAUSSIAN]),
    }


def separable_tasks(settings: Settings) -> dict[str, Task]:
    """The blind DN-ResNet made depthwise-separable block by block or at once, and left as it is for as many steps."""
    blocks = range(blocks_of(dn_build(settings).layers))
    longer = replace(at_once(GAUSSIAN, settings, blind=True), inherits=Parent(EVOLVED), recipe="evolution")
    evolved = replace(longer, architecture="ds_dn_resnet")
    one_by_one = tuple(Phase(f"block{block + 1}", partial(separate, blocks=[block])) for block in reversed(blocks))
    return {
        "ds_blind": replace(evolved, phases=one_by_one),
        "ds_blind_at_once": replace(evolved, phases=(Phase("blocks", partial(separate, blocks=blocks)),)),
        "dn_blind_longer": longer,
    }


def at_once(experiment: str, settings: Settings, *, blind: bool = False) -> Task:
    """The whole DN-ResNet in one phase, for an experiment's own noise or, blind, for a range of its levels."""
    known = (watched if blind else corruptions)(settings)[experiment]
    return Task(
        experiment,
        pictures=partial(of_colours, colours=colours_of(experiment, settings)),
        corruption=blind_corruptions(settings)[experiment] if blind else known,
        watched=known,
        build=partial(DNResNet, dn_build(settings)),
        architecture="dn_resnet",
    )


def cascade(task: Task, build: DNBuild, layers: Sequence[int]) -> Task:
    """The same with a DN-ResNet that grows to each of these numbers of layers in turn, a phase each, named by them."""
    first, *later = layers
    phases = [Phase(str(count), partial(grow, layers=count)) for count in later]
    start = partial(DNResNet, replace(build, layers=first))
    return replace(task, build=start, phases=(replace(WHOLE, name=str(first)), *phases))


def edge_loss(edges: Callable[[Tensor], Tensor], weight: float) -> Loss:
    """The edge-aware loss with edges of the clean image in [0, 1], which the paper leaves open; ours is in [-1, 1]."""
    return partial(edge_aware, edges=lambda target: edges((target + 1) / 2), weight=weight)
