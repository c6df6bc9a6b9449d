"""Jobs side by side, in processes that end with this one however it ends."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from typing import Any, TypeVar

from common.errors import UserError
from common.progress import gathered, progress, send_progress

Job = TypeVar("Job")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    processes: int,
    gpus: Sequence[str] = (),
    label: str | None = None,
) -> list[Result]:
    """`work(job)` of each job, in the order of the jobs; as many at a time as there are processes.

    gpus: shared by the processes, each of which sees one; then `work` and the jobs are pickled.
    label: of a bar that counts the jobs; None where these show bars of their own.
    With one process they run here, one after the other. The first error ends the others and is raised; a process that
    the system ended (for its memory) raises UserError.
    """
    counted = progress(len(jobs), label) if label else nullcontext(_uncounted)
    if min(processes, len(jobs)) < 2:
        with counted as advance:
            return [_after(work(job), advance) for job in jobs]
    # A fork shares what is imported (torch takes seconds); elsewhere than on Linux, system libraries do not bear it.
    # CUDA bears it nowhere.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" and not gpus else "spawn")
    places: Any = context.SimpleQueue()
    for place in range(processes):
        places.put(gpus[place % len(gpus)] if gpus else None)
    with counted as advance, nullcontext() if label else gathered(context) as messages:
        pool = ProcessPoolExecutor(min(processes, len(jobs)), context, initializer=_begin, initargs=(messages, places))
        with pool:
            running = [pool.submit(work, job) for job in jobs]
            try:
                for finished in as_completed(running):
                    _after(finished.result(), advance)
            except BrokenProcessPool:
                raise UserError(
                    "the system ended a process of this stage, for lack of memory most likely: "
                    "free some, or set training.threads to null in params.yaml (one training at a time)"
                ) from None
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in multiprocessing.active_children():
                    process.terminate()
                raise
            return [job.result() for job in running]


def _after(result: Result, advance: Callable[[], None]) -> Result:
    advance()
    return result


def _uncounted() -> None:
    pass


def usable_cpus() -> list[int]:
    """The CPUs that this process may use; they may be fewer than the machine has."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else list(range(os.cpu_count() or 1))


def _begin(messages: Any, places: Any) -> None:
    """In a new process: Ctrl-C is the parent's to handle, and where the parent is gone there is nothing left to do."""
    gpu = places.get()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # CUDA reads it when it is first used, not when torch is imported
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if messages is not None:
        send_progress(messages)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
