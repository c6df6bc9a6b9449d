"""`python -m common.datasets`: what image sets there are, and which of them are on this machine."""

from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from common import command, params
from common.datasets.dataset import Dataset
from common.datasets.registry import DATASETS, local_root


def main() -> None:
    """Print the registry as a table; `data.root` is taken from params.yaml where there is one."""
    root = local_root(params.shared().data.root if params.PARAMS_FILE.is_file() else None)
    table = Table("data set", "images", Column("where, and under which terms", overflow="fold"), show_lines=True)
    for dataset in DATASETS.values():
        images = "\n".join(name if n is None else f"{name} {n}" for name, n in dataset.splits.items())
        table.add_row(dataset.name, images, _terms(dataset, root))
    Console().print(table)


def _terms(dataset: Dataset, root: Path | None) -> str:
    lines = {
        "here": str(dataset.find(root) or ("no" if dataset.url else "")),
        "from": dataset.url,
        "checked": dataset.checksum,
        "licence": dataset.licence,
        "cite": dataset.citation,
        "note": dataset.notes,
    }
    return "\n".join(f"{label}: {text}" for label, text in lines.items() if text)


if __name__ == "__main__":
    command.run(main)
