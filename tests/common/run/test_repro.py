import time
from pathlib import Path

import pytest

from common.progress import progress
from common.run import repro


def forecast() -> repro.Forecast:
    return repro.Forecast("quick", ["data", "train@a", "report"], {"data": 5, "train@a": 60, "report": 10})


def test_the_forecast_says_how_far_it_is_and_what_is_left() -> None:
    ahead = forecast()
    assert ahead.opening() == "profile quick: 3 stages, about 75 s where none is done yet"
    assert ahead.line("Running stage 'data':") == "[1/3] data: about 5 s; about 75 s to the end"
    assert ahead.line("> python -m replications.udncnn.data") is None
    assert ahead.line("Running stage 'train@a':") == "[2/3] train@a: about 60 s; about 70 s to the end"


def test_a_skipped_stage_is_behind_us() -> None:
    ahead = forecast()
    assert ahead.line("Stage 'data' didn't change, skipping") is None
    assert ahead.line("Stage 'train@a' is cached - skipping run, checking out outputs") is None
    assert ahead.line("Running stage 'report':") == "[3/3] report: about 10 s; about 10 s to the end"


def test_what_a_stage_took_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    now = iter([100.0, 142.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    ahead = forecast()
    ahead.line("Running stage 'train@a':")
    repro.remember("quick", ahead.finished())
    assert repro.stage_seconds("quick") == {"train@a": 42.0}


def test_progress_in_a_log_ends_with_a_line_and_the_time_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(3, "dncnn") as advance:
        for _ in range(3):
            advance(note="validation 29.00 dB")
    assert capsys.readouterr().out == "  dncnn: 3/3, 0 s  validation 29.00 dB\n"
