"""Jobs in processes of their own: order, errors, and no process that outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.errors import UserError
from common.score.workers import side_by_side
from common.train.variants import visible_gpus


def square(number: int) -> tuple[int, int]:
    time.sleep(0.05 * (3 - number))  # the first job ends last
    return number**2, os.getpid()


def fail_at_once_or_last_long(number: int) -> None:
    if number == 0:
        raise UserError("job 0 failed")
    time.sleep(60)


def seen_gpu(number: int) -> str:
    time.sleep(0.5)  # so that neither process takes all jobs
    return os.environ["CUDA_VISIBLE_DEVICES"]


def be_killed(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_the_order_of_the_jobs_and_from_other_processes() -> None:
    results = side_by_side(square, [0, 1, 2], 2)
    assert [value for value, _ in results] == [0, 1, 4]
    assert os.getpid() not in {process for _, process in results}


def test_one_process_is_this_one() -> None:
    assert {process for _, process in side_by_side(square, [0, 1, 2], 1)} == {os.getpid()}


@pytest.mark.long
def test_processes_share_the_gpus_and_see_one_each() -> None:
    seen = side_by_side(seen_gpu, range(8), 4, ["2", "5"])
    assert set(seen) == {"2", "5"}
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_the_gpus_of_a_process_have_the_names_that_cuda_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,7")
    assert visible_gpus() == ["3", "7"]


def test_the_first_error_ends_the_other_jobs() -> None:
    started = time.monotonic()
    with pytest.raises(UserError, match="job 0 failed"):
        side_by_side(fail_at_once_or_last_long, [1, 0, 2], 2)
    assert time.monotonic() - started < 20


def test_a_process_that_the_system_ends_is_named_as_such() -> None:
    with pytest.raises(UserError, match="for lack of memory most likely"):
        side_by_side(be_killed, [0, 1], 2)


PARENT = """
import os, sys, time
from pathlib import Path
from common.score.workers import side_by_side

def note_and_sleep(name):
    Path(sys.argv[1], name).write_text(str(os.getpid()))
    time.sleep(120)

if __name__ == "__main__":
    side_by_side(note_and_sleep, ["one", "two"], 2)
"""


def test_a_killed_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    (script := tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, script, tmp_path], env=os.environ | {"PYTHONPATH": str(Path.cwd())})
    notes = [tmp_path / "one", tmp_path / "two"]
    wait_for(lambda: all(note.is_file() and note.read_text() for note in notes))
    parent.kill()
    parent.wait()
    for note in notes:
        wait_for(lambda note=note: not running(int(note.read_text())))  # type: ignore[misc]


def running(process: int) -> bool:
    """Whether it exists and is more than an entry that waits for its parent to read its end."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition, seconds: float = 30) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
