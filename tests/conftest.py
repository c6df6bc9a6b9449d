"""One run of the smoke DAG in a fresh copy of the work tree, shared by the tests that look at it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the stages that tests run start faster
if "PYTEST_XDIST_WORKER" in os.environ:  # the cores are shared by as many processes
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a copy in which the smoke profile has ended well (`make smoke`), each test process its own."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made, folder = shared / "smoke-made", own / "smoke"
    with FileLock(shared / "smoke.lock"):
        if not made.is_dir():
            command = [sys.executable, "-m", "common.run.repro", "--apart", str(folder), "--profile", "smoke"]
            ended = run([*command, "--jobs", "2"], Path.cwd())
            assert ended.returncode == 0, ended.stdout + ended.stderr
            folder.rename(made)
    shutil.copytree(made, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def copy(smoke: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke copy as a user's repository: committed, with an environment."""
    folder = tmp_path_factory.mktemp("readme") / "copy"
    shutil.copytree(smoke, folder, symlinks=True)
    (folder / ".venv").symlink_to(sys.prefix)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "smoke"], cwd=folder, check=True)
    return folder


REPOSITORY = Path(__file__).parents[1]


def smoke_folder(folder: Path) -> None:
    """Give a folder the smoke profile's params.yaml, the code in common/, and what has been downloaded."""
    (folder / "common").symlink_to(REPOSITORY / "common")
    downloads = REPOSITORY / ".scratch/downloads"
    if downloads.exists():
        (folder / ".scratch").mkdir()
        (folder / ".scratch/downloads").symlink_to(downloads.resolve())
    text = (REPOSITORY / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("profile: quick", "profile: smoke"))


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


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))
