"""Runs the DAG as `dvc repro` does and says what is running, how far it is and about how long it will take.

`python -m common.run.repro` is what `make repro` calls. `--profile NAME` runs another profile as a DVC experiment.
`--apart FOLDER` runs in a copy of the work tree, so that results/ here stays as it is (`make smoke`). `--jobs N` runs
stages side by side on this machine, `--scheduler ADDRESS` on the workers of a Dask scheduler (`common.run.cluster`).
"""

import argparse
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from common import command, params
from common.errors import UserError
from common.run import family, recovery
from common.run.settings import budgets, every_profile
from common.store import read_json, write_json, write_text

SECONDS_FILE = Path("common/run/stage_seconds.json")
"""Measured seconds of each stage by profile, for the time left: from this file, then from this machine's last runs."""
LOCAL_SECONDS = Path(".scratch/stage_seconds.json")
STAGE_LINE = re.compile(r"(Running stage|Stage) '([^']+)'(:| didn't change| is cached)")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=params.PROFILES, help="run this profile (dvc exp run -S profile=…)")
    parser.add_argument("--apart", type=Path, metavar="FOLDER", help="run in a copy of the work tree, made there")
    parser.add_argument("--seed", type=int, help="with --apart: the top-level seed of that copy")
    parser.add_argument("--jobs", type=int, metavar="N", help="run up to N stages at a time on this machine")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run stages on the workers of this Dask scheduler")
    arguments = parser.parse_args()
    if arguments.jobs is not None and arguments.jobs < 1:
        raise UserError(f"--jobs must be ≥ 1, got {arguments.jobs}")
    workers = Workers(arguments.jobs, arguments.scheduler)
    if arguments.apart:
        run_apart(arguments.apart, {"profile": arguments.profile, "seed": arguments.seed}, workers)
    else:
        run(arguments.profile, workers)


@dataclass(frozen=True)
class Workers:
    """What runs the stages: so many workers here, those of a Dask scheduler, or (None, None) DVC, one after another."""

    jobs: int | None = None
    scheduler: str | None = None


def run(profile: str | None = None, workers: Workers = Workers()) -> None:
    """Run the DAG here; with a profile, as an experiment that sets it in params.yaml first."""
    family.use_this_python()
    chosen = profile or params.shared().profile
    for paper in (None, *params.papers()):  # whatever can be refused is refused before anything runs
        every_profile(paper)
    budgets()
    _git("rev-parse", "--git-dir")
    with recovery.alone():
        recovery.clear()
        if workers != Workers():
            if profile:
                _set(params.PARAMS_FILE, {"profile": profile})
            _side_by_side(chosen, workers)
        _one_by_one(chosen, ["exp", "run", "-S", f"profile={profile}"] if profile else ["repro"])


def _one_by_one(profile: str, arguments: list[str]) -> None:
    """The DAG by DVC alone; after `_side_by_side` it finds that nothing is left to do."""
    forecast = Forecast(profile, stage_names(), stage_seconds(profile))
    print(forecast.opening(), flush=True)
    status = _stream([sys.executable, "-m", "dvc", *arguments], forecast.line)
    remember(profile, forecast.finished())
    if status < 0:
        raise UserError(f"dvc was ended by signal {-status}; run again: it goes on")
    if status != 0:
        raise UserError(f"dvc stopped with status {status}; mend what the lines above name and run again: it goes on")


def _side_by_side(profile: str, workers: Workers) -> None:
    """The DAG on Dask's workers. UserError where stages failed, after everything else has run."""
    from common.run import cluster, graph

    stages, seconds = graph.read(timed=profile != "smoke"), stage_seconds(profile)
    with cluster.connected(workers.jobs, workers.scheduler) as client:
        run = cluster.Run(client, stages, seconds, lambda line: print(line, flush=True))
        ended = run.all()
    remember(profile, {one.name: one.seconds for one in ended if one.ran and one.status == 0})
    if failed := run.failed():
        names = ", ".join(one.name for one in failed)
        raise UserError(f"failed: {names}; mend what the lines above name and run again: it goes on")


def run_apart(folder: Path, changes: Mapping[str, object], workers: Workers = Workers()) -> None:
    """Run the DAG in a fresh copy of the work tree, as `copy_tree` makes it."""
    copy_tree(folder, changes)
    before = Path.cwd()
    os.chdir(folder)
    try:
        run(workers=workers)
    finally:
        os.chdir(before)


def copy_tree(folder: Path, changes: Mapping[str, object]) -> None:
    """Copy the work tree into `folder`, which is emptied first; nothing that was computed is shared.

    changes: top-level keys of params.yaml and their values there; None leaves one as it is. UserError where a run is
    going on there.
    """
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if folder.is_dir():
        with recovery.alone(folder):
            shutil.rmtree(folder)
    for name in filter(None, listed.split("\0")):
        if Path(name).is_file() and not name.endswith("dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, folder / name)
    downloads = Path(".scratch/downloads").absolute()
    if downloads.is_dir():
        (folder / ".scratch").mkdir()
        (folder / ".scratch/downloads").symlink_to(downloads)
    _set(folder / params.PARAMS_FILE, changes)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def _git(*arguments: str) -> str:
    """Output of a git command; UserError where there is no git or no checkout, on which DVC builds."""
    if shutil.which("git") is None:
        raise UserError("git is not installed: install it to run the suite")
    ended = subprocess.run(["git", *arguments], capture_output=True, check=False)
    if ended.returncode != 0:
        raise UserError("this is not a git checkout: clone the repository to run the suite")
    return os.fsdecode(ended.stdout)


def _set(file: Path, changes: Mapping[str, object]) -> None:
    """Give top-level keys of a parameter file other values, its comments and layout left alone; None: no change."""
    text = file.read_text()
    for key, value in changes.items():
        if value is not None:
            text = re.sub(rf"^{key}: \S+", f"{key}: {value}", text, count=1, flags=re.MULTILINE)
    write_text(file, text)


def stage_names() -> list[str]:
    """Addresses of all stages, as DVC prints them while it runs."""
    listed = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode < 0:
        raise UserError(f"dvc was ended by signal {-listed.returncode}; run again")
    if listed.returncode != 0:
        raise UserError(f"dvc cannot read the stages: {' '.join(listed.stderr.split())[-300:]}")
    return listed.stdout.split()


class Forecast:
    """What is done, what is left and about how long it takes, fed with DVC's own lines."""

    def __init__(self, profile: str, stages: list[str], seconds: dict[str, float]) -> None:
        self.profile, self.left, self.total, self.seconds = profile, dict.fromkeys(stages), len(stages), seconds
        self.running: tuple[str, float] | None = None
        self.measured: dict[str, float] = {}

    def opening(self) -> str:
        """First line: the work ahead where nothing is cached."""
        return f"profile {self.profile}: {self.total} stages, {_minutes(self._remaining())} where none is done yet"

    def line(self, text: str) -> str | None:
        """A heading for the stage that this line of DVC's announces, or None."""
        found = STAGE_LINE.search(text)
        if not found:
            return None
        self._finish()
        stage = found[2]
        self.left.pop(stage, None)
        if found[1] != "Running stage":
            return None
        remaining = self._remaining() + self.seconds.get(stage, 0)
        self.running = (stage, time.monotonic())
        done = self.total - len(self.left)
        return (
            f"[{done}/{self.total}] {stage}: {_minutes(self.seconds.get(stage, 0))}; {_minutes(remaining)} to the end"
        )

    def finished(self) -> dict[str, float]:
        """What each stage that ran took, in seconds."""
        self._finish()
        return self.measured

    def _finish(self) -> None:
        if self.running:
            stage, started = self.running
            self.measured[stage] = round(time.monotonic() - started, 1)
            self.running = None

    def _remaining(self) -> float:
        return sum(self.seconds.get(stage, 0) for stage in self.left)


def stage_seconds(profile: str) -> dict[str, float]:
    """Seconds that each stage took: as committed, then as last measured on this machine."""
    known: dict[str, float] = {}
    for file in (SECONDS_FILE, LOCAL_SECONDS):
        if file.is_file():
            known |= json.loads(file.read_text()).get(profile, {})
    return known


def remember(profile: str, measured: Mapping[str, float]) -> None:
    """Keep what each stage took here for the next forecast."""
    known = read_json(LOCAL_SECONDS) if LOCAL_SECONDS.is_file() else {}
    known[profile] = known.get(profile, {}) | measured
    write_json(LOCAL_SECONDS, known)


def _minutes(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def _stream(argv: list[str], heading: Callable[[str], str | None]) -> int:
    """Run a command, pass its output through and put headings in; on a terminal the command keeps a terminal."""
    if sys.stdout.isatty():
        unfinished, interrupted = "", False

        def read(descriptor: int) -> bytes:
            nonlocal unfinished
            chunk = os.read(descriptor, 65536)
            *lines, unfinished = (unfinished + chunk.decode(errors="replace")).split("\n")
            headings = [found for text in lines if (found := heading(text))]
            return "".join(f"\r\n{text}\r\n" for text in headings).encode() + chunk

        def typed(descriptor: int) -> bytes:
            nonlocal interrupted
            chunk = os.read(descriptor, 1024)
            interrupted = interrupted or b"\x03" in chunk  # Ctrl-C, which the command's own terminal acts upon
            return chunk

        status = os.waitstatus_to_exitcode(pty.spawn(argv, read, typed))
        if interrupted and status != 0:
            raise KeyboardInterrupt
        return status
    with family.started(argv, output=subprocess.PIPE) as process:
        assert process.stdout is not None
        for text in process.stdout:
            if found := heading(text):
                print(found, flush=True)
            print(text, end="", flush=True)
        return process.wait()


if __name__ == "__main__":
    command.run(main)
