"""A claim and its measurements → rows of the ledger."""

from dataclasses import dataclass, replace

from common.claims.arithmetic import evaluate
from common.claims.conditions import Condition, conditions, number
from common.claims.fidelity import FULL, LEVELS, compare
from common.claims.measure import Measurements, NotMeasuredError
from common.claims.observe import Observation, observe
from common.claims.schema import SCORES, AnyClaim, Claims, Order, SelfCheck, Value
from common.claims.verdict import CONSISTENT, CONTRADICTION, INCONCLUSIVE, NOT_RUN, UNTESTABLE, WHOLE, inside, verdict
from common.errors import UserError
from common.params import Settings


@dataclass(frozen=True)
class Row:
    """A row of results/claims.csv; numbers are text, as printed, but for the interval.

    published_table, label: where the row stands in a published table.
    """

    id: str
    paper: str
    source: str
    kind: str
    says: str
    published: str = ""
    ours: str = ""
    ci_low: float | None = None
    ci_high: float | None = None
    verdict: str = ""
    fidelity: str = ""
    reason: str = ""
    profile: str = ""
    data: str = ""
    n: str = ""
    seeds: str = ""
    margin: str = ""
    convention: str = ""
    published_table: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Context:
    """What the claims of a paper are judged with. data: name of the test set."""

    claims: Claims
    params: Settings
    measurements: Measurements
    data: str = ""


def judge(claim: AnyClaim, context: Context) -> list[Row]:
    """The rows of one claim: one for each condition, and before them one for the whole of an order."""
    rows = [_row(claim, condition, context) for condition in conditions(claim)]
    return [_whole(claim, rows, context), *rows] if isinstance(claim, Order) else rows


def check_itself(check: SelfCheck, context: Context) -> Row:
    """The row of a paper's check against itself."""
    row = Row(check.id, context.claims.paper, check.source, "self-check", check.says, profile=context.params.profile)
    if check.published is None or check.computed is None:
        return replace(row, verdict=CONTRADICTION)
    try:
        computed = evaluate(str(check.computed), context.measurements.exact)
    except ValueError as error:
        raise UserError(f"{check.id}: computed: {error}") from None
    agrees = abs(check.published - computed) <= check.tolerance + 1e-9 * abs(computed)  # the second term: rounding
    return replace(
        row,
        published=number(check.published),
        ours=number(computed),
        verdict=CONSISTENT if agrees else CONTRADICTION,
        reason=f"computed: {check.computed}",
        margin=f"±{number(check.tolerance)}" if check.tolerance else "exact",
    )


def _row(claim: AnyClaim, condition: Condition, context: Context) -> Row:
    row = Row(
        id=f"{claim.id}.{condition.suffix}" if condition.suffix else claim.id,
        paper=context.claims.paper,
        source=claim.source,
        kind=claim.kind,
        says=claim.says,
        published=condition.published,
        margin=condition.margin,
        profile=context.params.profile,
        convention=claim.convention if claim.measure in SCORES else "",
        published_table=claim.table if isinstance(claim, Value) else None,
        label=condition.suffix,
    )
    if context.params.profile not in claim.profiles:
        return replace(row, verdict=NOT_RUN, reason=f"tested in profile {', '.join(claim.profiles)}")
    if claim.untestable and claim.measure is None:
        return replace(row, verdict=UNTESTABLE, reason=claim.untestable)
    try:
        observation = observe(condition, claim, context.measurements, context.params.seed)
    except NotMeasuredError as reason:
        return replace(row, verdict=NOT_RUN, reason=str(reason))
    return _judged(_shown(row, observation), claim, condition, observation, context)


def _shown(row: Row, observation: Observation) -> Row:
    interval = observation.interval
    sampled = interval is not None and interval.low < interval.high
    return replace(
        row,
        ours=number(observation.mean),
        ci_low=interval.low if interval and sampled else None,
        ci_high=interval.high if interval and sampled else None,
        n=number(observation.n),
        seeds=number(observation.seeds),
    )


def _judged(row: Row, claim: AnyClaim, condition: Condition, observation: Observation, context: Context) -> Row:
    if claim.untestable:
        return replace(row, verdict=UNTESTABLE, reason=claim.untestable)
    fidelity, data = FULL, ""
    if claim.experiment is not None:
        experiment = context.claims.experiments[claim.experiment]
        fidelity = compare(experiment, context.params, observation.seeds)
        data = context.data
    word = verdict(claim.kind, fidelity, inside(observation.interval, condition.low, condition.high))
    why = [fidelity.differs, observation.note]
    if word == INCONCLUSIVE:
        why.append("the interval straddles the bound" if observation.interval else "too few samples for an interval")
    return replace(row, verdict=word, fidelity=fidelity.level, reason="; ".join(filter(None, why)), data=data)


def _whole(claim: Order, pairs: list[Row], context: Context) -> Row:
    """The row of a whole ranking: as strong as its weakest pair."""
    weakest = min(pairs, key=lambda row: WHOLE.index(row.verdict) if row.verdict in WHOLE else 0)
    sign = " > " if claim.better == "higher" else " < "
    published = sign.join(f"{name} {number(claim.values.get(name))}".strip() for name in claim.ranking)
    row = replace(weakest, id=claim.id, published=published, ours="", ci_low=None, ci_high=None, label="", margin="")
    if claim.untestable or row.verdict == NOT_RUN:
        return row
    measured = {
        name: context.measurements.measure(str(claim.measure), name, claim.experiment, claim.convention).estimate.mean
        for name in claim.ranking
    }
    ours = sorted(measured, key=measured.__getitem__, reverse=claim.better == "higher")
    lowest = max((row.fidelity for row in pairs), key=LEVELS.index)
    return replace(row, ours=sign.join(f"{name} {measured[name]:.6g}" for name in ours), fidelity=lowest)
