"""What is minimised, and by whom: players, each with its optimiser, schedule and losses."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from common.params import SGD, Adam, OneCycle, Recipe, Steps
from common.train.precision import Precision

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
    steady: the objective computes the same at every step, whatever the step's number: a GPU may repeat a recording.
    """

    objective: Objective
    name: str = "train"
    part: Callable[[nn.Module], nn.Module] = whole
    updates: int = 1
    lr_factor: float = 1.0
    steady: bool = True


def supervised(loss: Loss = nn.functional.mse_loss) -> Player:
    """The player that moves the whole network so that its output comes near the target."""
    return replace(supervised_at(lambda step: loss), steady=True)


def supervised_at(loss_at: Callable[[int], Loss]) -> Player:
    """`supervised` with a loss that changes over training: step → loss."""

    def objective(network: nn.Module, inputs: Tensor, targets: Tensor, step: int) -> Tensor:
        return loss_at(step)(network(inputs).float(), targets)

    return Player(objective, steady=False)


class Turn:
    """A player with its optimiser, its schedule and its losses."""

    def __init__(self, player: Player, network: nn.Module, recipe: Recipe, precision: Precision, alone: bool) -> None:
        self.player, self.network, self.precision, self.alone = player, network, precision, alone
        self.part = player.part(network)
        lr = recipe.lr * player.lr_factor
        self.optimizer = _optimizer(self.part, recipe.optimizer, lr)
        self.schedule = _schedule(self.optimizer, recipe, lr, recipe.steps * player.updates)
        self.losses: list[float] = []
        """Since the last validation, but for those that are still on the device."""
        self.pending: list[tuple[int, float, Tensor]] = []
        """Step, learning rate and loss of the updates since the last `settle`."""
        self.recording: Recording | None = None

    @property
    def lr(self) -> float:
        """Learning rate of the next update."""
        return float(self.schedule.get_last_lr()[0])

    def record(self, inputs: Tensor, targets: Tensor) -> None:
        """From now on, updates on batches of this shape repeat a recording. Weights and statistics stay as they are."""
        self._own_gradients_alone()
        self.recording = Recording(partial(self._gradients, step=0), self.network, inputs, targets)

    def update(self, inputs: Tensor, targets: Tensor, step: int, average: Callable[[nn.Module], None]) -> None:
        """One optimiser step. average: of the gradients, over processes."""
        if self.recording is not None and self.recording.fits(inputs, targets):
            loss = self.recording.repeat(inputs, targets)
        else:
            self._own_gradients_alone()
            loss = self._gradients(inputs, targets, step)
        average(self.part)
        self.pending.append((step, self.lr, loss))
        self.optimizer.step()
        self.schedule.step()

    def settle(self, average: Callable[[Tensor], Tensor]) -> list[tuple[int, float, float]]:
        """Read the losses that are still on the device; step, learning rate and loss of those that are not finite.

        average: over processes.
        """
        if not self.pending:
            return []
        losses: list[float] = average(torch.stack([loss for _, _, loss in self.pending])).tolist()
        read = [(step, lr, loss) for (step, lr, _), loss in zip(self.pending, losses, strict=True)]
        self.pending = []
        self.losses += losses
        return [update for update in read if not math.isfinite(update[2])]

    def _own_gradients_alone(self) -> None:
        """Gradients reach the part through the others, which are left alone."""
        if not self.alone:
            self.network.requires_grad_(False)
            self.part.requires_grad_(True)

    def _gradients(self, inputs: Tensor, targets: Tensor, step: int) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision.autocast():
            loss = self.player.objective(self.network, inputs, targets, step)
        loss.backward()
        return loss.detach()


class Recording:
    """The forward and the backward pass of an update as a CUDA graph, which the host starts at once.

    A step of a denoiser is some 300 small kernels: an H100 computes a DnCNN's in 2 ms, and Python takes 10 to launch
    them. The optimiser's step stays outside, so that its rate and its momentum may change.
    """

    WARM_UP = 3
    """Passes before the recording, in which libraries choose their kernels and reserve memory."""

    def __init__(
        self, gradients: Callable[[Tensor, Tensor], Tensor], network: nn.Module, inputs: Tensor, targets: Tensor
    ) -> None:
        self.inputs, self.targets = inputs.clone(), targets.clone()
        statistics = [(buffer, buffer.clone()) for buffer in network.buffers()]
        computing, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(computing)
        self.graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.stream(aside):
                for _ in range(self.WARM_UP):
                    gradients(self.inputs, self.targets)
            computing.wait_stream(aside)
            with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
                self.loss = gradients(self.inputs, self.targets)
        finally:
            with torch.no_grad():
                for buffer, before in statistics:
                    buffer.copy_(before)
        self.weights = [(weight, weight.data) for weight in network.parameters()]
        self.gradients = [(weight, weight.grad) for weight in network.parameters() if weight.requires_grad]

    def fits(self, inputs: Tensor, targets: Tensor) -> bool:
        """Whether a batch has the recorded shapes and kinds of numbers."""
        recorded = self.inputs, self.targets
        return all(
            own.shape == new.shape and own.dtype == new.dtype
            for own, new in zip(recorded, (inputs, targets), strict=True)
        )

    def repeat(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Leave the gradients of a batch in the weights' `grad`; its loss."""
        self.inputs.copy_(inputs)
        self.targets.copy_(targets)
        self.graph.replay()
        for weight, gradient in self.gradients:
            weight.grad = gradient
        return self.loss.clone()

    def put_back(self) -> None:
        """After a validation, which may lay weights out anew: they are where the recording reads them."""
        for weight, data in self.weights:
            weight.data = data


def _optimizer(part: nn.Module, own: Adam | SGD, lr: float) -> torch.optim.Optimizer:
    """On a GPU the fused one: all weights in one kernel."""
    weights = list(part.parameters())
    fused = True if weights[0].is_cuda else None
    if isinstance(own, Adam):
        first, second = own.betas
        return torch.optim.Adam(weights, lr=lr, betas=(first, second), weight_decay=own.weight_decay, fused=fused)
    return torch.optim.SGD(weights, lr=lr, momentum=own.momentum, weight_decay=own.weight_decay, fused=fused)


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
