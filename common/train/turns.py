"""What is minimised, and by whom: players, each with its optimiser, schedule and losses."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from common.params import Adam, OneCycle, Recipe, Steps

Loss = Callable[[Tensor, Tensor], Tensor]
"""(estimate, target), each (N, C, H, W) in the network's range → scalar."""
Objective = Callable[[nn.Module, Tensor, Tensor, int], Tensor]
"""(network, inputs, targets, step) → scalar; inputs and image targets in the network's range, labels as they are."""


def whole(network: nn.Module) -> nn.Module:
    """The network itself, where a part of it may be chosen."""
    return network


@dataclass(frozen=True)
class Player:
    """One side of a training.

    objective: what it minimises. name: its column in the history is <name>_loss.
    part: the part of the network that it moves. updates: of that part in each step, each on a batch of its own.
    lr_factor: its learning rate, as a share of the recipe's.
    """

    objective: Objective
    name: str = "train"
    part: Callable[[nn.Module], nn.Module] = whole
    updates: int = 1
    lr_factor: float = 1.0


def supervised(loss: Loss = nn.functional.mse_loss) -> Player:
    """The player that moves the whole network so that its output comes near the target."""
    return supervised_at(lambda step: loss)


def supervised_at(loss_at: Callable[[int], Loss]) -> Player:
    """`supervised` with a loss that changes over training: step → loss."""
    return Player(lambda network, inputs, targets, step: loss_at(step)(network(inputs).float(), targets))


class Turn:
    """A player with its optimiser and schedule."""

    def __init__(self, player: Player, network: nn.Module, recipe: Recipe) -> None:
        self.player = player
        self.part = player.part(network)
        self.optimizer = _optimizer(self.part, recipe, recipe.lr * player.lr_factor)
        self.schedule = _schedule(self.optimizer, recipe, recipe.lr * player.lr_factor, recipe.steps * player.updates)
        self.losses: list[float] = []
        """Since the last validation."""


def _optimizer(part: nn.Module, recipe: Recipe, lr: float) -> torch.optim.Optimizer:
    own = recipe.optimizer
    if isinstance(own, Adam):
        first, second = own.betas
        return torch.optim.Adam(part.parameters(), lr=lr, betas=(first, second), weight_decay=own.weight_decay)
    return torch.optim.SGD(part.parameters(), lr=lr, momentum=own.momentum, weight_decay=own.weight_decay)


def _schedule(
    optimizer: torch.optim.Optimizer, recipe: Recipe, lr: float, updates: int
) -> torch.optim.lr_scheduler.LRScheduler:
    own = recipe.schedule
    if isinstance(own, OneCycle):
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=updates + 1)
    if isinstance(own, Steps):
        every, gamma, lowest = own.every, own.gamma, own.lowest / lr
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(gamma ** (step // every), lowest))
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
