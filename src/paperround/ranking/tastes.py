"""The model of tastes as the jobs ask for it; what it computes with is loaded when it is asked."""

from collections.abc import Sequence

from paperround.domain.papers import Paper
from paperround.domain.personal_views import TasteDay


def taste_day(
    papers: Sequence[Paper], scores: Sequence[float], background: Sequence[str], shown: int
) -> TasteDay:
    """Make the papers of an edition ready for everybody's taste."""
    from paperround.ranking import opinions  # most commands never ask for anybody's taste

    day = opinions.TasteDay(papers, scores, background, shown)
    return lambda tastes, load: day.chooser(tastes, load).picks
