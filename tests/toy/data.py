"""The embedded photographs; validation and test images cut to 32×32."""

from common import command, params
from common.datasets.images import center_crop
from common.datasets.registry import load
from common.datasets.splits import save_splits


def main() -> None:
    """Write the clean images of the three splits."""
    root = params.load("toy").data.root
    splits = {split: load("embedded", split, root) for split in ("train", "val", "test")}
    for split in ("val", "test"):
        splits[split] = {name: center_crop(image, 32, name) for name, image in splits[split].items()}
    save_splits("toy", {split: ("embedded", images) for split, images in splits.items()})


command.run(main)
