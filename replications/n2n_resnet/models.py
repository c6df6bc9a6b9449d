"""The residual network with Inception blocks, and the same network without its shortcuts.

The paper draws five residual blocks with an Inception structure inside, batch norm and ReLU, and gives no widths: the
branches' widths, the first and the last convolution are ours. Input and output (N, 3, H, W), range [-1, 1], any
H, W ≥ 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replications.n2n_resnet.params import Settings
from replications.udncnn import models as udncnn

COLOURS = 3


@dataclass(frozen=True)
class Branches:
    """Feature maps of the four parallel branches: 1×1, 3×3, 5×5 (as two 3×3), and 1×1 after a 3×3 average pooling."""

    pointwise: int = 16
    three: int = 32
    five: int = 32
    pooled: int = 16

    @property
    def total(self) -> int:
        """Feature maps of the concatenated branches."""
        return self.pointwise + self.three + self.five + self.pooled


@dataclass(frozen=True)
class Build:
    """How the network is made.

    blocks: residual blocks (source: Table 1). width: feature maps between the blocks. branches: inside a block.
    shortcuts: whether a block adds its input to what its branches make of it.
    predicts: `residual` adds residual_scale · f(x) to the noisy image x, `image` leaves x out.
    """

    blocks: int = 5
    width: int = 64
    branches: Branches = Branches()
    shortcuts: bool = True
    predicts: Literal["residual", "image"] = "residual"
    residual_scale: float = 1.0


class InceptionBlock(nn.Module):
    """ReLU(x + project(concatenated branches of x)), the shape of Szegedy et al.'s Inception-ResNet (2017).

    The branches: 1×1; 3×3; 5×5 as two 3×3; and 1×1 with a 3×3 average pooling. Every convolution is followed by batch
    norm; the projection, 1×1 back to the block's width, has no ReLU of its own. Branches that begin with the same kind
    of convolution share it, and the pooling comes after its 1×1 convolution, which commutes with it: the same function,
    a third faster on a CPU.
    (N, width, H, W) → the same.
    """

    def __init__(self, width: int, branches: Branches, *, shortcut: bool) -> None:
        super().__init__()
        self.branches, self.shortcut = branches, shortcut
        # No biases: batch norm has them.
        self.pointwise_and_pooled = nn.Conv2d(width, branches.pointwise + branches.pooled, 1, bias=False)
        self.three_and_five = nn.Conv2d(width, branches.three + branches.five, 3, padding=1, bias=False)
        second = nn.Conv2d(branches.five, branches.five, 3, padding=1, bias=False)
        self.five = nn.Sequential(nn.BatchNorm2d(branches.five), nn.ReLU(), second)
        # The padding does not count, so that a constant stays constant up to the border.
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.join = nn.Sequential(nn.BatchNorm2d(branches.total), nn.ReLU())
        self.project = nn.Sequential(nn.Conv2d(branches.total, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        sizes = self.branches
        pointwise, pooled = self.pointwise_and_pooled(features).split([sizes.pointwise, sizes.pooled], dim=1)
        three, five = self.three_and_five(features).split([sizes.three, sizes.five], dim=1)
        joined = self.join(torch.cat([pointwise, three, self.five(five), self.pool(pooled)], dim=1))
        projected = self.project(joined)  # (N, total, H, W) → (N, width, H, W)
        return F.relu(features + projected if self.shortcut else projected)


class InceptionResNet(nn.Module):
    """conv·BN·ReLU, `blocks` × InceptionBlock, conv. Receptive field 4·blocks + 5.

    The first and the last convolution are 3×3. What the paper leaves open is whether the output is the image or its
    noise: `predicts`.
    """

    def __init__(self, build: Build) -> None:
        super().__init__()
        self.predicts, self.scale = build.predicts, build.residual_scale
        first = nn.Conv2d(COLOURS, build.width, 3, padding=1, bias=False)
        self.head = nn.Sequential(first, nn.BatchNorm2d(build.width), nn.ReLU())
        blocks = (InceptionBlock(build.width, build.branches, shortcut=build.shortcuts) for _ in range(build.blocks))
        self.blocks = nn.Sequential(*blocks)
        self.tail = nn.Conv2d(build.width, COLOURS, 3, padding=1)

    def forward(self, noisy: Tensor) -> Tensor:
        output: Tensor = self.tail(self.blocks(self.head(noisy)))
        return noisy + self.scale * output if self.predicts == "residual" else output


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The network, the same without shortcuts, and the DnCNN it is compared with, as the settings size them."""
    sizes = settings.network
    build = Build(
        sizes.blocks,
        sizes.width,
        Branches(**sizes.branches.model_dump()),
        predicts=sizes.predicts,
        residual_scale=sizes.residual_scale,
    )
    dncnn = udncnn.Build(
        sizes.dncnn.depth,
        sizes.dncnn.width,
        batch_norm="standard",
        residual_scale=sizes.residual_scale,
    )
    return _pair(build) | {"dncnn": partial(udncnn.DnCNN, dncnn)}


def published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The network with the published five blocks; its widths are ours."""
    return _pair(Build())


def _pair(build: Build) -> dict[str, Callable[[], nn.Module]]:
    return {
        "resnet": partial(InceptionResNet, build),
        "plain": partial(InceptionResNet, replace(build, shortcuts=False)),
    }
