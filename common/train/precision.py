"""Which number format a network trains in: bf16 where the machine computes in it, else float32.

Told by what the device can do and never by a clock, so that all processes of a training agree, and a busy machine
decides as an idle one does. A chip without bf16 instructions emulates them several times slower.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

CPUINFO = Path("/proc/cpuinfo")
CPU_FLAGS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX-512 BF16",
    "bf16": "Arm's BF16",
}
"""Instructions that multiply bf16, by the names Linux gives them, the fastest first."""
TENSOR_CORES = 8, 0
"""Compute capability of a GPU (Ampere) from which on its matrix units take bf16."""


@dataclass(frozen=True)
class Precision:
    """The chosen format, and why."""

    name: Literal["bf16", "fp32"]
    reason: str
    device: str

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which convolutions run in this format; weights and optimiser stay float32."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.name == "bf16")


def choose_precision(wanted: Literal["auto", "bf16", "fp32"], device: torch.device) -> Precision:
    """The format to train in on `device`."""
    if wanted != "auto":
        return Precision(wanted, "asked for by train.recipe.precision", device.type)
    able, reason = gpu_bf16(device) if device.type == "cuda" else cpu_bf16()
    return Precision("bf16" if able else "fp32", reason, device.type)


def gpu_bf16(device: torch.device) -> tuple[bool, str]:
    """Whether a GPU's matrix units take bf16, and how that is known."""
    major, minor = torch.cuda.get_device_capability(device)
    able = (major, minor) >= TENSOR_CORES
    return able, f"compute capability {major}.{minor}: matrix units {'take' if able else 'do not take'} bf16"


def cpu_bf16() -> tuple[bool, str]:
    """Whether this machine's processor has instructions for bf16, and how that is known."""
    known = CPUINFO.read_text() if CPUINFO.is_file() else ""
    lists = re.findall(r"^(?:flags|Features)\s*:\s*(.*)$", known, re.MULTILINE)
    flags = set.intersection(*(set(of_a_core.split()) for of_a_core in lists)) if lists else set()
    for flag, name in CPU_FLAGS.items():
        if flag in flags:
            return True, f"the processor has instructions for bf16 ({name})"
    return False, "the processor has no instructions for bf16"
