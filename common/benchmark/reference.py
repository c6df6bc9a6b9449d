"""Published scores of well-known denoisers, as data with their source: reference.csv.

They were measured by others on the same images, with noise of the same law and another draw, and mostly rounded to
8 bits before scoring: tenths of a decibel compare, hundredths do not.
"""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

FILE = Path(__file__).with_name("reference.csv")


def published(sets: Collection[str], levels: Collection[tuple[str, float]]) -> pd.DataFrame:
    """The rows on these sets at these (corruption, level); columns denoiser, kind, set, …, psnr_db, source."""
    table = pd.read_csv(FILE).astype({"level": float})
    chosen = [row.set in sets and (row.corruption, row.level) in levels for row in table.itertuples()]
    return table[chosen].assign(kind="published")
