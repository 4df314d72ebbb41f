"""Signing up: who gets a mail, how often, and what its link does."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.core.errors import InvalidInput, RateLimited, SharedLimitReached
from paperround.core.rates import parse_rates
from paperround.core.tokens import Purpose
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.system_mail_model import ClaimedNotice, SystemMailKind
from paperround.ops.cleanup import clean_up
from paperround.signup.confirm import confirm
from paperround.signup.limits import needs_proof_of_work
from paperround.signup.worker import process_requests
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import (
    Frequency,
    Preferences,
    Subscriber,
    SubscriberState,
)
from paperround.subscribers.readers import Visitor
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import MINUTE, NOW, address
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    FREE,
    HOURS,
    LIMITS,
    from_net,
    joined,
    link,
    post,
    request,
    request_link,
    signup_context,
    subscribe,
    visitor,
)

CONFIRM, PREFERENCES = SystemMailKind.CONFIRM, SystemMailKind.PREFERENCES


def _is_known(database: Database) -> bool:
    with database.reading() as work:
        return work[SubscriberStore].find(address()) is not None


def _person(database: Database) -> Subscriber:
    with database.reading() as work:
        found = work[SubscriberStore].find(address())
    assert found is not None
    return found


def _asked(database: Database, name: str = "alice") -> ClaimedNotice:
    subscribe(signup_context(database), request(name), now=NOW)
    (mail,) = post(database)
    return mail


# --- what a sign-up causes ---------------------------------------------------------------------


@pytest.mark.accept("F28", part="asked first", mutant="who-was-not-asked-counts")
def test_a_newcomer_is_mailed_one_link_and_nothing_counts_before_it_is_used(
    database: Database,
) -> None:
    wakes: list[int] = []
    subscribe(signup_context(database, wake=lambda: wakes.append(1)), request(), now=NOW)
    (mail,) = post(database)
    assert (mail.kind, mail.address, wakes) == (CONFIRM, "alice@mail.example", [1])
    person = _person(database)
    assert (person.state, person.consent) == (SubscriberState.PENDING, None)


def test_asking_from_elsewhere_for_the_same_is_the_same_mail(database: Database) -> None:
    mails = []
    for source in ("form", "api"):
        subscribe(signup_context(database), request(source=source), now=NOW)
        mails += post(database)
    assert mails[0].message_id == mails[1].message_id


@pytest.mark.postgres
@pytest.mark.accept("R5", part="confirmation")
def test_asking_again_sends_the_very_same_mail_while_its_link_works(database: Database) -> None:
    mails = []
    for hours in (0, 24, 47):
        subscribe(signup_context(database), request(), now=NOW + hours * HOURS)
        mails += post(database, now=NOW + hours * HOURS)
    assert len({(mail.id, mail.message_id, mail.dated) for mail in mails}) == 1
    assert len(mails) == 3


def test_after_two_days_a_new_link_is_mailed(database: Database) -> None:
    first = _asked(database)
    subscribe(signup_context(database), request(), now=NOW + 2 * DAYS)
    (second,) = post(database, now=NOW + 2 * DAYS)
    assert first.message_id != second.message_id
    assert confirm(signup_context(database), link(first), now=NOW + 2 * DAYS + MINUTE) is None
    assert confirm(signup_context(database), link(second), now=NOW + 2 * DAYS + MINUTE) is not None


def test_asking_for_something_else_is_another_mail_and_one_yes_spends_both(
    database: Database,
) -> None:
    early = _asked(database)
    subscribe(signup_context(database), request(wish=Preferences(hour=9)), now=NOW + HOURS)
    (late,) = post(database, now=NOW + HOURS)
    assert (confirmed := confirm(signup_context(database), link(late), now=NOW + HOURS))
    assert confirmed.hour == 9
    assert confirm(signup_context(database), link(early), now=NOW + HOURS) is None


def test_somebody_who_forgot_that_they_subscribed_gets_one_link_a_day(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    kinds = []
    for hours in (1, 2, 24, 25):
        subscribe(here, request(), now=NOW + hours * HOURS)
        kinds += [mail.kind for mail in post(database, now=NOW + hours * HOURS)]
    assert kinds == [PREFERENCES, PREFERENCES]


def test_a_suppressed_address_is_never_mailed_and_nobody_is_told(database: Database) -> None:
    with database.writing() as work:
        suppress(work, IDENTITY.keys, address(), reason="complaint", now=NOW)
    subscribe(signup_context(database), request(), now=NOW)
    request_link(signup_context(database), address(), visitor(), now=NOW)
    assert post(database) == []
    assert not _is_known(database)


def test_a_link_is_no_use_to_somebody_suppressed_since(database: Database) -> None:
    mail = _asked(database)
    with database.writing() as work:
        suppress(work, IDENTITY.keys, address(), reason="complaint", now=NOW)
    assert confirm(signup_context(database), link(mail), now=NOW) is None
    assert _person(database).state is SubscriberState.SUPPRESSED


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Preferences(timezone="Mars/Olympus"), "timezone"),
        (Preferences(timezone="Factory"), "timezone"),
        (Preferences(timezone="right/Europe/Berlin"), "timezone"),
        (Preferences(hour=24), "hour"),
        (Preferences(frequency=Frequency.WEEKLY, weekday="friday"), "weekday"),
        (Preferences(size=0), "size"),
        (Preferences(size=51), "size"),
        (Preferences(floor=float("nan")), "floor"),
        (Preferences(language="x" * 40), "language"),
        (Preferences(paused_until=date(2028, 1, 1)), "paused_until"),
        (Preferences(topics=("x" * 101,)), "topics"),
    ],
)
def test_choices_that_cannot_be_are_named_by_their_field(
    database: Database, wish: Preferences, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        subscribe(signup_context(database), request(wish=wish), now=NOW)
    assert refused.value.code == field
    assert not _is_known(database)


# --- limits ------------------------------------------------------------------------------------


def _mails_in_a_day(database: Database, requests: int) -> int:
    """How many mails an address gets when that many clients ask for it within 24 hours."""
    here, mails = signup_context(database, LIMITS), 0
    for number in range(requests):
        now = NOW + number * DAYS / requests
        name = f"alice+{number}" if number % 2 else "alice"
        subscribe(here, request(name, by=visitor(number)), now=now)
        mails += len(post(database, now=now))
    return mails


@pytest.mark.slow
@pytest.mark.accept("S1", part="short")
def test_three_hundred_clients_cannot_have_an_address_flooded(database: Database) -> None:
    assert _mails_in_a_day(database, 300) == 3


@pytest.mark.long
@pytest.mark.accept("S1", part="long")
def test_ten_thousand_clients_cannot_have_an_address_flooded(database: Database) -> None:
    assert _mails_in_a_day(database, 10_000) == 3


@pytest.mark.postgres
@pytest.mark.accept("S2", part="client")
def test_one_client_is_told_to_wait_and_another_one_is_not(database: Database) -> None:
    here = signup_context(database, LIMITS)
    for number in range(5):
        subscribe(here, request(f"reader{number}"), now=NOW)
    with pytest.raises(RateLimited) as limited:
        subscribe(signup_context(database, LIMITS), request("reader5"), now=NOW)
    assert 0 < limited.value.retry_after <= 601
    subscribe(here, request("reader5", by=visitor(2)), now=NOW)
    assert len(post(database)) == 6


@pytest.mark.postgres
@pytest.mark.accept("S2", part="network")
@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("192.0.2.1", "192.0.2.250", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("::ffff:192.0.2.1", "192.0.2.2", True),
        ("2001:db8:0:ff00::1", "2001:db8:0:ffff::2", True),
        ("2001:db8:0:fe00::1", "2001:db8:0:ff00::1", False),
    ],
)
def test_a_network_is_a_24_or_a_56(
    database: Database, first: str, second: str, shared: bool
) -> None:
    here = signup_context(database, replace(FREE, net=parse_rates("1/h")))
    subscribe(here, request("a", by=Visitor(ip=first, stamped=True)), now=NOW)
    again = request("b", by=Visitor(ip=second, stamped=True))
    if shared:
        with pytest.raises(RateLimited):
            subscribe(here, again, now=NOW)
    else:
        subscribe(here, again, now=NOW)


def test_clients_that_cannot_be_told_apart_share_one_count(database: Database) -> None:
    here = signup_context(database, LIMITS)
    for number in range(5):
        subscribe(here, request(f"r{number}", by=Visitor(ip=None, stamped=True)), now=NOW)
    with pytest.raises(RateLimited):
        subscribe(here, request("r5", by=Visitor(ip="nonsense", stamped=True)), now=NOW)


def test_who_comes_without_a_stamp_may_ask_half_as_often(database: Database) -> None:
    here, plain = signup_context(database, LIMITS), visitor(stamped=False)
    for number in range(2):
        subscribe(here, request(f"reader{number}", by=plain), now=NOW)
    with pytest.raises(RateLimited):
        subscribe(here, request("reader2", by=plain), now=NOW)
    subscribe(here, request("reader2"), now=NOW)


@pytest.mark.postgres
@pytest.mark.accept("S2", part="domain")
def test_above_its_share_a_provider_is_refused_unless_work_was_done(database: Database) -> None:
    here = signup_context(
        database, replace(FREE, domain=parse_rates("2/h"), total=parse_rates("9/h"))
    )
    for number in range(2):
        subscribe(here, request(f"reader{number}", by=from_net(number)), now=NOW)
    with pytest.raises(SharedLimitReached) as refused:
        subscribe(here, request("late", by=from_net(4)), now=NOW)
    assert 0 < refused.value.retry_after <= 3601
    subscribe(here, request("busy", by=from_net(5), worked=True), now=NOW)
    assert names_of(post(database)) == ["busy", "reader0", "reader1"]


@pytest.mark.postgres
@pytest.mark.accept("S2", part="total")
def test_above_the_total_a_request_waits_unless_work_was_done_for_it(database: Database) -> None:
    here = signup_context(database, replace(FREE, total=parse_rates("2/h")))
    assert not needs_proof_of_work(here, now=NOW)
    for number in range(4):
        subscribe(here, request(f"reader{number}"), now=NOW)
    with pytest.raises(SharedLimitReached):
        subscribe(here, request("reader4"), now=NOW)
    subscribe(here, request("busy", worked=True), now=NOW)
    assert needs_proof_of_work(here, now=NOW)
    assert names_of(post(database)) == ["busy", "reader0", "reader1"]
    later = NOW + 31 * MINUTE
    process_requests(here, now=later)
    assert names_of(post(database, now=later)) == ["reader2", "reader3"]


def names_of(mails: Sequence[ClaimedNotice]) -> list[str]:
    return sorted(mail.address.partition("@")[0] for mail in mails)


@pytest.mark.accept("P1", part="limits")
def test_what_is_counted_holds_no_address(database: Database, engine: Engine) -> None:
    subscribe(signup_context(database, LIMITS), request(), now=NOW)
    with engine.connect() as connection:
        keys = list(connection.execute(select(db.rate_windows.c.key)).scalars())
    assert len(keys) == 5
    assert not any(word in key for key in keys for word in ("alice", "mail.example", "10.0"))


# --- confirming --------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S5", part="once")
def test_a_hundred_clicks_at_once_are_one_confirmation(database: Database) -> None:
    token, here = link(_asked(database)), signup_context(database)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: confirm(here, token, now=NOW), range(100)))
    assert sum(answer is not None for answer in answers) == 1


@pytest.mark.postgres
@pytest.mark.accept("S5", part="in time")
@pytest.mark.parametrize(("later", "works"), [(48 * HOURS, True), (48 * HOURS + MINUTE, False)])
def test_a_confirmation_works_for_two_days(
    database: Database, later: timedelta, works: bool
) -> None:
    token = link(_asked(database))
    assert (confirm(signup_context(database), token, now=NOW + later) is not None) is works


@pytest.mark.postgres
@pytest.mark.accept("S5", part="forged")
def test_a_forged_or_foreign_link_confirms_nothing(database: Database) -> None:
    mail = _asked(database)
    keys, here = IDENTITY.keys, signup_context(database)
    good = link(mail)
    forged = [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:-1],
        "",
        "é" * 40,
        keys.token(Purpose.CONFIRM, mail.id, "another nonce"),
        keys.token(Purpose.CONFIRM, mail.id + 1, mail.nonce),
        keys.token(Purpose.PREFERENCES, mail.id, mail.nonce),
        keys.token(Purpose.UNSUBSCRIBE, mail.id, mail.nonce),
    ]
    assert [confirm(here, token, now=NOW) for token in forged] == [None] * len(forged)
    assert confirm(here, good, now=NOW) is not None


@pytest.mark.accept("F28", part="reminder")
def test_one_reminder_is_mailed_and_its_link_confirms_what_was_asked(database: Database) -> None:
    subscribe(signup_context(database), request(wish=Preferences(hour=5)), now=NOW)
    (first,) = post(database)
    reminders = []
    for hours in (25, 30, 40):
        now = NOW + hours * HOURS
        clean_up(database=database, identity=IDENTITY, now=now)
        reminders += post(database, now=now)
    assert [mail.kind for mail in reminders] == [SystemMailKind.REMINDER]
    now = NOW + 41 * HOURS
    assert (confirmed := confirm(signup_context(database), link(reminders[0]), now=now))
    assert confirmed.hour == 5
    assert confirm(signup_context(database), link(first), now=now) is None


# --- a link to one's choices -------------------------------------------------------------------


def test_asking_for_a_link_too_often_is_told_to_the_client_alone(database: Database) -> None:
    joined(signup_context(database))
    here = signup_context(
        database, replace(FREE, ip=parse_rates("2/h"), address=parse_rates("1/h"))
    )
    for _ in range(2):
        request_link(here, address(), visitor(), now=NOW)
    with pytest.raises(RateLimited):
        request_link(here, address(), visitor(), now=NOW)
    assert len(post(database)) == 1
