"""The parameters of toy: what its params.yaml holds."""

from common import params


class Noise(params.Section):
    sigma: params.Sigma


class Network(params.Section):
    width: params.Count


class Train(params.Trainings):
    recipe: params.Recipe


class Settings(params.Settings):
    data: params.Data
    noise: Noise
    network: Network
    train: Train
