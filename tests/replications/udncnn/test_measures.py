import pandas as pd
import pytest
from torch import nn

from common import params
from replications.udncnn.evaluate import gain_by_layers, psnr_by_depth
from replications.udncnn.measures import convergence

HISTORY = pd.DataFrame(
    {
        "seed": [0, 0, 0, 1, 1, 1],
        "images_seen": [10, 20, 50, 10, 20, 50],
        "val_psnr_db": [20.0, 22.0, 25.0, 20.0, 20.0, 20.0],
    }
)
RECIPE = {"batch": 2, "crop": 10}


def test_validations_count_by_the_images_they_stand_for() -> None:
    record = {"recipe": RECIPE, "seeds": {"0": {"steps": 25}, "1": {"steps": 25}}}
    learnt = convergence(HISTORY, record, {"": nn.Conv2d(1, 1, 3, padding=1)})
    assert learnt["mean_val_psnr_db"] == pytest.approx([(10 * 20 + 10 * 22 + 30 * 25) / 50, 20.0])
    assert learnt["images_seen"] == 50
    # 25 steps of 2 crops of 10² pixels, 9 multiply-accumulates each.
    assert learnt["training_macs"] == 25 * 2 * 100 * 9


def test_every_phase_costs_what_its_network_does() -> None:
    phases = {"3": {"steps": 5, "seconds": 1.0}, "5": {"steps": 20, "seconds": 1.0}}
    record = {"recipe": RECIPE, "seeds": {"0": {"steps": 25, "phases": phases}}}
    networks = {"3": nn.Conv2d(1, 1, 3, padding=1), "5": nn.Conv2d(1, 2, 5, padding=2)}
    learnt = convergence(HISTORY[HISTORY["seed"] == 0], record, networks)
    assert learnt["training_macs"] == 2 * 100 * (5 * 9 + 20 * 50)


def test_figures_show_what_the_profile_trained() -> None:
    settings = params.load("udncnn")
    first, *_, last = settings.network.dn_resnet.cascade
    known = {"noisy": 18.0, f"dn_gaussian_{first}": 24.0, "dn_gaussian": 26.0, "dncnn": 28.0, "dncnn_d2": 27.0}
    table = {name: {"psnr_db": value} for name, value in known.items()}
    metrics = {"table1": table, "gaussian": table, "poisson": {"noisy": table["noisy"]}, "poisson_gaussian": {}}
    metrics["poisson_gaussian"] = {"noisy": {"psnr_db": 10.0}}
    assert gain_by_layers(metrics, settings) == {"gaussian": {first: 6.0, last: 8.0}}
    assert psnr_by_depth(metrics, settings) == {2: 27.0, settings.network.depth: 28.0}
