import json

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import BaseModel

from common.claims.arithmetic import evaluate
from common.claims.fidelity import FULL, Fidelity, compare, setting
from common.claims.ledger import COLUMNS, claims_table, ledger, published_tables
from common.claims.schema import Experiment, load, parse
from common.claims.verdict import inside, verdict
from common.errors import UserError
from common.params import papers
from common.score.results import UNTRAINED
from common.score.statistics import Interval, paired_interval

REDUCED = Fidelity("reduced", off_protocol=False, differs="data.train embedded (paper bsds300)")
STAND_IN = Fidelity("stand-in", off_protocol=False, differs="")
OFF = Fidelity("reduced", off_protocol=True, differs="noise.sigma 50 (paper 30)")


class Noise(BaseModel):
    sigma: float = 30


class Variant(BaseModel):
    steps: int | None = None


class Settings(BaseModel):
    profile: str = "paper"
    seed: int = 0
    noise: Noise = Noise()
    steps: int = 800
    lr: float = 0.001
    train: str = "bsds300"
    variants: dict[str, Variant] = {"wide": Variant(), "deep": Variant()}


EXPERIMENTS = {
    "table1": {"data": {"train": "bsds300"}, "noise": {"noise.sigma": 30}, "recipe": {"steps": 800}, "seeds": 3}
}


def claim(**fields):
    whole = {"id": "U1", "source": "Table 1", "says": "a number", "measure": "psnr_db", "experiment": "table1"}
    return {key: value for key, value in {**whole, **fields}.items() if value is not None}


def document(*claims, **fields):
    return {"paper": "toy", "title": "T", "citation": "C", "experiments": EXPERIMENTS, "claims": list(claims), **fields}


def refusal(*claims, **fields):
    with pytest.raises(UserError) as error:
        parse(document(*claims, **fields), "claims.yaml")
    assert "\n" not in str(error.value)
    return str(error.value)


def score_rows(network, psnr_by_seed, images=6, experiment="table1", convention="suite", step=0.1):
    """Scores whose mean over images is `psnr_by_seed`; images differ by `step` dB."""
    offsets = step * (np.arange(images) - (images - 1) / 2)
    return [
        (experiment, network, seed, f"image{i}", convention, 255**2 / 10 ** ((psnr + offset) / 10), psnr + offset, 0.8)
        for seed, psnr in enumerate(psnr_by_seed)
        for i, offset in enumerate(offsets)
    ]


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Judge claims by score rows and JSON records; returns the ledger by id."""
    monkeypatch.chdir(tmp_path)

    def run(*claims, scores=(), baselines=(), params=None, self_checks=(), experiments=None, **records):
        (tmp_path / "replications/toy").mkdir(parents=True, exist_ok=True)
        results = tmp_path / "results/toy"
        results.mkdir(parents=True, exist_ok=True)
        record = document(*claims, self_checks=list(self_checks), experiments=experiments or EXPERIMENTS)
        (tmp_path / "replications/toy/claims.yaml").write_text(yaml.safe_dump(record))
        columns = ["experiment", "network", "seed", "image", "convention", "mse", "psnr_db", "ssim"]
        pd.DataFrame(scores, columns=columns).to_csv(results / "scores.csv", index=False)
        if baselines:
            pd.DataFrame(baselines, columns=columns).to_csv(results / "baselines.csv", index=False)
        for name, content in {"data": {"test": {"dataset": "bsds300"}}, **records}.items():
            (results / f"{name}.json").write_text(json.dumps(content))
        rows = ledger("toy", params or Settings(), tmp_path / "results")
        return {row.id: row for row in rows}

    return run


# The schema


@pytest.mark.parametrize("paper", papers())
def test_every_papers_claims_are_understood(paper):
    assert load(paper).paper == paper


def test_an_unknown_key_is_refused_with_the_key_that_was_meant():
    message = refusal(claim(kind="value", values={"dncnn": 29.0}, tolerence=0.1))
    assert message == "U1: tolerence is not a key of value (claims.yaml); did you mean tolerance?"


def test_an_unknown_measure_is_refused():
    message = refusal(claim(kind="value", values={"dncnn": 29.0}, measure="psnr"))
    assert message.startswith("U1: measure must be one of psnr_db, ssim, mse or <file>.<path")
    assert message.endswith("got 'psnr'")


def test_a_claim_without_source_is_refused():
    assert refusal(claim(kind="value", values={"dncnn": 29.0}, source=None)) == "U1: source is missing (claims.yaml)"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "hunch"}, "U1: kind must be one of value, fact, order"),
        ({"kind": "value", "values": {"a": 1.0}, "id": "X1"}, "X1: id must be"),
        ({"kind": "value", "values": {"a": 1.0}, "measure": "ssim"}, "U1: tolerance is missing"),
        ({"kind": "value", "values": {"a": 1.0}, "convention": "sweet"}, "U1: convention must be one of suite"),
        ({"kind": "value", "values": {"a": 1.0}, "experiment": "table9"}, "U1: experiment must be one of table1"),
        ({"kind": "value", "values": {"a": 1.0}, "experiment": None}, "U1: experiment is missing"),
        ({"kind": "value", "values": {"a": 1.0}, "measure": None}, "U1: measure is missing"),
        ({"kind": "value", "values": {"a": 1.0}, "profiles": ["huge"]}, "U1: profiles.0 must be 'smoke', 'quick' or"),
        ({"kind": "order", "ranking": ["a", "a"]}, "U1: ranking names a row twice"),
        ({"kind": "order", "ranking": ["a", "b"], "values": {"a": 1, "b": 2}}, "U1: ranking is not that of values"),
        ({"kind": "margin", "of": "a", "minus": "b"}, "U1: a bound is missing"),
        ({"kind": "margin", "of": "a", "minus": "b", "within": 1, "at_most": 1}, "U1: one size only"),
        ({"kind": "margin", "of": "a", "minus": "b", "at_least": 2, "at_most": 1}, "U1: at_least 2 is above at_most 1"),
        ({"kind": "margin", "of": "a", "minus": "b", "published": 2}, "U1: tolerance is missing"),
        ({"kind": "ratio", "of": "a", "over": "b", "sign": "positive"}, "U1: a ratio is bounded by"),
        ({"kind": "curve", "at_least": 1}, "U1: of is missing"),
        ({"kind": "fact", "values": {"a": 1}, "at_least": 1}, "U1: a fact has values, or bounds"),
        ({"kind": "margin", "parts": ["jpeg"]}, "U1: parts must be a mapping"),
    ],
)
def test_a_wrong_claim_is_refused_in_one_line(fields, words):
    assert refusal(claim(**fields)).startswith(words)


def test_an_id_stands_once():
    one = claim(kind="value", values={"dncnn": 29.0})
    assert refusal(one, one).startswith("U1: the id stands twice")


def test_a_wrong_file_is_refused_in_one_line():
    assert refusal(choices=[{"parameter": "depth", "value": 6, "provenance": "hearsay", "note": "n"}]).startswith(
        "choices.0.provenance must be 'paper', 'lineage' or 'ours'"
    )
    with pytest.raises(UserError, match="claims must be a list"):
        parse({"paper": "toy"}, "claims.yaml")


def test_parts_repeat_a_claim_with_their_own_fields():
    jpeg, jp2 = (
        {"of": "dn", "at_least": 1, "at_most": 2},
        {"of": "dn", "at_least": 0.5, "at_most": 0.7, "convention": "luma"},
    )
    claims = parse(document(claim(id="U17", kind="margin", minus="noisy", parts={"jpeg": jpeg, "jp2": jp2})), "").claims
    assert [(one.id, one.at_least, one.convention) for one in claims] == [
        ("U17.jpeg", 1, "suite"),
        ("U17.jp2", 0.5, "luma"),
    ]


# The rule of verdicts


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
        ("curve", REDUCED, False, "does not hold here"),
        ("order", OFF, True, "off-protocol"),
        ("margin", OFF, False, "off-protocol"),
        ("fact", FULL, False, "not reproduced"),
    ],
)
def test_a_verdict_follows_from_kind_fidelity_and_outcome(kind, fidelity, held, word):
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
def test_a_bound_holds_where_the_whole_interval_lies_within(interval, answer):
    assert inside(interval, 0.0, 1.0) is answer


# Fidelity


def fidelity(experiment, seeds=3, **params):
    return compare(Experiment(**experiment), Settings(**params), seeds)


def test_an_experiment_of_the_papers_own_settings_is_full():
    assert fidelity(EXPERIMENTS["table1"]) == FULL


@pytest.mark.parametrize(
    ("experiment", "seeds", "level", "differs"),
    [
        ({"recipe": {"steps": 10000}}, 3, "reduced", "steps 800 (paper 10000)"),
        ({"recipe": {"lr": 0.1}}, 3, "reduced", "lr 0.001 (paper 0.1)"),
        (
            {"recipe": {"variants.*.steps": 5}},
            3,
            "reduced",
            "variants.wide.steps none (paper 5); variants.deep.steps none (paper 5)",
        ),
        (
            {"data": {"train": "voc"}, "recipe": {"steps": 1}},
            3,
            "stand-in",
            "train bsds300 (paper voc); steps 800 (paper 1)",
        ),
        ({"seeds": 3}, 1, "reduced", "1 of 3 training seeds"),
        ({"seeds": 3}, None, "full", ""),
        ({"always": {"stand-in": "timed on another machine"}}, None, "stand-in", "timed on another machine"),
    ],
)
def test_fidelity_names_what_differs(experiment, seeds, level, differs):
    assert fidelity(experiment, seeds) == Fidelity(level, off_protocol=False, differs=differs)


def test_another_noise_level_is_off_protocol():
    assert fidelity(EXPERIMENTS["table1"], noise=Noise(sigma=50)) == OFF


def test_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(UserError, match=r"variants.wide.stps is not a setting .*there is steps, not stps"):
        setting("variants.wide.stps", Settings())


# Judging


def table1(values=None, **fields):
    return claim(kind="value", values=values or {"dncnn": 28.9662}, **fields)


def test_a_value_at_full_fidelity_is_reproduced_within_its_tolerance(judge):
    rows = judge(
        table1({"close": 29.0, "far": 29.0, "between": 29.0}),
        scores=score_rows("close", [29.05, 29.06, 29.04])
        + score_rows("far", [28.5, 28.51, 28.49])
        + score_rows("between", [29.1, 29.3, 29.2]),
    )
    assert {name: row.verdict for name, row in rows.items()} == {
        "U1.close": "reproduced",
        "U1.far": "not reproduced",
        "U1.between": "inconclusive",
    }
    close = rows["U1.close"]
    # mean of three seeds 29.05, standard deviation 0.01, t(0.975, 2) = 4.3027; images fixed
    assert (close.ours, close.ci_high) == ("29.05", pytest.approx(29.05 + 4.3027 * 0.01 / 3**0.5, abs=1e-5))
    assert (close.n, close.seeds, close.margin, close.data, close.fidelity) == ("6", "3", "±0.15", "bsds300", "full")


def test_a_value_from_one_seed_is_off_protocol_with_its_number_shown(judge):
    row = judge(table1(), scores=score_rows("dncnn", [28.97]))["U1.dncnn"]
    assert (row.verdict, row.ours, row.fidelity, row.ci_low) == ("off-protocol", "28.97", "reduced", None)
    assert row.reason == "1 of 3 training seeds"


def test_at_another_noise_level_every_verdict_of_the_experiment_is_off_protocol(judge):
    rows = judge(
        table1(id="U1"),
        claim(id="U2", kind="order", ranking=["dncnn", "udncnn"]),
        claim(id="U3", kind="margin", of="dncnn", minus="udncnn", sign="positive"),
        scores=score_rows("dncnn", [29.0, 29.0, 29.1]) + score_rows("udncnn", [28.0, 28.0, 28.1]),
        params=Settings(noise=Noise(sigma=50)),
    )
    assert {row.verdict for row in rows.values()} == {"off-protocol"}
    assert all(row.reason == "noise.sigma 50 (paper 30)" and row.ours for row in rows.values())


def test_a_pooled_convention_takes_the_psnr_of_a_batchs_mean_error(judge):
    # batches of four in the order of the names, within a draw: draw 0 has mse 100 ×4 then 200 ×2, draw 1 all 400
    rows = [("table1", "net", 0, f"i{i}", "lineage", mse, 0.0, 0.0) for i, mse in enumerate([100] * 4 + [200] * 2)]
    rows += [("table1", "net", 0, f"i{i}#1", "lineage", 400, 0.0, 0.0) for i in range(6)]
    psnr = [10 * np.log10(255**2 / mse) for mse in (100, 200, 400)]
    row = judge(table1({"net": 29.0}, convention="lineage"), scores=rows[::-1])["U1.net"]
    assert float(row.ours) == pytest.approx(((psnr[0] + psnr[1]) / 2 + psnr[2]) / 2, abs=1e-4)
    assert (row.n, row.convention) == ("6", "lineage")


def test_an_order_has_a_row_for_each_pair_and_one_for_the_whole(judge):
    rows = judge(
        claim(id="U2", kind="order", ranking=["a", "b", "c"]),
        scores=score_rows("a", [30.0]) + score_rows("b", [29.0]) + score_rows("c", [29.5]),
    )
    assert {name: row.verdict for name, row in rows.items()} == {
        "U2": "does not hold here",
        "U2.a>b": "holds here",
        "U2.b>c": "does not hold here",
    }
    assert (rows["U2"].published, rows["U2"].ours) == ("a > b > c", "a 30 > c 29.5 > b 29")
    assert rows["U2.a>b"].ours == "1"
    assert rows["U2.a>b"].reason == "1 of 3 training seeds; one training: the interval covers the images alone"


def test_a_comparison_over_many_images_is_the_bootstraps(judge):
    images = np.random.default_rng(1).gamma(2.0, 0.2, 40)
    scores = [("table1", "a", 0, f"i{i:02}", "suite", 1.0, 29 + gain, 0.8) for i, gain in enumerate(images)]
    scores += [("table1", "b", 0, f"i{i:02}", "suite", 1.0, 29.0, 0.8) for i in range(40)]
    row = judge(claim(kind="margin", of="a", minus="b", sign="positive"), scores=scores)["U1"]
    assert (row.ci_low, row.ci_high) == pytest.approx(paired_interval(images, np.zeros(40), seed=0))
    assert row.ci_low + row.ci_high != pytest.approx(2 * images.mean(), abs=1e-4)  # a t interval is symmetric


def test_an_order_of_losses_puts_the_lowest_first(judge):
    values = {"bilinear": 0.4025, "shuffle": 0.4561}
    rows = judge(
        claim(kind="order", ranking=["bilinear", "shuffle"], better="lower", values=values, measure="up.{}.loss"),
        up={"bilinear": {"loss": [0.40, 0.41, 0.42]}, "shuffle": {"loss": [0.5, 0.51, 0.52]}},
    )
    assert rows["U1"].verdict == rows["U1.bilinear<shuffle"].verdict == "reproduced"
    assert rows["U1"].published == "bilinear 0.4025 < shuffle 0.4561"


def test_an_undecided_pair_leaves_the_order_inconclusive(judge):
    scores = score_rows("a", [30.0, 29.0, 29.5]) + score_rows("b", [29.4, 29.3, 29.5])
    rows = judge(claim(kind="order", ranking=["a", "b"]), scores=scores)
    assert rows["U1"].verdict == "inconclusive"
    assert "straddles" in rows["U1"].reason


def test_the_sign_and_the_size_of_a_margin_are_separate_rows(judge):
    rows = judge(
        claim(id="G3", kind="margin", of="ours", minus="dcgan", sign="positive", published=2.38, tolerance=0.15),
        scores=score_rows("ours", [29.0, 29.01, 29.02]) + score_rows("dcgan", [28.0, 28.01, 28.02]),
    )
    assert (rows["G3.sign"].verdict, rows["G3.sign"].published) == ("reproduced", "> 0")
    assert (rows["G3.size"].verdict, rows["G3.size"].published, rows["G3.size"].ours) == ("not reproduced", "2.38", "1")


def test_a_range_bounds_a_margin(judge):
    scores = score_rows("a", [29.0] * 3) + score_rows("b", [28.0] * 3)
    rows = judge(
        claim(
            kind="margin", of="a", minus="b", parts={"in": {"at_least": 0.5, "at_most": 2}, "above": {"at_most": 0.3}}
        ),
        scores=scores,
    )
    assert (rows["U1.in"].verdict, rows["U1.in"].published) == ("reproduced", "≥ 0.5, ≤ 2")
    assert rows["U1.above"].verdict == "not reproduced"


@pytest.mark.parametrize(("shift", "word"), [(0.05, "reproduced"), (0.5, "not reproduced"), (0.19, "inconclusive")])
def test_within_is_an_equivalence_test(judge, shift, word):
    scores = score_rows("noisy2noisy", [29.0, 29.02, 28.98]) + score_rows(
        "clean", [29.0 + shift, 29.02 + shift, 28.98 + shift]
    )
    row = judge(claim(kind="margin", of="noisy2noisy", minus="clean", within=0.2), scores=scores)["U1"]
    assert (row.verdict, row.published) == (word, "within ±0.2")
    assert "equivalence test p = " in row.reason


def test_filters_are_compared_with_networks_and_need_no_seeds(judge):
    rows = judge(
        claim(kind="order", ranking=["bm3d", "net"]),
        scores=score_rows("net", [29.0, 29.01, 29.02]),
        baselines=score_rows("bm3d", [30.0]),
    )
    assert (rows["U1"].verdict, rows["U1"].seeds) == ("reproduced", "3")


def test_scores_and_evaluation_agree_on_what_is_not_trained():
    from common.score.evaluation import TRIVIAL

    assert set(UNTRAINED) == set(TRIVIAL)


def test_a_ratio_of_counted_numbers_is_judged_by_its_point(judge):
    rows = judge(
        claim(
            id="U11",
            kind="ratio",
            measure="complexity.{}.macs",
            of="dn",
            over="ds",
            published=2.5,
            tolerance=0.2,
            experiment="counted",
        ),
        experiments={"counted": {}},
        complexity={"dn": {"macs": 21}, "ds": {"macs": 10}},
    )
    assert (rows["U11"].verdict, rows["U11"].ours, rows["U11"].ci_low) == ("not reproduced", "2.1", None)


def test_a_ratio_of_trainings_has_the_interval_of_its_logarithm(judge):
    row = judge(
        claim(id="D1", kind="ratio", measure="loss.{}", of="dsc", over="plain", at_most=0.6),
        loss={"dsc": [7400, 7500, 7600], "plain": [14900, 15000, 15100]},
    )["D1"]
    # relative variances of the means 100²/3/7500² and 100²/3/15000²; Welch's degrees of freedom of their sum
    parts = np.array([100**2 / 3 / 7500**2, 100**2 / 3 / 15000**2])
    from scipy import stats

    half = np.sqrt(parts.sum()) * stats.t.ppf(0.975, parts.sum() ** 2 / (parts**2 / 2).sum())
    assert (row.verdict, row.ours) == ("reproduced", "0.5")
    assert (row.ci_low, row.ci_high) == pytest.approx((0.5 * np.exp(-half), 0.5 * np.exp(half)))


def test_a_fact_is_exact_and_of_full_fidelity(judge):
    rows = judge(
        claim(
            id="E1",
            kind="fact",
            measure="complexity.{}.parameters",
            values={"net": 28985088, "off": 28985088},
            experiment=None,
        ),
        complexity={"net": {"parameters": 28985088}, "off": {"parameters": 28985087}},
        params=Settings(noise=Noise(sigma=50)),
    )
    assert (rows["E1.net"].verdict, rows["E1.net"].ours, rows["E1.net"].fidelity) == ("reproduced", "28985088", "full")
    assert rows["E1.off"].verdict == "not reproduced"


def test_a_fact_may_bound_several_rows(judge):
    rows = judge(
        claim(id="U4", kind="fact", measure="start.{}.rms", rows=["d1", "d16"], at_least=0.01, experiment=None),
        start={"d1": {"rms": 0.2}, "d16": {"rms": 0}},
    )
    assert (rows["U4.d1"].verdict, rows["U4.d16"].verdict) == ("reproduced", "not reproduced")


def test_a_fact_may_be_a_parameter_in_effect(judge):
    rows = judge(
        claim(id="N10", kind="fact", measure="settings.{}", values={"lr": 0.001, "steps": 800}, experiment=None)
    )
    assert {row.verdict for row in rows.values()} == {"reproduced"}


def test_a_curve_is_judged_by_the_number_that_describes_it(judge):
    rows = judge(
        claim(id="N4", kind="curve", measure="curves.gaussian.rise", published=20, tolerance=5),
        curves={"gaussian": {"rise": [18, 19, 20]}},
    )
    assert rows["N4"].verdict == "reproduced"


def test_what_the_profile_does_not_train_is_not_run(judge):
    rows = judge(
        claim(id="U2", kind="order", ranking=["a", "b", "c"]),
        claim(id="U3", kind="curve", measure="latency.{}.ms", of="b", at_most=1),
        table1({"a": 29.0}, id="U1", profiles=["quick"]),
        scores=score_rows("a", [30.0] * 3) + score_rows("b", [29.0] * 3),
        latency={"a": {"ms": 3}},
    )
    assert (rows["U2"].verdict, rows["U2.a>b"].verdict) == ("not run in this profile", "reproduced")
    assert rows["U2.b>c"].reason == "no scores of c in experiment table1"
    assert rows["U3"].verdict == rows["U1.a"].verdict == "not run in this profile"
    assert rows["U1.a"].reason == "tested in profile quick"


def test_a_misspelt_path_is_an_error_not_a_gap(judge):
    with pytest.raises(UserError, match=r"measure a.sm is not in .*latency.json, which has ms there"):
        judge(claim(kind="curve", measure="latency.{}.sm", of="a", at_most=1), latency={"a": {"ms": 3}})


def test_an_untestable_claim_says_why_and_shows_what_was_measured(judge):
    reason = "the table names no scale factor"
    rows = judge(
        claim(id="E14", kind="value", values={"srcnn": 32.75}, untestable=reason, measure=None, table="t"),
        claim(id="G8", kind="fact", measure="implied.sigma", untestable=reason, experiment=None),
        implied={"sigma": 12.5},
    )
    assert (rows["E14.srcnn"].verdict, rows["E14.srcnn"].reason, rows["E14.srcnn"].ours) == ("untestable", reason, "")
    assert (rows["G8"].verdict, rows["G8"].ours) == ("untestable", "12.5")


# A paper against itself


def test_a_paper_is_checked_against_itself(judge):
    rows = judge(
        self_checks=[
            {"id": "US1", "source": "§4", "says": "a test set larger than its data set"},
            {"id": "US2", "source": "§4", "says": "a quarter", "published": 4, "computed": "600 / 150"},
            {
                "id": "US3",
                "source": "§4",
                "says": "count",
                "published": 150,
                "computed": "complexity.net.parameters / 1000",
                "tolerance": 1,
            },
        ],
        complexity={"net": {"parameters": 123000}},
    )
    assert [rows[name].verdict for name in ("US1", "US2", "US3")] == ["contradiction", "consistent", "contradiction"]
    assert (rows["US3"].kind, rows["US3"].published, rows["US3"].ours) == ("self-check", "150", "123")


def test_arithmetic_is_numbers_measures_and_nothing_else():
    assert evaluate("10 * log10(4 / 0.01) - 2 ** 3 + a.b", {"a.b": 1.0}.__getitem__) == pytest.approx(
        26.0206 - 7, abs=1e-4
    )
    for expression in ("__import__('os')", "open", "1 if 2 else 3", "1 +"):
        with pytest.raises(ValueError, match="is n"):
            evaluate(expression, lambda measure: 0.0)


# What is written


def test_a_published_table_stands_beside_ours(judge):
    rows = judge(
        table1({"dncnn": 28.9662, "udncnn": 28.3076}, table="toy_table1"),
        scores=score_rows("dncnn", [29.0, 29.0, 29.03]),
    )
    table = published_tables(list(rows.values()))["toy_table1"]
    assert table["row"].tolist() == ["dncnn", "udncnn"]
    assert table["difference"].tolist() == ["0.0438", ""]
    assert table["verdict"].tolist() == ["reproduced", "not run in this profile"]


def test_the_ledger_has_the_columns_that_the_report_reads(judge):
    rows = judge(table1(), scores=score_rows("dncnn", [29.0, 29.0, 29.03]))
    table = claims_table(list(rows.values()))
    assert tuple(table.columns) == COLUMNS
    assert " ".join(COLUMNS) == (
        "id paper source kind says published ours ci_low ci_high verdict fidelity reason"
        " profile data n seeds margin convention"
    )
