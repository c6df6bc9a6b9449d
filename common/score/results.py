"""The one reader of results/: what the stages of a paper left there.

    results/<paper>/scores.csv, baselines.csv           a row for each experiment, predictor, image and convention
    results/<paper>/shipped.csv                         the same of the networks that come with the suite
    results/<paper>/history/<group>/<variant>.csv       a row for each validation of each seed
    results/<paper>/training/<group>/<variant>.json     what was trained, by what recipe, and how it went
    results/<paper>/*.json                              everything else

A variant's name is its own within the paper, so that readers need not know its group.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import UserError
from common.store import read_json

if TYPE_CHECKING:
    import pandas as pd

RESULTS = Path("results")
UNTRAINED = ("noisy", "black", "mean")
"""Predictors in scores.csv that have no training seeds; those of baselines.csv have none either."""


class NotMeasuredError(UserError):
    """These results do not have it; the message says what is missing."""


class Measurements:
    """The score tables and JSON records of one paper, of a whole run or of a part of one.

    What is not there is a NotMeasuredError when it is asked for.
    """

    def __init__(self, paper: str, results: Path = RESULTS) -> None:
        self.paper, self.results = paper, results
        self._records: dict[str, Mapping[str, Any]] = {}

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """See `score_table`."""
        return score_table(self.paper, self.results)

    @cached_property
    def _groups(self) -> dict[Any, "pd.DataFrame"]:
        return dict(iter(self.scores.groupby(["network", "experiment", "convention"], sort=False)))

    def scores_of(self, network: str, experiment: str, convention: str) -> "pd.DataFrame":
        """The rows of one network in one experiment under one convention."""
        own = self._groups.get((network, experiment, convention))
        if own is None:
            raise NotMeasuredError(f"no scores of {network} in experiment {experiment}")
        return own

    def recorded(self, path: str, row: str = "") -> Any:
        """The value at `<file>.<key>.<key>…` of the JSON records.

        Where `row`, a network's or another predictor's name, is missing it was not measured; any other missing key is
        a mistake in the path (UserError).
        """
        name, *keys = path.split(".")
        file = self.results / self.paper / f"{name}.json"
        if name not in self._records:
            self._records[name] = read_json(_present(file))
        value: Any = self._records[name]
        for depth, key in enumerate(keys):
            if not isinstance(value, Mapping) or key not in value:
                missing = ".".join(keys[: depth + 1])
                if key == row:
                    raise NotMeasuredError(f"no {missing} in {file}")
                known = ", ".join(value) if isinstance(value, Mapping) else "a value"
                raise UserError(f"measure {missing} is not in {file}, which has {known} there")
            value = value[key]
        return value


def of_variant(folder: Path, name: str) -> Path:
    """What a folder of groups holds under a variant's name; UserError where it holds nothing, or two of them."""
    found = sorted(folder.glob(f"*/{name}"))
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{' and '.join(map(str, found))} are of one variant: delete the one whose group is gone")
    raise UserError(f"{folder}/<group>/{name} is missing: run `dvc repro` so that the stage that makes it runs")


def history(paper: str, variant: str, results: Path = RESULTS) -> "pd.DataFrame":
    """The validations of a variant: seed, step, images_seen, seconds, lr, losses and what was watched."""
    import pandas as pd

    return pd.read_csv(of_variant(results / paper / "history", f"{variant}.csv"))


def training_records(paper: str, results: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """The records of all variants by their names; none where nothing has been trained."""
    files = (results / paper / "training").glob("*/*.json")
    return {path.stem: read_json(path) for path in sorted(files, key=lambda path: path.stem)}


def score_table(paper: str, results: Path = RESULTS) -> "pd.DataFrame":
    """Scores of networks, trivial predictors and filters, and whether each was `trained`.

    Columns experiment, network, seed, image, draw, convention, mse, psnr_db, ssim, trained: an image id `name#k` is
    draw k of the image `name`. NotMeasuredError where the networks have not been scored.
    """
    import pandas as pd

    folder = results / paper
    trained = _scores(folder / "scores.csv")
    tables = [trained.assign(trained=~trained["network"].isin(UNTRAINED))]
    if (folder / "baselines.csv").exists():
        tables.append(_scores(folder / "baselines.csv").assign(trained=False))
    return pd.concat(tables, ignore_index=True)


def shipped_scores(paper: str, results: Path = RESULTS) -> "pd.DataFrame":
    """Scores of the networks that come with the suite, as `score_table`; no rows where none was tested."""
    path = results / paper / "shipped.csv"
    table = _scores(path if path.is_file() else results / paper / "scores.csv")
    return table if path.is_file() else table.iloc[:0]


def record(path: Path) -> dict[str, Any]:
    """A JSON record, empty where it is not there."""
    return read_json(path) if path.is_file() else {}


def _scores(path: Path) -> "pd.DataFrame":
    import pandas as pd

    table = pd.read_csv(_present(path), dtype=dict.fromkeys(("experiment", "network", "image", "convention"), str))
    names = table["image"].str.extract("^([^#]*)#?(.*)$")
    numbers = {"seed": int, "mse": float, "psnr_db": float, "ssim": float}  # also where there is no row to tell it from
    return table.assign(image=names[0], draw=names[1]).astype(numbers)


def _present(path: Path) -> Path:
    if not path.is_file():
        raise NotMeasuredError(f"{path} is missing: run `dvc repro` so that the stage that makes it runs")
    return path
