import numpy as np
import pytest

from common.errors import UserError
from common.score.statistics import drawn_estimate, paired_interval
from tests.common.claims.conftest import EXPERIMENT, Judge, claim, scores

FACT = {"experiment": None}


def test_a_published_number_is_reproduced_where_the_whole_interval_is_within_its_tolerance(judge: Judge) -> None:
    rows = judge(
        claim(parts=["close == 29 +- 0.15", "far == 29 +- 0.15", "between == 29 +- 0.15"]),
        scored=scores("close", [29.05, 29.06, 29.04])
        + scores("far", [28.5, 28.51, 28.49])
        + scores("between", [29.1, 29.3, 29.2]),
    )
    assert {name: row.verdict for name, row in rows.items()} == {
        "U1.close": "reproduced",
        "U1.far": "not reproduced",
        "U1.between": "inconclusive",
    }
    close = rows["U1.close"]
    # mean of three seeds 29.05, standard deviation 0.01, t(0.975, 2) = 4.3027; images fixed
    assert (close.ours, close.ci_high) == ("29.05", pytest.approx(29.05 + 4.3027 * 0.01 / 3**0.5, abs=1e-5))
    assert (close.n, close.seeds, close.published, close.data, close.fidelity) == ("6", "3", "29", "bsds300", "full")


def test_a_verdict_is_told_in_one_line(judge: Judge) -> None:
    rows = judge(
        claim(
            parts={
                "value": "net == 28.97 +- 0.15",
                "sign": "net > noisy",
                "size": "net - noisy >= 12.05",
                "ratio": "net / noisy <= 1",
            }
        ),
        claim("net > noisy > black", id="U2"),
        claim("net == 225859", id="U20", measure="complexity.{}.parameters", **FACT),
        scored=scores("net", [29.14, 29.15, 29.16]) + scores("noisy", [18.6]) + scores("black", [19.0]),
        complexity={"net": {"parameters": 225000}},
    )
    told = {name: row.because for name, row in rows.items()}
    assert told["U1.value"] == "29.15 dB [29.13, 29.17] against 28.97 ± 0.15: outside by 0.03"
    assert told["U1.sign"] == "10.55 dB [10.53, 10.57] against > 0: holds"
    assert told["U1.size"] == "10.55 dB [10.53, 10.57] against ≥ 12.05: fails by 1.5"
    assert told["U2"] == "net - noisy 10.55 dB [10.53, 10.57]: holds; noisy - black -0.40 dB: fails by 0.4"
    assert told["U20"] == "225000 against 225859: fails by 860"


def test_a_value_of_one_training_is_judged_by_its_noise_and_crops_and_says_so(judge: Judge) -> None:
    draws = scores("net", [29.15], draws=4)
    moved = [(*row[:6], row[6] + 0.01 * (index % 4), row[7]) for index, row in enumerate(draws)]
    rescored = [(*row[:5], 255**2 / 10 ** (row[6] / 10), *row[6:]) for row in moved]
    row = judge(claim("net == 28.97 +- 0.15"), scored=rescored)["U1"]
    table = np.reshape([entry[6] for entry in rescored], (6, 4)).T
    assert (row.ci_low, row.ci_high) == pytest.approx(drawn_estimate(table).interval())
    assert (row.verdict, row.fidelity, row.reason) == ("not reproduced", "full", "1 of 3 training seeds")
    assert "(one training)" in row.because


def test_a_value_of_one_training_and_one_draw_is_judged_by_its_images(judge: Judge) -> None:
    rows = judge(
        claim(parts=["sure == 29 +- 0.15", "unsure == 29 +- 0.15"]),
        scored=scores("sure", [29.0], step=0.01) + scores("unsure", [29.0], step=0.5),
    )
    assert [row.verdict for row in rows.values()] == ["reproduced", "inconclusive"]
    # images at -0.025 … 0.025 dB: standard deviation 0.0187, t(0.975, 5) = 2.5706
    assert rows["U1.sure"].ci_high == pytest.approx(29 + 2.5706 * 0.018708 / 6**0.5, abs=1e-5)


def test_at_another_noise_level_every_verdict_of_the_experiment_is_off_protocol(judge: Judge) -> None:
    rows = judge(
        claim("dncnn == 29 +- 0.15"),
        claim("dncnn > udncnn > noisy", id="U2"),
        claim("dncnn > udncnn", id="U3"),
        scored=scores("dncnn", [29.0, 29.0, 29.1]) + scores("udncnn", [28.0, 28.0, 28.1]) + scores("noisy", [18]),
        settings={"noise.sigma": 50.0},
    )
    assert {row.verdict for row in rows.values()} == {"off-protocol"}
    assert all(row.reason == "noise.sigma 50 (paper 30)" and row.ours for row in rows.values())
    assert rows["U1"].because.endswith("not judged, other noise")


def test_short_of_full_fidelity_a_value_is_shown_and_an_order_holds_here(judge: Judge) -> None:
    rows = judge(
        claim(parts=["a == 29 +- 0.15", "b < a"]),
        scored=scores("a", [29.0] * 3) + scores("b", [28.0] * 3),
        settings={"steps": 10},
    )
    assert [row.verdict for row in rows.values()] == ["off-protocol", "holds here"]
    assert rows["U1.a"].because.endswith("against 29 ± 0.15: not judged, reduced")


def test_a_pooled_convention_takes_the_psnr_of_a_batchs_mean_error(judge: Judge) -> None:
    # batches of four in the order of the names, within a draw: draw 0 has mse 100 ×4 then 200 ×2, draw 1 all 400
    rows = [("table1", "net", 0, f"i{i}", "lineage", mse, 0.0, 0.0) for i, mse in enumerate([100] * 4 + [200] * 2)]
    rows += [("table1", "net", 0, f"i{i}#1", "lineage", 400, 0.0, 0.0) for i in range(6)]
    psnr = [10 * np.log10(255**2 / mse) for mse in (100, 200, 400)]
    row = judge(claim("net == 29 +- 0.15", convention="lineage"), scored=rows[::-1])["U1"]
    assert float(row.ours) == pytest.approx(((psnr[0] + psnr[1]) / 2 + psnr[2]) / 2, abs=1e-4)
    assert (row.n, row.convention) == ("6", "lineage")


def test_an_order_is_one_row_as_strong_as_its_weakest_pair(judge: Judge) -> None:
    row = judge(claim("a > b > c"), scored=scores("a", [30.0] * 3) + scores("b", [29.0] * 3) + scores("c", [29.5] * 3))[
        "U1"
    ]
    assert (row.verdict, row.published, row.ours) == ("not reproduced", "a > b > c", "a 30 > c 29.5 > b 29")
    assert row.because.startswith("a - b 1.00 dB")


def test_an_undecided_pair_leaves_the_order_inconclusive(judge: Judge) -> None:
    scored = scores("a", [30.0, 29.0, 29.5]) + scores("b", [29.4, 29.3, 29.5]) + scores("c", [20.0])
    row = judge(claim("a > b > c"), scored=scored)["U1"]
    assert row.verdict == "inconclusive"
    assert "straddles" in row.because.split(";")[0]


def test_an_order_of_losses_puts_the_lowest_first(judge: Judge) -> None:
    losses = {"bilinear": [0.40, 0.41, 0.42], "shuffle": [0.5, 0.51, 0.52], "reshape": [0.6, 0.61, 0.62]}
    row = judge(
        claim("bilinear < shuffle < reshape", measure="up.{}.loss"),
        up={name: {"loss": values} for name, values in losses.items()},
    )["U1"]
    assert (row.verdict, row.ours) == ("reproduced", "bilinear 0.41 < shuffle 0.51 < reshape 0.61")


def test_a_comparison_over_many_images_is_the_bootstraps(judge: Judge) -> None:
    images = np.random.default_rng(1).gamma(2.0, 0.2, 40)
    scored = [("table1", "a", 0, f"i{i:02}", "suite", 1.0, 29 + gain, 0.8) for i, gain in enumerate(images)]
    scored += [("table1", "b", 0, f"i{i:02}", "suite", 1.0, 29.0, 0.8) for i in range(40)]
    row = judge(claim("a > b"), scored=scored)["U1"]
    assert (row.ci_low, row.ci_high) == pytest.approx(paired_interval(images, np.zeros(40), seed=0))
    assert row.ci_low + row.ci_high != pytest.approx(2 * images.mean(), abs=1e-4)  # a t interval is symmetric


@pytest.mark.parametrize(("shift", "word"), [(0.05, "reproduced"), (0.5, "not reproduced"), (0.19, "inconclusive")])
def test_equality_is_an_equivalence_test(judge: Judge, shift: float, word: str) -> None:
    clean = [29.0 + shift, 29.02 + shift, 28.98 + shift]
    row = judge(claim("noisy == clean +- 0.2"), scored=scores("noisy", [29.0, 29.02, 28.98]) + scores("clean", clean))
    assert (row["U1"].verdict, row["U1"].published) == (word, "±0.2")
    assert ("equivalence test p = " in row["U1"].because) is (word != "inconclusive")


def test_filters_are_compared_with_networks_and_need_no_seeds(judge: Judge) -> None:
    row = judge(claim("bm3d > net"), scored=scores("net", [29.0, 29.01, 29.02]), filters=scores("bm3d", [30.0]))["U1"]
    assert (row.verdict, row.seeds) == ("reproduced", "3")


def test_what_was_not_scored_on_the_same_images_is_not_compared(judge: Judge) -> None:
    with pytest.raises(UserError, match="U1: a and b were not scored on the same images"):
        judge(claim("a > b"), scored=scores("a", [29.0] * 3) + scores("b", [28.0] * 3, images=5))


def test_a_ratio_of_counted_numbers_is_judged_by_its_point(judge: Judge) -> None:
    row = judge(
        claim("dn / ds == 2.5 +- 0.2", measure="complexity.{}.macs", **FACT),
        complexity={"dn": {"macs": 21}, "ds": {"macs": 10}},
    )["U1"]
    assert (row.verdict, row.ours, row.ci_low) == ("not reproduced", "2.1", None)


def test_a_ratio_of_nothing_is_refused(judge: Judge) -> None:
    with pytest.raises(UserError, match="U1: a ratio needs positive measurements, got 0 and 10"):
        judge(claim("dn / ds <= 1", measure="loss.{}", **FACT), loss={"dn": 0, "ds": 10})


def test_a_fact_is_exact_and_of_full_fidelity_whatever_the_settings(judge: Judge) -> None:
    rows = judge(
        claim(parts=["net == 28985088", "off == 28985088"], measure="complexity.{}.parameters", **FACT),
        complexity={"net": {"parameters": 28985088}, "off": {"parameters": 28985087}},
        settings={"noise.sigma": 50.0},
    )
    assert (rows["U1.net"].verdict, rows["U1.net"].ours, rows["U1.net"].fidelity) == ("reproduced", "28985088", "full")
    assert rows["U1.off"].verdict == "not reproduced"


def test_a_fact_may_be_a_setting_in_effect(judge: Judge) -> None:
    rows = judge(claim(parts=["lr == 0.001", "steps == 800"], measure="settings.{}", **FACT))
    assert {row.verdict for row in rows.values()} == {"reproduced"}


def test_a_fact_has_no_trainings_behind_it(judge: Judge) -> None:
    with pytest.raises(UserError, match="U1: experiment is missing: there are trainings behind net <= 1"):
        judge(claim("net <= 1", measure="curves.{}.loss", **FACT), curves={"net": {"loss": [0.5, 0.6]}})


def test_a_number_of_one_training_alone_has_no_interval(judge: Judge) -> None:
    row = judge(claim("net == 5 +- 1", measure="curves.{}.loss"), curves={"net": {"loss": [5.0]}})["U1"]
    assert (row.verdict, row.because) == (
        "inconclusive",
        "5 (one training) against 5 ± 1: too few samples for an interval",
    )


def test_what_the_results_lack_is_not_run(judge: Judge) -> None:
    rows = judge(
        claim("a > b > c", id="U2"),
        claim("b <= 1", id="U3", measure="latency.{}.ms"),
        claim("b <= 1", id="U4", measure="away.{}.ms"),
        claim("a == 29 +- 1", profiles=["quick"]),
        scored=scores("a", [30.0] * 3) + scores("b", [29.0] * 3),
        latency={"a": {"ms": 3}},
    )
    assert {row.verdict for row in rows.values()} == {"not run in this profile"}
    assert rows["U2"].because == "no scores of c in experiment table1"
    assert rows["U3"].because.startswith("no b in ")
    assert rows["U4"].because.endswith("toy/away.json is missing")
    assert rows["U1"].because == "tested in profile quick"


def test_a_misspelt_path_is_an_error_not_a_gap(judge: Judge) -> None:
    with pytest.raises(UserError, match=r"measure a.sm is not in .*latency.json, which has ms there"):
        judge(claim("a <= 1", measure="latency.{}.sm"), latency={"a": {"ms": 3}})


def test_an_untestable_claim_says_why_and_shows_what_was_measured(judge: Judge) -> None:
    reason = "the table names no scale factor"
    rows = judge(
        claim("srcnn == 32.75", id="E14", untestable=reason, measure=None),
        claim("sigma", id="G8", measure="implied.{}", untestable=reason, **FACT),
        implied={"sigma": 12.5},
    )
    assert (rows["E14"].verdict, rows["E14"].because, rows["E14"].ours) == ("untestable", reason, "")
    assert (rows["G8"].verdict, rows["G8"].ours) == ("untestable", "12.5")


def test_a_paper_is_checked_against_itself(judge: Judge) -> None:
    checks = {"US1": None, "US2": "4 == 600 / 150", "US3": "150 == 123000 / 1000 +- 1", "US4": "4 == 677 / 150 +- 0.6"}
    rows = judge(
        self_checks=[
            {"id": name, "source": "§4", "says": "a count", **({"test": test} if test else {})}
            for name, test in checks.items()
        ]
    )
    assert [rows[name].verdict for name in checks] == ["contradiction", "consistent", "contradiction", "consistent"]
    assert (rows["US3"].kind, rows["US3"].published, rows["US3"].ours) == ("self-check", "150", "123")
    assert rows["US3"].because == "150 printed, 123 computed: 27 apart, 1 allowed"


def test_seeds_scored_on_different_images_are_refused(judge: Judge) -> None:
    scored = scores("net", [29.0]) + [(*row[:2], 1, *row[3:]) for row in scores("net", [29.0], images=5)]
    with pytest.raises(UserError, match="the seeds of net were not scored on the same images"):
        judge(claim("net == 29 +- 0.15"), scored=scored, experiments={"table1": EXPERIMENT})
