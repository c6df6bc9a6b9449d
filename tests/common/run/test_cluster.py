"""Stages on Dask: a scheduler and two workers as processes of their own, on a toy repository of sleeping stages."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import psutil
import pytest
import yaml
import zc.lockfile

from common.errors import UserError
from common.run import cluster, graph
from common.run.graph import Stage
from common.run.task import Ended
from tests.conftest import dvc

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of DVC's own use of pygtrie
HERE = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
DASK = [sys.executable, "-m", "dask"]


def sleeping(seconds: float, *after: str, cmd: str = "true", **meta: object) -> dict[str, object]:
    """A stage that says when it starts and ends, and writes out/<its name>."""
    script = (
        f"echo start $DVC_STAGE >> trace; sleep {seconds}; {cmd} && mkdir -p out && echo $DVC_STAGE > out/$DVC_STAGE"
    )
    return {"cmd": f"{script} && echo end $DVC_STAGE >> trace", "deps": [f"out/{name}" for name in after], "meta": meta}


def repository(folder: Path, stages: dict[str, dict[str, object]]) -> None:
    """A DVC repository of these stages, each with its one output."""
    for name, stage in stages.items():
        stage["outs"] = [f"out/{name}"]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (folder / ".gitignore").write_text("/out\n/trace\n/.scratch\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc(folder, "init", "-q")


def trace(folder: Path) -> list[str]:
    file = folder / "trace"
    return file.read_text().splitlines() if file.is_file() else []


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def run_stages(address: str | None, jobs: int | None = None, **seconds: float) -> tuple[list[Ended], list[str]]:
    """The failed stages and what was said, of a run in the current folder."""
    said: list[str] = []
    with cluster.connected(jobs, address) as client:
        run = cluster.Run(client, graph.read(), seconds, said.append)
        run.all()
    return run.failed(), said


class Workers:
    """A scheduler and its workers, as processes started by hand, without nannies: a killed worker is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, {}
        self.file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--scheduler-file", str(self.file), *HERE)
        until(self.file.is_file)
        self.address = yaml.safe_load(self.file.read_text())["address"]

    def add(self, name: str) -> None:
        options = [
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--name",
            name,
            "--local-directory",
            str(self.folder),
        ]
        self.processes[name] = self._start("worker", self.address, *options)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*DASK, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def busy(self) -> list[str]:
        """Names of the workers that run a stage: it is a child process of theirs."""
        return [name for name, process in self.processes.items() if psutil.Process(process.pid).children()]

    def kill_a_busy_one(self) -> None:
        process = self.processes.pop(self.busy()[0])
        process.kill()
        process.wait()

    def end(self) -> None:
        for process in (*self.processes.values(), self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    started = Workers(tmp_path_factory.mktemp("dask"))
    for name in ("one", "two"):
        started.add(name)
    yield started
    started.end()


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.long
def test_a_failed_stage_stops_what_depends_on_it_and_nothing_else(toy: Path, workers: Workers) -> None:
    repository(
        toy,
        {
            "start": sleeping(0),
            "broken": sleeping(0, "start", cmd="test -e mended"),
            "after_broken": sleeping(0, "broken"),
            "left": sleeping(1, "start"),
            "end": sleeping(0, "left"),
        },
    )
    failed, said = run_stages(workers.address)
    assert [ended.name for ended in failed] == ["broken"]
    assert any("stopped by it: after_broken" in line for line in said)
    assert {path.name for path in (toy / "out").iterdir()} == {"start", "left", "end"}
    (toy / "mended").touch()
    assert run_stages(workers.address)[0] == []
    assert trace(toy).count("start left") == 1
    assert "Running stage" not in dvc(toy, "repro")
    assert dvc(toy, "status").strip() == "Data and pipelines are up to date."


@pytest.mark.long
def test_a_stage_whose_worker_is_killed_runs_again_and_leaves_no_orphan(toy: Path, workers: Workers) -> None:
    repository(toy, {"long": sleeping(3), "end": sleeping(0, "long")})
    killed = threading.Thread(target=lambda: (until(lambda: trace(toy)), workers.kill_a_busy_one()))
    killed.start()
    failed, said = run_stages(workers.address)
    killed.join()
    workers.add("three")
    assert failed == []
    assert any("is gone: what it was running runs again" in line for line in said)
    assert trace(toy) == ["start long", "start long", "end long", "start end", "end end"]
    assert "Running stage" not in dvc(toy, "repro")


@pytest.mark.long
def test_locks_of_dvc_are_waited_for(toy: Path, workers: Workers) -> None:
    """Its own, held for longer than DVC waits by itself, and the files in use by a killed try on another machine."""
    repository(toy, {"one": sleeping(0)})
    in_use = {"pid": os.getpid(), "cmd": "dvc --wait-for-lock repro --single-item one"}
    (toy / ".dvc/tmp").mkdir(exist_ok=True)
    (toy / ".dvc/tmp/rwlock").write_text(json.dumps({"write": {str(toy / "out/one"): in_use}, "read": {}}))
    stages = graph.read()
    lock = zc.lockfile.LockFile(str(toy / ".dvc/tmp/lock"))
    threading.Timer(5, lock.close).start()
    with cluster.connected(None, workers.address) as client:
        (ended,) = cluster.Run(client, stages, {}, print).all()
    assert (ended.status, ended.ran) == (0, True)
    assert ended.seconds > 5


@pytest.mark.long
def test_stages_end_with_the_run_that_started_them(toy: Path, workers: Workers) -> None:
    """Killed outright or interrupted: on a scheduler that outlives the run, too."""
    repository(toy, {"long": sleeping(8)})
    script = "from tests.common.run.test_cluster import run_stages; run_stages(__import__('sys').argv[1])"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    run = subprocess.Popen([sys.executable, "-c", script, workers.address], cwd=toy, env=environment)
    until(lambda: trace(toy))
    run.kill()
    run.wait()
    until(lambda: not workers.busy())
    assert trace(toy) == ["start long"]


def test_a_stage_that_measures_time_has_company_only_where_nobody_reads_it(toy: Path) -> None:
    repository(toy, {"latency": sleeping(0, alone=True), "other": sleeping(0)})
    assert [(stage.name, stage.alone) for stage in graph.read()] == [("latency", True), ("other", False)]
    assert not any(stage.alone for stage in graph.read(timed=False))


def test_the_longest_path_comes_first() -> None:
    after = {"data": (), "long": ("data",), "short": ("data",), "end": ("long", "short"), "other": ()}
    stages = [Stage(name, frozenset(before)) for name, before in after.items()]
    path = graph.path_seconds(stages, {"data": 2, "long": 60, "short": 5, "end": 3, "other": 10})
    assert path == {"data": 65, "long": 63, "short": 8, "end": 3, "other": 10}
    assert graph.stopped_by({"short"}, stages) == {"end"}


WORKERS = {
    "tcp://a": {"host": "first", "resources": {"gpu": 1}},
    "tcp://b": {"host": "first", "resources": {}},
    "tcp://c": {"host": "second", "resources": {}},
}


@pytest.mark.parametrize(
    ("stage", "busy", "hosts", "alone", "chosen"),
    [
        (Stage("data"), set(), set(), set(), "tcp://b"),  # leaves the GPU to those that need it
        (Stage("data"), {"tcp://b", "tcp://c"}, {"first", "second"}, set(), "tcp://a"),
        (Stage("train", gpu=True), set(), set(), set(), "tcp://a"),
        (Stage("train", gpu=True), {"tcp://a"}, {"first"}, set(), None),  # waits for the GPU
        (Stage("latency", alone=True), {"tcp://b"}, {"first"}, set(), "tcp://c"),
        (Stage("latency", alone=True), {"tcp://b", "tcp://c"}, {"first", "second"}, set(), None),
        (Stage("data"), {"tcp://b"}, {"first"}, {"first"}, "tcp://c"),  # not beside what measures time
    ],
)
def test_a_stage_gets_what_it_needs(
    stage: Stage, busy: set[str], hosts: set[str], alone: set[str], chosen: str | None
) -> None:
    assert cluster.choose(stage, WORKERS, busy, hosts, alone) == chosen


def test_workers_of_a_machine_share_its_cpus_and_gpus() -> None:
    dealt = cluster.shares(3, [0, 1, 2, 3, 4, 5, 6, 7], 2)
    assert [share["env"]["STAGE_CPUS"] for share in dealt] == ["0,3,6", "1,4,7", "2,5"]
    assert [share["env"]["CUDA_VISIBLE_DEVICES"] for share in dealt] == ["0", "1", ""]
    assert [share["resources"] for share in dealt] == [{"gpu": 1}, {"gpu": 1}, {}]
    assert [share["env"]["STAGE_CPUS"] for share in cluster.shares(3, [0, 1], 0)] == ["0", "1", "0"]


def test_an_unreachable_scheduler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(UserError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:9"),
        cluster.connected(None, "tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.slow
def test_sleeping_stages_scale_with_the_workers(toy: Path) -> None:
    """Six chains of five two-second stages and one that reads them all: 62 s in a row, 18 s at best on four."""
    stages = {
        f"{chain}{number}": sleeping(2, *([f"{chain}{number - 1}"] if number else []))
        for chain in "abcdef"
        for number in range(5)
    }
    repository(toy, {**stages, "end": sleeping(2, *(f"{chain}4" for chain in "abcdef"))})
    started = time.monotonic()
    assert run_stages(None, jobs=4)[0] == []
    seconds = time.monotonic() - started
    at_once = list(accumulate(1 if line.startswith("start ") else -1 for line in trace(toy)))
    assert len(at_once) == 2 * 31
    assert max(at_once) == 4  # the time itself depends on what else the machine does: DVC takes a second of it a stage
    print(f"\n31 stages of 2 s on 4 workers: {seconds:.1f} s")
    assert "Running stage" not in dvc(toy, "repro")
