"""One fault is one finding, however many things it touches; several faults are several."""

import pytest

from paperround.doctor.examination import findings_without_settings
from paperround.doctor.findings import Level
from paperround.doctor.schedule_check import check_feeds
from paperround.feeds.model import FeedHealth, LiveFeed
from tests.doctor.conftest import Home
from tests.feeds.builders import feed

OUT = {
    "public_url": "https://papers.lab.org",
    "smtp_url": "smtps://relay.lab.org",
    "bounce_imap_url": "imaps://b:b@imap.lab.org/INBOX",
    "mail_from": "Papers <papers@lab.org>",
    "operator": "Ada",
    "private": True,
}
"""An installation that needs the DNS for everything."""


# --- names


@pytest.mark.accept("O6", part="dead resolver", mutant="a-dead-resolver-is-three-findings")
def test_a_dead_resolver_is_one_finding(home: Home) -> None:
    home.resolver.silent = True
    faults = home.faults(**OUT)
    assert faults.keys() == {"dns"}
    assert faults["dns"].level is Level.FAIL
    assert "imap.lab.org, papers.lab.org, relay.lab.org" in faults["dns"].says
    assert "bounces, site, relay relay.lab.org:465, DNS records" in faults["dns"].says
    assert "/etc/resolv.conf" in faults["dns"].way_out


def test_what_needs_no_name_is_looked_at_all_the_same(home: Home) -> None:
    home.resolver.unheard = ("relay.lab.org",)
    levels = {one.check: one.level for one in home.examine(smtp_url=OUT["smtp_url"])}
    assert levels["site"] is Level.OK
    assert levels["dns"] is Level.FAIL
    assert "relay" not in levels


# --- feeds


def of(name: str, reason: str, health: FeedHealth = FeedHealth.FAILED) -> LiveFeed:
    return feed(health, name=name, reason=reason)


@pytest.mark.accept("O6", part="feeds of one cause", mutant="each-feed-has-a-finding-of-its-own")
def test_fifteen_feeds_that_fail_for_one_reason_are_one_finding() -> None:
    failing = [of(f"f{n}", f"feed{n}.lab.org cannot be reached") for n in range(15)]
    other = of("other", "rss.lab.org has nothing there (status 404)")
    first, second, rest = check_feeds([*failing, other, of("well", "3 new", FeedHealth.FRESH)])
    assert first.says == (
        "15 feeds are failed for one reason (feed0.lab.org cannot be reached): "
        "f0, f1, f2, f3, f4 and 10 more"
    )
    assert first.level is Level.FAIL
    assert second.says == "other is failed: rss.lab.org has nothing there (status 404)"
    assert rest.says == "1 of 17 is well"


def test_feeds_that_were_not_read_yet_are_one_finding() -> None:
    [found] = check_feeds([of("a", "", FeedHealth.NEW), of("b", "", FeedHealth.NEW)])
    assert (found.level, found.says) == (Level.WARN, "a, b have not been polled yet")


# --- settings


@pytest.mark.accept("O6", part="bad settings", mutant="the-first-bad-setting-only")
def test_each_setting_that_is_wrong_is_a_finding() -> None:
    found = [one for one in findings_without_settings(("A is wrong", "B is wrong")) if one.way_out]
    assert [(one.check, one.level, one.says) for one in found] == [
        ("settings", Level.FAIL, "A is wrong"),
        ("settings", Level.FAIL, "B is wrong"),
    ]
