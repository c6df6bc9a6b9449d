"""The one training loop.

`fit` trains a network on keyed batches made ahead of need: channels-last, bf16 autocast where the device computes in
it, one process or several, resumable after a kill, stopped with one clear line when a loss is not finite. Same
arguments on the same machine give the same weights, bit for bit, whether or not the run was interrupted.

What is minimised is told by players. One is the rule; adversaries are two, each with the part of the network that it
moves and an optimiser of its own, taking turns within a step.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from common.errors import UserError
from common.params import Recipe
from common.progress import progress
from common.score.machine import exact_float32
from common.score.scale import Scale, channels_last
from common.train import checkpoint
from common.train.ahead import Share, arriving, sender
from common.train.memory import keep_freed_memory
from common.train.patches import Batch
from common.train.precision import Precision, choose_precision
from common.train.seeding import seeded
from common.train.turns import Player, Turn, supervised

Validate = Callable[[nn.Module], Mapping[str, float]]
"""Network in evaluation mode → columns of the history, the one to show first, computed in float32."""

CHECKPOINT_SECONDS = 30.0
"""Between two checkpoints of a running training."""
READ_EVERY = {"cpu": 1, "cuda": 100}
"""Steps after which the losses are read: Python waits for a GPU then, and for nothing in between."""


@dataclass(frozen=True)
class Trained:
    """A trained network, its history (a row per validation) and how the run went."""

    network: nn.Module
    history: pd.DataFrame
    facts: dict[str, Any]


class NotFiniteLossError(UserError):
    """The training diverged."""


def fit(
    build: Callable[[], nn.Module],
    batches: Callable[[int], Batch],
    recipe: Recipe,
    *,
    seed: int,
    validate: Validate,
    players: Sequence[Player] = (supervised(),),
    scale: Scale = Scale(),
    scratch: Path | None = None,
    label: str = "training",
) -> Trained:
    """Train a network for `recipe.steps` steps.

    build: makes the untrained network; its random numbers come from `seed` alone.
    batches: number → the global batch of that number (0–255 scale); several processes take equal shares of it.
    players: move in this order within a step.
    scratch: where the checkpoint of this very run lives; None: a killed run starts again.
    Raises NotFiniteLossError on a loss that is NaN or infinite, UserError where the batch cannot be shared.
    """
    keep_freed_memory()
    accelerator = Accelerator(cpu=not torch.cuda.is_available())  # without `cpu`, torchrun on CPUs is not noticed
    if recipe.batch % accelerator.num_processes:
        raise UserError(
            f"a batch of {recipe.batch} cannot be shared by {accelerator.num_processes} processes: "
            "make train.recipe.batch a multiple of the number of processes"
        )
    with seeded(seed):
        network = channels_last(build().to(accelerator.device))
    precision = choose_precision(recipe.precision, accelerator.device)
    run = _Run(network, players, recipe, accelerator, precision, scale, seed)
    if scratch is not None:
        run.resume(scratch)
    # Left to itself, `flags` switches cuDNN off. Deterministic kernels cost nothing; timing them would gain nothing.
    deterministic = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
    with deterministic, exact_float32(), seeded(seed):
        run.train(batches, validate, scratch, label)
    network.requires_grad_(True).zero_grad(set_to_none=True)
    return Trained(network, pd.DataFrame(run.history), run.facts())


class _Run:
    """State of one training: what a checkpoint holds, and nothing else."""

    def __init__(
        self,
        network: nn.Module,
        players: Sequence[Player],
        recipe: Recipe,
        accelerator: Accelerator,
        precision: Precision,
        scale: Scale,
        seed: int,
    ) -> None:
        self.network, self.recipe, self.scale, self.seed = network, recipe, scale, seed
        self.accelerator, self.precision = accelerator, precision
        self.turns = [Turn(player, network, recipe, precision, alone=len(players) == 1) for player in players]
        self.draws = max(player.updates for player in players)
        self.passes = "eager"
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def train(self, batches: Callable[[int], Batch], validate: Validate, scratch: Path | None, label: str) -> None:
        device, steps = self.accelerator.device, self.recipe.steps
        share = Share(self.accelerator.process_index, self.accelerator.num_processes)
        numbers = range(self.step * self.draws, steps * self.draws)
        shown = label if self.accelerator.is_main_process else ""
        started = saved = time.monotonic() - self.seconds
        if device.type == "cuda" and numbers:
            first = sender(batches, device)(numbers[0]).received()
            self._record_passes(*self._scaled(*(share.of(part) for part in first)))
        with (
            arriving(batches, numbers, device, share) as coming,
            progress(steps, shown, self.step) as advance,
        ):
            while self.step < steps:
                lr = self.turns[0].lr
                self._take_step([self._scaled(*next(coming).received()) for _ in range(self.draws)])
                self.step += 1
                validating = self.step % self.recipe.validate_every == 0 or self.step == steps
                reading = validating or self.step % READ_EVERY[device.type] == 0
                if reading:
                    self._read_losses(label)
                self.seconds = time.monotonic() - started
                note = self._validate(validate, lr) if validating else ""
                if scratch is not None and reading and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.save(scratch)
                    saved = time.monotonic()
                advance(note=note)
        if scratch is not None:
            self.save(scratch)

    def _record_passes(self, inputs: Tensor, targets: Tensor) -> None:
        """Turns whose objective stays the same become recordings; where one cannot, all go on as before."""
        try:
            for turn in self.turns:
                if turn.player.steady:
                    turn.record(inputs, targets)
                    self.passes = "CUDA graph"
        except RuntimeError as error:  # an objective that waits for the device, or too little memory
            for turn in self.turns:
                turn.recording = None
            self.passes = f"eager: {str(error).splitlines()[0]}"

    def _scaled(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and image targets in the network's range, labels as they are."""
        return self.scale.to_network(inputs), self.scale.to_network(targets) if targets.is_floating_point() else targets

    def _take_step(self, drawn: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Every player's updates; the n-th of each player sees the same batch."""
        torch.manual_seed((self.seed << 32) + self.step)  # of dropout: a resumed run draws what an unbroken one does
        for turn in self.turns:
            for inputs, targets in drawn[: turn.player.updates]:
                turn.update(inputs, targets, self.step, self._average_gradients)

    def _read_losses(self, label: str) -> None:
        """Raises NotFiniteLossError, which names the first update whose loss is not finite."""
        bad = [(*update, turn.player.name) for turn in self.turns for update in turn.settle(self._mean)]
        if bad:
            step, lr, loss, name = min(bad, key=lambda update: update[0])
            raise NotFiniteLossError(
                f"{label}: the {name} loss is {loss} at step {step + 1} (lr {lr:.3g}): "
                "lower train.recipe.lr, or set train.recipe.precision to fp32"
            )

    def _mean(self, losses: Tensor) -> Tensor:
        """Over processes: the losses of the global batch."""
        mean: Tensor = self.accelerator.reduce(losses, "mean")
        return mean

    def _average_gradients(self, part: nn.Module) -> None:
        """Over processes. Not by a wrapper around the network, which would know of one `forward` alone."""
        if self.accelerator.num_processes > 1:
            gradients = [weight.grad for weight in part.parameters() if weight.grad is not None]
            mean = self.accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
            for gradient, own in zip(gradients, mean.split([value.numel() for value in gradients]), strict=True):
                gradient.copy_(own.view(gradient.shape))

    def _validate(self, validate: Validate, lr: float) -> str:
        measured = evaluate_mode(self.network, validate)
        for turn in self.turns:
            if turn.recording is not None:
                turn.recording.put_back()
        row: dict[str, float] = {
            "step": self.step,
            "images_seen": self.step * self.recipe.batch * self.draws,
            "seconds": self.seconds,
            "lr": lr,
        }
        for turn in self.turns:
            row[f"{turn.player.name}_loss"] = float(np.mean(turn.losses))
            turn.losses = []
        self.history.append({**row, **measured})
        return ", ".join(f"{name.removeprefix('val_')} {value:.4g}" for name, value in list(measured.items())[:1])

    def facts(self) -> dict[str, Any]:
        """How the run went, for the report."""
        return {
            "steps": self.step,
            "seconds": round(self.seconds, 1),
            "processes": self.accelerator.num_processes,
            "threads": torch.get_num_threads(),
            "device": str(self.accelerator.device.type),
            "passes": self.passes,
            "precision": self.precision.name,
            "precision_reason": self.precision.reason,
        }

    def save(self, scratch: Path) -> None:
        if self.accelerator.is_main_process:
            checkpoint.save(scratch, self._modules(), self._optimizers(), self._record())

    def resume(self, scratch: Path) -> None:
        record = checkpoint.load(scratch, self._modules(), self._optimizers())
        if record is not None:
            self.step, self.seconds, self.history = record["step"], record["seconds"], record["history"]
            for turn, (schedule, losses) in zip(self.turns, record["turns"], strict=True):
                turn.schedule.load_state_dict(schedule)
                turn.losses = losses
            print(f"  resumed at step {self.step} of {self.recipe.steps}", flush=True)

    def _modules(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        return [turn.optimizer for turn in self.turns]

    def _record(self) -> dict[str, Any]:
        turns = [(json.loads(json.dumps(turn.schedule.state_dict())), turn.losses) for turn in self.turns]
        return {"step": self.step, "seconds": self.seconds, "history": self.history, "turns": turns}


def evaluate_mode(network: nn.Module, measure: Validate) -> Mapping[str, float]:
    """Call `measure(network)` with the network in evaluation mode and without gradients; its mode is put back."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode(), exact_float32():
            return measure(network)
    finally:
        network.train(was_training)
