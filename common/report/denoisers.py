"""Names of what belongs to several papers or to none: the common benchmark's denoisers, and image sets."""

from collections.abc import Iterable

from common.benchmark.table import TRAININGS
from common.datasets.registry import DATASETS
from common.report.names import names_of


def denoiser_name(papers: Iterable[str], denoiser: str) -> str:
    """The name of a denoiser of the common benchmark, whatever paper it is of; its id where no paper names it.

    One that was trained for the benchmark, <network>.<training>, is named with its training.
    """
    network, training = trained(denoiser)
    if training:
        return f"{denoiser_name(papers, network)} ({TRAININGS[training]})"
    _, slash, own = denoiser.rpartition("/")  # <paper>/<variant> where two papers have a variant of one name
    found = (names_of(paper).get(own) for paper in papers if not slash or denoiser.startswith(f"{paper}/"))
    return next(filter(None, found), denoiser)


def trained(denoiser: str) -> tuple[str, str]:
    """Network and training, a key of `TRAININGS`, of what was trained for the benchmark; of the rest, itself and ""."""
    network, _, training = denoiser.rpartition(".")
    return (network, training) if network and training in TRAININGS else (denoiser, "")


def table_name(papers: Iterable[str], denoiser: str, kind: str) -> str:
    """A denoiser's name where what was trained here, what comes with the suite and what others published meet."""
    name = denoiser_name(papers, denoiser)
    if kind == "published":
        return f"{name.removesuffix(' (published)')} (published score)"
    return f"{name} (published recipe)" if kind == "network" else name


def set_name(name: str) -> str:
    """What readers call an image set; its name where it has no title (a folder)."""
    known = DATASETS.get(name)
    return known.title if known and known.title else name
