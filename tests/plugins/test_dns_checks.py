"""The records of the From domain: which are missing or wrong, and the lines that mend it."""

from datetime import timedelta

import pytest

from paperround.config import Settings
from paperround.delivery.dkim.keys import KeyFile, KeyRecord
from paperround.delivery.dkim.signer import Algorithm
from paperround.doctor.findings import Finding, Level
from paperround.plugins.doctor_checks import records
from tests.builders import NOW
from tests.fakes import FakeResolver

DOMAIN = "papers.lab.org"
SETTINGS = Settings(
    smtp_url="smtps://relay.example.org",
    mail_from=f"Papers <p@{DOMAIN}>",
    contact="ada@lab.org",
)
NEXT = NOW + timedelta(days=1)
BOOK = KeyFile().with_first([Algorithm.ED25519], "s1", now=NOW)
WAITING = BOOK.with_next((), "s2", now=NOW)
MOVED = WAITING.switched(now=NOW)
pytestmark = pytest.mark.accept("F37", part="DNS lines")


def look(
    held: dict[str, tuple[str, ...]], book: KeyFile = BOOK, *, silent: bool = False
) -> list[Finding]:
    resolver = FakeResolver(held, silent=silent)
    return records.check_records(SETTINGS, book.due(DOMAIN, NEXT), resolver, now=NOW)


def found(check: str, held: dict[str, tuple[str, ...]], book: KeyFile = BOOK) -> Finding:
    return next(one for one in look(held, book) if one.check == check)


def texts(*due: KeyRecord) -> dict[str, tuple[str, ...]]:
    """A DNS that says what is due."""
    return {one.name: (one.value,) for one in due}


def test_with_every_record_in_place_all_is_well() -> None:
    held = {
        DOMAIN: ("some-site-verification=1", "v=spf1 ip4:192.0.2.25 -all"),
        f"_dmarc.{DOMAIN}": ("v=DMARC1; p=none",),
        f"_mta-sts.{DOMAIN}": ("v=STSv1; id=20260130",),
        **texts(*BOOK.due(DOMAIN, NOW)),
    }
    assert [(one.check, one.level) for one in look(held)] == [
        (check, Level.OK) for check in ("spf", "dkim", "dmarc", "mx", "mta-sts")
    ]


def test_each_record_that_is_missing_comes_with_its_line() -> None:
    lines = {one.check: (one.level, [line.split(" ")[0] for line in one.lines]) for one in look({})}
    assert lines == {
        "spf": (Level.WARN, [f"{DOMAIN}."]),
        "dkim": (Level.FAIL, [f"s1._domainkey.{DOMAIN}."]),
        "dmarc": (Level.WARN, [f"_dmarc.{DOMAIN}."]),
        "mx": (Level.WARN, []),
        "mta-sts": (Level.SKIPPED, [f"_mta-sts.{DOMAIN}."]),
    }


@pytest.mark.accept("O6", part="dead resolver", mutant="a-silent-dns-is-told-for-each-record")
def test_a_dns_that_does_not_answer_is_one_finding_and_no_fault_of_the_records() -> None:
    [found] = look({}, silent=True)
    assert (found.check, found.level) == ("dns", Level.WARN)
    assert "did not answer" in found.says
    assert found.lines == tuple(one.line for one in BOOK.due(DOMAIN, NOW))


def test_where_no_mail_leaves_no_record_is_looked_for() -> None:
    (only,) = records.check_records(Settings(), [], FakeResolver(silent=True), now=NOW)
    assert (only.check, only.level) == ("dns", Level.SKIPPED)


@pytest.mark.parametrize("domain", ["paperround.example", "lab.test", "papers.example.org"])
def test_a_domain_that_nobody_can_own_is_not_looked_up(domain: str) -> None:
    settings = Settings(smtp_url="smtp://127.0.0.1:25", mail_from=f"p@{domain}")
    (only,) = records.check_records(settings, [], FakeResolver(silent=True), now=NOW)
    assert (only.check, only.level) == ("dns", Level.SKIPPED)


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ("v=spf1 -all", Level.FAIL),
        ("V=SPF1 a mx ~all", Level.OK),
        ("v=spf1 +all", Level.WARN),
        ("v=spf1 all", Level.WARN),
        ("v=spf10 -all", Level.WARN),
    ],
)
def test_spf(record: str, level: Level) -> None:
    assert found("spf", {DOMAIN: (record,)}).level is level


def test_two_spf_records_are_as_good_as_none() -> None:
    assert found("spf", {DOMAIN: ("v=spf1 -all", "v=spf1 a -all")}).level is Level.FAIL


def test_the_policy_of_a_domain_above_counts_too() -> None:
    above = {"_dmarc.org": ("v=DMARC1; p=none",)}
    policy = found("dmarc", {"_dmarc.lab.org": ("v=DMARC1; p=reject",), **above})
    assert (policy.level, policy.says) == (Level.OK, "_dmarc.lab.org says v=DMARC1; p=reject")
    assert found("dmarc", {**above}).level is Level.WARN


def test_two_policies_are_as_good_as_none() -> None:
    two = ("v=DMARC1; p=none", "v=DMARC1; p=reject")
    assert found("dmarc", {f"_dmarc.{DOMAIN}": two}).level is Level.FAIL


# --- names of addresses -------------------------------------------------------------------------


OURS = "192.0.2.25"


def names(held: dict[str, tuple[str, ...]], url: str = "https://papers.lab.org") -> list[Finding]:
    """What is said of addresses where a relay on this machine sends."""
    settings = SETTINGS.model_copy(update={"smtp_url": "smtp://127.0.0.1:25", "public_url": url})
    every = records.check_records(settings, [], FakeResolver(held), now=NOW)
    return [one for one in every if one.check == "ptr"]


def test_an_address_whose_name_leads_back_is_well() -> None:
    host = {"papers.lab.org": (OURS, "2001:db8::25")}
    back = {OURS: ("mail.lab.org",), "mail.lab.org": (OURS,), "2001:db8::25": ("papers.lab.org",)}
    assert [one.level for one in names({**host, **back})] == [Level.OK, Level.OK]


@pytest.mark.parametrize("called", [{}, {OURS: ("elsewhere.org",)}])
def test_an_address_without_a_name_that_leads_back(called: dict[str, tuple[str, ...]]) -> None:
    (found,) = names({"papers.lab.org": (OURS,), **called})
    assert found.level is Level.WARN
    assert found.lines == ("25.2.0.192.in-addr.arpa. PTR papers.lab.org.",)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://papers.example.org"])
def test_a_site_without_a_public_name_tells_nothing(url: str) -> None:
    assert [one.level for one in names({}, url)] == [Level.SKIPPED]


def test_the_addresses_of_a_relay_elsewhere_are_its_keepers() -> None:
    assert not [one for one in look({}) if one.check == "ptr"]


# --- DKIM ----------------------------------------------------------------------------------------


def test_mails_that_nobody_signs_here_are_the_relays_to_sign() -> None:
    nobody = found("dkim", {}, KeyFile())
    assert nobody.level is Level.SKIPPED
    assert "dkim create" in nobody.way_out


@pytest.mark.accept("F35", part="doctor")
@pytest.mark.parametrize(
    ("published", "level"),
    [
        ("v=DKIM1; k=ed25519; p=AAAA", Level.FAIL),
        ("v=DKIM1; k=ed25519; p=", Level.FAIL),
        ("v=DKIM1; k=ed25519; t=y; p={public}", Level.WARN),
        ("v=DKIM1; k=ed25519; p={public}", Level.OK),
    ],
)
def test_the_record_of_the_key_that_signs(published: str, level: Level) -> None:
    text = published.format(public=BOOK.keys[0].public)
    key = found("dkim", {f"s1._domainkey.{DOMAIN}": (text,)})
    assert key.level is level
    assert key.lines == (() if level is Level.OK else (BOOK.due(DOMAIN, NOW)[0].line,))


@pytest.mark.accept("F35", part="doctor")
def test_the_next_key_is_waited_for_and_then_let_sign() -> None:
    signing, waiting = WAITING.due(DOMAIN, NOW)
    before = look(texts(signing), WAITING)[2]
    assert (before.level, before.lines) == (Level.WARN, (waiting.line,))
    after = look(texts(signing, waiting), WAITING)[2]
    assert (after.level, after.lines) == (Level.WARN, ())
    assert "dkim rotate" in after.way_out


@pytest.mark.accept("F35", part="doctor")
def test_the_record_of_the_last_key_is_watched_until_it_may_go() -> None:
    kept, signing = MOVED.due(DOMAIN, NOW)
    assert look(texts(kept, signing), MOVED)[1].level is Level.OK
    gone_too_early = look(texts(signing), MOVED)[1]
    assert (gone_too_early.level, gone_too_early.lines) == (Level.WARN, (kept.line,))
    later = NOW + timedelta(days=10)
    revoked, _ = MOVED.due(DOMAIN, later)
    for held, level in (
        (texts(kept, signing), Level.WARN),
        (texts(revoked, signing), Level.OK),
        (texts(signing), Level.OK),
    ):
        last, _ = records.check_dkim(MOVED.due(DOMAIN, later), FakeResolver(held))
        assert last.level is level
