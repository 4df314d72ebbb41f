"""The next digest before it comes: tried choices, and nobody in particular."""

from datetime import date

import pytest

from paperround.core.errors import NotFound
from paperround.db.transactions import Database
from paperround.digests.publish import freeze_cuts
from paperround.editions.model import SkipReason
from paperround.self_service.preview import (
    Preview,
    first_digest_preview,
    next_digest,
)
from paperround.signup.context import SignupContext
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import HOUR, NOW, address, everything_kept
from tests.fakes import NewestFirst
from tests.sample_database import fill, record
from tests.self_service.readers import (
    joined,
    link,
    post,
    press,
    request_link,
    signup_context,
    visitor,
)

TOPIC = Interest(InterestKind.TOPIC, "tides")
MUTE = Interest(InterestKind.MUTE, "pottery")


@pytest.fixture
def here(database: Database) -> SignupContext:
    """An edition of twenty papers, of which one is on tides and the last one on pottery."""
    papers = [record(number) for number in range(1, 19)]
    papers += [record(19, title="On tides"), record(20, title="On pottery")]
    for number, one in enumerate(papers):
        fill(database, [one], NOW - HOUR - number * HOUR / 100)
    freeze_cuts(database=database, ranker=NewestFirst(), now=NOW)
    return signup_context(database)


def choosing(here: SignupContext) -> str:
    request_link(here, address(), visitor(), now=NOW)
    (mail,) = post(here.database, now=NOW)
    return link(mail)


def titles(found: Preview) -> list[str]:
    return [one.title for one in found.papers]


@pytest.mark.accept("F30", part="live preview")
def test_choices_are_tried_and_not_kept(here: SignupContext) -> None:
    joined(here)
    token = choosing(here)
    wish = Preferences(size=3, topics=("tides",))
    with here.database.reading() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
        before = everything_kept(work, person.id)
    found = next_digest(press(here), token, now=NOW, preferences=wish, interests=())
    assert titles(found)[0] == "On tides"
    assert len(titles(found)) == 3
    with here.database.reading() as work:
        assert everything_kept(work, person.id) == before


def test_a_pause_and_another_day_do_not_hide_what_would_come_after_them(
    here: SignupContext,
) -> None:
    joined(here)
    wish = Preferences(
        frequency=Frequency.WEEKLY, weekday="fri", paused_until=date(2026, 3, 20), size=2
    )
    found = next_digest(press(here), choosing(here), now=NOW, preferences=wish)
    assert len(titles(found)) == 2


def test_choices_that_leave_nothing_say_why(here: SignupContext) -> None:
    everything = Interest(InterestKind.MUTE, "paper OR tides OR pottery")
    joined(here)
    found = next_digest(
        press(here), choosing(here), now=NOW, preferences=Preferences(), interests=(everything,)
    )
    assert (found.papers, found.skipped) == ((), SkipReason.MUTED)


@pytest.mark.accept("F27", part="preview before confirming")
def test_somebody_new_sees_what_they_would_get(here: SignupContext) -> None:
    found = first_digest_preview(press(here), "trending", Preferences(), (TOPIC, MUTE), now=NOW)
    assert titles(found)[0] == "On tides"
    assert "On pottery" not in titles(found)
    assert len(titles(found)) == 12


def test_a_list_there_is_not_is_not_looked_ahead_of(here: SignupContext) -> None:
    with pytest.raises(NotFound):
        first_digest_preview(press(here), "none", Preferences(), (), now=NOW)
