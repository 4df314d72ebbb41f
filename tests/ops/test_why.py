"""Why nothing went out, in sentences that tell what is recorded."""

from dataclasses import replace
from datetime import date

import pytest

from paperround.bounces.model import Did
from paperround.bounces.store import ReturnStore
from paperround.core.clock import FixedClock
from paperround.core.errors import NotFound
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.holds import CLOCK, HOLD
from paperround.delivery.model import (
    IN_OUTBOX,
    LIFE_OVER,
    Envelope,
    Evidence,
    Outcome,
    Phase,
    Reply,
)
from paperround.delivery.status import DeliveryQuery
from paperround.delivery.store.rates import WARM_UP
from paperround.delivery.store.status import StatusStore
from paperround.digests.cancel import cancel, pause
from paperround.digests.editing import set_hold
from paperround.digests.publish import freeze_cuts
from paperround.digests.sending import deliver
from paperround.editions.manage_lists import archive_list
from paperround.editions.store.lists import ListStore
from paperround.ops.tick import live
from paperround.ops.why import SENTENCES, RecordedReason, reason_text, why
from paperround.subscribers.model import Frequency, Preferences, SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import returned_event
from tests.delivery.notices import Batches, post
from tests.delivery.publishing import send
from tests.digests.planning import DAY, HOUR, HOURS, MINUTE, SEVEN, at, cut, plan
from tests.fakes import NewestFirst, ScriptedMailer
from tests.sample_database import NOW, fill, record, subscribe

pytestmark = pytest.mark.accept("F55", part="why")
SIX = at(6)


def a_list(database: SqlDatabase, *names: str, wish: Preferences | None = None) -> None:
    fill(database, [record(1), record(2)])
    if names:
        subscribe(database, *names, wish=wish)
    plan(database, NOW + MINUTE)
    live(database, now=SEVEN)


def said(database: SqlDatabase, **which: object) -> list[str]:
    chosen = {"now": SEVEN, "hours": HOURS} | which
    return [one.text for one in why(database, "trending", **chosen)]  # type: ignore[arg-type]


def codes(database: SqlDatabase, **which: object) -> list[str]:
    chosen = {"now": SEVEN, "hours": HOURS} | which
    return [one.code for one in why(database, "trending", **chosen)]  # type: ignore[arg-type]


def person(database: SqlDatabase, name: str) -> SubscriberId:
    with database.reading() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        return next(one.id for one, _ in people if one.address.startswith(name))


@pytest.mark.accept("F55", part="why", mutant="a-pause-is-not-told")
def test_a_paused_list_says_since_when(database: SqlDatabase) -> None:
    a_list(database, "ada")
    pause(database, None, now=SIX)
    assert (
        "The list trending has been paused since 06:00 UTC: `paperround digest resume` resumes it."
        in said(database)
    )


def test_an_archived_list_says_so_and_nothing_that_would_be_due(database: SqlDatabase) -> None:
    a_list(database, "ada")
    archive_list(database, "trending", by="shell tests", now=SIX)
    archived = (
        "The list trending has been archived since 06:00 UTC: `paperround lists restore trending` "
        "restores it."
    )
    assert said(database) == [archived]
    assert said(database, person=person(database, "ada")) == [archived]
    assert codes(database, day=NOW.date() - DAY) == ["edition.none-that-day"]


def test_a_held_edition_says_until_when(database: SqlDatabase) -> None:
    a_list(database, "ada")
    set_hold(database, "trending", 90, by="operator 3", now=SIX)
    freeze_cuts(database=database, ranker=NewestFirst(), now=SIX)
    plan(database, SEVEN)
    assert said(database)[0] == (
        "The edition of 2026-01-31 (cut 1) is held until 07:30 UTC, unless it is approved earlier."
    )
    assert (
        said(database)[-1]
        == "1 reader is due since 07:00 UTC, but there is no edition to send yet."
    )


def test_everything_was_sent_and_others_are_due_later(database: SqlDatabase) -> None:
    a_list(database, "ada", "alan")
    subscribe(database, "grace", wish=Preferences(hour=14))
    plan(database, NOW + HOUR)
    cut(database, SIX)
    plan(database, SEVEN)
    deliver(replace(post(database, Batches()), clock=FixedClock(SEVEN + MINUTE)))
    live(database, now=SEVEN + HOUR)
    assert said(database, now=SEVEN + HOUR)[-2:] == [
        "2 digests sent, the first at 07:01 UTC.",
        "1 reader is due later today, the next at 14:00 UTC.",
    ]


@pytest.mark.postgres
def test_a_digest_sent_by_hand_is_the_only_one_of_its_date(database: SqlDatabase) -> None:
    a_list(database, "ada", "alan")
    subscribe(database, "grace", wish=Preferences(hour=14))
    plan(database, at(15, day=30))
    assert send(database, at=SIX).added == 3
    deliver(replace(post(database, Batches()), clock=FixedClock(SIX + MINUTE)))
    live(database, now=SIX + HOUR // 2)
    assert said(database, now=SIX + HOUR // 2)[-1] == "3 digests sent, the first at 06:01 UTC."
    assert said(database, now=SIX, person=person(database, "grace"))[-1] == (
        "Their next digest of trending is due at 14:00 UTC on 2026-02-01."
    )
    for hour in (SEVEN, at(14)):  # nobody gets a second one at their hour
        cut(database, hour - HOUR)
        assert plan(database, hour).planned == 0
    with database.reading() as work:
        assert len(work[StatusStore].deliveries(DeliveryQuery(), before=None, limit=9)) == 3


def test_a_list_without_editions_or_feeds_says_so(database: SqlDatabase) -> None:
    a_list(database)
    assert said(database) == [
        "Nobody subscribes to the list trending.",
        "No edition of 2026-01-31 has been made; the next is due at 12:00 UTC.",
        "The list trending has no feed that is polled.",
    ]


def test_no_tick_comes_first(database: SqlDatabase) -> None:
    a_list(database, "ada")
    silent = said(database, now=SEVEN + HOUR)[0]
    assert silent.startswith("The schedule has not run since 07:00 UTC")
    with database.writing() as work:
        work[SlotStore].take(HOLD, CLOCK, now=SEVEN)
    assert codes(database)[0] == "mail.clock"


def test_no_new_papers_and_a_cancelled_edition(database: SqlDatabase) -> None:
    a_list(database, "ada")
    made = cut(database, SIX)
    plan(database, SEVEN)
    cancel(database, "trending", day=made.day, cut=made.cut, now=SEVEN)
    text = said(database)
    assert "The edition of 2026-01-31 (cut 1) was cancelled." in text
    assert "1 person gets no email: the edition was cancelled." in text


def test_one_person_is_told_apart(database: SqlDatabase) -> None:
    a_list(database, "ada")
    subscribe(database, "alan", wish=Preferences(paused_until=(SEVEN + 9 * DAY).date()))
    subscribe(database, "nine", wish=Preferences(hour=9))
    plan(database, NOW + 3 * HOUR)
    assert codes(database, person=person(database, "alan"))[0] == "person.paused"
    assert said(database, person=person(database, "nine"))[-1] == (
        "Their next digest of trending is due at 09:00 UTC."
    )
    with database.writing() as work:
        ada = work[SubscriberStore].get(person(database, "ada"))
        assert ada is not None
        work[SubscriberStore].set_state(ada.id, SubscriberState.UNSUBSCRIBED, now=SIX)
    assert "They unsubscribed from trending." in said(database, person=ada.id)
    with pytest.raises(NotFound):
        said(database, person=SubscriberId(4711))


@pytest.mark.parametrize(
    ("wish", "due"),
    [
        (Preferences(frequency=Frequency.WEEKLY, weekday="fri"), "2026-02-06"),
        (Preferences(frequency=Frequency.WEEKDAYS), "2026-02-02"),
        (Preferences(frequency=Frequency.MONTHLY), "2026-02-01"),
        (Preferences(paused_until=date(2026, 2, 20)), "2026-02-20"),
    ],
)
def test_the_next_digest_of_a_person_is_due_on_one_of_their_days(
    database: SqlDatabase, wish: Preferences, due: str
) -> None:
    a_list(database, "ada", wish=wish)
    told = said(database, now=SEVEN - HOUR, person=person(database, "ada"))
    assert told[-1] == f"Their next digest of trending is due at 07:00 UTC on {due}."


def test_what_came_back_to_a_person_is_told_after_what_was_sent(database: SqlDatabase) -> None:
    a_list(database, "ada")
    cut(database, SIX)
    plan(database, SEVEN)
    deliver(replace(post(database, Batches()), clock=FixedClock(SEVEN + MINUTE)))
    full = returned_event(
        evidence=Evidence.PASSING,
        said="552 5.2.2 ada@mail.example is full",
        happened_at=SEVEN + 2 * MINUTE,
    )
    with database.writing() as work:
        (sent,) = work[StatusStore].deliveries(DeliveryQuery(), before=None, limit=2)
        returned = work[ReturnStore].begin(full, now=SEVEN + 2 * MINUTE)
        mail = work[ReturnStore].mail_by_row("delivery", sent.id)
        assert returned is not None
        work[ReturnStore].end(returned, Did.NOTED, mail=mail, said=full.said)
    live(database, now=SEVEN + HOUR)
    ada, later = person(database, "ada"), SEVEN + HOUR
    assert said(database, now=later, person=ada)[-3:] == [
        "1 digest sent, the first at 07:01 UTC.",
        "The digest bounced at 07:02 UTC: 552 5.2.2 (address) is full.",
        "Their next digest of trending is due at 07:00 UTC on 2026-02-01.",
    ]
    tomorrow = (SEVEN + DAY).date()
    assert "person.bounced" not in codes(database, now=later, person=ada, day=tomorrow)


def test_what_the_mail_server_said_is_told_without_addresses(database: SqlDatabase) -> None:
    def refuse(envelope: Envelope) -> Outcome:
        words = f"{envelope.recipient} is blocked, see https://list.example/lookup"
        reply = Reply(code=554, enhanced="5.7.1", text=words)
        return Outcome(id=envelope.id, phase=Phase.RCPT, reply=reply)

    a_list(database, "ada")
    cut(database, SIX)
    plan(database, SEVEN)
    refused = replace(post(database, Batches()), mailer=ScriptedMailer(refuse))
    deliver(replace(refused, clock=FixedClock(SEVEN)))
    [told] = [one for one in said(database) if "deferred" in one]
    assert told == (
        "The mail server deferred 1 digest (policy-refusal: 554 5.7.1, “(address) is blocked, see "
        "https://list.example/lookup”); the next attempt is at 07:05 UTC."
    )
    assert "person.bounced" not in codes(database, person=person(database, "ada"))


def test_a_digest_that_was_kept_in_the_outbox_was_not_sent(database: SqlDatabase) -> None:
    def keep(envelope: Envelope) -> Outcome:
        reply = Reply(code=250, enhanced="2.0.0", text=IN_OUTBOX)
        return Outcome(id=envelope.id, phase=Phase.DOT, reply=reply)

    a_list(database, "ada", "alan")
    cut(database, SIX)
    plan(database, SEVEN)
    kept = replace(post(database, Batches()), mailer=ScriptedMailer(keep))
    deliver(replace(kept, clock=FixedClock(SEVEN + MINUTE)))
    assert "2 digests were not sent but kept in the outbox, because no relay was set." in said(
        database, now=SEVEN + MINUTE
    )


def test_an_earlier_day_tells_only_what_was_of_that_day(database: SqlDatabase) -> None:
    a_list(database, "ada")
    pause(database, None, now=SIX)
    assert codes(database, day=NOW.date() - DAY) == ["edition.none-that-day"]


@pytest.mark.parametrize("code", [LIFE_OVER, WARM_UP])
def test_why_a_digest_expired_is_said_in_words(code: str) -> None:
    assert code not in reason_text(code)
    assert len(reason_text(code).split()) > 3


def test_every_sentence_is_a_sentence() -> None:
    for code, text in SENTENCES.items():
        assert text[-1] in ".?", code
        assert RecordedReason(code=code, params={}).code == code
