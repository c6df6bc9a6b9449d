import pytest

from common import params
from common.claims import schema
from common.report.denoisers import denoiser_name, trained
from common.report.names import experiment_name, name_of, named, names_of


def test_a_network_has_the_name_of_its_paper_and_a_filter_the_one_it_has_everywhere() -> None:
    assert name_of("udncnn", "dudncnn") == "DUDnCNN"
    assert name_of("udncnn", "bm3d") == name_of("edcnn", "bm3d") == "BM3D"
    assert name_of("udncnn", "something new") == "something new"


def test_what_was_trained_for_the_benchmark_is_told_from_what_has_brackets_in_its_name() -> None:
    assert trained("udncnn.all") == ("udncnn", "all")
    assert trained("udncnn_code") == ("udncnn_code", "")
    assert trained("all") == ("all", "")
    assert denoiser_name(["udncnn"], "udncnn.all") == "UDnCNN (all corruptions)"
    assert denoiser_name(["udncnn"], "udncnn_code") == "UDnCNN (code)"


def test_an_input_has_the_name_of_its_experiment() -> None:
    assert name_of("udncnn", "noisy", "super_resolution_x3") == "bicubic"
    assert name_of("udncnn", "noisy", "table1") == name_of("udncnn", "noisy") == "noisy input"
    assert name_of("udncnn", "dncnn", "super_resolution_x3") == "DnCNN"


def test_what_has_a_name_in_one_experiment_is_in_an_experiment_of_the_claims() -> None:
    for paper in params.papers():
        for identifier in names_of(paper):
            experiment, slash, _ = identifier.rpartition("/")
            assert not slash or experiment in schema.load(paper).experiments, (paper, identifier)


def test_every_experiment_of_the_claims_has_a_name() -> None:
    for paper in params.papers():
        unnamed = {one for one in schema.load(paper).experiments if f"{one}/" not in names_of(paper)}
        assert not unnamed, paper
    assert experiment_name("udncnn", "super_resolution_x2") == "enlarged ×2"
    assert experiment_name("udncnn", "something new") == "something new"


def test_every_variant_has_a_name() -> None:
    for paper in params.papers():
        for variant in params.load(paper).train.every:
            assert name_of(paper, variant) != variant or variant in ("plain", "dsc"), (paper, variant)


def test_names_keep_the_order_and_two_networks_never_share_one() -> None:
    assert list(named("udncnn", {"udncnn": 1, "dncnn": 2, "noisy": 3})) == ["UDnCNN", "DnCNN", "noisy input"]
    with pytest.raises(ValueError, match=r"dn_gaussian, dn_poisson have the same name \(replications/udncnn/names"):
        named("udncnn", {"dn_gaussian": 1, "dn_poisson": 2})
