"""Small sets that lie in local folders and have no archive: cars and motorcycles, marine life, grassland."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.datasets.dataset import Dataset
from common.datasets.folders import SUFFIXES, Pin, find, image_files, read_pinned, shuffled
from common.datasets.images import Images, read_image
from common.errors import UserError


@dataclass(frozen=True)
class Sample:
    """A folder of pictures, and what each split is held to."""

    name: str
    folder: str
    pins: Mapping[str, Pin]

    def load(self, split: str, root: Path | None) -> Images:
        """Images of a split; UserError where the folder is missing or holds other files than it should."""
        place = find(root, self.folder)
        if place is None:
            raise UserError(
                f"{self.folder} is not here, and it has no archive to download: put the folder into one named as "
                "data.root (params.yaml)"
            )
        files = _by_class(place / split) if (place / split).is_dir() else self._drawn(image_files(place), split)
        contents = read_pinned(self.name, place, files, self.pins[split])
        return {key: read_image(content, str(files[key])) for key, content in contents.items()}

    def _drawn(self, files: Mapping[str, Path], split: str) -> dict[str, Path]:
        """The split's share of one pool: in the order of `shuffled`, the splits follow each other as in `pins`."""
        counts = [pin.count for pin in self.pins.values()]
        first = sum(counts[: list(self.pins).index(split)])
        return {key: files[key] for key in shuffled(files)[first : first + self.pins[split].count]}


def _by_class(folder: Path) -> dict[str, Path]:
    """Label and file name, "<class>/<file>", → file. With its suffix: some names differ in nothing else."""
    paths = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
    return {f"{path.parent.name}/{path.name}": path for path in paths}


def _dataset(sample: Sample, *, url: str, licence: str, citation: str, notes: str) -> Dataset:
    return Dataset(
        name=sample.name,
        title=sample.folder,
        splits={split: pin.count for split, pin in sample.pins.items()},
        loader=sample.load,
        find=lambda root: find(root, sample.folder),
        url=url,
        checksum="sha256 over the names and contents of the files",
        licence=licence,
        citation=citation,
        notes=f"from a local folder {sample.folder} only; {notes}",
    )


CARBIKE = _dataset(
    Sample(
        "carbike",
        "CarBike855",
        {
            "train": Pin(685, "1df298b2a672c9f8965d164444e77dfb260cd610f6a239a60b471627e5e5f5e9"),
            "test": Pin(170, "8dbeb0d13c23629543924d9d9de7157ab8bd99eee7ef8d7d349396e26185f075"),
        },
    ),
    url="https://github.com/arnavagrawal2701/CNN_From_Scratch",
    licence="none stated; pictures from the web with unclear rights: private research only, publish none",
    citation='github.com/arnavagrawal2701: CNN_From_Scratch (its "Car vs Bike" pictures)',
    notes='ids "car/<file>", "motorcycle/<file>"; 342 + 343 to train, 85 + 85 to test, drawn at random; exact '
    "duplicates are removed, shots of one scene possible; JPEG",
)

OF_100 = "the split is ours: by the sha256 of the ids, 80 to train, 10 to validate, 10 to test; stills, not video; JPEG"

MARINE100 = _dataset(
    Sample(
        "marine100",
        "Marine100",
        {
            "train": Pin(80, "898d7ce253e5a4f9f52fa261e6b04219a9ead7c54b8292b021a19f7d0f468154"),
            "val": Pin(10, "50c2120a35cd28c3615782cc0121222c1dbde2f410b3b22f6124bdefd31e4c51"),
            "test": Pin(10, "aaae798552b41698a686b726276e571c6c00a9695d37e6da8396b1cdb9d844e4"),
        },
    ),
    url="https://github.com/AbdulwahedA/Sea-Animals-Image-DatasetProject",
    licence="none stated; mixed web sources: research only, publish none",
    citation='github.com/AbdulwahedA: Sea-Animals-Image-DatasetProject ("Sea Animals Image Dataset")',
    notes=OF_100,
)

GRASSLAND100 = _dataset(
    Sample(
        "grassland100",
        "Grassland100",
        {
            "train": Pin(80, "cfeeb7d1ef5b9a3401c30a3f81fb3aab10d1fd7eb6aa4d112bf1a1c712f6272b"),
            "val": Pin(10, "cf79e64df22440dee644f057d18f210f89d97029874f5627d8405bb2c7ef0d8a"),
            "test": Pin(10, "1827ba46fc863f36550ade4cef1f5b03c31e258ea94509189ba8e4b6d46e61f9"),
        },
    ),
    url="https://doi.org/10.22002/D1.20086",
    licence="CC BY 4.0 (Caltech-101 at CaltechDATA)",
    citation=(
        "L. Fei-Fei, R. Fergus, P. Perona: Learning generative visual models from few training examples: an "
        "incremental Bayesian approach tested on 101 object categories. CVPR workshop on generative-model based "
        "vision, 2004"
    ),
    notes=f"animals on grass, chosen from Caltech-101; {OF_100}",
)
