"""What a training stage depends on, as its dvc.yaml says: a checkpoint of anything else must not be resumed."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from common.errors import UserError
from common.params import Settings
from common.store import read_json


def stage_key(paper: str, group: str, settings: Settings) -> str:
    """A digest of what DVC re-runs the stage of a group for: the files of its `deps`, and its `params`.

    UserError where no stage of replications/<paper>/dvc.yaml trains the group.
    """
    return _key(training_stage(paper, group), lambda file: settings.model_dump())


def member_key(file: Path, stage: str, name: str) -> str:
    """The same of a member of a stage that has one for each name in a list (`foreach`), in this dvc.yaml."""
    return _key(member(file, stage, name), lambda settings: read_json(settings))


def _key(stage: Mapping[str, Any], everything: Callable[[str], Mapping[str, Any]]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in _files(stage["deps"]):
        digest.update(f"{file} {file.stat().st_size} ".encode())
        digest.update(file.read_bytes())
    for listed in stage["params"]:
        for file, keys in listed.items():
            values = everything(file)
            found = [(key, reduce(lambda node, name: node[name], key.split("."), values)) for key in keys]
            digest.update(repr(found).encode())
    return digest.hexdigest()


def training_stage(paper: str, group: str) -> dict[str, Any]:
    """The stage of a paper's dvc.yaml whose command ends in `train… <group>`."""
    file = Path("replications") / paper / "dvc.yaml"
    stages = yaml.safe_load(file.read_text())["stages"].values() if file.is_file() else []
    for stage in stages:
        if stage["cmd"].startswith(f"python -m replications.{paper}.train") and stage["cmd"].endswith(f" {group}"):
            return dict(stage)
    raise UserError(f"{file} has no stage that trains {group}: add one")


def member(file: Path, stage: str, name: str) -> dict[str, Any]:
    """What a dvc.yaml says of one member of a `foreach` stage; UserError where it does not list the name."""
    whole = yaml.safe_load(file.read_text())["stages"][stage]
    if name not in whole["foreach"]:
        raise UserError(f"{name} is not listed in the stage {stage} of {file}: add it there")
    text = json.dumps(whole["do"]).replace("${key}", name)
    for key, value in whole["foreach"][name].items():
        text = text.replace(f"${{item.{key}}}", value)
    own: dict[str, Any] = json.loads(text)
    return own


def _files(deps: list[str]) -> Iterator[Path]:
    """The files of dependencies, each of which is a file or a folder, in order; what Python compiled is none."""
    for dep in map(Path, deps):
        found = sorted(dep.rglob("*")) if dep.is_dir() else [dep]
        yield from (file for file in found if file.is_file() and "__pycache__" not in file.parts)
