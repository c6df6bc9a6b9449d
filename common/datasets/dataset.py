"""What the registry says of an image set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.datasets.images import Images


@dataclass(frozen=True)
class Dataset:
    """An image set."""

    name: str
    splits: Mapping[str, int | None]
    """Split → number of images; None where it is not known before they are read."""
    loader: Callable[[str, Path | None], Images]
    """(split, folder of local copies) → images; UserError for a missing, damaged or wrong copy."""
    find: Callable[[Path | None], Path | None]
    """Folder of local copies → where this set lies on this machine, or None."""
    url: str
    checksum: str
    """What a copy is held to."""
    licence: str
    citation: str
    notes: str = ""
    title: str = ""
    """What readers call it; its name where there is none."""
