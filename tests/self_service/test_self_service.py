"""What the links in a mail can do, and what they cannot."""

import base64
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from paperround.core.errors import InvalidInput
from paperround.core.rates import parse_rates
from paperround.core.tokens import KeyRing, Purpose
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.system_mail_model import ClaimedNotice, SystemMailKind
from paperround.digests.plan import Hours, plan_due
from paperround.editions.model import DeliveryState
from paperround.editions.store.lists import ListStore
from paperround.self_service.erasure import erase_address, erase_person, export_person
from paperround.self_service.feedback import papers_of_digest
from paperround.self_service.preferences import (
    leave,
    leave_from_choices,
    mail_choices_link,
    masked_address,
    open_choices,
    save_choices,
)
from paperround.self_service.preview import next_digest
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import LinkExpired
from paperround.subscribers.imports import add_subscriber
from paperround.subscribers.model import Frequency, Preferences, SubscriberState, Subscription
from paperround.subscribers.readers import Choices
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import MINUTE, NOW, address, seed_edition, seed_papers
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    FREE,
    HOURS,
    digest_link,
    digests,
    joined,
    link,
    post,
    press,
    request,
    request_link,
    second_list,
    signup_context,
    subscribe,
    visitor,
)

ACTIVE, LEFT = SubscriberState.ACTIVE, SubscriberState.UNSUBSCRIBED
LATER = NOW + HOURS


def _seeded(database: Database, papers: int = 3) -> None:
    with database.reading() as work:
        default = work[ListStore].get("trending")
    seed_edition(database, default, seed_papers(database, papers))


def _digest(database: Database, name: str = "alice") -> tuple[SignupContext, Claimed]:
    """Somebody who confirmed, and the digest that waits for them."""
    _seeded(database)
    here = signup_context(database)
    joined(here, name)
    (row,) = digests(database)
    return here, row


def _add(database: Database) -> None:
    """The operator adds somebody who agreed elsewhere."""
    row = {"email": "alice@mail.example", "consent_at": "2026-03-01", "consent_source": "x"}
    add_subscriber(
        row, database=database, keys=IDENTITY.keys,
        list_name="trending", now=NOW,
    )  # fmt: skip


def _imported(database: Database) -> None:
    """Somebody who had no digest yet, and whose first one comes at their hour."""
    _add(database)
    plan_due(database=database, identity=IDENTITY, hours=Hours(hour=7), now=NOW)


def _choosing(database: Database, here: SignupContext, *, now: datetime = NOW) -> str:
    """A freshly mailed link to somebody's choices."""
    request_link(here, address(), visitor(), now=now)
    (mail,) = post(database, now=now)
    return link(mail)


def _standing(database: Database) -> Subscription:
    with database.reading() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
        (found,) = work[SubscriberStore].subscriptions_of(person.id)
    return found


def _opened(here: SignupContext, token: str, *, now: datetime = NOW) -> Choices:
    return open_choices(here, token, now=now)


# --- leaving -----------------------------------------------------------------------------------


@pytest.mark.accept("F29", part="leaving")
def test_a_digests_link_leaves_at_once_and_an_undo_is_mailed(database: Database) -> None:
    here, row = _digest(database)
    leave(here, digest_link(row), now=LATER)
    assert _standing(database).state is LEFT
    (mail,) = post(database, now=LATER)
    assert (mail.kind, mail.address) == (SystemMailKind.UNDO, "alice@mail.example")


@pytest.mark.accept("S13", part="leaving")
def test_what_was_planned_for_somebody_who_left_is_not_sent(database: Database) -> None:
    here, row = _digest(database)
    leave(here, digest_link(row), now=NOW)
    assert digests(database) == []


@pytest.mark.accept("S8", part="leaving twice")
def test_leaving_twice_is_leaving_once(database: Database) -> None:
    here, row = _digest(database)
    for _ in range(3):
        leave(here, digest_link(row), now=NOW)
    assert len(post(database)) == 1


def test_an_undo_is_mailed_once_a_day(database: Database) -> None:
    here, row = _digest(database)
    mails = []
    for hours in (0, 1, 25):
        now = NOW + hours * HOURS
        leave(here, digest_link(row), now=now)
        mails += post(database, now=now)
        joined(here, now=now)
    assert [mail.kind for mail in mails] == [SystemMailKind.UNDO] * 2


def _undos(
    database: Database, *, now: datetime = LATER, ends: DeliveryState = DeliveryState.SENT
) -> list[ClaimedNotice]:
    mails = post(database, now=now, ends=ends)
    return [mail for mail in mails if mail.kind is SystemMailKind.UNDO]


@pytest.mark.accept("S14", part="undo")
def test_whoever_took_a_leaving_back_can_take_back_the_next_one(database: Database) -> None:
    here, row = _digest(database)
    for minutes in range(3):
        now = LATER + minutes * MINUTE
        leave(here, digest_link(row), now=now)
        (undo,) = _undos(database, now=now)
        assert confirm(here, link(undo), now=now) is not None
    assert _standing(database).state is ACTIVE


@pytest.mark.accept("S14", part="undo")
def test_leaving_two_lists_within_a_day_can_be_taken_back_for_each(
    database: Database, engine: Engine
) -> None:
    here, names = signup_context(database), ("trending", second_list(engine))
    tokens = [joined(here, list_name=name).preferences_token for name in names]
    for token in tokens:
        leave(here, token, now=LATER)
    undos = _undos(database)
    assert [confirm(here, link(undo), now=LATER) is not None for undo in undos] == [True, True]


@pytest.mark.accept("S14", part="undo")
@pytest.mark.parametrize("ends", [DeliveryState.FAILED, DeliveryState.EXPIRED])
def test_an_undo_that_never_arrived_is_mailed_anew(database: Database, ends: DeliveryState) -> None:
    here, row = _digest(database)
    leave(here, digest_link(row), now=NOW)
    assert len(_undos(database, ends=ends)) == 1
    joined(here, now=LATER)
    leave(here, digest_link(row), now=LATER)
    assert len(_undos(database)) == 1


def test_an_undo_brings_back_the_subscription_as_it_was(database: Database) -> None:
    _seeded(database)
    here, wish = signup_context(database), Preferences(hour=5, topics=("graphs",))
    joined(here, wish=wish)
    plan_due(database=database, identity=IDENTITY, hours=Hours(hour=7), now=NOW)
    (row,) = digests(database)
    leave(here, digest_link(row), now=NOW)
    (undo,) = post(database)
    assert confirm(here, link(undo), now=NOW + 29 * DAYS) is not None
    assert (_standing(database).state, _standing(database).preferences) == (ACTIVE, wish)
    assert confirm(here, link(undo), now=NOW + 29 * DAYS) is None


def test_an_undo_is_over_after_a_month(database: Database) -> None:
    here, row = _digest(database)
    leave(here, digest_link(row), now=NOW)
    (undo,) = post(database)
    assert confirm(here, link(undo), now=NOW + 30 * DAYS + MINUTE) is None


@pytest.mark.accept("S7", part="forged")
def test_a_link_with_any_bit_flipped_changes_nothing(database: Database) -> None:
    here, row = _digest(database)
    raw = base64.urlsafe_b64decode(digest_link(row))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        forged = base64.urlsafe_b64encode(flipped).decode()
        leave(here, forged, now=NOW)
        assert masked_address(here, forged) is None
    assert _standing(database).state is ACTIVE
    assert post(database) == []


@pytest.mark.accept("S7", part="rotated")
@pytest.mark.accept("F29", part="rotated")
def test_a_link_leaves_after_two_key_rotations_and_another_opening_of_the_database(
    database: Database, engine: Engine
) -> None:
    _, row = _digest(database)
    rotated = KeyRing((b"third", b"second", b"a secret that is only for tests!"))
    reopened = SignupContext(
        database=SqlDatabase(engine),
        keys=rotated,
        identity=IDENTITY,
        limits=FREE,
        default_hour=7,
        wake=lambda: None,
        plan=lambda: None,
        remove_emails=lambda _: None,
    )
    leave(reopened, digest_link(row), now=NOW + 800 * DAYS)
    assert _standing(database).state is LEFT


# --- a forwarded digest ------------------------------------------------------------------------


@pytest.mark.accept("S14")
def test_a_digests_link_opens_nothing_but_leaving_and_feedback(database: Database) -> None:
    here, row = _digest(database)
    token = digest_link(row)
    before = _standing(database)
    uses: list[Callable[[], object]] = [
        lambda: open_choices(here, token, now=NOW),
        lambda: save_choices(here, token, Preferences(hour=3), now=NOW),
        lambda: leave_from_choices(here, token, now=NOW),
        lambda: export_person(here, token, now=NOW),
        lambda: erase_person(here, token, now=NOW),
        lambda: next_digest(press(here), token, now=NOW),
    ]
    for use in uses:
        with pytest.raises(LinkExpired):
            use()
    assert confirm(here, token, now=NOW) is None
    assert _standing(database) == before


@pytest.mark.accept("S14", part="masked")
def test_whoever_holds_a_digest_sees_the_address_masked(database: Database) -> None:
    here, row = _digest(database)
    assert masked_address(here, digest_link(row)) == "a•••@mail.example"


def test_whoever_holds_a_digest_cannot_flood_its_reader(database: Database) -> None:
    _, row = _digest(database)
    limits = replace(FREE, address=parse_rates("1/h, 3/24h"))
    here, mails = signup_context(database, limits), 0
    for number in range(40):
        now = NOW + number * 30 * MINUTE
        mail_choices_link(here, digest_link(row), now=now)
        mails += len(post(database, now=now))
    assert mails == 3


# --- choices -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("later", "works"), [(24 * HOURS, True), (24 * HOURS + MINUTE, False)])
def test_a_link_to_choices_works_for_a_day(
    database: Database, later: timedelta, works: bool
) -> None:
    here = signup_context(database)
    joined(here)
    token = _choosing(database, here)
    with nullcontext() if works else pytest.raises(LinkExpired):
        open_choices(here, token, now=NOW + later)


def test_the_page_after_a_confirmation_opens_the_choices_too(database: Database) -> None:
    here = signup_context(database)
    token = joined(here).preferences_token
    open_choices(here, token, now=NOW + 24 * HOURS)
    with pytest.raises(LinkExpired):
        open_choices(here, token, now=NOW + 25 * HOURS)


def test_an_unused_confirmation_opens_no_choices(database: Database) -> None:
    here = signup_context(database)
    subscribe(here, request(), now=NOW)
    (mail,) = post(database)
    early = IDENTITY.keys.token(Purpose.PREFERENCES, mail.id, mail.nonce)
    with pytest.raises(LinkExpired):
        open_choices(here, early, now=NOW)


def test_a_pause_that_is_over_is_no_pause(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = _choosing(database, here)
    save_choices(here, token, Preferences(paused_until=NOW.date()), now=NOW)
    assert _opened(here, token).preferences.paused_until is None


def test_another_hour_moves_the_next_digest(database: Database) -> None:
    here = signup_context(database)
    _imported(database)
    token = _choosing(database, here)
    assert _opened(here, token).next_due == datetime(2026, 3, 3, 7, tzinfo=NOW.tzinfo)
    save_choices(here, token, Preferences(hour=20), now=NOW)
    assert _opened(here, token).next_due == datetime(2026, 3, 2, 20, tzinfo=NOW.tzinfo)


def test_a_weekly_digest_is_next_due_on_its_weekday(database: Database) -> None:
    here = signup_context(database)
    _imported(database)
    token = _choosing(database, here)
    weekly = Preferences(frequency=Frequency.WEEKLY, weekday="mon")
    assert NOW.weekday() == 0
    save_choices(here, token, weekly, now=NOW)
    assert _opened(here, token).next_due == datetime(2026, 3, 9, 7, tzinfo=NOW.tzinfo)


def test_a_digest_that_is_due_already_stays_owed(database: Database) -> None:
    here = signup_context(database)
    _imported(database)
    due_at, now = NOW + 23 * HOURS, NOW + 23 * HOURS + MINUTE
    token = _choosing(database, here, now=now)
    save_choices(here, token, Preferences(hour=20), now=now)
    assert _opened(here, token, now=now).next_due == due_at


@pytest.mark.accept("F30", part="preview")
def test_the_next_digest_is_what_comes_after_the_one_that_is_out(database: Database) -> None:
    _seeded(database, 30)
    here = signup_context(database)
    joined(here)
    (row,) = digests(database)
    token = _choosing(database, here)
    shown = next_digest(press(here), token, now=NOW)
    assert shown.rendered is not None
    text = shown.rendered.text
    titles = {number: f"A study of {number} things" in text for number in range(1, 31)}
    assert not any(titles[number] for number in row.positions)
    assert sum(titles.values()) == len(row.positions)


# --- feedback ----------------------------------------------------------------------------------


# --- taking out and erasing --------------------------------------------------------------------


@pytest.mark.accept("F30", part="erase")
def test_a_reader_can_erase_themselves_and_come_back(database: Database) -> None:
    here, row = _digest(database)
    token, forgotten = _choosing(database, here), list[str]()
    here = replace(here, remove_emails=forgotten.extend)
    erase_person(here, token, now=NOW)
    assert row.message_id in forgotten
    with pytest.raises(LinkExpired):
        erase_person(here, token, now=NOW)
    assert masked_address(here, digest_link(row)) is None
    assert papers_of_digest(here, digest_link(row)) is None
    assert digests(database) == []
    joined(here, now=NOW + HOURS)


@pytest.mark.postgres
@pytest.mark.accept("P2", part="database")
def test_after_an_erasure_the_address_is_in_no_table(database: Database, engine: Engine) -> None:
    here, row = _digest(database)
    leave(here, digest_link(row), now=NOW)
    request_link(here, address(), visitor(), now=NOW)
    assert erase_address(here, address(), now=NOW, suppress=True)
    with engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            rows = str(connection.execute(table.select()).all())
            assert "alice" not in rows, table.name
            assert "mail.example" not in rows, table.name


@pytest.mark.postgres
@pytest.mark.accept("P2", part="suppression")
def test_an_erased_and_suppressed_address_stays_out(database: Database) -> None:
    here = signup_context(database)
    assert not erase_address(here, address(), now=NOW, suppress=True)
    subscribe(here, request(), now=NOW)
    assert post(database) == []
    with pytest.raises(InvalidInput, match="suppressed"):
        _add(database)
