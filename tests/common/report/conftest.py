import contextlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from common.benchmark import networks
from common.claims import ledger
from common.report import __main__ as report
from common.store import write_csv
from tests.common import fake_results

COSTS = {"dncnn.blind": (57000, 14.9e9, 310.0), "dudncnn": (225859, 15.9e9, 350.0), "bm3d": (None, None, 4000.0)}
PSNR_DB = {"dncnn.blind": (33.0, 29.0), "dudncnn": (33.4, 29.5), "bm3d": (33.3, 28.8), "noisy": (24.0, 19.0)}
KINDS = {"dncnn.blind": "trained", "dudncnn": "network", "bm3d": "filter", "noisy": "trivial"}
RANKS = {"dncnn.blind": 3, "dudncnn": 1, "bm3d": 1, "noisy": 4}


def all_denoisers() -> pd.DataFrame:
    """A made-up table of the common benchmark: parameters, multiply-accumulates and times as in `COSTS`."""
    rows = []
    for denoiser, scores in PSNR_DB.items():
        parameters, macs, latency = COSTS.get(denoiser, (None, None, None))
        for level, psnr_db in zip((15, 30), scores, strict=True):
            told = {"denoiser": denoiser, "set": "embedded", "corruption": "gaussian", "level": level}
            told |= {"kind": KINDS[denoiser], "rank": RANKS[denoiser]}
            costs = {"parameters": parameters, "macs": macs, "latency_ms": latency}
            learnt = {"train_seconds": 12.0, "images_seen": 4800} if KINDS[denoiser] == "trained" else {}
            rows.append({**told, "psnr_db": psnr_db, **costs, **learnt})
    return pd.DataFrame(rows)


def equal_seconds() -> pd.DataFrame:
    """A made-up table of trainings at equal seconds."""
    row = {"network": "dncnn", "training": "blind", "seconds": 9.5, "psnr_db": 28.1, "images_seen": 3600}
    return pd.DataFrame([{**row, "end_psnr_db": 29.2, "end_seconds": 12.0}])


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report, beside a run at the published scale."""
    folder = tmp_path_factory.mktemp("finished")
    fake_results.make(folder)
    fake_results.draw(folder)
    with contextlib.chdir(folder):
        networks.main()
        write_csv("results/tables/benchmark.csv", all_denoisers())
        write_csv("results/tables/benchmark_seconds.csv", equal_seconds())
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
