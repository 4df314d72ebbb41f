"""What goes wrong moves a number, and what a number is labelled with says nothing of a person."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from paperround.db.schema import tables as db
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.store.rates import PaceStore
from paperround.digests.publish import freeze_cuts
from paperround.digests.sending import deliver
from paperround.editions.manage_lists import create_list
from paperround.editions.model import DeliveryId, Edition
from tests.builders import HOUR, NOW
from tests.fakes import ScriptedMailer, accepting
from tests.web.conftest import Site, sql
from tests.web.metrics import numbers

Script = Callable[[Envelope], Outcome]
GO_AWAY = Reply(code=550, enhanced="5.7.1", text="go away")


def refusing(envelope: Envelope) -> Outcome:
    """A relay that does not want us."""
    return Outcome(id=envelope.id, phase=Phase.MAIL, reply=GO_AWAY)


def away(envelope: Envelope) -> Outcome:
    """A relay that cannot be reached."""
    return Outcome(id=envelope.id, phase=Phase.CONNECT, error="timed out")


def silent(envelope: Envelope) -> Outcome:
    """A relay that is gone after the final dot."""
    return Outcome(id=envelope.id, phase=Phase.DOT, error="connection lost")


def send(site: Site, script: Script) -> None:
    """Send what is due now."""
    deliver(replace(site.runtime.post(), mailer=ScriptedMailer(script)))


def moved(site: Site, act: Callable[[], object]) -> dict[tuple[str, ...], float]:
    """The numbers that `act` moved, and by how much."""
    before = numbers(site)
    act()
    after = numbers(site)
    return {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if value != before.get(name, 0)
    }


# --- mail ----------------------------------------------------------------------------------------


@pytest.mark.accept("O3", part="attempts by class", mutant="attempts-are-not-counted")
@pytest.mark.parametrize(
    ("script", "state", "reply_class"),
    [
        (accepting, "sent", "accepted"),
        (refusing, "deferred", "policy-refusal"),
        (silent, "unknown", "silent-after-dot"),
    ],
)
def test_each_attempt_counts_by_state_and_class_of_the_reply(
    site: Site, edition: Edition, digest_token: str, script: Script, state: str, reply_class: str
) -> None:
    del edition, digest_token
    changed = moved(site, lambda: send(site, script))
    attempts = {name: n for name, n in changed.items() if name[0] == "attempts_total"}
    assert attempts == {("attempts_total", reply_class, state): 1}


@pytest.mark.accept("O3", part="oldest queued age")
def test_a_relay_that_refuses_lets_the_oldest_mail_grow_old(
    site: Site, edition: Edition, digest_token: str
) -> None:
    del edition, digest_token
    name = ("list_oldest_due_timestamp_seconds", "trending")
    due = numbers(site)[name]
    send(site, refusing)
    site.clock.move(hours=1)
    assert numbers(site)[name] == due, "it waits since then"
    send(site, accepting)
    assert name not in numbers(site)


@pytest.mark.accept("O3", part="unknown count")
def test_silence_after_the_dot_is_counted_as_unknown(
    site: Site, edition: Edition, digest_token: str
) -> None:
    del edition, digest_token
    changed = moved(site, lambda: send(site, silent))
    assert changed["list_digests", "trending", "unknown"] == 1


@pytest.mark.accept("O3", part="issue lateness", mutant="a-missing-edition-is-on-time")
def test_a_cut_without_an_edition_grows_late_and_the_edition_ends_it(
    site: Site, edition: Edition
) -> None:
    name = ("list_edition_late_seconds", "trending")
    with sql(site.runtime).begin() as connection:
        connection.execute(update(db.lists).values(created_at=edition.cut_at - HOUR))
    assert numbers(site)[name] == (edition.frozen_at - edition.cut_at).total_seconds()
    site.clock.move(hours=24)
    late = numbers(site)[name]
    assert late > 0
    site.clock.move(minutes=10)
    assert numbers(site)[name] == late + 600


def test_the_first_edition_of_a_list_is_not_late_for_a_cut_before_the_list(
    site: Site, edition: Edition
) -> None:
    home, clock = site.runtime, site.clock
    clock.move(hours=5)  # it is one o'clock, an hour after a cut
    create_list(home.database, "robots", {"title": "Robots"}, by="shell tests", now=clock.now())
    clock.move(minutes=1)
    freeze_cuts(database=home.database, ranker=home.ranker, now=clock.now(), only="robots")
    assert numbers(site)["list_edition_late_seconds", "robots"] == 60
    clock.move(hours=12)
    assert numbers(site)["list_edition_late_seconds", "robots"] > 3600
    assert edition.list_name == "trending"


@pytest.mark.accept("O3", part="relay")
def test_a_relay_that_refuses_us_or_is_away_is_a_number(
    site: Site, edition: Edition, digest_token: str
) -> None:
    del edition, digest_token
    seen = numbers(site)
    assert (seen["relay_refuses",], seen["relay_unreached",]) == (0, 0)
    send(site, away)
    assert numbers(site)["relay_unreached",] == 1
    refused = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=GO_AWAY)
    with site.runtime.database.writing() as work:
        work[PaceStore].record_outcomes([refused] * MOST_REFUSALS_OF_US, now=NOW)
    assert numbers(site)["relay_refuses",] == 1


# --- people --------------------------------------------------------------------------------------


@pytest.mark.accept("O3", part="sign-ups")
def test_a_sign_up_counts_when_it_is_asked_for(site: Site) -> None:
    changed = moved(site, lambda: site.ask())
    assert changed["signups_total", "asked"] == 1
    assert ("signups_total", "confirmed") not in changed


# --- requests ------------------------------------------------------------------------------------


def requests_of(site: Site, act: Callable[[], object]) -> dict[tuple[str, str], float]:
    """The requests timed during `act`, by route and class, but for those of the numbers."""
    changed = moved(site, act)
    return {
        (name[1], name[2]): n
        for name, n in changed.items()
        if name[0] == "http_request_duration_seconds_count" and name[1] != "/metrics"
    }


@pytest.mark.accept("O3", part="requests", mutant="requests-are-told-by-path")
@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/healthz", "/healthz", "2xx"),
        ("/unsubscribe/a-secret-token", "/unsubscribe/{token}", "2xx"),
        ("/nowhere/alice@mail.example", "unknown", "4xx"),
        ("/static/nothing.css", "/static", "4xx"),
    ],
)
def test_requests_are_timed_by_route_and_never_by_path(
    site: Site, path: str, route: str, status: str
) -> None:
    assert requests_of(site, lambda: site.client.get(path)) == {(route, status): 1}


def test_a_request_that_is_refused_before_any_route_is_timed_as_such(site: Site) -> None:
    stranger = TestClient(site.app, base_url="https://elsewhere.example")
    assert requests_of(site, lambda: stranger.get("/")) == {("refused", "4xx"): 1}


def test_the_buckets_of_a_route_add_up(site: Site) -> None:
    site.client.get("/healthz")
    seen = numbers(site)
    name = "http_request_duration_seconds"
    route = {key[0]: key for key in seen if key[1:3] == ("/healthz", "2xx")}
    assert f"{name}_sum" in route
    buckets = [
        n for key, n in seen.items() if key[0] == f"{name}_bucket" and {"/healthz", "2xx"} <= {*key}
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == seen[f"{name}_count", "/healthz", "2xx"]
