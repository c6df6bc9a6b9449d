import numpy as np
import pandas as pd
import pytest

from replications.n2n_resnet.curves import arrival, change_by, shapes

SEEN = np.array([10.0, 20.0, 30.0, 40.0])
PSNR = np.array([20.0, 28.0, 30.0, 29.0])


@pytest.mark.parametrize(("at", "share"), [(5, 0.0), (10, 0.0), (15, 0.4), (20, 0.8), (25, 0.9), (30, 1.0), (40, 0.9)])
def test_the_share_of_the_rise_is_read_off_a_line_between_validations(at: float, share: float) -> None:
    # From 20 to the best, 30: 24 dB half-way to the second validation is 0.4 of it.
    assert change_by(SEEN, PSNR, at) == pytest.approx(share)


def test_a_curve_that_never_beats_its_start_has_made_its_change_at_once() -> None:
    assert change_by(SEEN, -SEEN, 10) == 1.0
    assert arrival(SEEN, -SEEN) == 10


def test_a_curve_arrives_at_the_first_validation_with_95_percent_of_its_rise() -> None:
    assert arrival(SEEN, PSNR) == 30
    assert arrival(SEEN, PSNR, share=0.8) == 20


def test_shapes_of_two_trainings_in_epochs_of_their_own_length() -> None:
    # Forty images in four epochs: an epoch is ten images.
    history = pd.DataFrame({"images_seen": SEEN, "val_psnr_db": PSNR, "val_mse": [100.0, 60.0, 50.0, 50.0]})
    late = history.assign(val_psnr_db=[20.0, 21.0, 22.0, 30.0])
    record = shapes([history, late], "val_psnr_db", "val_mse", epochs=4)
    assert record["psnr_arrival_images"] == [30, 40]
    assert record["psnr_arrival_epoch"] == [3, 4]
    assert record["best_psnr_epoch"] == [3, 4]
    assert record["loss_arrival_epoch"] == [3, 3]
    assert record["final_loss"] == [50, 50]
    assert record["psnr_rise"]["15"] == [pytest.approx(0.9), 1.0]
