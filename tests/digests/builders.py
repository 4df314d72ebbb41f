"""An edition to choose from."""

from datetime import UTC, date, datetime

from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import Edition, EditionId, EditionPaper, EditionState
from paperround.papers.model import PaperId

FRIDAY = date(2026, 1, 30)
LIST = MailingList(id=ListId(1), name="trending", title="Trending papers", size=3)


def edition(papers: int, empty_reason: str | None = None) -> Edition:
    noon = datetime(2026, 1, 30, 12, tzinfo=UTC)
    return Edition(
        id=EditionId(1),
        list_id=LIST.id,
        list_name=LIST.name,
        day=FRIDAY,
        cut="manual",
        as_of=noon,
        frozen_at=noon,
        cut_at=noon,
        ranker="test",
        state=EditionState.FROZEN,
        papers=tuple(
            EditionPaper(position=n, paper_id=PaperId(100 + n), title=f"Paper {n}", score=10.0 - n)
            for n in range(1, papers + 1)
        ),
        empty_reason=empty_reason,
    )
