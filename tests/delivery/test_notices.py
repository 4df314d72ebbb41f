"""Writing notices, and the words and links their mails get."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.tokens import Purpose, read_token
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Lease
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice, notice_mail, raise_alert
from paperround.delivery.system_mail_model import (
    NOTICE_LIFE,
    Alert,
    ClaimedNotice,
    NoticeMail,
    SystemMailKind,
)
from paperround.editions.model import DeliveryId
from tests.fakes import HERE, SENDER_IDENTITY
from tests.sample_database import IDENTITY, NOW

BASE = SENDER_IDENTITY.public_url
ROW = ClaimedNotice(
    id=DeliveryId(7),
    kind=SystemMailKind.CONFIRM,
    subscriber_id=None,
    address="ada@example.org",
    payload={},
    message_id="<x@papers.example>",
    dated=NOW,
    key_id=IDENTITY.keys.current.id,
    nonce="nonce",
    attempts=0,
    breakdowns=0,
    expires_at=NOW + NOTICE_LIFE,
    lease=Lease(worker=HERE, until=NOW, token="t"),
)
STALE = Alert(key="feed/1/stale", subject="A feed is stale", lines=("one", "two"))


def mail(kind: SystemMailKind, **payload: str | int) -> NoticeMail:
    row = replace(ROW, kind=kind, payload=payload)
    return notice_mail(row, SENDER_IDENTITY, "Trending papers", IDENTITY.keys)


@pytest.mark.parametrize(
    ("kind", "page", "purpose"),
    [
        (SystemMailKind.CONFIRM, "confirm", Purpose.CONFIRM),
        (SystemMailKind.REMINDER, "confirm", Purpose.CONFIRM),
        (SystemMailKind.CHANGE, "address", Purpose.CONFIRM),
        (SystemMailKind.UNDO, "confirm", Purpose.CONFIRM),
        (SystemMailKind.PREFERENCES, "preferences", Purpose.PREFERENCES),
    ],
)
def test_the_link_of_a_notice_is_good_for_one_thing(
    kind: SystemMailKind, page: str, purpose: Purpose
) -> None:
    url, _, token = mail(kind).view.action_url.rpartition("/")
    parts = read_token(token)
    assert url == f"{BASE}/{page}"
    assert parts is not None
    assert (parts.row, parts.purpose) == (ROW.id, purpose)
    assert IDENTITY.keys.verify(token, ROW.nonce)


@pytest.mark.parametrize("kind", [SystemMailKind.ALERT, SystemMailKind.TEST])
def test_an_alert_and_a_test_say_what_was_written_for_them(kind: SystemMailKind) -> None:
    view = mail(kind, subject="A feed is stale", lines="one\ntwo").view
    assert (view.subject, view.details) == ("A feed is stale", ("one", "two"))
    assert view.action_url == BASE


def test_the_same_key_names_a_notice_alike() -> None:
    one, again = (
        new_notice(IDENTITY, SystemMailKind.CONFIRM, "confirm/1", None, None, {}, now=NOW + later)
        for later in (timedelta(0), timedelta(hours=1))
    )
    other = new_notice(IDENTITY, SystemMailKind.CONFIRM, "confirm/2", None, None, {}, now=NOW)
    assert (one.message_id, one.nonce) == (again.message_id, again.nonce)
    assert (one.message_id, one.nonce) != (other.message_id, other.nonce)
    assert one.message_id.endswith("@papers.example>")
    assert one.expires_at == NOW + NOTICE_LIFE


def test_a_trouble_is_told_once(database: SqlDatabase) -> None:
    to = "keeper@example.org"
    with database.writing() as work:
        assert raise_alert(work, IDENTITY, STALE, to, now=NOW)
        assert not raise_alert(work, IDENTITY, STALE, to, now=NOW + timedelta(days=1))
        found = work[NoticeLedger].find("alert|feed/1/stale")
    assert found is not None
    assert found.address == to
    assert found.payload == {"subject": STALE.subject, "lines": "one\ntwo"}


def test_without_anybody_to_tell_a_trouble_stands_in_the_log(
    database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with database.writing() as work:
        assert not raise_alert(work, IDENTITY, STALE, None, now=NOW)
    assert STALE.subject in caplog.text
