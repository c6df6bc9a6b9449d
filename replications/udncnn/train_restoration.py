"""Trains restorers: of images after a codec, and of enlarged ones."""

from common import command
from common.train.variants import Training, train_group
from replications.udncnn.noise import PAPER
from replications.udncnn.params import Settings
from replications.udncnn.restoration_tasks import restoration_tasks
from replications.udncnn.train import training_of


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    return training_of(restoration_tasks(settings)[name], settings)


def main() -> None:
    """Train the group of variants that the command line names."""
    train_group(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
