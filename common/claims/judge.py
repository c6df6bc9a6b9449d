"""A claim and its measurements → its row of the ledger."""

import math
from dataclasses import dataclass, replace

from common.claims.fidelity import FULL, Fidelity, compare
from common.claims.inputs import NotMeasuredError, Run
from common.claims.measure import Observation, measured, observe, recorded
from common.claims.schema import SCORES, Claim, SelfCheck
from common.claims.sentence import Sentence, evaluate, number
from common.claims.verdict import CONSISTENT, CONTRADICTION, NOT_RUN, OFF_PROTOCOL, UNTESTABLE, inside, verdict


@dataclass(frozen=True)
class Row:
    """A row of results/claims.csv; numbers are text, as printed, but for the interval.

    because: the verdict in one line. reason: what differs from the paper's protocol, or why nothing was judged.
    table: the published table that the row stands in, as `label`.
    """

    id: str
    paper: str
    source: str
    kind: str
    says: str
    test: str = ""
    published: str = ""
    ours: str = ""
    ci_low: float | None = None
    ci_high: float | None = None
    verdict: str = ""
    because: str = ""
    fidelity: str = ""
    reason: str = ""
    profile: str = ""
    data: str = ""
    n: str = ""
    seeds: str = ""
    convention: str = ""
    table: str | None = None
    label: str = ""


def judge(claim: Claim, run: Run) -> Row:
    """The row of a claim; that of an order is as strong as its weakest pair."""
    test, profile = claim.test, run.settings.profile
    published = test.wanted if test.published is None else number(test.published)
    convention = claim.convention if claim.measure in SCORES else ""
    row = Row(claim.id, run.paper, claim.source, claim.kind, claim.says, test.text, published, convention=convention)
    row = replace(row, profile=profile, table=claim.table, label=test.rows[0])
    if profile not in claim.profiles:
        return _unjudged(row, NOT_RUN, f"tested in profile {', '.join(claim.profiles)}")
    if claim.untestable and claim.measure is None:
        return _unjudged(row, UNTESTABLE, claim.untestable)
    parts = test.pairs if test.form == "order" else [test]
    try:
        observed = [observe(part, claim, run) for part in parts]
        row = replace(row, ours=_ours(observed[0], claim, run))
    except NotMeasuredError as missing:
        return _unjudged(row, NOT_RUN, str(missing))
    decided = [inside(one.interval, part.low, part.high) for one, part in zip(observed, parts, strict=True)]
    held = False if False in decided else None if None in decided else True
    weakest = observed[decided.index(held)]
    row = replace(row, n=number(weakest.images), seeds=number(weakest.seeds))
    if test.form != "order" and weakest.sampled and weakest.interval:
        row = replace(row, ci_low=weakest.interval.low, ci_high=weakest.interval.high)
    if claim.untestable:
        return _unjudged(row, UNTESTABLE, claim.untestable)
    fidelity, why = _fidelity(claim, weakest, run)
    word = verdict(claim.kind, fidelity, held)
    unjudged = "not judged, " + ("other noise" if fidelity.off_protocol else fidelity.level)
    lines = [
        _line(one, part, claim, unjudged if word == OFF_PROTOCOL else _outcome(one, part, answer))
        for one, part, answer in zip(observed, parts, decided, strict=True)
    ]
    data = run.records.test_set() if claim.experiment else ""
    return replace(row, verdict=word, because="; ".join(lines), fidelity=fidelity.level, reason=why, data=data)


def check_itself(check: SelfCheck, run: Run) -> Row:
    """The row of a paper's check against itself."""
    row = Row(check.id, run.paper, check.source, "self-check", check.says, profile=run.settings.profile)
    if check.test is None:
        return replace(row, verdict=CONTRADICTION, because="by its own words")
    printed, arithmetic, tolerance = check.test
    computed = evaluate(arithmetic, lambda measure: recorded(measure, run).estimate.mean)
    apart = abs(printed - computed)
    agrees = apart <= tolerance + 1e-9 * abs(computed)  # the second term: rounding
    allowed = f"± {number(tolerance)}" if tolerance else "exactly"
    return replace(
        row,
        test=f"{number(printed)} == {arithmetic}" + (f" +- {number(tolerance)}" if tolerance else ""),
        published=number(printed),
        ours=number(computed),
        verdict=CONSISTENT if agrees else CONTRADICTION,
        because=f"{number(printed)} printed, {number(computed)} computed, {allowed}: "
        + ("they agree" if agrees else f"{apart:.2g} apart"),
    )


def _unjudged(row: Row, word: str, reason: str) -> Row:
    return replace(row, verdict=word, because=reason, reason=reason)


def _ours(observed: Observation, claim: Claim, run: Run) -> str:
    """What was measured: the number, or the rows of an order as they came out."""
    if claim.test.form != "order":
        return number(observed.mean)
    found = {row: measured(row, claim, run).estimate.mean for row in claim.test.rows}
    rising = claim.test.high < math.inf
    ranked = sorted(found, key=found.__getitem__, reverse=not rising)
    return (" < " if rising else " > ").join(f"{row} {found[row]:.6g}" for row in ranked)


def _fidelity(claim: Claim, observed: Observation, run: Run) -> tuple[Fidelity, str]:
    """The fidelity, and in words what differs from the paper's protocol; fewer trainings are named, no more."""
    if claim.experiment is None:
        return FULL, ""
    experiment = run.claims.experiments[claim.experiment]
    fidelity, seeds = compare(experiment, run.paper, run.settings), observed.seeds
    few = [f"{seeds} of {experiment.seeds} training seeds"] if seeds and seeds < experiment.seeds else []
    return fidelity, "; ".join([*fidelity.differs, *few])


def _line(observed: Observation, part: Sentence, claim: Claim, outcome: str) -> str:
    """A verdict in words and numbers: 29.15 dB [29.14, 29.16] against 28.97 ± 0.15: outside by 0.03."""
    decibels = any(name.endswith("_db") for name in str(claim.measure).split("."))

    def short(value: float) -> str:
        return f"{value:.2f}" if decibels else number(value) if value == round(value) else f"{value:.4g}"

    interval = observed.interval if observed.sampled else None
    told = [f"{part.text}:"] if claim.test.form == "order" else []
    told += [short(observed.mean), *(["dB"] if decibels and part.form != "ratio" else [])]
    told += [f"[{short(interval.low)}, {short(interval.high)}]"] if interval else []
    told += ["(one training)"] if observed.seeds == 1 else []
    return f"{' '.join(told)} against {part.wanted.removeprefix('within ')}: {outcome}"


def _outcome(observed: Observation, part: Sentence, held: bool | None) -> str:
    if held is None:
        return "the interval straddles the bound" if observed.interval else "too few samples for an interval"
    yes, no = ("holds", "fails") if part.published is None else ("within", "outside") if part.tolerance else ("equal", "off")
    test = "" if observed.p_value is None else f", equivalence test p = {observed.p_value:.2g}"
    return (yes if held else f"{no} by {max(part.low - observed.mean, observed.mean - part.high):.2g}") + test
