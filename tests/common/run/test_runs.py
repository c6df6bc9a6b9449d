import re

import pandas as pd

from common import params
from common.run.runs import ALWAYS, metric_columns, printed


def test_all_papers_together_have_a_dozen_columns() -> None:
    columns = [pattern for paper in params.papers() for pattern in metric_columns(paper, 1)]
    assert len(columns) >= 4
    assert len(columns) + len(ALWAYS) <= 12


def test_the_highest_published_networks_come_first() -> None:
    (pattern,) = metric_columns("udncnn", 1)
    assert re.fullmatch(pattern, "table1.dudncnn.psnr_db")
    assert re.fullmatch(pattern, "results/udncnn/metrics.json:table1.dudncnn.psnr_db")
    assert not re.fullmatch(pattern, "table1.dncnn.psnr_db")
    assert [name for _, name in metric_columns("udncnn").values()] == [
        "DUDnCNN, dB",
        "DnCNN, dB",
        "UDnCNN (code), dB",
        "UDnCNN, dB",
    ]


def test_runs_are_named_and_rounded_and_empty_columns_are_left_out() -> None:
    table = pd.DataFrame(
        {
            "Experiment": ["", "sigma50"],
            "rev": ["workspace", "0123abc"],
            "Created": ["", "2026-01-31T10:20:30"],
            "State": ["", ""],
            "table1.dudncnn.psnr_db": ["29.3456", "!"],
            "params.yaml:noise.sigma": ["", "50"],
        }
    )
    papers, header, *rows = printed(table, metric_columns("udncnn", 1)).splitlines()
    assert papers.split() == ["udncnn"]
    assert header.split() == ["Experiment", "Created", "DUDnCNN,", "dB", "noise.sigma"]
    assert rows[0].split() == ["workspace", "29.35"]
    assert rows[1].split() == ["sigma50", "2026-01-31T10:20", "!", "50"]
