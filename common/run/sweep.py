"""`python -m common.run.sweep`: the same experiments at several noise levels, as one table and PSNR over σ.

Each level is a DVC experiment, run in a folder of DVC's own, so that the work tree stays as it is; what does not depend
on the level comes from DVC's cache. `make runs` lists them, `dvc exp apply sigma15-quick` takes one over. The scores
of all go to .scratch/sweep: sigma.csv, and a figure for each paper.
"""

import argparse
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from common import command, params
from common.errors import UserError
from common.noise.sensor import Gaussian
from common.report.names import experiment_name, name_of
from common.report.plots import figure, legend_below, line_styles
from common.run import family, recovery
from common.score.results import score_table
from common.store import write_bytes, write_csv

SWEEP = Path(".scratch/sweep")
DOWNLOADS = Path(".scratch/downloads")
FOLDERS = Path(".dvc/tmp/exps/standalone")
"""Where DVC makes a folder for each experiment outside the work tree."""
COPIED_BYTES = 100 * 2**20
"""Up to this size the downloads go along into the experiment's folder; larger ones are of sets that DVC's cache has."""
FILES = ("settings.json", "scores.csv", "baselines.csv")
"""What is taken of a paper's results."""
KINDS = {True: "network", False: "filter"}
BLIND = ("black", "mean")
"""Predictors whose curves say nothing of denoising."""


@dataclass(frozen=True)
class Sweep:
    """sigmas: levels on the 0–255 scale. papers: those with an experiment of pure Gaussian noise."""

    sigmas: tuple[float, ...]
    papers: tuple[str, ...]
    profile: str
    all_papers: bool

    def name(self, sigma: float) -> str:
        """The experiment's name in DVC."""
        return "-".join([f"sigma{sigma:g}", self.profile, *(() if self.all_papers else self.papers)])

    def reference(self, sigma: float, head: str) -> str:
        """Where git keeps the experiment of a level that starts from the commit `head`."""
        return f"refs/exps/{head[:2]}/{head[2:]}/{self.name(sigma)}"

    @property
    def targets(self) -> list[str]:
        """The stages whose scores are gathered; DVC runs what they depend on."""
        return [
            stage
            for paper in self.papers
            for stage in (f"replications/{paper}/dvc.yaml:evaluate", f"baselines@{paper}")
        ]


def main() -> None:
    """Parse the command line, run every level and gather."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sigma", type=float, nargs="+", default=[15.0, 25.0, 50.0], help="levels, 0–255 scale")
    parser.add_argument("--paper", help="one paper alone; all that have an experiment of Gaussian noise")
    parser.add_argument("--profile", choices=params.PROFILES, help="that of params.yaml where none is given")
    arguments = parser.parse_args()
    family.use_this_python()
    sweep = planned(arguments.sigma, arguments.paper, arguments.profile)
    with recovery.alone():
        head = _git("rev-parse", "HEAD", fix="commit first: DVC keeps experiments by their commit").decode().strip()
        for sigma in sweep.sigmas:
            run(sweep, sigma, head)
        table = gather(sweep, head)
    write_csv(SWEEP / "sigma.csv", table)
    figures = [draw(members, str(paper)) for paper, members in table.groupby("paper", sort=False)]
    print(printed(table))
    print(f"{SWEEP / 'sigma.csv'}; PSNR over σ: {', '.join(map(str, figures))}")


def planned(sigmas: Sequence[float], paper: str | None, profile: str | None) -> Sweep:
    """The sweep that is asked for; UserError for a level or a paper that cannot be swept."""
    for sigma in sigmas:
        if not 0 < sigma <= 255:
            raise UserError(f"a noise level is a number on the 0–255 scale, above 0; got {sigma:g}")
    chosen = profile or params.shared().profile
    known = [name for name in params.papers() if hasattr(params.load(name, chosen).noise, "sigma")]
    if paper is not None and paper not in known:
        raise UserError(f"{paper!r} has no experiment of pure Gaussian noise; these have: {', '.join(known)}")
    return Sweep(tuple(dict.fromkeys(sorted(sigmas))), (paper,) if paper else tuple(known), chosen, paper is None)


def run(sweep: Sweep, sigma: float, head: str) -> None:
    """One level as an experiment, named by `Sweep.name`; one of that name from the same commit is replaced."""
    name = sweep.name(sigma)
    print(f"σ = {sigma:g}: experiment {name}", flush=True)
    if any(_git("for-each-ref", sweep.reference(sigma, head), fix="mend the repository")):
        # not by DVC's --force, which would run every stage again
        _git("update-ref", "-d", sweep.reference(sigma, head), fix="mend the repository")
    argv = [sys.executable, "-m", "dvc", "exp", "run", "--temp", "--name", name]
    argv += ["-S", f"noise.sigma={sigma:g}", "-S", f"profile={sweep.profile}"]
    if DOWNLOADS.is_dir() and _bytes(DOWNLOADS) <= COPIED_BYTES:
        argv += ["--copy-paths", str(DOWNLOADS)]
    with _cleared(), family.started([*argv, *sweep.targets], output=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("WARNING: No file hash info found"):  # of what a new clone has not computed yet
                print(line, end="", flush=True)
        status = process.wait()
    if status != 0:
        raise UserError(f"σ = {sigma:g} ended with status {status}; mend what the lines above name and run again")


@contextmanager
def _cleared() -> Iterator[None]:
    """Remove the folders that DVC has made for an experiment and, killed, left behind."""
    before = set(FOLDERS.glob("*"))
    try:
        yield
    finally:
        for folder in set(FOLDERS.glob("*")) - before:
            shutil.rmtree(folder, ignore_errors=True)


def gather(sweep: Sweep, head: str) -> pd.DataFrame:
    """The scores of every level.

    Columns paper, experiment, network, kind ("network", "filter", "trivial"), sigma, psnr_db, ssim (means over images,
    draws and seeds, the suite's convention), images, seeds; the experiments whose noise is Gaussian of that level.
    """
    tables = []
    for sigma in sweep.sigmas:
        folder = SWEEP / sweep.name(sigma)
        for paper in sweep.papers:
            for file in FILES:
                path = f"results/{paper}/{file}"
                kept = f"{sweep.reference(sigma, head)}:{path}"
                write_bytes(folder / path, _git("show", kept, fix=f"experiment {sweep.name(sigma)} has no {path}"))
            tables.append(level(paper, sigma, folder / "results"))
    return pd.concat(tables, ignore_index=True).sort_values(["paper", "experiment", "network", "sigma"])


def level(paper: str, sigma: float, results: Path) -> pd.DataFrame:
    """A row for each network, filter and trivial predictor of one paper at one level; columns as of `gather`."""
    settings = params.load(paper, own_sigma=True)
    at_level = settings.model_copy(update={"noise": settings.noise.model_copy(update={"sigma": sigma})})
    corruptions = import_module(f"replications.{paper}.noise").corruptions(at_level)
    gaussian = [name for name, corruption in corruptions.items() if corruption == Gaussian(sigma)]
    scores = score_table(paper, results)
    scores = scores[(scores["convention"] == "suite") & scores["experiment"].isin(gaussian)]
    rows = scores.groupby(["experiment", "network", "trained"], as_index=False, sort=False).agg(
        psnr_db=("psnr_db", "mean"), ssim=("ssim", "mean"), images=("image", "nunique"), seeds=("seed", "nunique")
    )
    kinds = rows["trained"].map(KINDS).where(~rows["network"].isin(("noisy", *BLIND)), "trivial")
    columns = ["paper", "experiment", "network", "kind", "sigma", "psnr_db", "ssim", "images", "seeds"]
    return rows.assign(paper=paper, sigma=sigma, kind=kinds)[columns]


def draw(table: pd.DataFrame, paper: str) -> Path:
    """PSNR over σ, a panel for each experiment of a paper and a line for each denoiser; returns the file."""
    path = SWEEP / f"sigma_{paper}.png"
    shown = table[~table["network"].isin(BLIND)]
    experiments = list(dict.fromkeys(shown["experiment"]))
    best = shown.groupby("network", sort=False)["psnr_db"].max().sort_values(ascending=False)
    styles = line_styles([str(network) for network in best.index])
    with figure(2.9 * len(experiments) + 0.19 * math.ceil(len(styles) / 2), path) as drawn:
        panels = drawn.subplots(len(experiments), squeeze=False).flat
        for axes, experiment in zip(panels, experiments, strict=True):
            own = shown[shown["experiment"] == experiment]
            for network, style in styles.items():
                line = own[own["network"] == network]
                if not line.empty:
                    axes.plot(line["sigma"], line["psnr_db"], label=name_of(paper, network), marker=".", **style)
            axes.set(title=experiment_name(paper, experiment), xlabel="σ, 0–255 scale", ylabel="PSNR, dB")
            axes.set_xticks(sorted(set(own["sigma"])))
        legend_below(drawn, drawn.axes)
    return path


def printed(table: pd.DataFrame) -> str:
    """The table for a terminal: a column for each level, the best at the middle one first."""
    return "\n\n".join(_panel(str(paper), str(experiment), members) for (paper, experiment), members in _panels(table))


def _panels(table: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    shown = table[~table["network"].isin(BLIND)]
    yield from shown.groupby(["paper", "experiment"], sort=False)


def _panel(paper: str, experiment: str, members: pd.DataFrame) -> str:
    wide = members.pivot_table(index="network", columns="sigma", values="psnr_db", sort=False)
    wide = wide.sort_values(wide.columns[len(wide.columns) // 2], ascending=False)
    wide.index = pd.Index([name_of(paper, str(network), experiment) for network in wide.index])
    wide.columns = pd.Index([f"σ = {sigma:g}" for sigma in wide.columns])
    return f"{paper}, {experiment_name(paper, experiment)}: PSNR, dB\n{wide.to_string(float_format='{:.2f}'.format)}"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _git(*arguments: str, fix: str) -> bytes:
    """Output of a git command; UserError with `fix` where it fails."""
    ended = subprocess.run(["git", *arguments], capture_output=True, check=False)
    if ended.returncode != 0:
        raise UserError(f"git {arguments[0]} failed: {fix}")
    return ended.stdout


if __name__ == "__main__":
    command.run(main)
