"""What the trained networks of the benchmark are compared with."""

import pytest

from common import params
from common.benchmark import untrained
from common.benchmark.protocol import Case
from common.params import OwnDenoiser


@pytest.fixture
def shared() -> params.Shared:
    """params.yaml under the smoke profile, with small images, one filter and a denoiser of one's own."""
    shared = params.shared("smoke")
    mine = OwnDenoiser(denoiser="tests.common.benchmark.test_untrained:as_it_is", weights=None, name="mine")
    changes = {
        "benchmark": shared.benchmark.model_copy(update={"crop": 16, "denoisers": [mine]}),
        "baselines": shared.baselines.model_copy(update={"filters": ["median"]}),
    }
    return shared.model_copy(update=changes)


def as_it_is(noisy, sigma):
    return noisy


def test_everything_that_needs_no_training_is_scored_on_the_same_images(shared: params.Shared) -> None:
    rows = untrained.scores(shared, ("embedded_grey", Case("gaussian", 25.0, 0)))
    kinds = {row.denoiser: row.kind for row in rows}
    networks = {name for name, kind in kinds.items() if kind == "network"}
    assert kinds["mine"] == "own"
    assert kinds["median"] == "filter"
    assert {"dncnn", "udncnn", "dudncnn"} <= networks
    images = {name: [(row.image, row.psnr_db) for row in rows if row.denoiser == name] for name in kinds}
    assert len({tuple(image for image, _ in scored) for scored in images.values()}) == 1
    assert [psnr for _, psnr in images["mine"]] == pytest.approx([psnr for _, psnr in images["noisy"]], abs=1e-4)


@pytest.mark.long
def test_the_costs_of_shipped_networks_are_measured(shared: params.Shared) -> None:
    tiny = shared.latency.model_copy(update={"size": 32, "repeats": 1})
    known = untrained.shipped_costs(tiny)
    costs = known["dncnn"]
    assert costs["parameters"] == 225859  # 3·64·9 + 64 + 6·(64·64·9 + 64 + 2·64) + 64·3·9 + 3
    assert costs["macs"] == 32**2 * (2 * 3 * 64 * 9 + 6 * 64 * 64 * 9)
    assert costs["latency_ms"] > 0
    assert costs["images_seen"] == 40000
    grey = 81 * 64 + 25 * 64 * 32 + 10 * 9 * 32 * 32 + 25 * 32  # DN-ResNet's 13 convolutions, at one pixel
    assert known["dn_blind"]["macs"] == 3 * 32**2 * grey  # of colour, a channel at a time
