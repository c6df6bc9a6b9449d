"""The networks that enter the common benchmark: the paper's model, and its generator and the DCGAN's by themselves."""

from operator import attrgetter

from common.benchmark.learners import Learner
from replications.wgan_denoiser.losses import game_of
from replications.wgan_denoiser.models import games, networks
from replications.wgan_denoiser.params import Settings


def learners(settings: Settings) -> dict[str, Learner]:
    """The networks by name, as the settings size them; `wgan` plays the paper's game, the others regress."""
    builders = networks(settings)
    players = game_of("wgan", settings.loss, settings.seed).players(settings.loss.critic_updates)
    game = Learner(games(settings)["wgan"], "wgan", players=players, keep=attrgetter("generator"))
    return {
        "wgan": game,
        "wgan_generator": Learner(builders["wgan"], "wgan"),
        "dcgan_generator": Learner(builders["dcgan"], "dcgan"),
    }
