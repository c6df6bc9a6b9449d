"""Runs the DAG as `dvc repro` does and says what is running, how far it is and about how long it will take.

`python -m common.run.repro` is what `make repro` calls. `--profile NAME` runs another profile as a DVC experiment.
`--apart FOLDER` runs in a copy of the work tree, so that results/ here stays as it is (`make smoke`).
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
from pathlib import Path

from common import command, params
from common.errors import UserError
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
    arguments = parser.parse_args()
    if arguments.apart:
        run_apart(arguments.apart, {"profile": arguments.profile, "seed": arguments.seed})
    else:
        run(arguments.profile)


def run(profile: str | None = None) -> None:
    """Run the DAG here; with a profile, as an experiment that sets it in params.yaml first."""
    # The stages say `python`: it must be this one, whether or not its environment is activated.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    chosen = profile or params.shared().profile
    arguments = ["exp", "run", "-S", f"profile={profile}"] if profile else ["repro"]
    forecast = Forecast(chosen, stage_names(), stage_seconds(chosen))
    print(forecast.opening(), flush=True)
    status = _stream([sys.executable, "-m", "dvc", *arguments], forecast.line)
    forecast.remember()
    if status != 0:
        raise UserError(f"dvc stopped with status {status}; mend what the lines above name and run again: it goes on")


def run_apart(folder: Path, changes: Mapping[str, object]) -> None:
    """Run the DAG in a fresh copy of the work tree under `folder`, which is emptied first; no cache is shared.

    changes: top-level keys of params.yaml and their values there; None leaves one as it is.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=False
    )
    if listed.returncode != 0:
        raise UserError("this is not a git checkout: clone the repository to run the suite")
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if Path(name).is_file() and not name.endswith("dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, folder / name)
    downloads = Path(".scratch/downloads").absolute()
    if downloads.is_dir():
        (folder / ".scratch").mkdir()
        (folder / ".scratch/downloads").symlink_to(downloads)
    file = folder / params.PARAMS_FILE
    text = file.read_text()
    for key, value in changes.items():
        if value is not None:
            text = re.sub(rf"^{key}: \S+", f"{key}: {value}", text, count=1, flags=re.MULTILINE)
    write_text(file, text)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        run()
    finally:
        os.chdir(before)


def stage_names() -> list[str]:
    """Addresses of all stages, as DVC prints them while it runs."""
    listed = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"],
        capture_output=True,
        text=True,
        check=False,
    )
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

    def remember(self) -> None:
        """Keep what each stage took here for the next forecast."""
        self._finish()
        known = read_json(LOCAL_SECONDS) if LOCAL_SECONDS.is_file() else {}
        known[self.profile] = known.get(self.profile, {}) | self.measured
        write_json(LOCAL_SECONDS, known)

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


def _minutes(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def _stream(argv: list[str], heading: Callable[[str], str | None]) -> int:
    """Run a command, pass its output through and put headings in; on a terminal the command keeps a terminal."""
    if sys.stdout.isatty():
        unfinished = ""

        def read(descriptor: int) -> bytes:
            nonlocal unfinished
            chunk = os.read(descriptor, 65536)
            *lines, unfinished = (unfinished + chunk.decode(errors="replace")).split("\n")
            headings = [found for text in lines if (found := heading(text))]
            return "".join(f"\r\n{text}\r\n" for text in headings).encode() + chunk

        return os.waitstatus_to_exitcode(pty.spawn(argv, read))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            if found := heading(text):
                print(found, flush=True)
            print(text, end="", flush=True)
    return process.returncode


if __name__ == "__main__":
    command.run(main)
