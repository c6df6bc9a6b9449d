"""A claim and its measurements → its row of the ledger."""

from dataclasses import dataclass, replace

from common.claims.fidelity import Fidelity, compare
from common.claims.measure import Observation, Run, measured, observe
from common.claims.schema import SCORES, Claim, SelfCheck
from common.claims.sentence import Sentence, number
from common.claims.verdict import CONSISTENT, CONTRADICTION, NOT_RUN, OFF_PROTOCOL, UNTESTABLE, inside, verdict
from common.score.results import NotMeasuredError


@dataclass(frozen=True)
class Row:
    """A row of results/claims.csv; numbers are text, as printed, but for the interval.

    because: the verdict in one line. reason: what differs from the paper's protocol, or why nothing is judged.
    table: the published table that the row stands in.
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


def judge(claim: Claim, run: Run) -> Row:
    """The row of a claim; that of an order is as strong as its weakest pair."""
    test, profile, paper = claim.test, run.settings["profile"], run.claims.paper
    published = test.wanted if test.published is None else number(test.published)
    row = Row(claim.id, paper, claim.source, claim.kind, claim.says, test.text, published, profile=profile)
    row = replace(row, convention=claim.convention if claim.measure in SCORES else "", table=claim.table)
    if profile not in claim.profiles:
        return _unjudged(row, NOT_RUN, f"tested in profile {', '.join(claim.profiles)}")
    if claim.untestable and claim.measure is None:
        return _unjudged(row, UNTESTABLE, claim.untestable)
    try:
        observed = [(part, observe(part, claim, run)) for part in test.pairs]
        row = replace(row, ours=_ranking(claim, run) if test.form == "order" else number(observed[0][1].mean))
    except NotMeasuredError as missing:
        return _unjudged(row, NOT_RUN, str(missing).partition(": run ")[0])
    decided = [inside(one.interval, part.low, part.high) for part, one in observed]
    held = False if False in decided else None if None in decided else True
    _, weakest = observed[decided.index(held)]
    row = replace(row, n=number(weakest.images), seeds=number(weakest.seeds))
    if test.form != "order" and weakest.sampled:
        row = replace(row, ci_low=weakest.sampled.low, ci_high=weakest.sampled.high)
    if claim.untestable:
        return _unjudged(row, UNTESTABLE, claim.untestable)
    experiment = run.claims.experiments.get(str(claim.experiment))
    fidelity = compare(experiment, run.settings, weakest.seeds) if experiment else Fidelity()
    word = verdict(claim.kind, fidelity, held)
    shown = f"not judged, {'other noise' if fidelity.off_protocol else fidelity.level}" if word == OFF_PROTOCOL else ""
    because = "; ".join(f"{_numbers(one, part, claim)}: {shown or _outcome(one, part)}" for part, one in observed)
    row = replace(row, verdict=word, because=because, fidelity=fidelity.level, reason=fidelity.differs)
    return replace(row, data=run.data) if experiment else row


def check_itself(check: SelfCheck, run: Run) -> Row:
    """The row of a paper's check against itself."""
    row = Row(check.id, run.claims.paper, check.source, "self-check", check.says, profile=run.settings["profile"])
    if check.test is None:
        return replace(row, verdict=CONTRADICTION, because="by its own words")
    text, printed, computed, tolerance = check.test
    row = replace(row, test=text, published=number(printed), ours=number(computed))
    apart = abs(printed - computed)
    word = CONSISTENT if apart <= tolerance + 1e-9 * abs(computed) else CONTRADICTION  # the second term: rounding
    because = f"{row.published} printed, {row.ours} computed: {_rounded(apart)} apart, {number(tolerance)} allowed"
    return replace(row, verdict=word, because=because)


def _unjudged(row: Row, word: str, reason: str) -> Row:
    return replace(row, verdict=word, because=reason, reason=reason)


def _ranking(claim: Claim, run: Run) -> str:
    """The rows of an order as they came out."""
    found = {row: measured(row, claim, run).estimate.mean for row in claim.test.rows}
    rising = "<" in claim.test.text
    ranked = sorted(found, key=found.__getitem__, reverse=not rising)
    return (" < " if rising else " > ").join(f"{row} {found[row]:.6g}" for row in ranked)


def _numbers(observed: Observation, part: Sentence, claim: Claim) -> str:
    """What is compared with what: 29.15 dB [29.14, 29.16] (one training) against 28.9662 ± 0.15."""
    decibels = any(name.endswith("_db") for name in str(claim.measure).split("."))

    def short(value: float) -> str:
        return f"{value:.2f}" if decibels else number(value) if value.is_integer() else f"{value:.4g}"

    told = [part.text] if claim.test.form == "order" else []
    told += [short(observed.mean) + (" dB" if decibels and part.form != "ratio" else "")]
    told += [f"[{short(observed.sampled.low)}, {short(observed.sampled.high)}]"] if observed.sampled else []
    told += ["(one training)"] if observed.seeds == 1 else []
    return " ".join(told) + (f" against {part.wanted}" if claim.test.form != "order" else "")


def _outcome(observed: Observation, part: Sentence) -> str:
    held = inside(observed.interval, part.low, part.high)
    if held is None:
        return "the interval straddles the bound" if observed.interval else "too few samples for an interval"
    yes, no = ("within", "outside") if part.tolerance else ("holds", "fails")
    beyond = _rounded(max(part.low - observed.mean, observed.mean - part.high))
    test = "" if observed.p_value is None else f", equivalence test p = {observed.p_value:.2g}"
    return (yes if held else f"{no} by {beyond}") + test


def _rounded(value: float) -> str:
    return number(float(f"{value:.2g}"))
