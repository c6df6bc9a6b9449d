"""What a data stage writes: the clean images of each split, and a record of where they come from."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from common.datasets.images import checksum
from common.store import save_arrays, write_json


def save_splits(
    paper: str,
    splits: Mapping[str, tuple[str, Mapping[str, np.ndarray]]],
    derived: Mapping[str, Mapping[str, np.ndarray]] = {},
) -> None:
    """Write data/<paper>/<split>.safetensors and results/<paper>/data.json.

    splits: split → (its data set in the registry, or several joined by " + "; uint8 images (H, W, C) by id).
    derived: split → versions of its images under other ids (in grey, say), kept with them and counted with none.
    """
    record = {}
    for split, (dataset, images) in splits.items():
        save_arrays(Path("data") / paper / f"{split}.safetensors", {**images, **derived.get(split, {})})
        record[split] = {"dataset": dataset, "images": len(images), "sha256": checksum(images)}
    write_json(Path("results") / paper / "data.json", record)
