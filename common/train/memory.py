"""Keeps freed memory for the next allocation, which training on a CPU needs.

A feature map of 128×64×40² float32 values takes 52 MB. The C library maps such blocks from the kernel and gives them
back at every step, so a step of the 17-layer DnCNN spends a third of its time on page faults: 9.7 s with glibc's
defaults, 6.5 s with memory kept (two cores, float32, the batch of `make bench`).
"""

import ctypes
import platform
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt(3): free memory at the top of the heap that is kept, and blocks mapped on their own."""


@cache
def keep_freed_memory() -> None:
    """Tell glibc not to return memory while this process lives; elsewhere nothing happens."""
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
