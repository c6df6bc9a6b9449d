"""Runs a command whose processes all end with whoever started it: no orphan goes on writing where the next run writes.

DVC starts a stage, a stage starts trainings side by side. Where the first of them is killed, the others would go on.
Here they are one process group under a guard (this file as a script), which ends them all when its standard input
closes, as it does however the starter ends, and when the command itself is killed.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ENDED_BY = (signal.SIGINT, signal.SIGTERM)


def use_this_python() -> None:
    """The stages say `python`: let it be this one, whether or not its environment is activated."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


@contextmanager
def started(
    argv: Sequence[str],
    *,
    output: int | IO[str],
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """The running guard of a command: it has the command's output and exit status, negative where it was killed.

    Leaving the block ends whatever still runs: first politely, by SIGTERM, so that it can say where it stopped.
    """
    process = subprocess.Popen(
        [sys.executable, __file__, *argv],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    threading.Thread(target=_end_without_guard, args=[process], daemon=True).start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the group outlives a guard that was killed itself
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _end_without_guard(guard: subprocess.Popen[str]) -> None:
    """In the starter: the group ends with its guard, which may have been killed itself."""
    guard.wait()
    with suppress(ProcessLookupError):
        os.killpg(guard.pid, signal.SIGKILL)


def _guard(argv: Sequence[str]) -> int:
    """Run the command in this process's group; the group ends with the command or with the starter."""
    for number in ENDED_BY:
        signal.signal(number, _pass_on)
    command = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    status = command.wait()
    if status < 0:
        os.killpg(0, signal.SIGKILL)  # what it has started is without a parent now
    return status


def _pass_on(number: int, frame: object) -> None:
    """Send a signal on to the group, once: this process is of the group, too."""
    signal.signal(number, signal.SIG_IGN)
    os.killpg(0, number)


def _end_with_starter() -> None:
    while os.read(sys.stdin.fileno(), 1):  # not by `sys.stdin`, whose lock a thread must not hold when Python ends
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_guard(sys.argv[1:]))
