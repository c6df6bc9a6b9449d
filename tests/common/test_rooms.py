"""Imports in common/ go one way: from a room to those before it, and to the ground floor."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("noise", "datasets", "score", "train", "denoise", "claims", "benchmark", "report", "run")
"""In order: a room may import from those before it."""


def imported(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports from `common`, wherever in the module it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "common":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "common")


def level(room: str) -> int:
    """0: the ground floor, single modules that know of no room."""
    return ROOMS.index(room) + 1 if room in ROOMS else 0


@pytest.mark.parametrize("path", sorted(Path("common").rglob("*.py")), ids=str)
def test_imports_go_one_way(path: Path) -> None:
    own = level(path.parts[1])
    assert [name for name in imported(path) if level(name.split(".")[1]) > own] == []


def test_every_folder_is_a_room_and_the_top_is_short() -> None:
    entries = [path for path in Path("common").iterdir() if path.name != "__pycache__"]
    assert {path.name for path in entries if path.is_dir()} == set(ROOMS)
    assert len(entries) <= 15
