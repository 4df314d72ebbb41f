"""The numbers a monitoring system collects, read back by the parser of its own library."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.access.model import Scope
from paperround.bounces.handling import receive
from paperround.bounces.model import ReportKind
from paperround.bounces.store import ReturnStore
from paperround.core.errors import FetchFailed
from paperround.core.tokens import read_token
from paperround.db.slots import SlotStore
from paperround.delivery.model import Evidence
from paperround.editions.model import Edition
from paperround.feeds.due import create_feed, run_now
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.tick import SCHEDULER
from tests.builders import NOW, returned_event
from tests.feeds.arxiv_samples import item, rss
from tests.web.admin import Service, key_for, program
from tests.web.conftest import Site
from tests.web.metrics import numbers

FEED = NewFeed(name="arxiv-ml", kind="arxiv", settings={"categories": "cs.LG"})
BUSY = FetchFailed("rss.arxiv.org did not answer", status=500)


def poll(site: Site, answer: bytes | Exception) -> None:
    feed_context = replace(
        site.runtime.feed_context, client=Service(says={"": answer}), pause=lambda _: None
    )
    with site.runtime.database.reading() as work:
        found = work[FeedStore].find(FEED.name)
    feed = found or create_feed(feed_context, FEED, now=NOW)
    run_now(feed_context, feed.id, now=site.clock.now())


def health(seen: dict[tuple[str, ...], float]) -> FeedHealth:
    [one] = [one for one in FeedHealth if seen["feed_health", FEED.name, one]]
    return one


@pytest.mark.accept("F08", part="metric")
def test_a_feed_that_fails_moves_its_numbers_and_its_recovery_moves_them_back(site: Site) -> None:
    for _ in range(3):
        poll(site, BUSY)
    seen = numbers(site)
    assert (health(seen), seen["feed_failures", FEED.name]) == (FeedHealth.FAILED, 3)
    assert ("feed_last_good_timestamp_seconds", FEED.name) not in seen, "unknown is not zero"
    site.clock.move(minutes=1)
    poll(site, rss(item()))
    seen = numbers(site)
    assert (health(seen), seen["feed_failures", FEED.name]) == (FeedHealth.FRESH, 0)
    good = (NOW + timedelta(minutes=1)).timestamp()
    assert seen["feed_last_good_timestamp_seconds", FEED.name] == good
    assert seen["feed_last_news_timestamp_seconds", FEED.name] == good
    assert seen["feed_unusual", FEED.name] == 0


def test_the_schedule_and_the_mails_of_each_list_are_counted(
    site: Site, edition: Edition, digest_token: str
) -> None:
    del edition, digest_token
    with site.runtime.database.writing() as work:
        work[SlotStore].beat(SCHEDULER, now=NOW)
    seen = numbers(site)
    assert seen["last_tick_timestamp_seconds",] == NOW.timestamp()
    assert seen["list_subscribers", "trending"] == 1
    assert seen["list_digests", "trending", "queued"] == 1
    assert seen["list_oldest_due_timestamp_seconds", "trending"] <= NOW.timestamp()
    assert ("list_last_sent_timestamp_seconds", "trending") not in seen


@pytest.mark.parametrize("scope", set(Scope) - {Scope.METRICS_READ})
def test_the_numbers_are_for_whoever_has_a_key_for_them(site: Site, scope: Scope) -> None:
    assert site.client.get("/metrics").status_code == 401
    assert program(site.app, key_for(site.runtime, scope)).get("/metrics").status_code == 403


@pytest.mark.accept("F36", part="seen")
@pytest.mark.accept("O3", part="returns", mutant="a-forged-return-counts")
def test_what_came_back_is_counted_by_what_it_proves_and_did(
    site: Site, edition: Edition, digest_token: str
) -> None:
    del edition
    event = replace(returned_event(kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT), tag="")
    parts = read_token(digest_token)
    assert parts is not None
    with site.runtime.database.writing() as work:
        mail = work[ReturnStore].mail_by_row("delivery", parts.row)
    assert mail is not None
    named = replace(
        event,
        way="hook:postmark",
        message_id=mail.message_id,
        recipient="alice@mail.example",
    )
    for _ in range(2):  # a provider tells it twice
        receive(site.runtime.database, site.runtime.settings.keys, [named], now=NOW)
    stranger = replace(event, event_id="another", message_id="<nobody@elsewhere.example>")
    receive(site.runtime.database, site.runtime.settings.keys, [stranger], now=NOW)
    seen = numbers(site)
    assert seen["returned_mails", "complaint", "complaint"] == 1
    assert seen["returned_effects", "complained"] == 1
    assert seen["complained_mails",] == 1
    assert seen["returns_total", "complaint"] == 1
    assert seen["returns_total", "bounce"] == 0
    assert seen["quarantined_mails",] == seen["bounced_mails",] == seen["resting_readers",] == 0
