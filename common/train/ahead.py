"""Batches made ahead of need: threads make the next ones while the device computes (numpy lets go of Python's lock).

A batch is a function of its number, so who makes it and when changes no bit of it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from common.train.patches import Batch

T = TypeVar("T")

MOST_THREADS = 8
"""Of one training: a GPU takes 2 ms for a step whose batch takes a core of a server 10 ms."""
A_THREAD = 2
"""Batches that wait or are being made, for each thread."""


def loader_threads(device: torch.device) -> int:
    """How many threads make the batches of a training on `device`.

    On a CPU one, and none where there is but one core.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, cores) if device.type == "cuda" else int(cores > 1)


@contextmanager
def made_ahead(make: Callable[[int], T], numbers: range, threads: int) -> Iterator[Iterator[T]]:
    """Yield an iterator over `make(number)` in the order of the numbers, made by this number of threads ahead of need.

    Without threads each is made when it is asked for. What `make` raises is raised where its batch is due. On leaving,
    what was not begun is dropped and the threads have ended.
    """
    if threads == 0:
        yield map(make, numbers)
        return
    pool = ThreadPoolExecutor(threads, "batches")
    try:
        yield _in_order(pool, make, numbers, A_THREAD * threads)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(pool: ThreadPoolExecutor, make: Callable[[int], T], numbers: range, ahead: int) -> Iterator[T]:
    coming = iter(numbers)
    waiting: deque[Future[T]] = deque(pool.submit(make, number) for number in islice(coming, ahead))
    while waiting:
        due = waiting.popleft()
        waiting.extend(pool.submit(make, number) for number in islice(coming, 1))
        yield due.result()


@dataclass(frozen=True)
class Sent:
    """A process's share of a batch, on its way to the device as it was made; labels as int64.

    inputs, targets: tensors of the shapes of `Batch`. arrived: what the device has to wait for, None where it is there.
    """

    inputs: Tensor
    targets: Tensor
    arrived: torch.cuda.Event | None = None

    def received(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets; what the device is told from now on waits for them, this process does not."""
        if self.arrived is not None:
            computing = torch.cuda.current_stream(self.inputs.device)
            computing.wait_event(self.arrived)
            for tensor in (self.inputs, self.targets):
                tensor.record_stream(computing)  # it was made on another: its memory must not be given away before
        return self.inputs, self.targets


def sender(batches: Callable[[int], Batch], device: torch.device, share: slice) -> Callable[[int], Sent]:
    """Number → this process's share of that batch, sent to the device on a stream of its own."""
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def send(number: int) -> Sent:
        batch = batches(number)
        inputs, targets = batch.inputs[share], batch.targets[share]
        if np.issubdtype(targets.dtype, np.integer):
            targets = targets.astype(np.int64)
        if stream is None:
            return Sent(_tensor(inputs), _tensor(targets))
        with torch.cuda.stream(stream):
            there, wanted = (_tensor(part).pin_memory().to(device, non_blocking=True) for part in (inputs, targets))
            return Sent(there, wanted, stream.record_event())

    return send


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
