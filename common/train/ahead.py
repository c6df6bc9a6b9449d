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
    """A batch on its way to the device as it was made; labels as int64.

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


def sender(batches: Callable[[int], Batch], device: torch.device) -> Callable[[int], Sent]:
    """Number → that batch, sent to the device on a stream of its own."""
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def send(number: int) -> Sent:
        batch = batches(number)
        targets = batch.targets
        if np.issubdtype(targets.dtype, np.integer):
            targets = targets.astype(np.int64)
        made, wanted = (torch.from_numpy(np.ascontiguousarray(part)) for part in (batch.inputs, targets))
        if stream is None:
            return Sent(made, wanted)
        with torch.cuda.stream(stream):
            made, wanted = (part.pin_memory().to(device, non_blocking=True) for part in (made, wanted))
            return Sent(made, wanted, stream.record_event())

    return send


@dataclass(frozen=True)
class Share:
    """Which images of a batch are a process's: every `processes`-th, from the `rank`-th on."""

    rank: int = 0
    processes: int = 1

    def of(self, whole: Tensor) -> Tensor:
        """The process's images."""
        return whole[self.rank :: self.processes].contiguous()


@contextmanager
def arriving(
    batches: Callable[[int], Batch], numbers: range, device: torch.device, share: Share
) -> Iterator[Iterator[Sent]]:
    """Yield an iterator over this process's share of the batches of these numbers, on the device.

    A batch's noise is one stream of random numbers, so its shares cannot be made apart: each of several processes makes
    every so-manieth batch whole, and deals it out.
    """
    send = sender(batches, device)
    own = range(numbers.start + (share.rank - numbers.start) % share.processes, numbers.stop, share.processes)
    with made_ahead(send, own, loader_threads(device)) as made:
        yield made if share.processes == 1 or not numbers else _dealt(made, numbers, send(numbers[0]), share)


def _dealt(made: Iterator[Sent], numbers: range, example: Sent, share: Share) -> Iterator[Sent]:
    """example: any batch; the others have its shape."""
    everyone = [Share(rank, share.processes) for rank in range(share.processes)]
    shapes = [share.of(part) for part in example.received()]
    for number in numbers:
        maker = number % share.processes
        whole = next(made).received() if maker == share.rank else (None, None)
        inputs, targets = (torch.empty_like(shape) for shape in shapes)
        for part, received in zip(whole, (inputs, targets), strict=True):
            shares = None if part is None else [one.of(part) for one in everyone]
            torch.distributed.scatter(received, shares, src=maker)
        yield Sent(inputs, targets)
