"""Threads that wait leave their core to others: OpenMP reads how when torch is loaded, so it must be set before."""

import os
import subprocess
import sys

import pytest

WHEN_TORCH_LOADS = """
import importlib.abc, os, runpy, sys
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"))
            raise SystemExit
sys.meta_path.insert(0, Watch())
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def policy(module: str, **chosen: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"} | chosen
    command = [sys.executable, "-c", WHEN_TORCH_LOADS, module]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("module", ["replications.udncnn.train", "replications.edcnn.evaluate", "common.score.latency"])
def test_threads_wait_passively_unless_told_otherwise(module: str) -> None:
    assert policy(module) == "PASSIVE"
    assert policy(module, OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"
