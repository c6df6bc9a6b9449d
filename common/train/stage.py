"""What a training stage depends on, as its dvc.yaml says: a checkpoint of anything else must not be resumed."""

import hashlib
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from common.errors import UserError
from common.params import Settings


def stage_key(paper: str, group: str, settings: Settings) -> str:
    """A digest of what DVC re-runs the stage of a group for: the files of its `deps`, and its `params`.

    UserError where no stage of replications/<paper>/dvc.yaml trains the group.
    """
    stage = training_stage(paper, group)
    digest = hashlib.blake2b(digest_size=8)
    for file in _files(stage["deps"]):
        digest.update(f"{file} {file.stat().st_size} ".encode())
        digest.update(file.read_bytes())
    everything = settings.model_dump()
    keys = [key for listed in stage["params"] for own in listed.values() for key in own]
    digest.update(
        repr([(key, reduce(lambda node, name: node[name], key.split("."), everything)) for key in keys]).encode()
    )
    return digest.hexdigest()


def training_stage(paper: str, group: str) -> dict[str, Any]:
    """The stage of a paper's dvc.yaml whose command ends in `train… <group>`."""
    file = Path("replications") / paper / "dvc.yaml"
    stages = yaml.safe_load(file.read_text())["stages"].values() if file.is_file() else []
    for stage in stages:
        if stage["cmd"].startswith(f"python -m replications.{paper}.train") and stage["cmd"].endswith(f" {group}"):
            return dict(stage)
    raise UserError(f"{file} has no stage that trains {group}: add one")


def _files(deps: list[str]) -> Iterator[Path]:
    """The files of dependencies, each of which is a file or a folder, in order; what Python compiled is none."""
    for dep in map(Path, deps):
        found = sorted(dep.rglob("*")) if dep.is_dir() else [dep]
        yield from (file for file in found if file.is_file() and "__pycache__" not in file.parts)
