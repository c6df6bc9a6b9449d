"""A run that is ended: one line, the shell's exit status, and nothing that goes on without it."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.common.run.test_cluster import repository, sleeping, trace, until

RUN = """
from common import command
from common.run import repro
command.run(lambda: repro._one_by_one("quick", ["repro"]))
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path.cwd())}


def started(folder: Path, **options: object) -> subprocess.Popen[str]:
    """A run of one long stage, which has begun."""
    repository(folder, {"long": sleeping(30)})
    options = {"preexec_fn": _heed} | options
    run = subprocess.Popen([sys.executable, "-c", RUN], cwd=folder, env=ENVIRONMENT, text=True, **options)  # type: ignore[call-overload]
    until(lambda: trace(folder))
    return run


def family(run: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(run.pid).children(recursive=True)


@pytest.mark.parametrize(
    ("number", "status", "line"),
    [
        pytest.param(signal.SIGINT, 130, "interrupted; ", marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 143, "terminated; ", marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, -9, None, marks=pytest.mark.slow),
    ],
)
def test_an_ended_run_says_so_and_leaves_no_orphan(
    tmp_path: Path, number: signal.Signals, status: int, line: str | None
) -> None:
    run = started(tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    children = family(run)
    assert len(children) >= 3  # the guard, DVC, the stage
    run.send_signal(number)
    said = run.communicate(timeout=30)[1]
    assert run.returncode == status
    if line is not None:
        assert said.startswith(line)
        assert said.count("\n") == 1, said
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert trace(tmp_path) == ["start long"]


@pytest.mark.long
def test_a_run_whose_guard_is_killed_ends(tmp_path: Path) -> None:
    run = started(tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    guard, *others = family(run)
    guard.kill()
    assert "run again" in run.communicate(timeout=20)[1]
    assert run.returncode == 2
    assert psutil.wait_procs(others, timeout=10)[1] == []


@pytest.mark.slow
def test_ctrl_c_on_a_terminal_ends_the_run_as_well(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    run = started(tmp_path, stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, preexec_fn=lambda: _take(terminal))
    os.close(terminal)
    children = family(run)
    os.write(master, b"\x03")
    said = run.communicate(timeout=30)[1]
    os.close(master)
    assert (run.returncode, said.startswith("interrupted; ")) == (130, True)
    assert psutil.wait_procs(children, timeout=10)[1] == []


def _heed() -> None:
    """Ctrl-C ends this process, also where these tests run in the background of a shell, which then ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _take(terminal: int) -> None:
    """Make it the terminal that the process is controlled from."""
    import fcntl
    import termios

    _heed()
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


SIDE_BY_SIDE = """
from common import command
from common.run import repro
if __name__ == "__main__":
    command.run(lambda: repro._side_by_side("quick", repro.Workers(2, None)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status", "line"), [(signal.SIGINT, 130, "interr"), (signal.SIGTERM, 143, "termin")]
)
def test_workers_end_with_the_run(tmp_path: Path, number: signal.Signals, status: int, line: str) -> None:
    """Of its own: Ctrl-C goes to all processes of a terminal at once, the workers included."""
    repository(tmp_path, {"one": sleeping(30), "two": sleeping(30)})
    (tmp_path / "run.py").write_text(SIDE_BY_SIDE)
    run = subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_heed,
    )
    until(lambda: len(trace(tmp_path)) == 2)
    children = family(run)
    os.killpg(run.pid, number)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == status
    assert said.startswith(line)
    assert said.count("\n") == 1, said
    assert psutil.wait_procs(children, timeout=10)[1] == []
