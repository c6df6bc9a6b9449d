"""Files the stages exchange: named arrays as safetensors, records as JSON and CSV, all written atomically.

A file is complete or absent: the bytes go to a neighbour and take the name with `os.replace`.
The same contents give the same bytes, so DVC sees a change only where there is one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Arrays = dict[str, "np.ndarray"]


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write `content` to `path` at once or not at all; missing folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        error.filename = str(path)
        raise


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8, at once or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path | str, record: Mapping[str, Any]) -> None:
    """Write a record as JSON in the order given; NaN is refused (ValueError)."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def read_json(path: Path | str) -> dict[str, Any]:
    """Read a JSON record; UserError where the file is missing or damaged."""
    try:
        record: dict[str, Any] = json.loads(_existing(path).read_text())
    except ValueError as error:  # of JSON, or of UTF-8
        raise UserError(
            f"{path} is not valid JSON ({error}): restore it from git, or delete it and run again"
        ) from None
    return record


def write_csv(path: Path | str, table: "pd.DataFrame") -> None:
    """Write a table without its index. Floats keep six significant digits."""
    write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def save_arrays(
    path: Path | str, arrays: "Mapping[str, np.ndarray]", metadata: Mapping[str, str] | None = None
) -> None:
    """Save named arrays (images, noisy images, weights) as one safetensors file."""
    import numpy as np
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_bytes(path, save(contiguous, metadata=dict(metadata) if metadata else None))


def load_arrays(path: Path | str) -> Arrays:
    """Load what `save_arrays` saved, in the order of the names."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(_existing(path))
    except SafetensorError as error:
        raise UserError(f"{path} is not a readable safetensors file ({error}): delete it and run again") from None
    return {name: arrays[name] for name in sorted(arrays)}


def _existing(path: Path | str) -> Path:
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path} is missing: run `dvc repro` (or `dvc pull`) so that the stage that makes it runs")
    return path
