import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from common.claims.judge import Row
from common.claims.ledger import ledger

COLUMNS = ["experiment", "network", "seed", "image", "convention", "mse", "psnr_db", "ssim"]
SETTINGS = {"profile": "paper", "seed": 0, "noise.sigma": 30.0, "steps": 800, "lr": 0.001, "train": "bsds300"}
"""Settings of a paper `toy`; its one experiment, `table1`, is published with them."""
EXPERIMENT = {"data": {"train": "bsds300"}, "noise": {"noise.sigma": 30}, "recipe": {"steps": 800}, "seeds": 3}

Scores = list[tuple[Any, ...]]
Judge = Callable[..., dict[str, Row]]


def claim(test: str | None = None, **fields: Any) -> dict[str, Any]:
    whole = {"id": "U1", "source": "Table 1", "says": "a number", "measure": "psnr_db", "experiment": "table1"}
    return {key: value for key, value in {**whole, "test": test, **fields}.items() if value is not None}


def document(*claims: dict[str, Any], **fields: Any) -> dict[str, Any]:
    whole = {"paper": "toy", "title": "T", "citation": "C", "experiments": {"table1": EXPERIMENT}}
    return {**whole, "claims": list(claims), **fields}


def scores(network: str, psnr_of_seeds: list[float], images: int = 6, draws: int = 1, step: float = 0.1) -> Scores:
    """Scores whose mean over images is each seed's PSNR; images differ by `step` dB, draws not at all."""
    offsets = step * (np.arange(images) - (images - 1) / 2)
    return [
        ("table1", network, seed, name, "suite", 255**2 / 10 ** ((psnr + offset) / 10), psnr + offset, 0.8)
        for seed, psnr in enumerate(psnr_of_seeds)
        for number, offset in enumerate(offsets)
        for name in (f"image{number}" + (f"#{draw}" if draw else "") for draw in range(draws))
    ]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Judge claims by scores and JSON records; the rows of the ledger by their ids."""
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"

    def run(*claims: dict[str, Any], scored: Scores | None = None, filters: Scores | None = None, **more: Any) -> Any:
        fields = {key: more.pop(key) for key in ("self_checks", "experiments") if key in more}
        settings = {**SETTINGS, **more.pop("settings", {})}
        for folder in (tmp_path / "replications/toy", results / "toy"):
            folder.mkdir(parents=True, exist_ok=True)
        Path("replications/toy/claims.yaml").write_text(yaml.safe_dump(document(*claims, **fields)))
        for name, rows in (("scores", scored), ("baselines", filters)):
            if rows is not None:
                pd.DataFrame(rows, columns=COLUMNS).to_csv(results / f"toy/{name}.csv", index=False)
        for name, content in {"data": {"test": {"dataset": "bsds300"}}, **more}.items():
            (results / f"toy/{name}.json").write_text(json.dumps(content))
        return {row.id: row for row in ledger("toy", settings, results)}

    return run
