"""The model of tastes as the jobs ask for it; what it computes with is loaded when it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paperround.domain.papers import Paper

if TYPE_CHECKING:  # most commands never ask for anybody's taste
    from paperround.ranking.opinions import TasteDay


@dataclass(frozen=True, slots=True)
class TasteRanker:
    """Ranks an edition's papers for each reader."""

    def day(
        self,
        papers: Sequence[Paper],
        scores: Sequence[float],
        background: Sequence[str],
        shown: int,
    ) -> "TasteDay":
        """The papers on the shelf of an edition with their scores, of which the first are `shown`
        to everybody, and earlier titles and abstracts, made ready."""
        from paperround.ranking.opinions import TasteDay

        return TasteDay(papers, scores, background, shown)
