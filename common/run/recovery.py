"""Before a run: that it is the only one in this folder, and that what a killed one left half-written is out of the way.

The suite's own files are complete or absent (`common.store`). DVC writes its lock files in place; it makes them again,
and takes what has been computed from its run-cache.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from common.errors import UserError

RUNNING = Path(".scratch/running.lock")
DAMAGED = Path(".scratch/damaged")
PARTIAL = ".*.partial"
"""How `common.store` names a file that is not complete yet."""
WRITTEN = ("data", "models", "results")
STAGES = ("common", "replications")
"""Where folders have a dvc.yaml of their own."""


@contextmanager
def alone(folder: Path = Path()) -> Iterator[None]:
    """Hold a folder for one run; UserError that names the other process where one has it."""
    lock = folder / RUNNING
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read().strip() or "unknown"
            raise UserError(
                f"another run is going on in {folder.absolute()} (process {other}): wait for it to end, or run in a "
                "copy with `python -m common.run.repro --apart FOLDER`"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()} on {os.uname().nodename}")
        file.flush()
        yield


def clear() -> None:
    """Remove what a killed run left half-written, and say so. To be called under `alone`."""
    for folder in map(Path, WRITTEN):
        for path in sorted(folder.rglob(PARTIAL)):
            path.unlink()
    for path in (Path("dvc.lock"), *sorted(path for room in STAGES for path in Path(room).glob("*/dvc.lock"))):
        if path.is_file() and not _is_record(path):
            if "<<<<<<< " in path.read_text(errors="replace"):
                raise UserError(f"{path} holds the marks of a merge conflict: take either side, then run again")
            _set_aside(path)
            print(f"{path} was cut short by a kill: made again, finished stages come from DVC's cache", flush=True)
    in_use = Path(".dvc/tmp/rwlock")
    try:
        json.loads(in_use.read_text())
    except FileNotFoundError:
        pass
    except ValueError:
        in_use.unlink()


def _is_record(path: Path) -> bool:
    """Whether a file is a whole dvc.lock: YAML, and every stage of it has a command."""
    try:
        record = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError):
        return False
    stages = record.get("stages", {}) if isinstance(record, dict) else None
    return isinstance(stages, dict) and all(isinstance(stage, dict) and "cmd" in stage for stage in stages.values())


def _set_aside(path: Path) -> None:
    aside = DAMAGED / path
    aside.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, aside)
