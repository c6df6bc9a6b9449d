"""The network that enters the common benchmark."""

from common.benchmark.learners import Learner
from replications.edcnn.models import networks
from replications.edcnn.params import Settings


def learners(settings: Settings) -> dict[str, Learner]:
    """The network by name, with bilinear upsampling, as the settings size it."""
    return {"edcnn": Learner(networks(settings)["bilinear"], "bilinear")}
