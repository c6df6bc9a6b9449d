"""The words of a verdict, and the rule that chooses one."""

from common.claims.fidelity import Fidelity
from common.score.statistics import Interval

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
HOLDS, DOES_NOT_HOLD = "holds here", "does not hold here"
OFF_PROTOCOL, INCONCLUSIVE = "off-protocol", "inconclusive"
UNTESTABLE, NOT_RUN = "untestable", "not run in this profile"
CONSISTENT, CONTRADICTION = "consistent", "contradiction"  # of a paper's check against itself


def verdict(kind: str, fidelity: Fidelity, held: bool | None) -> str:
    """The outcome in words; `held` is None where the measurement does not decide.

    Off the published noise nothing is judged, and short of full fidelity no published number is: ours is shown. All
    else short of full fidelity speaks of what holds here, and refutes no paper.
    """
    if fidelity.off_protocol or (kind == "value" and fidelity.level != "full"):
        return OFF_PROTOCOL
    if held is None:
        return INCONCLUSIVE
    yes, no = (REPRODUCED, NOT_REPRODUCED) if fidelity.level == "full" else (HOLDS, DOES_NOT_HOLD)
    return yes if held else no


def inside(interval: Interval | None, low: float, high: float) -> bool | None:
    """Whether an interval lies in [low, high]: True all of it, False none of it, None in between or unknown."""
    if interval and low <= interval.low and interval.high <= high:
        return True
    return False if interval and (interval.high < low or high < interval.low) else None
