"""The README's own denoisers and its commands for them, run as a reader would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.common.datasets.test_datasets import picture, write

TEXT = Path("README.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
    for command in (line.split("  #")[0].strip() for line in block.splitlines())
    if command.startswith(("python -m common.benchmark", "python -m common.denoise"))
]
NEEDS_DATA = "--sets set12"
WEIGHTS = """
import torch, net
network = net.network()
for layer in (network[0], network[2]):
    torch.nn.init.dirac_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
torch.save(network.state_dict(), "net.pth")
"""
"""Of a network that gives back its input: random ones may score anything."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The reader's: the files that the README shows, weights, pictures."""
    for name, source in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", TEXT, flags=re.DOTALL):
        (tmp_path / name).write_text(source)
    subprocess.run([sys.executable, "-c", WEIGHTS], cwd=tmp_path, check=True)
    write(tmp_path / "my-pictures/a.png", picture(1, 40, 48))
    write(tmp_path / "photos/a.png", picture(2, 40, 48))
    write(tmp_path / "noisy.png", picture(3, 40, 48))
    return tmp_path


def run(command: str, folder: Path, *more: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "COLUMNS": "160"}
    words = [sys.executable, *command.split()[1:], *more]
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_readme_shows_both_kinds_and_all_commands() -> None:
    assert len(COMMANDS) == 6
    assert len(re.findall(r"```python\n# \w+\.py\n", TEXT)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if ".benchmark" in command])
def test_the_readmes_denoiser_ends_as_a_row(command: str, folder: Path) -> None:
    if NEEDS_DATA in command:  # as it stands, on a set that is always here
        command = command.replace("set12 bsd68", "embedded_grey")
        more = ("--networks", "--filters")
    else:
        more = ("--networks", "dncnn", "--filters", "median")
    spec = command.split()[4]
    shown = run(command, folder, *more, "--limit", "1", "--save", "table.csv")
    table = pd.read_csv(folder / "table.csv")
    own = table[table["kind"] == "own"]
    assert set(own["denoiser"]) == {spec}
    assert own["psnr_db"].between(5, 50).all()
    assert spec in shown
    if spec.startswith("mine"):
        noisy = table[table["denoiser"] == "noisy"].set_index(["set", "level"])["psnr_db"]
        assert (own.set_index(["set", "level"])["psnr_db"] > noisy).all()
    else:
        assert own["parameters"].unique().tolist() == [3 * 32 * 9 + 32 + 32 * 3 * 9 + 3]


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if ".denoise" in command])
def test_the_readmes_pictures_are_denoised(command: str, folder: Path) -> None:
    shown = run(command, folder)
    if "--list" in command:
        assert "dudncnn" in shown
    else:
        goal = folder / ("denoised/a.png" if "photos" in command else "clean.png")
        with Image.open(goal) as image:
            assert image.size == (48, 40)
        assert "σ" in shown
