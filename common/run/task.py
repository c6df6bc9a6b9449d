"""One stage on a worker: what `common.run.cluster` sends there."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.run import family

CPUS = "STAGE_CPUS"
"""Environment of a worker: the CPUs that its stages may use, as "0,1"."""
LOGS = Path(".scratch/logs")
LOCKED = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")
RAN = re.compile(r"^Running stage '", re.MULTILINE)
TRIES, KILLS = 60, 3
"""How often a stage is tried for the sake of DVC's locks, and how often of these it may be killed."""
CANCELLED = 130
LOOK_SECONDS = 1.0
TAIL_LINES = 15
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Dask sets them to 1 for its workers; the stages get what they have where the run was started."""
EVERY_CPU = os.sched_getaffinity(0) if sys.platform == "linux" else set()


@dataclass(frozen=True)
class Ended:
    """How a stage ended: its exit status (negative: killed by that signal), what it took, the end of its output.

    ran: False where DVC had nothing to do, or took the outputs from its cache.
    """

    name: str
    status: int
    seconds: float
    ran: bool
    tail: str


def dask_setup(worker: object) -> None:
    """Called in each worker that a run makes for itself: Ctrl-C is the run's to handle, which then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def repro_stage(name: str, folder: str, environment: Mapping[str, str], *, alone: bool = False) -> Ended:
    """Run one stage in the shared folder, its output to .scratch/logs/<stage>.log there.

    environment: what the stage gets beyond the worker's own. alone: it may use every CPU of the machine.
    DVC holds its lock while it reads and writes its own files, not while the stage computes: it is waited for. Where
    DVC is killed (the worker itself lives), the stage runs again.
    """
    if not (Path(folder) / "dvc.yaml").is_file():
        return Ended(name, 2, 0.0, False, f"a worker on {os.uname().nodename} does not see {folder}: share that folder")
    log = Path(folder) / LOGS / f"{name.replace('/', '_').replace(':', '_')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    _take_cpus(alone)
    started, kills = time.monotonic(), 0
    for _ in range(TRIES):
        status = _once(name, folder, {**_own_environment(), **environment}, log)
        output = log.read_text(errors="replace")
        kills += status < 0
        if kills > KILLS or status == CANCELLED or (status >= 0 and not LOCKED.search(output)):
            break
        if "is busy" in output:
            _forget_killed(name, folder)
        time.sleep(1)
    lines = [line for line in output.splitlines() if line.strip()]
    tail = "\n".join([*(f"  {line}" for line in lines[-TAIL_LINES:]), f"  all of it: {log}"])
    return Ended(name, status, round(time.monotonic() - started, 1), bool(RAN.search(output)), tail)


def _once(name: str, folder: str, environment: Mapping[str, str], log: Path) -> int:
    argv = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
    with log.open("w") as output, family.started(argv, output=output, folder=folder, environment=environment) as guard:
        while True:
            try:
                return guard.wait(timeout=LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                if _is_cancelled():
                    return CANCELLED


def _is_cancelled() -> bool:
    """Whether nobody waits for this task any more: whoever started the run was interrupted or killed."""
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == "cancelled"


def _own_environment() -> dict[str, str]:
    """This worker's environment without Dask's thread counts, its Python first: the stages say `python`."""
    own = {key: value for key, value in os.environ.items() if key not in THREADS}
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{own.get('PATH', '')}"
    return own


def _take_cpus(alone: bool) -> None:
    """Bind this thread, and with it what it starts, to the worker's share of the CPUs."""
    if sys.platform == "linux":
        share = [int(number) for number in os.environ.get(CPUS, "").split(",") if number]
        os.sched_setaffinity(0, EVERY_CPU if alone or not share else share)


def _forget_killed(name: str, folder: str) -> None:
    """Take what an earlier, killed try of this stage holds out of DVC's list of files in use.

    DVC does so itself where the process ran on this machine; of another machine's it cannot know that it is gone.
    """
    from dvc.repo import Repo
    from dvc.rwlock import _edit_rwlock

    with Repo(folder) as repo:
        hardlink = repo.config["core"].get("hardlink_lock", False)
        with _edit_rwlock(repo.tmp_dir, repo.fs, hardlink) as lock:
            for path, readers in list(lock["read"].items()):
                lock["read"][path] = [reader for reader in readers if not reader["cmd"].endswith(f" {name}")]
                if not lock["read"][path]:
                    del lock["read"][path]
            for path, writer in list(lock["write"].items()):
                if writer["cmd"].endswith(f" {name}"):
                    del lock["write"][path]
