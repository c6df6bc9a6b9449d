from typing import Any

import pytest

from common import params
from common.claims.fidelity import Fidelity, compare, matching, settings_of
from common.claims.schema import Experiment
from common.claims.verdict import inside, verdict
from common.errors import UserError
from common.score.statistics import Interval
from tests.common.claims.conftest import EXPERIMENT, SETTINGS

FULL = Fidelity()
REDUCED = Fidelity("reduced", False, "steps 800 (paper 10000)")
STAND_IN = Fidelity("stand-in", False, "train embedded (paper bsds300)")
OFF = Fidelity("full", True, "noise.sigma 50 (paper 30)")
VARIANTS = {**SETTINGS, "variants.wide.steps": None, "variants.deep.steps": 7}


def fidelity(experiment: dict[str, Any], seeds: int | None = 3, **settings: Any) -> Fidelity:
    return compare(Experiment(**experiment), {**VARIANTS, **settings}, seeds)


def test_an_experiment_of_the_papers_own_settings_is_full() -> None:
    assert fidelity(EXPERIMENT) == FULL


@pytest.mark.parametrize(
    ("experiment", "level", "differs"),
    [
        ({"recipe": {"steps": 10000}}, "reduced", "steps 800 (paper 10000)"),
        ({"recipe": {"variants.*.steps": None}}, "reduced", "variants.deep.steps 7 (paper none)"),
        (
            {"data": {"train": "voc"}, "recipe": {"steps": 1}},
            "stand-in",
            "train bsds300 (paper voc); steps 800 (paper 1)",
        ),
        ({"always": {"stand-in": "timed on another machine"}}, "stand-in", "timed on another machine"),
        ({"always": {"reduced": "batches are ours"}}, "reduced", "batches are ours"),
    ],
)
def test_fidelity_names_what_differs(experiment: dict[str, Any], level: str, differs: str) -> None:
    assert fidelity(experiment) == Fidelity(level, False, differs)


def test_fewer_trainings_are_named_and_leave_the_fidelity_as_it_is() -> None:
    assert fidelity(EXPERIMENT, seeds=1) == Fidelity("full", False, "1 of 3 training seeds")
    assert fidelity(EXPERIMENT, seeds=None) == FULL


def test_another_noise_level_is_off_protocol() -> None:
    found = fidelity(EXPERIMENT, **{"noise.sigma": 50.0})
    assert (found.off_protocol, found.differs) == (True, "noise.sigma 50 (paper 30)")


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match=r"variants\.wide\.stps is not a setting"):
        matching("variants.wide.stps", VARIANTS)


def test_the_settings_of_a_profile_are_the_published_ones_whatever_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = params.shared

    def louder(profile: str | None = None) -> params.Shared:
        chosen = shared(profile)
        return chosen.model_copy(update={"noise": chosen.noise.model_copy(update={"sigma": 50.0})})

    monkeypatch.setattr(params, "shared", louder)
    assert settings_of("udncnn")["noise.sigma"] == 50
    published = settings_of("udncnn", "paper")
    assert [published[path] for path in ("profile", "noise.sigma", "network.width")] == ["paper", 30, 64]


@pytest.mark.parametrize(
    ("kind", "fidelity", "held", "word"),
    [
        ("value", FULL, True, "reproduced"),
        ("value", FULL, False, "not reproduced"),
        ("value", FULL, None, "inconclusive"),
        ("value", REDUCED, True, "off-protocol"),
        ("value", STAND_IN, False, "off-protocol"),
        ("order", FULL, True, "reproduced"),
        ("order", REDUCED, True, "holds here"),
        ("margin", STAND_IN, False, "does not hold here"),
        ("ratio", STAND_IN, None, "inconclusive"),
        ("bound", REDUCED, False, "does not hold here"),
        ("order", OFF, True, "off-protocol"),
        ("margin", OFF, False, "off-protocol"),
        ("fact", FULL, False, "not reproduced"),
    ],
)
def test_a_verdict_follows_from_kind_fidelity_and_outcome(
    kind: str, fidelity: Fidelity, held: bool | None, word: str
) -> None:
    assert verdict(kind, fidelity, held) == word


@pytest.mark.parametrize(
    ("interval", "answer"),
    [
        (Interval(0.1, 0.9), True),
        (Interval(-0.1, 0.9), None),
        (Interval(-0.5, -0.1), False),
        (Interval(1.1, 1.2), False),
        (Interval(-1, 2), None),
        (Interval(float("nan"), float("nan")), None),
        (None, None),
    ],
)
def test_a_bound_holds_where_the_whole_interval_lies_within(interval: Interval | None, answer: bool | None) -> None:
    assert inside(interval, 0.0, 1.0) is answer
