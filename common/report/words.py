"""The words of a verdict: what each says, its colour, and how the first screen counts it."""

from common.claims import verdict

OUTCOMES = {
    verdict.REPRODUCED: "at full fidelity, the whole 95 % interval of ours lies within what the paper claims.",
    verdict.NOT_REPRODUCED: "at full fidelity, none of it does.",
    verdict.HOLDS: "an order, margin, ratio or curve holds in this run, which is not the paper's.",
    verdict.DOES_NOT_HOLD: "it does not hold in this run. That refutes no paper.",
    verdict.OFF_PROTOCOL: "a number short of full fidelity, or other noise than the paper's: shown, not judged.",
    verdict.INCONCLUSIVE: "the interval straddles the bound, or there are too few samples for an interval.",
    verdict.UNTESTABLE: "the paper leaves open what would be tested, or what it takes cannot be had.",
    verdict.NOT_RUN: "needs another profile; the ledger says which.",
    verdict.CONSISTENT: "a number of the paper agrees with its other numbers.",
    verdict.CONTRADICTION: "a number of the paper disagrees with its other numbers.",
}
"""In the order in which the ledger sorts them."""
FIDELITY = {
    "full": "the paper's data, noise, recipe and size; fewer trainings are named beside the verdict.",
    "reduced": "the paper's data; a shorter training or a smaller network, as the ledger lists.",
    "stand-in": "other images than the paper's, and what else the ledger lists.",
}
TONES = {
    verdict.REPRODUCED: "good",
    verdict.HOLDS: "good",
    verdict.CONSISTENT: "good",
    verdict.NOT_REPRODUCED: "bad",
    verdict.CONTRADICTION: "bad",
    verdict.DOES_NOT_HOLD: "other",
    verdict.INCONCLUSIVE: "open",
    verdict.OFF_PROTOCOL: "open",
    verdict.UNTESTABLE: "open",
    verdict.NOT_RUN: "open",
}
"""Colour of a verdict. What does not hold short of full fidelity refutes no paper, and is not coloured as if it did."""
GROUPS = {
    "hold": (verdict.REPRODUCED, verdict.HOLDS),
    "do not": (verdict.NOT_REPRODUCED, verdict.DOES_NOT_HOLD),
    "open": (verdict.INCONCLUSIVE,),
    "not judged": (verdict.OFF_PROTOCOL, verdict.UNTESTABLE),
    "not run": (verdict.NOT_RUN,),
}
"""The first screen's counts. Checks of a paper against itself are counted apart."""
NONE = "–"
"""Stands in a cell for a number that there is not."""


def explained(word: str) -> str:
    """What a verdict or a fidelity says, for its title; nothing for any other word."""
    return OUTCOMES.get(word) or FIDELITY.get(word, "")
