"""The networks that enter the common benchmark; its images are of colour, as the paper's DN-ResNets are not."""

from common.benchmark.learners import Learner
from replications.udncnn.models import networks
from replications.udncnn.params import Settings

ARCHITECTURES = {
    "dncnn": "dncnn",
    "udncnn": "udncnn",
    "dudncnn": "dudncnn",
    "dn_resnet_13": "dn_resnet_colour",
    "ds_dn_resnet_13": "ds_dn_resnet_colour",
}


def learners(settings: Settings) -> dict[str, Learner]:
    """The networks by name, as the settings size them; all 13 layers of a DN-ResNet at once, not one after another."""
    builders = networks(settings)
    return {name: Learner(builders[architecture], architecture) for name, architecture in ARCHITECTURES.items()}
