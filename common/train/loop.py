"""The one training loop.

`fit` trains a network on keyed batches: channels-last, bf16 autocast where this machine computes faster in it, one
process or several, resumable after a kill, stopped with one clear line when a loss is not finite. Same arguments on
the same machine give the same weights, bit for bit, whether or not the run was interrupted.

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
from common.score.scale import Scale, channels_last
from common.train import checkpoint
from common.train.memory import keep_freed_memory
from common.train.patches import Batch
from common.train.precision import Precision, choose_precision
from common.train.seeding import seeded
from common.train.turns import Player, Turn, supervised

Validate = Callable[[nn.Module], Mapping[str, float]]
"""Network in evaluation mode → columns of the history, the one to show first, computed in float32."""

CHECKPOINT_SECONDS = 30.0
"""Between two checkpoints of a running training."""


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
    with torch.backends.cudnn.flags(benchmark=False, deterministic=True), seeded(seed):
        run.train(batches, validate, scratch, label)
    network.requires_grad_(True)
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
        self.turns = [Turn(player, network, recipe) for player in players]
        self.draws = max(player.updates for player in players)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def train(self, batches: Callable[[int], Batch], validate: Validate, scratch: Path | None, label: str) -> None:
        shown = label if self.accelerator.is_main_process else ""
        started = saved = time.monotonic() - self.seconds
        with progress(self.recipe.steps, shown, done=self.step) as advance:
            while self.step < self.recipe.steps:
                lr = float(self.turns[0].schedule.get_last_lr()[0])
                self._take_step(batches, label, lr)
                self.step += 1
                self.seconds = time.monotonic() - started
                note = ""
                if self.step % self.recipe.validate_every == 0 or self.step == self.recipe.steps:
                    note = self._validate(validate, lr)
                if scratch is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.save(scratch)
                    saved = time.monotonic()
                advance(note=note)
        if scratch is not None:
            self.save(scratch)

    def _take_step(self, batches: Callable[[int], Batch], label: str, lr: float) -> None:
        """Every player's updates; the n-th of each player sees the same batch."""
        torch.manual_seed((self.seed << 32) + self.step)  # of dropout: a resumed run draws what an unbroken one does
        drawn = [self._tensors(batches(self.step * self.draws + number)) for number in range(self.draws)]
        for turn in self.turns:
            if len(self.turns) > 1:  # gradients reach the part through the others, which are left alone
                self.network.requires_grad_(False)
                turn.part.requires_grad_(True)
            for inputs, targets in drawn[: turn.player.updates]:
                turn.losses.append(self._update(turn, inputs, targets))
            if not np.isfinite(turn.losses[-1]):
                raise NotFiniteLossError(
                    f"{label}: the {turn.player.name} loss is {turn.losses[-1]} at step {self.step + 1} (lr {lr:.3g}): "
                    "lower train.recipe.lr, or set train.recipe.precision to fp32"
                )

    def _tensors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """This process's share of a batch, on its device."""
        share = slice(self.accelerator.process_index, None, self.accelerator.num_processes)
        inputs, targets = batch.inputs[share], batch.targets[share]
        labels = np.issubdtype(targets.dtype, np.integer)
        wanted = torch.from_numpy(targets).long() if labels else self.scale.to_network(targets)
        device = self.accelerator.device
        return self.scale.to_network(inputs).to(device), wanted.to(device)

    def _update(self, turn: Turn, inputs: Tensor, targets: Tensor) -> float:
        """One optimiser step; returns the loss of the global batch."""
        turn.optimizer.zero_grad(set_to_none=True)
        with self.precision.autocast():
            value = turn.player.objective(self.network, inputs, targets, self.step)
        value.backward()
        self._average_gradients(turn.part)
        turn.optimizer.step()
        turn.schedule.step()
        return float(self.accelerator.reduce(value.detach(), "mean"))

    def _average_gradients(self, part: nn.Module) -> None:
        """Over processes. Not by a wrapper around the network, which would know of one `forward` alone."""
        if self.accelerator.num_processes > 1:
            gradients = [weight.grad for weight in part.parameters() if weight.grad is not None]
            mean = self.accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
            for gradient, own in zip(gradients, mean.split([value.numel() for value in gradients]), strict=True):
                gradient.copy_(own.view(gradient.shape))

    def _validate(self, validate: Validate, lr: float) -> str:
        measured = evaluate_mode(self.network, validate)
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
        with torch.inference_mode():
            return measure(network)
    finally:
        network.train(was_training)
