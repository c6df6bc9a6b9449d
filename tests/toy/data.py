"""The embedded photographs; validation and test images cut to one size."""

from common import command, params
from common.datasets.images import center_crop
from common.datasets.registry import load
from common.datasets.splits import save_splits


def main() -> None:
    """Write the clean images of the three splits."""
    data = params.load("toy").data
    splits = {split: load("embedded", split, data.root) for split in ("train", "val", "test")}
    for split in ("val", "test"):
        splits[split] = {name: center_crop(image, data.crop, name) for name, image in splits[split].items()}
    save_splits("toy", {split: ("embedded", images) for split, images in splits.items()})


if __name__ == "__main__":
    command.run(main)
