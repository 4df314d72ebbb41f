"""What readers say of papers decides their next digest, whoever asks for it."""

import gc
from collections.abc import Sequence
from datetime import timedelta

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.digests.publish import publish
from paperround.editions.model import DigestKind, Edition
from paperround.papers.model import Paper, PaperId
from paperround.personal import reader_scores
from paperround.personal.ranking import PersonalRanking
from paperround.personal.reader_preferences import load_preferences
from paperround.personal.views import Taste
from paperround.subscribers.model import Preferences, SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english
from tests.fakes import NewestFirst
from tests.personal.personal_ranking import LATER, filler, like, person
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

KILN = "Glazed pottery is fired in a kiln; the glaze is ash."


@pytest.fixture
def liked(database: SqlDatabase) -> SqlDatabase:
    """Two readers; ada liked an earlier paper on pottery. Today one of three papers is, the oldest
    of them, which therefore comes last."""
    subscribe(database, "ada", "bob", wish=Preferences(size=1))
    earlier = [record(900, title="Dating pottery", abstract=KILN), *filler(20, 901)]
    fill(database, earlier, NOW - timedelta(days=30))
    like(database, "ada", "Dating pottery")
    fill(database, [record(1, title="A kiln for pottery", abstract=KILN)], NOW)
    fill(database, filler(2, 2), NOW + timedelta(hours=1))
    return database


def published(database: SqlDatabase, personal_ranking: PersonalRanking | None) -> Edition:
    return publish(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        list_name="trending",
        day=LATER.date(),
        cut="manual",
        now=LATER,
        personal_ranking=personal_ranking,
    ).edition


def first_of(database: SqlDatabase, edition: Edition, name: str) -> tuple[str, str]:
    """The title of a reader's first paper, and the reason that is theirs alone."""
    with database.reading() as work:
        slip = work[Ledger].find(
            edition.list_id, person(database, name), DigestKind.DIGEST, LATER.date()
        )
    assert slip is not None
    position = slip.positions[0]
    return edition.papers[position - 1].title, slip.reasons.get(position, "")


@pytest.mark.accept("F13", part="feedback")
def test_a_paper_like_a_liked_one_comes_first_for_who_liked_it(liked: SqlDatabase) -> None:
    edition = published(liked, PersonalRanking())
    title, reason = first_of(liked, edition, "ada")
    assert title == "A kiln for pottery"
    assert ", which you liked: also about " in english(reason)
    assert first_of(liked, edition, "bob") == (edition.papers[0].title, "")


def test_without_a_model_everybody_gets_the_edition_in_its_order(liked: SqlDatabase) -> None:
    edition = published(liked, None)
    assert first_of(liked, edition, "ada") == (edition.papers[0].title, "")


class Counting(reader_scores.TasteDay):
    """Counts how often an edition is prepared."""

    made = 0

    def __init__(
        self,
        papers: Sequence[Paper],
        scores: Sequence[float],
        background: Sequence[str],
        shown: int,
    ) -> None:
        Counting.made += 1
        super().__init__(papers, scores, background, shown)


def test_an_edition_is_made_ready_once_for_all_who_ask(
    liked: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "made", 0)
    monkeypatch.setattr(reader_scores, "TasteDay", Counting)
    personal_ranking = PersonalRanking()
    edition = published(liked, personal_ranking)
    with liked.reading() as work:
        page = work[SubscriberStore].subscriptions_after(
            edition.list_id, SubscriptionId(0), limit=10
        )
        assert set(
            personal_ranking.of(work, edition, page, load_preferences(work, page)).tastes
        ) == {person(liked, "ada")}
    assert Counting.made == 1


def tastes_held(paper: PaperId) -> int:
    """Tastes in memory of whoever likes the paper."""
    gc.collect()
    return sum(isinstance(one, Taste) and paper in one.liked for one in gc.get_objects())


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.accept("P2", part="memory")
def test_nothing_in_memory_tells_what_a_reader_liked_once_their_digest_is_planned(
    liked: SqlDatabase,
) -> None:
    personal_ranking = PersonalRanking()
    edition = published(liked, personal_ranking)
    with liked.reading() as work:
        ((paper, _),) = work[SubscriberStore].feedback_of(person(liked, "ada"))
        page = work[SubscriberStore].subscriptions_after(
            edition.list_id, SubscriptionId(0), limit=10
        )
        views = personal_ranking.of(work, edition, page, load_preferences(work, page))
    assert tastes_held(paper) == len(views.tastes) == 1
    del views
    assert tastes_held(paper) == 0
