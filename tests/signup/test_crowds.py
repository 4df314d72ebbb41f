"""Very many ask at once: who is refused hears it, and who is let in all the same."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from paperround.core.errors import RateLimited, SharedLimitReached
from paperround.core.rates import parse_rates
from paperround.db.transactions import Database
from paperround.ops.alerts import signup_alerts
from paperround.signup import requests
from paperround.signup.context import SignupContext
from paperround.signup.limits import (
    DAY,
    NEAR,
    WORKED_SHARE,
    count_refused,
    count_requests,
    rate_limit_status,
)
from paperround.signup.worker import process_requests
from paperround.subscribers.readers import Drop, Limit, Visitor
from paperround.subscribers.store.requests import RequestStore
from tests.builders import MINUTE, NOW, address
from tests.self_service.readers import (
    FREE,
    HOURS,
    LIMITS,
    ask_to_move,
    joined,
    link,
    post,
    request,
    request_link,
    signup_context,
    subscribe,
    visitor,
)

# --- mailboxes -----------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S18", part="spellings of a mailbox")
def test_a_hundred_and_thirty_spellings_of_a_mailbox_get_its_mails_and_the_operator_hears_of_it(
    database: Database,
) -> None:
    here = signup_context(database, replace(LIMITS, domain=(), address=parse_rates("3/24h")))
    for number in range(130):
        tag = f"vic.tim+{number}" if number % 2 else f"v.ictim+{number}"
        asked = replace(request(by=visitor(number)), address=address(tag, "gmail.com"))
        subscribe(here, asked, now=NOW)
    assert len(post(database)) == 3
    with database.reading() as work:
        assert count_requests(work, DAY, now=NOW).dropped[Drop.MAILBOX] == 127


@pytest.mark.accept("S18", part="spellings of a mailbox")
def test_subdomains_of_one_owner_are_one_domain(database: Database) -> None:
    here = signup_context(database, replace(FREE, domain=parse_rates("2/h")))
    for number in range(2):
        one = replace(request(), address=address("ada", f"a{number}.evil.example"))
        subscribe(here, one, now=NOW)
    with pytest.raises(SharedLimitReached):
        subscribe(here, replace(request(), address=address("ada", "evil.example")), now=NOW)
    subscribe(here, replace(request(), address=address("ada", "other.example")), now=NOW)


# --- networks and providers --------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S18", part="network of networks")
def test_a_48_may_ask_as_often_as_four_networks(database: Database) -> None:
    here = signup_context(database, replace(FREE, net=parse_rates("2/h")))
    asking = [
        (f"2001:db8:{site:x}:{net:x}00::1", number)
        for site in (1, 2)
        for net in range(5)
        for number in range(2)
    ]
    refused = []
    for ip, number in asking:
        who = Visitor(ip=ip, stamped=True)
        try:
            subscribe(here, request(f"a{number}{ip[9:14].replace(':', '')}", by=who), now=NOW)
        except RateLimited as error:
            refused.append((ip, error.limit))
    assert refused == [(f"2001:db8:{site}:400::1", Limit.NET) for site in (1, 2) for _ in range(2)]


def by_form(here: SignupContext, number: int) -> None:
    subscribe(here, request(f"way{number}", by=visitor(number)), now=NOW)


def by_program(here: SignupContext, number: int) -> None:
    by = visitor(number, stamped=False)
    subscribe(here, request(f"way{number}", by=by, source="api"), now=NOW)


def by_link(here: SignupContext, number: int) -> None:
    request_link(here, address(f"way{number}"), visitor(number), now=NOW)


@pytest.mark.accept("S18", part="every way")
@pytest.mark.parametrize("ask", [by_form, by_program, by_link])
def test_the_limit_of_a_provider_holds_for_every_way_to_ask(
    database: Database, ask: Callable[[SignupContext, int], None]
) -> None:
    here, refused = signup_context(database, replace(LIMITS, domain=parse_rates("20/h"))), 0
    for number in range(60):
        try:
            ask(here, number)
        except SharedLimitReached as error:
            refused += error.retry_after > 0
    assert refused == 40


@pytest.mark.accept("S18", part="every way")
def test_the_limit_of_a_provider_holds_for_a_change_of_address(database: Database) -> None:
    joined(signup_context(database))
    request_link(signup_context(database), address(), visitor(), now=NOW)
    [mail] = post(database)
    here = signup_context(database, replace(FREE, domain=parse_rates("1/h")))
    by_form(here, 1)
    for number in range(WORKED_SHARE + NEAR[0].count):
        subscribe(here, request(f"busy{number}", worked=True), now=NOW)
    with pytest.raises(SharedLimitReached):
        ask_to_move(here, link(mail), address("new"), now=NOW)


@pytest.mark.accept("S18", part="nobody is shut out")
def test_a_flood_without_work_leaves_those_alone_who_did_some(database: Database) -> None:
    here = signup_context(database, LIMITS)
    for number in range(1070):
        with suppress(SharedLimitReached):
            flood = request(f"flood{number}", by=visitor(number))
            requests.subscribe(here, flood, now=NOW)
    assert process_requests(here, now=NOW) == 100
    assert len(post(database)) == 100
    for number in range(20):
        by = visitor(2000 + number)
        subscribe(here, request(f"reader{number}", by=by, worked=True), now=NOW)
    assert len(post(database)) == 20


@pytest.mark.accept("S18", part="nobody is shut out")
def test_a_flood_that_does_the_work_shuts_out_its_own_networks_alone(database: Database) -> None:
    here, let_in = signup_context(database, replace(FREE, domain=parse_rates("2/h"))), 0
    for number in range(40):
        with suppress(SharedLimitReached):
            asked = request(f"flood{number}", by=visitor(number % 4), worked=True)
            subscribe(here, asked, now=NOW)
            let_in += 1
    [near] = NEAR
    assert let_in == 2 * (1 + WORKED_SHARE) + 4 * near.count
    subscribe(here, request("reader", by=visitor(9), worked=True), now=NOW)
    with pytest.raises(SharedLimitReached):
        subscribe(here, request("other", by=visitor(9)), now=NOW)


def test_who_is_refused_uses_up_nothing(database: Database) -> None:
    """A network or a provider that is full leaves a client as often as before."""
    limits = replace(FREE, ip=parse_rates("4/h"), net=parse_rates("2/h"), domain=parse_rates("1/h"))
    here = signup_context(database, limits)
    subscribe(here, request("first"), now=NOW)
    for _ in range(3):
        with pytest.raises(SharedLimitReached):
            subscribe(here, request("second"), now=NOW)
    left = rate_limit_status(here, visitor(), now=NOW)
    assert left is not None
    assert left.remaining == 1
    with database.reading() as work:
        assert work[RequestStore].waiting() == (0, None)


# --- what the operator hears -------------------------------------------------------------------


@pytest.mark.accept("S18", part="operator")
def test_the_operator_is_told_once_a_day_of_what_limits_keep_back(database: Database) -> None:
    here = signup_context(
        database, replace(FREE, address=parse_rates("1/h"), domain=parse_rates("3/h"))
    )
    for _ in range(3):
        subscribe(here, request(), now=NOW)
    try:
        subscribe(here, request(), now=NOW)
    except SharedLimitReached as error:
        count_refused(database, error, now=NOW)
    with database.reading() as work:
        [alert] = signup_alerts(work, now=NOW)
        assert list(signup_alerts(work, now=NOW + 2 * HOURS)) == []
    assert alert.subject == "Limits stopped 3 sign-ups within an hour"
    assert alert.lines[:2] == (
        "Refused: 1 that came in a burst for the same email provider.",
        "Dropped: 2 that were for a mailbox that had reached its daily limit.",
    )


def test_a_visitor_who_asks_too_often_is_counted_and_no_alert(database: Database) -> None:
    here = signup_context(database, replace(FREE, ip=parse_rates("1/h")))
    subscribe(here, request(), now=NOW)
    with pytest.raises(RateLimited) as refused:
        subscribe(here, request(), now=NOW)
    count_refused(database, refused.value, now=NOW)
    with database.reading() as work:
        assert count_requests(work, DAY, now=NOW).refused[Limit.IP] == 1
        assert list(signup_alerts(work, now=NOW)) == []


def test_the_operator_is_told_of_requests_that_nobody_looks_at(database: Database) -> None:
    asked = replace(request(), address=address())
    requests.subscribe(signup_context(database), asked, now=NOW)
    with database.reading() as work:
        assert list(signup_alerts(work, now=NOW + 29 * MINUTE)) == []
        [alert] = signup_alerts(work, now=NOW + 30 * MINUTE)
    assert alert.subject == "1 sign-up or similar waited for half an hour"
