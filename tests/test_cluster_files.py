"""The files for SLURM and Kubernetes: what they start is what Dask and the suite understand."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest
import yaml
from distributed.cli import dask_scheduler, dask_worker

from common.run import repro

SCHEDULER_PORT = 8786


def test_a_slurm_job_starts_a_worker_for_one_stage_at_a_time() -> None:
    file = run_path("docs/cluster/slurm.py")
    arguments = file["options"]().parse_args(
        ["--partition", "gpu", "--gpus", "1", "--cpus", "6", "--", "--profile", "paper"]
    )
    with file["workers"](arguments) as cluster:
        lines = cluster.job_script().splitlines()
        address = cluster.scheduler_address
    for line in ("#SBATCH -p gpu", "#SBATCH --cpus-per-task=6", "#SBATCH --gres=gpu:1"):
        assert line in lines
    (command,) = (line.split() for line in lines if "dask_worker" in line)
    assert command[:4] == [sys.executable, "-m", "distributed.cli.dask_worker", address]
    options = dask_worker.main.make_context("worker", command[3:]).params
    assert (options["nthreads"], options["resources"]) == (1, "gpu=1")
    assert arguments.repro == ["--profile", "paper"]


def test_kubernetes_starts_a_scheduler_workers_and_the_run() -> None:
    objects = list(yaml.safe_load_all(Path("docs/cluster/kubernetes.yaml").read_text()))
    commands = {}
    for one in objects:
        if one["kind"] in ("Deployment", "Job"):
            (container,) = one["spec"]["template"]["spec"]["containers"]
            commands[container["name"]] = container["command"][1:]
            assert {"name": "shared", "mountPath": "/shared"} in container["volumeMounts"]
    (service,) = (one for one in objects if one["kind"] == "Service")
    assert commands["scheduler"][:3] == ["-m", "dask", "scheduler"]
    options = dask_scheduler.main.make_context("scheduler", commands["scheduler"][3:]).params
    assert int(options["port"]) == service["spec"]["ports"][0]["port"] == SCHEDULER_PORT
    assert commands["worker"][:3] == ["-m", "dask", "worker"]
    address = f"tcp://{service['metadata']['name']}:{SCHEDULER_PORT}"
    options = dask_worker.main.make_context("worker", commands["worker"][3:]).params
    assert (options["scheduler"], options["nthreads"], options["resources"]) == (address, 1, "gpu=1")
    assert commands["repro"] == ["-m", repro.__name__, "--scheduler", address]


@pytest.mark.parametrize("option", ["--scheduler", "--jobs"])
def test_the_run_understands_the_options(option: str) -> None:
    shown = subprocess.run([sys.executable, "-m", repro.__name__, "--help"], capture_output=True, text=True, check=True)
    assert option in shown.stdout
