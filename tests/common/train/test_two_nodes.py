"""The README's commands for two machines, each run here as a process of its own, on CPUs (backend gloo)."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common.store import load_arrays
from tests.common.train.test_loop import TRAIN_SCRIPT


@pytest.mark.long
def test_two_nodes_learn_what_one_does(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAIN_SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nodes = []
    for rank in (0, 1):
        options = ["--nnodes", "2", "--nproc-per-node", "1", "--node-rank", str(rank)]
        address = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
        command = [sys.executable, "-m", "torch.distributed.run", *options, *address, script]
        # Each has a folder of its own to write to, as on a machine of its own; the first one's network is kept.
        nodes.append(subprocess.Popen([*command, tmp_path / f"{rank}.safetensors", "", "0"], env=environment))
    assert [node.wait(timeout=120) for node in nodes] == [0, 0]
    assert not (tmp_path / "1.safetensors").exists()
    alone = tmp_path / "alone.safetensors"
    subprocess.run([sys.executable, script, alone, "", "0"], env=environment, check=True, capture_output=True)
    one, two = load_arrays(alone), load_arrays(tmp_path / "0.safetensors")
    for name in one:  # sums in another order: float32 rounding, grown over 40 steps of Adam
        np.testing.assert_allclose(two[name], one[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_documentation_has_these_options() -> None:
    (line,) = re.findall(r"^torchrun --nnodes 2 .*$", Path("docs/cluster/README.md").read_text(), re.MULTILINE)
    for option in ("--nproc-per-node", "--node-rank", "--master-addr", "--master-port"):
        assert f" {option} " in line
