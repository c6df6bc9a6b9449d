"""The machine's devices: their names, and how much of the processor is used."""

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch


def device_name(device: torch.device) -> str:
    """Model of the GPU, or of the CPU where the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.is_file() else None
    return model.group(1) if model else platform.machine()


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Torch computes on this number of threads inside; None: on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
