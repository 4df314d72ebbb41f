"""How often an address is mailed, whatever is known of it and however it is written."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from paperround.core.rates import parse_rates
from paperround.db.transactions import Database
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.ops.cleanup import clean_up
from paperround.self_service.preferences import mail_choices_link
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.signup.worker import process_requests
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import Address
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import MINUTE, NOW, address
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    HOURS,
    LIMITS,
    joined,
    link,
    post,
    request,
    request_link,
    signup_context,
    subscribe,
    visitor,
)

# --- mailboxes ---------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S1", part="dots")
def test_dots_and_the_other_domain_of_gmail_are_no_other_address(database: Database) -> None:
    here = signup_context(database, LIMITS)
    spelt = [("victim", "gmail.com"), ("v.ictim", "gmail.com"), ("vict.im+a", "googlemail.com")]
    for number, (name, domain) in enumerate(spelt):
        asked = replace(request(by=visitor(number)), address=address(name, domain))
        subscribe(here, asked, now=NOW)
    assert [mail.address for mail in post(database)] == ["victim@gmail.com"]


# --- suppressed mailboxes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("never@mail.example", "never+1@mail.example"),
        ("ne.ver@gmail.com", "ne.ver+1@gmail.com"),
        ("never@gmail.com", "n.ever@googlemail.com"),
        ("n.ever+1@gmail.com", "never@gmail.com"),
        ("never+1@mail.example", "never+2@mail.example"),
    ],
)
def test_another_spelling_does_not_get_round_a_suppression(
    database: Database, kept: str, asked: str
) -> None:
    with database.writing() as work:
        suppress(work, IDENTITY.keys, _read(kept), reason="erased", now=NOW)
    subscribe(signup_context(database), replace(request(), address=_read(asked)), now=NOW)
    assert post(database) == []
    with database.reading() as work:
        assert work[SubscriberStore].find(_read(asked)) is None


def test_a_suppression_that_came_after_the_wish_counts_when_it_is_confirmed(
    database: Database,
) -> None:
    here = signup_context(database)
    subscribe(here, replace(request(), address=_read("never+ads@mail.example")), now=NOW)
    [mail] = post(database)
    with database.writing() as work:
        suppress(work, IDENTITY.keys, _read("never@mail.example"), reason="asked", now=NOW)
    assert confirm(here, link(mail), now=NOW) is None


def _read(written: str) -> Address:
    name, _, domain = written.partition("@")
    return address(name, domain)


# --- whoever never confirmed -------------------------------------------------------------------


def _most_in_a_day(mailed: Sequence[datetime]) -> int:
    return max(sum(start <= one < start + DAYS for one in mailed) for start in mailed)


def _mailed_in_three_days(database: Database, every: timedelta) -> list[datetime]:
    """When somebody is mailed whom others sign up that often."""
    here, mailed = signup_context(database, LIMITS), list[datetime]()
    for number in range(3 * DAYS // every):
        now = NOW + number * every
        subscribe(here, request(by=visitor(number)), now=now)
        if now.minute < every / MINUTE:
            clean_up(database=database, identity=IDENTITY, now=now)
        mailed += [now for _ in post(database, now=now)]
    return mailed


@pytest.mark.slow
@pytest.mark.accept("S1", part="reminder")
@pytest.mark.parametrize("minutes", [61, pytest.param(5, marks=pytest.mark.long)])
def test_three_days_of_sign_ups_are_three_mails_a_day_with_reminders(
    database: Database, minutes: int
) -> None:
    mailed = _mailed_in_three_days(database, minutes * MINUTE)
    assert (len(mailed), _most_in_a_day(mailed)) == (9, 3)


def test_a_mail_that_waits_counts_when_it_leaves(database: Database) -> None:
    here = signup_context(database, replace(LIMITS, total=parse_rates("1/h")))
    subscribe(here, request("bob"), now=NOW)
    mails = []
    for minutes in (0, 61, 122, 24 * 60 + 1):
        now = NOW + minutes * MINUTE
        subscribe(here, request(by=visitor(minutes)), now=now)
        process_requests(here, now=now + 31 * MINUTE)
        mails += post(database, now=now + 31 * MINUTE)
    assert [mail.address.partition("@")[0] for mail in mails] == ["bob", *["alice"] * 3]


# --- whoever is asked for by somebody else -----------------------------------------------------


def _reader(database: Database) -> tuple[SignupContext, str]:
    """A reader who confirmed the day before yesterday, and their old link."""
    here = signup_context(database, LIMITS)
    return here, joined(here, now=NOW - 2 * DAYS).preferences_token


def _asked_by_others(database: Database, here: SignupContext) -> list[SystemMailKind]:
    """What a reader is mailed whom somebody else signs up as often as they can."""
    kinds = []
    for number in range(1, 13):
        now = NOW + number * 65 * MINUTE
        subscribe(here, request(by=visitor(number)), now=now)
        kinds += [mail.kind for mail in post(database, now=now)]
    return kinds


def test_signing_a_reader_up_anew_does_not_use_up_their_links(database: Database) -> None:
    here, token = _reader(database)
    assert _asked_by_others(database, here) == [SystemMailKind.PREFERENCES]
    now = NOW + 14 * HOURS
    mail_choices_link(here, token, now=now)
    request_link(here, address(), visitor(99), now=now + MINUTE)
    assert [mail.kind for mail in post(database, now=now + MINUTE)] == [
        SystemMailKind.PREFERENCES
    ] * 2
