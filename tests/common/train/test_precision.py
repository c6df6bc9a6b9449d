import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import torch

from common.train import precision
from common.train.precision import Precision, choose_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def choose(_: int) -> Precision:
    return choose_precision("auto", CPU)


def test_ten_processes_started_together_agree() -> None:
    with ProcessPoolExecutor(10, multiprocessing.get_context("fork")) as pool:
        choices = list(pool.map(choose, range(10)))
    assert set(choices) == {choose(0)}


@pytest.mark.parametrize(
    ("cpuinfo", "name", "why"),
    [
        ("flags\t\t: fpu avx2 avx512f amx_bf16 avx512_bf16\n" * 2, "bf16", "AMX"),
        ("flags\t\t: fpu avx512f avx512_bf16\n", "bf16", "AVX-512 BF16"),
        ("Features\t: fp asimd bf16 i8mm\n", "bf16", "Arm's BF16"),
        ("flags\t\t: fpu avx2 avx512f avx512_bf16\nflags\t\t: fpu avx2\n", "fp32", "no instructions for bf16"),
        ("flags\t\t: fpu avx512f\n", "fp32", "no instructions for bf16"),
        (None, "fp32", "no instructions for bf16"),
    ],
)
def test_a_processor_is_taken_at_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, name: str, why: str
) -> None:
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    choice = choose_precision("auto", CPU)
    assert (choice.name, why in choice.reason) == (name, True)


@pytest.mark.parametrize(("capability", "name"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_a_gpu_is_chosen_for_by_its_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], name: str
) -> None:
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    choice = choose_precision("auto", GPU)
    assert choice.name == name
    assert "compute capability" in choice.reason


def test_what_the_recipe_asks_for_is_taken() -> None:
    for wanted in ("bf16", "fp32"):
        assert choose_precision(wanted, CPU) == Precision(wanted, "asked for by train.recipe.precision", "cpu")
