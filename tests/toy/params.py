"""The parameters of toy: what its params.yaml holds."""

from common import params
from common.params import Count, Recipe, Section, Sigma


class Noise(Section):
    sigma: Sigma


class Data(params.Data):
    crop: Count


class Network(Section):
    width: Count


class Train(params.Trainings):
    recipe: Recipe


class Settings(params.Settings):
    noise: Noise
    data: Data
    network: Network
    train: Train
