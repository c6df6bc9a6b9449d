"""What a run ran on: versions, machine, seed, data and the state of the code."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from common.params import Shared, papers
from common.store import read_json

PACKAGES = ("torch", "numpy", "scikit-image", "bm3d", "accelerate", "dvc")
NOT_CODE = (":(exclude)results", ":(exclude,glob)**/dvc.lock")
"""What a run itself rewrites, so that it does not count as a modification."""


def environment(params: Shared, results: Path) -> dict[str, dict[str, Any]]:
    """The record of results/environment.json: sections run, machine, versions, data."""
    return {
        "run": {
            "profile": params.profile,
            "seed": params.seed,
            "noise.sigma": "each paper's own" if params.noise.sigma is None else params.noise.sigma,
            "code": code_state(),
            "date": datetime.now(UTC).date().isoformat(),
        },
        "machine": _machine(),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "data": {paper: read_json(results / paper / "data.json") for paper in papers()},
    }


def code_state(folder: Path = Path()) -> str:
    """The git revision, and whether code or params differ from it."""
    revision = _git("rev-parse", "HEAD", folder=folder)
    if revision is None:
        inside = _git("rev-parse", "--git-dir", folder=folder) is not None
        return "a git checkout without a commit" if inside else "not a git checkout"
    changed = _git("status", "--porcelain", "--", ".", *NOT_CODE, folder=folder)
    return f"{revision}, modified" if changed else revision


def _machine() -> dict[str, Any]:
    import torch

    from common.score.machine import device_name

    cuda = torch.cuda.is_available()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": device_name(torch.device("cpu")),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "gpu": device_name(torch.device("cuda")) if cuda else "none",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git(*arguments: str, folder: Path) -> str | None:
    """Output of a git command; None where it fails or git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
