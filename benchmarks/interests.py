"""B6, second part: the cost of choosing a digest by its reader's interests."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random
from time import process_time

from benchmarks.invented import papers
from benchmarks.table import Bar, Measured
from paperround.digests.model import DigestChoice, choice_of
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import Edition, EditionId, EditionPaper, EditionState, SkipReason
from paperround.papers.model import PaperId
from paperround.personal.keyword_index import KeywordIndex, findable
from paperround.personal.matches import ReaderPreferences, match_preferences
from paperround.personal.views import PaperIndex, PersonalView, in_order
from paperround.subscribers.interests import Interest, InterestKind, interest

READERS, LINES, SHARED, SHOWN = 10_000, 5, 2_000, 60
DAY, NOON = date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC)
LIST = MailingList(id=ListId(1), name="trending", title="Trending papers")


def choosing_by_interests() -> list[Measured]:
    """CPU microseconds per reader of an edition, including reasons: for readers who share their
    interests, and for readers without any in common."""
    edition, drawn = _edition(), Random(1)  # noqa: S311 - lines for a benchmark
    words = sorted({word for paper in edition.papers for word in paper.gist.lower().split()})
    shared = [_line(words, drawn) for _ in range(SHARED)]
    crowds = {
        f"{SHARED:,} different lines": [drawn.sample(shared, LINES) for _ in range(READERS)],
        "no line twice": [[_line(words, drawn) for _ in range(LINES)] for _ in range(READERS)],
    }
    return [
        Measured(
            id="B6",
            measure=f"choosing by {LINES} interests, a reader of {READERS:,}, {how}",
            value=_cost(edition, crowd) / READERS * 1e6,
            bar=Bar("at most", 1_000),
            unit="µs",
        )
        for how, crowd in crowds.items()
    ]


def _edition() -> Edition:
    shown = [
        EditionPaper(
            position=n, paper_id=PaperId(n), title=str(row["title"]), gist=str(row["summary"]),
            score=5 - n / 20,
        )
        for n, row in enumerate(papers(SHOWN), 1)
    ]  # fmt: skip
    return Edition(
        id=EditionId(1), list_id=LIST.id, list_name=LIST.name, day=DAY, cut="0", as_of=NOON,
        frozen_at=NOON, cut_at=NOON, ranker="none", state=EditionState.FROZEN, papers=tuple(shown),
    )  # fmt: skip


def _line(words: Sequence[str], drawn: Random) -> Interest:
    """A search or, one time in five, a mute; of one to three words."""
    one, two, three = (f'"{drawn.choice(words)}"' for _ in range(3))
    form = drawn.choice([one, f"{one} AND {two}", f"({one} OR {two}) NOT {three}"])
    mutes = drawn.random() < 0.2
    return interest(InterestKind.MUTE if mutes else InterestKind.KEYWORD, form)


def _cost(edition: Edition, crowd: Sequence[Sequence[Interest]]) -> float:
    wishes = [ReaderPreferences(interests=tuple(lines)) for lines in crowd]
    finder, index = (
        KeywordIndex([findable(one, None) for one in edition.papers]),
        PaperIndex(edition.papers),
    )
    start = process_time()
    chosen = [_choice(wish, finder, index, edition) for wish in wishes]
    cost = process_time() - start
    assert any(isinstance(one, DigestChoice) and one.reasons for one in chosen)
    return cost


def _choice(
    wishes: ReaderPreferences, finder: KeywordIndex, index: PaperIndex, edition: Edition
) -> DigestChoice | SkipReason:
    matches = match_preferences(wishes, finder)
    view = PersonalView(size=LIST.size, matches=matches)
    return choice_of(in_order(view, index), edition, index, matches)
