"""The one training loop.

`fit` trains a network on keyed batches: channels-last, bf16 autocast where this machine computes faster in it, one
process or several, resumable after a kill, stopped with one clear line when the loss is not finite. Same arguments on
the same machine give the same weights, bit for bit, whether or not the run was interrupted.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from common import checkpoint
from common.errors import UserError
from common.memory import keep_freed_memory
from common.params import Recipe
from common.patches import Batch
from common.precision import Precision, choose_precision
from common.progress import progress
from common.scale import Scale, channels_last
from common.seeding import seeded

Loss = Callable[[Tensor, Tensor], Tensor]
"""(estimate, target), each (N, C, H, W) in the network's range → scalar."""


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
    validate: Callable[[nn.Module], float],
    loss: Loss = nn.functional.mse_loss,
    scale: Scale = Scale(),
    scratch: Path | None = None,
    label: str = "training",
) -> Trained:
    """Train a network for `recipe.steps` steps.

    build: makes the untrained network; its random numbers come from `seed` alone.
    batches: step → the global batch of that step (0–255 scale); several processes take equal shares of it.
    validate: network in evaluation mode → validation PSNR in dB, computed in float32.
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
    run = _Run(network, recipe, accelerator, precision)
    if scratch is not None:
        run.resume(scratch)
    with torch.backends.cudnn.flags(benchmark=False, deterministic=True):
        run.train(batches, loss, scale, validate, scratch, label)
    return Trained(run.averaged(), pd.DataFrame(run.history), run.facts())


class _Run:
    """State of one training: what a checkpoint holds, and nothing else."""

    def __init__(self, network: nn.Module, recipe: Recipe, accelerator: Accelerator, precision: Precision) -> None:
        self.recipe, self.accelerator, self.precision = recipe, accelerator, precision
        self.network = network
        self.parallel = accelerator.prepare_model(network) if accelerator.num_processes > 1 else network
        self.average = _average(network, recipe.ema_decay)
        self.optimizer = _optimizer(network, recipe)
        self.schedule = _schedule(self.optimizer, recipe)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def train(
        self,
        batches: Callable[[int], Batch],
        loss: Loss,
        scale: Scale,
        validate: Callable[[nn.Module], float],
        scratch: Path | None,
        label: str,
    ) -> None:
        losses: list[float] = []
        shown = label if self.accelerator.is_main_process else ""
        started = saved = time.monotonic() - self.seconds
        with progress(self.recipe.steps, shown, done=self.step) as advance:
            while self.step < self.recipe.steps:
                lr = float(self.schedule.get_last_lr()[0])
                losses.append(self._update(batches(self.step), loss, scale))
                self.step += 1
                if not np.isfinite(losses[-1]):
                    raise NotFiniteLossError(
                        f"{label}: the loss is {losses[-1]} at step {self.step} (lr {lr:.3g}): "
                        "lower train.recipe.lr, or set train.recipe.precision to fp32"
                    )
                note = ""
                if self.step % self.recipe.validate_every == 0 or self.step == self.recipe.steps:
                    self.seconds = time.monotonic() - started
                    note = self._validate(validate, float(np.mean(losses)), lr)
                    losses = []
                if scratch is not None and time.monotonic() - saved > self.recipe.checkpoint_seconds and not losses:
                    self.seconds, saved = time.monotonic() - started, time.monotonic()
                    self.save(scratch)
                advance(note=note)
        if scratch is not None:
            self.save(scratch)

    def _update(self, batch: Batch, loss: Loss, scale: Scale) -> float:
        """One optimiser step; returns the loss of the global batch."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        noisy, clean = (
            scale.to_network(images[rank::world]).to(self.accelerator.device) for images in (batch.noisy, batch.clean)
        )
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision.autocast():
            estimate = self.parallel(noisy)
        value = loss(estimate.float(), clean)
        self.accelerator.backward(value)
        self.optimizer.step()
        self.schedule.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return float(self.accelerator.reduce(value.detach(), "mean"))

    def _validate(self, validate: Callable[[nn.Module], float], train_loss: float, lr: float) -> str:
        psnr_db = evaluate_mode(self.averaged(), validate)
        self.history.append(
            {
                "step": self.step,
                "images_seen": self.step * self.recipe.batch,
                "seconds": self.seconds,
                "lr": lr,
                "train_loss": train_loss,
                "val_psnr_db": psnr_db,
            }
        )
        return f"validation {psnr_db:.2f} dB"

    def averaged(self) -> nn.Module:
        """The network to use: the moving average of the weights where the recipe asks for one."""
        return self.network if self.average is None else self.average.module

    def facts(self) -> dict[str, Any]:
        """How the run went, for the report."""
        return {
            "steps": self.step,
            "seconds": round(self.seconds, 1),
            "processes": self.accelerator.num_processes,
            "device": str(self.accelerator.device.type),
            "precision": self.precision.name,
            "precision_reason": self.precision.reason,
        }

    def save(self, scratch: Path) -> None:
        if self.accelerator.is_main_process:
            checkpoint.save(scratch, self._modules(), self.optimizer, self._record())

    def resume(self, scratch: Path) -> None:
        record = checkpoint.load(scratch, self._modules(), self.optimizer)
        if record is not None:
            self.step, self.seconds, self.history = record["step"], record["seconds"], record["history"]
            self.schedule.load_state_dict(record["schedule"])
            print(f"  resumed at step {self.step} of {self.recipe.steps}", flush=True)

    def _modules(self) -> dict[str, nn.Module]:
        return {"network": self.network} | ({"average": self.average} if self.average is not None else {})

    def _record(self) -> dict[str, Any]:
        schedule = json.loads(json.dumps(self.schedule.state_dict()))
        return {"step": self.step, "seconds": self.seconds, "history": self.history, "schedule": schedule}


def evaluate_mode(network: nn.Module, measure: Callable[[nn.Module], float]) -> float:
    """Call `measure(network)` with the network in evaluation mode and without gradients; its mode is put back."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            return measure(network)
    finally:
        network.train(was_training)


def _average(network: nn.Module, decay: float | None) -> AveragedModel | None:
    return (
        None if decay is None else AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=False)
    )


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            network.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    return torch.optim.Adam(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)


def _schedule(optimizer: torch.optim.Optimizer, recipe: Recipe) -> torch.optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.lr, total_steps=recipe.steps + 1)
    if recipe.schedule == "step":
        return torch.optim.lr_scheduler.StepLR(
            optimizer, step_size=recipe.step_every or 1, gamma=recipe.step_gamma or 1
        )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
