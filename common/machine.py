"""Names of the machine's devices."""

import platform
import re
from pathlib import Path

import torch


def device_name(device: torch.device) -> str:
    """Model of the GPU, or of the CPU where the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.is_file() else None
    return model.group(1) if model else platform.machine()
