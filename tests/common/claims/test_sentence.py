import math

import pytest

from common.claims.sentence import parse, parse_check


@pytest.mark.parametrize(
    ("text", "form", "rows", "low", "high"),
    [
        ("dncnn == 28.9662 +- 0.15", "row", "dncnn", 28.8162, 29.1162),
        ("dncnn == 225859", "row", "dncnn", 225859, 225859),
        ("learns >= 1", "row", "learns", 1, math.inf),
        ("dsc / plain <= 0.6", "ratio", "dsc plain", -math.inf, 0.6),
        ("dn_blind - dn_gaussian >= -0.3", "difference", "dn_blind dn_gaussian", -0.3, math.inf),
        ("1 <= dn_jpeg - noisy <= 2", "difference", "dn_jpeg noisy", 1, 2),
        ("wgan - dcgan == 2.3809 +- 0.15", "difference", "wgan dcgan", 2.2309, 2.5309),
        ("clean == noisy +- 0.2", "difference", "clean noisy", -0.2, 0.2),
        ("udncnn == 10.26 * 10**9 +- 5 * 10**6", "row", "udncnn", 10255000000, 10265000000),
        ("convolution == 32 * 9 * 32 * 320**2", "row", "convolution", 943718400, 943718400),
    ],
)
def test_a_sentence_says_where_a_quantity_of_rows_must_lie(
    text: str, form: str, rows: str, low: float, high: float
) -> None:
    sentence = parse(text)
    assert (sentence.form, " ".join(sentence.rows)) == (form, rows)
    assert (sentence.low, sentence.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(("text", "above"), [("a > b", True), ("a < b", False), ("a > 0", True), ("a < 0", False)])
def test_a_sign_excludes_zero_itself_and_nothing_else(text: str, above: bool) -> None:
    sentence = parse(text)
    assert not sentence.low <= 0 <= sentence.high
    assert sentence.low <= 5e-324 <= sentence.high if above else sentence.low <= -5e-324 <= sentence.high


def test_an_order_is_each_two_neighbours_difference() -> None:
    pairs = parse("dudncnn > dncnn > udncnn").pairs
    assert [(pair.rows, pair.low > 0) for pair in pairs] == [(("dudncnn", "dncnn"), True), (("dncnn", "udncnn"), True)]
    assert all(pair.high < 0 for pair in parse("bilinear < shuffle < reshape").pairs)


def test_rows_that_equal_each_other_are_tested_for_equivalence_and_a_number_is_not() -> None:
    assert parse("clean == noisy +- 0.2").equivalence
    assert not parse("clean - noisy == 0.1 +- 0.2").equivalence


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a == 28.9662 +- 0.15", "28.9662 ± 0.15"),
        ("a == 28985088", "28985088"),
        ("a > b", "> 0"),
        ("a < 0", "< 0"),
        ("0.5 <= a - b <= 0.7", "≥ 0.5, ≤ 0.7"),
        ("a == b +- 0.2", "±0.2"),
        ("a > b > c", "a > b > c"),
        ("a / b", ""),
    ],
)
def test_what_is_wanted_reads_as_it_was_written(text: str, wanted: str) -> None:
    assert parse(text).wanted == wanted


@pytest.mark.parametrize(
    "text",
    [
        "a >",
        "a > b < c",
        "a * b > 1",
        "a - b - c > 1",
        "a == b",
        "a - b == c +- 0.1",
        "2 <= a <= 1",
        "a > a",
        "a == 1 +- -1",
        "a == 1 +-",
        "a > 1 +- 0.1",
        "a.b > 1",
        "f(a) > 1",
        "a == True",
        "a == __import__('os')",
        "a == 'text'",
    ],
)
def test_anything_else_is_no_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a sentence"):
        parse(text)


def test_a_check_is_a_printed_number_and_arithmetic() -> None:
    _, printed, computed, tolerance = parse_check("0.107 == 2 * 10**(-21.335 / 20) / sqrt(2) +- 0.015")
    assert (printed, computed, tolerance) == (0.107, pytest.approx(0.12127, abs=1e-5), 0.015)
    assert parse_check("-1.356 == 20 * log10(0.029 / 0.025)")[1:] == (-1.356, pytest.approx(1.28916, abs=1e-5), 0)
    for text in ("4", "4 > 3", "4 == a", "4 == open('x')"):
        with pytest.raises(ValueError, match="4 == 600 / 150"):
            parse_check(text)
