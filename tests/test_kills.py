"""The smoke DAG, killed again and again at random moments, comes to the same bits as an unbroken run.

By default four kills of one paper's stages. All of it, with the table of what was killed and when:
KILLS=20 KILLS_TARGET= python -m pytest -m slow tests/test_kills.py -s
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from common.run import repro

KILLS = int(os.environ.get("KILLS", "4"))
TARGET = [target] if (target := os.environ.get("KILLS_TARGET", "replications/dsc_autoencoder/dvc.yaml")) else []
RUN = f"""
from common import command
from common.run import recovery, repro
def main():
    with recovery.alone():
        recovery.clear()
        repro._one_by_one("smoke", ["repro", *{TARGET!r}])
command.run(main)
"""
"""`python -m common.run.repro`, of a target."""
COMPUTED = ("data/**/*.safetensors", "models/**/*.safetensors", "results/*/scores.csv", "results/*/metrics.json")
"""What must be the same, bit for bit; times are not."""


def start(folder: Path) -> subprocess.Popen[str]:
    log = (folder.parent / f"{folder.name}.log").open("a")
    with log:
        return subprocess.Popen(
            [sys.executable, "-c", RUN], cwd=folder, stdout=log, stderr=subprocess.STDOUT, text=True
        )


def finish(folder: Path) -> float:
    """Run to the end, which must be a good one; seconds that it took."""
    started = time.monotonic()
    status = start(folder).wait()
    assert status == 0, (folder.parent / f"{folder.name}.log").read_text()[-3000:]
    return time.monotonic() - started


def kill_one(run: subprocess.Popen[str], chance: random.Random) -> str:
    """Kill one of the run's processes; what it was. All of them must be gone soon.

    Any of them but Python's own that tracks shared memory: it is started anew, and the run goes on.
    """
    while run.poll() is None:
        with suppress(psutil.NoSuchProcess):  # the one that was chosen may end at that moment
            family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
            victim = chance.choice(family)
            name = " ".join(victim.cmdline())[-60:].strip()
            if "resource_tracker" not in name:
                victim.kill()
                status = run.wait(timeout=120)
                assert psutil.wait_procs(family, timeout=20)[1] == [], "orphans"
                return f"{name} (exit status of the run {status})"
    return "had ended"


def computed(folder: Path) -> Iterator[tuple[str, bytes]]:
    for pattern in COMPUTED:
        for path in sorted(folder.glob(pattern)):
            yield str(path.relative_to(folder)), path.read_bytes()


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    for folder in (unbroken, broken):
        repro.copy_tree(folder, {"profile": "smoke"})
    seconds = finish(unbroken)
    chance = random.Random(0)
    rows = []
    for number in range(KILLS):
        run = start(broken)
        moment = chance.uniform(0.5, max(2.0, 2 * seconds / KILLS))
        time.sleep(moment)
        rows.append((f"{number + 1}", f"{moment:.1f} s", kill_one(run, chance)))
    print(f"\n{KILLS} kills of a run of {seconds:.0f} s\n" + "\n".join("  ".join(row) for row in rows))
    finish(broken)
    assert dict(computed(broken)) == dict(computed(unbroken))
    assert list(computed(unbroken))
    assert not list(broken.rglob(".*.partial"))
