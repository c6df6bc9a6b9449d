"""The network that enters the common benchmark."""

from common.benchmark.learners import Learner
from replications.n2n_resnet.models import networks
from replications.n2n_resnet.params import Settings


def learners(settings: Settings) -> dict[str, Learner]:
    """The network by name, as the settings size it."""
    return {"inception_resnet": Learner(networks(settings)["resnet"], "resnet")}
