from common.score.evaluation import TRIVIAL
from common.score.results import UNTRAINED


def test_scores_and_evaluation_agree_on_what_is_not_trained() -> None:
    assert set(UNTRAINED) == set(TRIVIAL)
