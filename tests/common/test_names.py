import pytest

from common import params
from common.names import name_of, named


def test_a_network_has_the_name_of_its_paper_and_a_filter_the_one_it_has_everywhere() -> None:
    assert name_of("udncnn", "dudncnn") == "DUDnCNN"
    assert name_of("udncnn", "bm3d") == name_of("edcnn", "bm3d") == "BM3D"
    assert name_of("udncnn", "something new") == "something new"


def test_every_variant_has_a_name() -> None:
    everything = params.load()
    for paper in params.papers():
        for variant in everything.paper(paper).train.variants:
            assert name_of(paper, variant) != variant or variant in ("plain", "dsc"), (paper, variant)


def test_names_keep_the_order_and_two_networks_never_share_one() -> None:
    assert list(named("udncnn", {"udncnn": 1, "dncnn": 2, "noisy": 3})) == ["UDnCNN", "DnCNN", "noisy input"]
    with pytest.raises(ValueError, match=r"dn_gaussian, dn_poisson have the same name \(replications/udncnn/names"):
        named("udncnn", {"dn_gaussian": 1, "dn_poisson": 2})
