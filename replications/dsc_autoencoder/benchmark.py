"""The network that enters the common benchmark."""

from common.benchmark.learners import Learner
from common.score.scale import Scale
from replications.dsc_autoencoder.models import networks
from replications.dsc_autoencoder.params import Settings


def learners(settings: Settings) -> dict[str, Learner]:
    """The network by name, as the settings size it; transposed convolutions are five times slower in bf16 on a CPU."""
    return {"dsc_autoencoder": Learner(networks(settings)["dsc"], "dsc", Scale(0, 255), fp32=True)}
