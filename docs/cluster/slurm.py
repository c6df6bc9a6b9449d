"""The DAG on a SLURM cluster: each worker is a job of its own, on a folder that the nodes share.

On the login node, from the top folder: python docs/cluster/slurm.py --workers 8 --partition gpu --gpus 1
Options after `--` go to `common.run.repro`: … -- --profile paper
A job that reaches its time limit has its stage run again on another worker, where a training goes on from its last
checkpoint.
"""

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster


def workers(arguments: argparse.Namespace) -> SLURMCluster:
    """The scheduler, here, and how SLURM is asked for a worker: one stage at a time, the job's CPUs for it alone."""
    gpus = arguments.gpus
    return SLURMCluster(
        queue=arguments.partition,
        cores=1,  # stages at a time
        processes=1,
        job_cpu=arguments.cpus,
        memory=arguments.memory,
        walltime=arguments.time,
        job_extra_directives=[f"--gres=gpu:{gpus}"] if gpus else [],
        worker_extra_args=["--resources", "gpu=1"] if gpus else [],
        scheduler_options={"dashboard_address": ":0"},
    )


def options() -> argparse.ArgumentParser:
    """What a site has to say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4, help="jobs, each for one stage at a time")
    parser.add_argument("--partition", help="SLURM's partition; its default where left out")
    parser.add_argument("--cpus", type=int, default=8, help="of a job")
    parser.add_argument("--gpus", type=int, default=0, help="of a job")
    parser.add_argument("--memory", default="32GB", help="of a job")
    parser.add_argument("--time", default="24:00:00", help="limit of a job")
    parser.add_argument("repro", nargs="*", help="options of common.run.repro, after --")
    return parser


def main() -> int:
    """Ask for the workers, run the DAG on them, give them back."""
    arguments = options().parse_args()
    with workers(arguments) as cluster:
        cluster.scale(arguments.workers)
        command = [sys.executable, "-m", "common.run.repro", "--scheduler", cluster.scheduler_address]
        return subprocess.run([*command, *arguments.repro], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
