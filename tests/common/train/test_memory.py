import platform
import subprocess
import sys

import pytest

COUNT_FAULTS = """
import resource, sys
import numpy as np
from common.train.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def allocate():
    for _ in range(5):
        np.ones(13_000_000, np.float32)  # 52 MB, a feature map of 128×64×40²
allocate()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
allocate()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(memory: str) -> int:
    ended = subprocess.run([sys.executable, "-c", COUNT_FAULTS, memory], capture_output=True, text=True, check=True)
    return int(ended.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_kept_memory_is_not_faulted_in_again() -> None:
    assert page_faults("kept") < page_faults("as usual") / 10
