"""Five good, three bad: what is shown, what it says, what is kept."""

import pytest

from paperround.db.transactions import Database
from paperround.digests.publish import freeze_cuts
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.plugins.onboarding.ratings import (
    PAGE,
    StoredRatings,
    papers_to_rate,
    store_ratings,
    suggest,
)
from paperround.self_service.preferences import open_choices
from paperround.signup.context import SignupContext
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import HOUR, NOW, address
from tests.fakes import NewestFirst
from tests.sample_database import fill, record
from tests.self_service.readers import joined, link, post, request_link, signup_context, visitor

FOLDING = [f"Protein folding in {place}" for place in ("ice", "fire", "air", "sea", "wood")]
PRICES = [f"Market prices of {thing}" for thing in ("bread", "milk", "salt")]
OTHERS = [f"A tale of number {number}" for number in range(20)]
TOPIC = Interest(InterestKind.TOPIC, "protein folding")


@pytest.fixture
def here(database: Database) -> SignupContext:
    """A reader, and an edition of papers on several things."""
    papers = [
        record(
            number, title=title, authors=(f"Author {number}",), categories=(f"q-bio.{title[0]}",)
        )
        for number, title in enumerate((*FOLDING, *PRICES, *OTHERS), start=1)
    ]
    fill(database, papers, NOW - HOUR)
    here = signup_context(database)
    joined(here)
    freeze_cuts(database=database, ranker=NewestFirst(), now=NOW)
    return here


def choosing(here: SignupContext) -> str:
    request_link(here, address(), visitor(), now=NOW)
    (mail,) = post(here.database, now=NOW)
    return link(mail)


def called(database: Database, titles: list[str]) -> list[PaperId]:
    with database.reading() as work:
        papers = work[PaperStore].newest(before=None, limit=100)
    ids = {one.title: one.id for one in papers}
    return [ids[title] for title in titles]


def pages(here: SignupContext, token: str) -> list[list[PaperId]]:
    found = []
    for page in (1, 2, 3, 4, 5, 6):
        judging = papers_to_rate(here, token, page=page, now=NOW)
        found.append([one.paper_id for one in judging.papers])
        if not judging.more:
            break
    return found


@pytest.mark.accept("F31", part="5 good, 3 bad")
def test_papers_of_late_are_shown_page_by_page_each_once(here: SignupContext) -> None:
    shown = pages(here, choosing(here))
    assert [len(page) for page in shown] == [PAGE, PAGE, 28 - 2 * PAGE]
    assert len({paper for page in shown for paper in page}) == 28


@pytest.mark.accept("F31", part="5 good, 3 bad")
def test_what_good_papers_have_in_common_is_suggested_and_not_kept(
    here: SignupContext, database: Database
) -> None:
    token = choosing(here)
    good, bad = called(database, FOLDING), called(database, PRICES)
    found = suggest(here, token, good, bad, now=NOW)
    assert found.topics[0] == TOPIC
    assert Interest(InterestKind.CATEGORY, "q-bio.P") in found.categories
    assert Interest(InterestKind.AUTHOR, "Author 1") in found.authors
    assert not [one for one in found.authors if one.value == "Author 6"]
    choices = open_choices(here, token, now=NOW)
    assert choices.interests == ()


@pytest.mark.accept("F31", part="5 good, 3 bad")
def test_what_is_kept_is_feedback_and_interests_and_is_not_shown_again(
    here: SignupContext, database: Database
) -> None:
    token = choosing(here)
    good, bad = called(database, FOLDING), called(database, PRICES)
    assert store_ratings(here, token, good, bad, [TOPIC], now=NOW) == StoredRatings(
        papers=8, interests=1
    )
    with database.reading() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
        said = dict(work[SubscriberStore].feedback_of(person.id))
    assert said == dict.fromkeys(good, "more") | dict.fromkeys(bad, "less")
    left = {paper for page in pages(here, token) for paper in page}
    assert not left & {*good, *bad}


def test_papers_that_nobody_knows_are_passed_over(here: SignupContext) -> None:
    token = choosing(here)
    unknown = [PaperId(10**9)]
    found = suggest(here, token, unknown, [], now=NOW)
    assert (found.good, found.topics) == ((), ())
    assert store_ratings(here, token, unknown, [], [], now=NOW) == StoredRatings(
        papers=0, interests=0
    )
