"""The stages of the DAG as DVC knows them: what each waits for, what it needs of a machine, how long its path is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from common.errors import UserError


@dataclass(frozen=True)
class Stage:
    """A stage by its address, as `dvc repro` takes it.

    after: the stages whose outputs it reads. gpu: it computes on a GPU where there is one. alone: it measures time, so
    nothing else may run on its machine. Both are said in the stage's `meta` in dvc.yaml.
    """

    name: str
    after: frozenset[str] = frozenset()
    gpu: bool = False
    alone: bool = False


def read(*, timed: bool = True) -> list[Stage]:
    """Every stage of the DVC repository in the current folder; UserError where DVC cannot read it.

    timed: False where nobody reads the times, as of the thumbnails of `smoke`: no stage needs the machine alone then.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            graph = repo.index.graph
            return [
                Stage(
                    node.addressing,
                    frozenset() if node.frozen else frozenset(other.addressing for other in graph.successors(node)),
                    gpu=bool((node.meta or {}).get("gpu")),
                    alone=timed and bool((node.meta or {}).get("alone")),
                )
                for node in sorted(graph, key=lambda node: node.addressing)
            ]
    except DvcException as error:
        raise UserError(f"dvc cannot read the stages: {' '.join(str(error).split())}") from None


def path_seconds(stages: Collection[Stage], seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds from the start of each stage to the end of the DAG, along the longest path, with nothing else running.

    A stage that was never measured counts as a second.
    """
    followers: dict[str, list[str]] = {stage.name: [] for stage in stages}
    for stage in stages:
        for before in stage.after:
            followers[before].append(stage.name)
    lengths: dict[str, float] = {}

    def length(name: str) -> float:
        if name not in lengths:
            lengths[name] = seconds.get(name, 1.0) + max(map(length, followers[name]), default=0.0)
        return lengths[name]

    return {stage.name: length(stage.name) for stage in stages}


def stopped_by(failed: Collection[str], stages: Collection[Stage]) -> set[str]:
    """The stages that cannot run because they read, perhaps through others, what a failed one should have written."""
    stopped: set[str] = set()
    while True:
        more = {stage.name for stage in stages if stage.after & (stopped | set(failed))} - stopped
        if not more:
            return stopped
        stopped |= more
