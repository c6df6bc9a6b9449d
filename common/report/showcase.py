"""`python -m common.report.showcase`: photographs restored by networks that come with the suite, for the first screen.

A stage: each paper whose summary.yaml has a `showcase` gets a panel in results/showcase/<paper>/<image>. It shows the
published networks in every profile, whatever the profile trains.
"""

from pathlib import Path

from common import params
from common.command import run
from common.datasets.registry import load as load_images
from common.denoise.pretrained import load_pretrained
from common.errors import UserError
from common.noise.sensor import Gaussian, corrupt
from common.report.names import name_of
from common.report.summaries import Showcase, load
from common.score.evaluation import as_denoiser
from common.score.panels import draw_panels

FOLDER = Path("results/showcase")
SEED = 0
"""Of the noise: the picture is the same in every run."""


def main() -> None:
    """The stage: draw every showcase."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for paper in params.papers():
        showcase = load(paper, paper).showcase
        if showcase is not None:
            draw(paper, showcase, FOLDER)


def draw(paper: str, showcase: Showcase, folder: Path) -> None:
    """Write the panel <folder>/<paper>/<image>. UserError for an image that the set has not, and a crop outside it."""
    images = load_images(showcase.dataset, showcase.split, None)
    if showcase.image not in images:
        raise UserError(
            f"showcase.image {showcase.image} is not in {showcase.dataset} {showcase.split} "
            f"(replications/{paper}/summary.yaml): it has {', '.join(images)}"
        )
    top, left, height, width = showcase.crop
    clean = images[showcase.image][top : top + height, left : left + width]
    if clean.shape[:2] != (height, width):
        raise UserError(f"showcase.crop {showcase.crop} reaches beyond the image (replications/{paper}/summary.yaml)")
    noisy = corrupt({showcase.image: clean}, Gaussian(showcase.sigma), seed=SEED)
    estimates = {}
    for name in showcase.networks:
        network, record = load_pretrained(name)
        restored = as_denoiser(network, record.scale)(noisy[showcase.image])
        estimates[name_of(paper, name)] = {showcase.image: restored}
    draw_panels(folder / paper, [showcase.image], {showcase.image: clean}, noisy, estimates)


if __name__ == "__main__":
    run(main)
