"""DMARC, mail hosts and TLS for the mail that comes back: what is published, and its worth."""

from dataclasses import dataclass, field

import pytest

from paperround.core.errors import FetchFailed
from paperround.doctor.findings import Level
from paperround.http.model import FetchRequest, Page
from paperround.plugins.doctor_checks import records
from tests.builders import NOW
from tests.fakes import FakeClient, FakeResolver

DOMAIN = "papers.lab.org"
PLACE = f"_dmarc.{DOMAIN}"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.lab.org\r\nmx: *.lab.net\r\nmax_age: 604800\r\n"
RECORD = ("v=STSv1; id=1",)
pytestmark = pytest.mark.accept("F37", part="policies")


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ("v=DMARC1; p=none", Level.OK),
        ("v=DMARC1; p=reject; sp=reject; np=reject; t=y; psd=n", Level.OK),
        ("v=DMARC1; rua=mailto:a@lab.org", Level.OK),
        ("v=DMARC1; p=quarantine; pct=50; rf=afrf; ri=86400", Level.OK),
        ("v=DMARC1; p=nothing", Level.FAIL),
        ("v=DMARC1", Level.FAIL),
    ],
)
def test_a_policy_is_read_by_the_newer_rules_and_old_ones_are_taken(
    record: str, level: Level
) -> None:
    found = records.check_policy(PLACE, record, sender=DOMAIN, envelope=DOMAIN, signer=DOMAIN)
    assert found.level is level
    assert ("older standard" in found.says) is ("pct" in record)


@pytest.mark.accept("O6", part="DMARC")
@pytest.mark.parametrize(
    ("tags", "level"),
    [
        ("adkim=r; aspf=r", Level.OK),
        ("adkim=s; aspf=r", Level.OK),
        ("adkim=r; aspf=s", Level.OK),
        ("adkim=s; aspf=s", Level.FAIL),
    ],
)
def test_strict_alignment_that_neither_signature_nor_envelope_has(tags: str, level: Level) -> None:
    found = records.check_policy(
        PLACE,
        f"v=DMARC1; p=none; {tags}",
        sender=DOMAIN,
        envelope=f"bounces.{DOMAIN}",
        signer="lab.org",
    )
    assert found.level is level


def test_without_a_signature_the_envelope_alone_must_fit() -> None:
    record = "v=DMARC1; p=none"
    fits = records.check_policy(PLACE, record, sender=DOMAIN, envelope=DOMAIN, signer=None)
    differs = records.check_policy(PLACE, record, sender=DOMAIN, envelope="relay.net", signer=None)
    assert (fits.level, differs.level) == (Level.OK, Level.FAIL)


@pytest.mark.accept("O6", part="MX")
def test_a_domain_that_takes_no_mail() -> None:
    assert records.check_mx(DOMAIN, FakeResolver()).level is Level.WARN
    by_name = FakeResolver(mail={DOMAIN: ("mx.lab.org",)})
    assert records.check_mx(DOMAIN, by_name).says.endswith("goes to mx.lab.org")
    by_address = FakeResolver({DOMAIN: ("192.0.2.1",)})
    assert records.check_mx(DOMAIN, by_address).level is Level.OK


@dataclass
class Policies:
    """A web server that holds one file, or none."""

    content: str | None
    asked: list[str] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request.url)
        if self.content is None:
            raise FetchFailed("status 404")
        return Page(
            request=request,
            url=request.url,
            status=200,
            headers={},
            body=self.content.encode(),
            fetched_at=NOW,
        )


@pytest.mark.accept("O6", part="MTA-STS")
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (POLICY, ""),
        (None, "there is no policy"),
        ("<html>", "version"),
        (POLICY.replace("enforce", "please"), "mode"),
        (POLICY.replace("604800", "a week"), "max_age"),
        (POLICY.replace("mx.lab.org", "old.lab.org"), "does not include mx.lab.org"),
    ],
)
def test_the_policy_behind_the_record(content: str | None, word: str) -> None:
    client = Policies(content)
    resolver = FakeResolver(mail={DOMAIN: ("mx.lab.org", "two.lab.net")})
    found = records.check_mta_sts(DOMAIN, RECORD, resolver, client, now=NOW)
    assert client.asked == [f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt"]
    assert found.level is (Level.WARN if word else Level.OK)
    assert word in found.says


def test_a_policy_that_is_somewhere_else_is_none() -> None:
    """RFC 8461 section 3.3: senders must not follow a redirect."""
    place = f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt"
    client = FakeClient(NOW, {place: POLICY.encode()}, moved={place: f"https://{DOMAIN}/x.txt"})
    resolver = FakeResolver(mail={DOMAIN: ("mx.lab.org",)})
    found = records.check_mta_sts(DOMAIN, RECORD, resolver, client, now=NOW)
    assert found.level is Level.WARN
    assert "senders do not follow" in found.says


def test_without_a_record_no_policy_is_asked_for() -> None:
    client = Policies(POLICY)
    found = records.check_mta_sts(DOMAIN, (), FakeResolver(), client, now=NOW)
    assert (found.level, client.asked) == (Level.SKIPPED, [])
    assert found.lines == (f'_mta-sts.{DOMAIN}. TXT "v=STSv1; id={NOW:%Y%m%d}"',)
