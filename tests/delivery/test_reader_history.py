"""What a reader was sent, in words for them."""

from dataclasses import replace

import pytest

from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Transition
from paperround.delivery.status import WHY_NO_MAIL, email_kind_name, state_text
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import DeliveryState, SkipReason
from paperround.editions.store.lists import ListStore
from paperround.self_service.history import ReaderHistory, reader_history
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import LinkExpired
from paperround.subscribers.model import Preferences
from tests.builders import NOW, address, lease, move, seed_edition, seed_papers
from tests.self_service.readers import (
    DAYS,
    joined,
    link,
    post,
    request_link,
    signup_context,
    visitor,
)


def choosing(here: SignupContext) -> str:
    request_link(here, address(), visitor(), now=NOW)
    (mail,) = post(here.database, now=NOW)
    return link(mail)


def digest_ends(database: Database, state: DeliveryState) -> None:
    token = "a token of a lease"
    with database.writing() as work:
        (row,) = work[Ledger].claim(lease(token), limit=9, now=NOW)
        work[Ledger].mark_in_data([row.id], token, until=NOW + DAYS, now=NOW)
        work[Ledger].settle([move(row, state, token=token)], now=NOW)


def past(here: SignupContext, token: str) -> ReaderHistory:
    return reader_history(here, token, now=NOW)


@pytest.mark.accept("F30", part="history")
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeliveryState.SENT, "Sent %(day)s at %(time)s: %(what)s"),
        (DeliveryState.FAILED, "The mail server refused it: %(reply)s"),
        (DeliveryState.UNKNOWN, "It may have arrived, so we won’t send it twice."),
    ],
)
def test_a_digest_is_told_with_its_papers_and_what_became_of_it(
    database: Database, state: DeliveryState, words: str
) -> None:
    with database.reading() as work:
        default = work[ListStore].get("trending")
    seed_edition(database, default, seed_papers(database, 3))
    here = signup_context(database)
    joined(here)
    digest_ends(database, state)
    history = past(here, choosing(here))
    (digest,) = [mail for mail in history.mails if mail.is_digest]
    assert digest.called == default.title
    assert words in f"{digest.heading} {digest.became}"
    assert [paper.title for paper in digest.papers] == [
        f"A study of {number} things" for number in (1, 2, 3)
    ]
    called = [mail.called for mail in history.mails if not mail.is_digest]
    assert called == ["Link to your choices", "Confirm your subscription"]


@pytest.mark.accept("F30", part="history")
def test_no_server_is_blamed_for_an_email_that_never_left(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = "a token of a lease"
    request_link(here, address(), visitor(), now=NOW)
    with database.writing() as work:
        (mail,) = work[NoticeLedger].claim(lease(token), limit=9, now=NOW)
        unsendable = move(mail.id, DeliveryState.FAILED, token=token)
        work[NoticeLedger].settle([_said(unsendable, "")], now=NOW)
    request_link(here, address(), visitor(2), now=NOW + DAYS)
    (second,) = post(database, now=NOW + DAYS)
    found = reader_history(here, link(second), now=NOW + DAYS)
    assert "We could not send it." in [one.became for one in found.mails]
    assert not any("refused" in one.became for one in found.mails)


@pytest.mark.accept("F30", part="history")
def test_what_the_server_said_is_told_without_an_address(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = "a token of a lease"
    request_link(here, address(), visitor(), now=NOW)
    with database.writing() as work:
        (mail,) = work[NoticeLedger].claim(lease(token), limit=9, now=NOW)
        refused = move(mail.id, DeliveryState.FAILED, token=token)
        work[NoticeLedger].settle([_said(refused, "<alice@mail.example> is full")], now=NOW)
    request_link(here, address(), visitor(2), now=NOW + DAYS)
    (second,) = post(database, now=NOW + DAYS)
    found = reader_history(here, link(second), now=NOW + DAYS)
    (refused_mail,) = [one for one in found.mails if "refused" in one.became]
    assert refused_mail.reply == "<(address)> is full"


def _said(one: Transition, reply: str) -> Transition:
    return replace(one, reply=reply)


def test_a_link_that_is_not_fresh_tells_nothing(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    with pytest.raises(LinkExpired):
        reader_history(here, choosing(here), now=NOW + 2 * DAYS)


@pytest.mark.accept("F20", part="words")
def test_every_reason_and_every_end_has_words_for_its_reader() -> None:
    assert set(WHY_NO_MAIL) == set(SkipReason)
    for state in DeliveryState:
        assert state_text(state, "").endswith(".")
    assert state_text(DeliveryState.SKIPPED, "muted") == "You had muted all the new papers."
    theirs = {*SystemMailKind} - {SystemMailKind.ALERT, SystemMailKind.LOGIN}
    told = {email_kind_name(kind) for kind in theirs}
    assert len(told) == len(theirs)


@pytest.mark.accept("F30", part="history")
def test_a_mail_is_told_with_the_day_and_hour_of_its_reader(database: Database) -> None:
    here = signup_context(database)
    joined(here, wish=Preferences(timezone="Asia/Tokyo"))
    told = [one.at.isoformat() for one in past(here, choosing(here)).mails]
    assert told == ["2026-03-02T17:00:00+09:00"] * 2
