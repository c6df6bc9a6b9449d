import contextlib
import shutil
from pathlib import Path

import pytest

from common.benchmark import networks as benchmark
from common.claims import ledger
from common.report import __main__ as report
from tests.common import fake_results


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report, beside a run at the published scale."""
    folder = tmp_path_factory.mktemp("finished")
    fake_results.make(folder)
    fake_results.draw(folder)
    with contextlib.chdir(folder):
        benchmark.main()
        ledger.write(Path("results"))
        fake_results.publish(folder)
        report.write(Path("results"))
    return folder


@pytest.fixture
def results(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results of that run, in a folder that the test may change."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("results")
