"""A network's range of values, and the way there from images and back."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Scale:
    """The network's range [low, high], into which 0–255 is mapped; [-1, 1] is the lineage's."""

    low: float = -1.0
    high: float = 1.0

    def to_network(self, images: np.ndarray | Tensor) -> Tensor:
        """(N, H, W, C) on the 0–255 scale → (N, C, H, W) in [low, high], channels-last in memory.

        A tensor stays on its device, and is scaled there.
        """
        if isinstance(images, np.ndarray):
            images = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))
        return images.float().permute(0, 3, 1, 2) * ((self.high - self.low) / 255) + self.low

    def to_image(self, tensor: Tensor) -> np.ndarray:
        """(N, C, H, W) in [low, high] → (N, H, W, C) float32 on the 0–255 scale, unclipped."""
        images = (tensor.float() - self.low) * (255 / (self.high - self.low))
        return images.permute(0, 2, 3, 1).cpu().numpy()


def channels_last(network: nn.Module) -> nn.Module:
    """The network with its weights laid out channels-last, which CPU and GPU convolutions run faster in."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
