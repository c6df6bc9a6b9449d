"""The DAG on Dask: every stage whose inputs are there is a task, `dvc repro --single-item STAGE` on a worker.

The workers share this folder, on one machine or by a network file system; nothing but a stage's name goes over the
network. Where several stages wait for a worker, the one with the longest path to the end goes first.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import UserError
from common.run import task
from common.run.graph import Stage, path_seconds, stopped_by
from common.run.task import CPUS, KILLS, THREADS, Ended, repro_stage
from common.score.workers import usable_cpus

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 20
LOOK_SECONDS = 2.0
"""How often new and lost workers are looked for while stages run."""


@contextmanager
def connected(jobs: int | None, scheduler: str | None) -> Iterator["Client"]:
    """A client of the scheduler at that address, else of `jobs` workers of this machine made for it."""
    try:
        from distributed import Client
    except ImportError:
        raise UserError(
            "running stages side by side needs Dask: pip install --constraint constraints.txt --editable '.[cluster]'"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # lost workers are told of here, in a line
    if scheduler is None:
        with _local(jobs or 1) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"no Dask scheduler at {scheduler} ({reason}): start one with `dask scheduler`") from None
    with client:
        yield client


@dataclass
class Run:
    """One run of the stages over a client's workers.

    tell: takes a line for the reader. seconds: of the stages as last measured, for the order and the forecast.
    """

    client: "Client"
    stages: Sequence[Stage]
    seconds: Mapping[str, float]
    tell: Callable[[str], None]
    ended: dict[str, Ended] = field(default_factory=dict)
    running: dict["Future[Any]", tuple[Stage, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = path_seconds(self.stages, self.seconds)
        self.folder = str(Path.cwd())
        self.environment = {name: os.environ[name] for name in THREADS if name in os.environ}
        self.known: set[str] | None = set()  # addresses of the workers; None where it has been said that there is none

    def all(self) -> list[Ended]:
        """Run every stage whose inputs can be made, and return how each that ran ended."""
        from distributed import wait
        from distributed.client import FuturesCancelledError

        try:
            while self._place() or self.running:
                if not self.running:  # no worker is here (yet), or again
                    time.sleep(LOOK_SECONDS)
                    continue
                try:
                    done = wait(list(self.running), timeout=LOOK_SECONDS, return_when="FIRST_COMPLETED").done
                except TimeoutError:
                    continue
                for future in done:
                    self._end(future)
        except (OSError, FuturesCancelledError):  # Dask's lost connections are OSErrors
            raise UserError(
                "the Dask scheduler is gone: start it and its workers, then run again: it goes on"
            ) from None
        return list(self.ended.values())

    def failed(self) -> list[Ended]:
        """The stages that failed, in the order in which they did."""
        return [ended for ended in self.ended.values() if ended.status != 0]

    def _waiting(self) -> list[Stage]:
        """Stages that may start now, the longest path first; those that need a machine alone come last."""
        good = {name for name, ended in self.ended.items() if ended.status == 0}
        begun = set(self.ended) | {stage.name for stage, _ in self.running.values()}
        ready = [stage for stage in self.stages if stage.name not in begun and stage.after <= good]
        return sorted(ready, key=lambda stage: (stage.alone, -self.path[stage.name], stage.name))

    def _place(self) -> bool:
        """Give waiting stages to free workers; True where stages are left that will run."""
        waiting = self._waiting()
        if not waiting:
            return False
        workers = self._workers()
        busy = {address for address, keys in self.client.processing().items() if keys}
        for stage in waiting:
            address = choose(stage, workers, busy, self._hosts(workers, alone=False), self._hosts(workers, alone=True))
            if address is not None:
                self._submit(stage, address, workers)
                busy.add(address)
        return True

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        if not workers and self.known is not None:
            self.tell("no worker is connected: waiting for one")
        for address in (self.known or set()) - set(workers):
            self.tell(f"worker {address} is gone: what it was running runs again on another")
        self.known = set(workers) or None
        return workers

    def _hosts(self, workers: Mapping[str, Any], *, alone: bool) -> set[str]:
        """Machines on which something runs; with `alone`, those on which something runs that wants no company."""
        return {host for stage, host in self.running.values() if stage.alone or not alone}

    def _submit(self, stage: Stage, address: str, workers: Mapping[str, Any]) -> None:
        gpus = any("gpu" in worker["resources"] for worker in workers.values())
        future = self.client.submit(
            repro_stage,
            stage.name,
            self.folder,
            self.environment,
            alone=stage.alone,
            key=f"{stage.name}-{time.time_ns()}",
            workers=[address],
            allow_other_workers=True,  # where that one is lost, Dask takes another
            resources={"gpu": 1} if stage.gpu and gpus else None,
            priority=int(self.path[stage.name]),
            pure=False,
        )
        self.running[future] = (stage, workers[address]["host"])
        taken = self.seconds.get(stage.name)
        expected = f": about {taken:.0f} s" if taken else ""
        self.tell(f"[{len(self.ended)}/{len(self.stages)}] {stage.name} on {workers[address]['name']}{expected}")

    def _end(self, future: "Future[Any]") -> None:
        stage, _ = self.running.pop(future)
        if future.status == "finished":
            ended = future.result()
        else:  # the worker was killed, time and again
            reason = " ".join(str(future.exception()).split()) if future.status == "error" else future.status
            ended = Ended(stage.name, 1, 0.0, False, f"its worker was lost each time it was tried: {reason}")
        self.ended[stage.name] = ended
        if ended.status != 0:
            self.tell(f"failed: {stage.name} (status {ended.status})\n{ended.tail}")
            if stopped := sorted(stopped_by({stage.name}, self.stages) - set(self.ended)):
                self.tell(f"stopped by it: {', '.join(stopped)}; everything else goes on")


def choose(
    stage: Stage, workers: Mapping[str, Any], busy: Collection[str], hosts: Collection[str], alone: Collection[str]
) -> str | None:
    """The address of the worker to run a stage on, or None where it must wait.

    workers: by address, as the scheduler describes them. busy: addresses that run a stage. hosts: machines on which a
    stage runs; alone: those on which one runs that measures time. A stage for a GPU waits for a worker that has one
    where there are such; other stages leave those workers free where they can.
    """
    free = [address for address, worker in workers.items() if address not in busy and worker["host"] not in alone]
    if stage.alone:
        free = [address for address in free if workers[address]["host"] not in hosts]
    with_gpu = {address for address, worker in workers.items() if "gpu" in worker["resources"]}
    if stage.gpu and with_gpu:
        free = [address for address in free if address in with_gpu]
    return min(free, key=lambda address: (address in with_gpu, address), default=None)


def shares(jobs: int, cpus: Sequence[int], gpus: int) -> list[dict[str, Any]]:
    """What each of `jobs` workers of this machine gets: environment and resources.

    The CPUs are dealt out so that no two workers have one in common where there are enough, and so are the GPUs; a
    worker without a GPU has none to see.
    """
    dealt = []
    for number in range(jobs):
        own = cpus[number::jobs] or [cpus[number % len(cpus)]]
        environment = {CPUS: ",".join(map(str, own))}
        if gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(number, gpus, jobs)))
        dealt.append({"env": environment, "resources": {"gpu": 1} if number < gpus else {}})
    return dealt


@contextmanager
def _local(jobs: int) -> Iterator[Any]:
    """A scheduler in this process and `jobs` workers beside it, each for one stage at a time."""
    import dask
    from distributed import Nanny, Scheduler
    from distributed.deploy.spec import SpecCluster

    # No memory limit: a stage is a process of its own, of which the worker knows nothing.
    fixed = {
        "nthreads": 1,
        "memory_limit": 0,
        "dashboard_address": None,
        "silence_logs": "ERROR",
        "preload": [task.__name__],
    }
    workers = {
        number: {"cls": Nanny, "options": {**fixed, **share}}
        for number, share in enumerate(shares(jobs, usable_cpus(), _gpus()))
    }
    address = {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": KILLS}),
        SpecCluster(
            scheduler={"cls": Scheduler, "options": {"dashboard": False, **address}}, workers=workers, silence_logs=True
        ) as cluster,
    ):
        yield cluster


def _gpus() -> int:
    if shutil.which("nvidia-smi") is None:  # torch takes seconds to import
        return 0
    import torch

    return torch.cuda.device_count()
