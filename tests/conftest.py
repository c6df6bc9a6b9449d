"""One run of the smoke DAG in a fresh copy of the work tree, for the tests that look at it: those marked `dag`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # the cores are shared by as many processes
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what looks at the run of the DAG, before `-m` chooses."""
    for item in items:
        if "smoke" in getattr(item, "fixturenames", ()):
            item.add_marker("dag")


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a copy in which `dvc repro` of the smoke profile has ended well."""
    folder = tmp_path_factory.mktemp("smoke") / "copy"
    ended = run([sys.executable, "-m", "common.run.repro", "--apart", str(folder), "--profile", "smoke"], Path.cwd())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user with the environment activated would."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def dvc(folder: Path, *arguments: str) -> str:
    """Output of a dvc command that must end well."""
    ended = run([sys.executable, "-m", "dvc", *arguments], folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
