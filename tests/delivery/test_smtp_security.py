"""TLS and logging in: verified, required, and never given up for something less."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperround.bootstrap.mail import mailer_for
from paperround.delivery.model import Outcome, Phase
from paperround.delivery.replies import verdict
from tests.certificates import certificate, server_context
from tests.delivery.envelopes import Marks, envelope, envelopes
from tests.faults import Action, Say, Security, SmtpSink

LOGIN = ("ada@example.org", "p@ss,w:rd/?")
IN_URL = "ada%40example.org:p%40ss%2Cw%3Ard%2F%3F"


@dataclass(frozen=True)
class Authority:
    """A certificate, and a server's use of it."""

    cert: Path
    key: Path

    def security(
        self,
        *,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
    ) -> Security:
        context = server_context(self.cert, self.key)
        return Security(context=context, implicit=implicit, login=login, mechanisms=mechanisms)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(*certificate(tmp_path_factory.mktemp("tls")))


def sent(
    url: str,
    security: Security,
    script: Mapping[str, Iterable[Action]] | None = None,
) -> tuple[SmtpSink, list[Outcome]]:
    with SmtpSink(script, security=security, offers=("PIPELINING",)) as sink:
        ways = mailer_for(url.format(port=sink.port), connections=1, hostname="papers.example")
        return sink, list(ways.send(envelopes(2), before_dot=Marks()))


def implicit(authority: Authority, login: str = "") -> str:
    return f"smtps://{login}localhost:{{port}}?ca={authority.cert}"


def starttls(authority: Authority, login: str = "") -> str:
    return f"smtp://{login}localhost:{{port}}?starttls=required&ca={authority.cert}"


@pytest.mark.accept("F33", part="TLS")
def test_mail_goes_out_over_tls_from_the_first_byte(authority: Authority) -> None:
    sink, outcomes = sent(implicit(authority), authority.security(implicit=True))
    assert [verdict(one).state for one in outcomes] == ["sent", "sent"]
    assert len(sink.messages) == 2


@pytest.mark.accept("F33", part="TLS, many and large mails")
@pytest.mark.parametrize("offers", [("PIPELINING",), ()], ids=["pipelined", "lock-step"])
def test_many_mails_and_large_ones_cross_tls_byte_for_byte(
    authority: Authority, offers: tuple[str, ...]
) -> None:
    large = b"".join(b"%06d " % line + b"x" * 990 + b"\r\n" for line in range(1500))
    mails = [*envelopes(60), envelope(61, body=large), envelope(62, body=large)]
    with SmtpSink(security=authority.security(implicit=True), offers=offers) as sink:
        url = implicit(authority).format(port=sink.port)
        ways = mailer_for(url, connections=3, hostname="papers.example")
        found = {verdict(one).state for one in ways.send(mails, before_dot=Marks())}
    assert found == {"sent"}
    assert {m.message_id: m.content for m in sink.messages} == {
        mail.message_id: mail.content for mail in mails
    }


@pytest.mark.accept("F33", part="STARTTLS and AUTH")
@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"])
def test_a_login_follows_starttls_and_never_goes_before_it(
    authority: Authority, mechanisms: str
) -> None:
    security = authority.security(login=LOGIN, mechanisms=mechanisms)
    sink, outcomes = sent(starttls(authority, f"{IN_URL}@"), security)
    assert [verdict(one).state for one in outcomes] == ["sent", "sent"]
    verbs = [command.split(" ")[0] for command in sink.commands]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


def test_a_login_over_loopback_needs_no_tls() -> None:
    url = f"smtp://{IN_URL}@127.0.0.1:{{port}}"
    sink, _ = sent(url, Security(login=LOGIN))
    assert len(sink.messages) == 2


@pytest.mark.parametrize("is_implicit", [True, False])
def test_a_certificate_nobody_vouches_for_stops_everything(
    authority: Authority, is_implicit: bool
) -> None:
    url = implicit(authority) if is_implicit else starttls(authority)
    unvouched = url.replace(f"ca={authority.cert}", "").rstrip("?&")
    sink, outcomes = sent(unvouched, authority.security(implicit=is_implicit))
    assert {(one.phase, one.error.partition(":")[0]) for one in outcomes} == {
        (Phase.TLS, "certificate")
    }
    assert verdict(outcomes[0]).blame.us
    assert not any(command.startswith("MAIL") for command in sink.commands)


def test_a_certificate_of_another_host_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(*certificate(tmp_path, name="elsewhere.example"))
    _, outcomes = sent(implicit(other), other.security(implicit=True))
    assert {one.error.partition(":")[0] for one in outcomes} == {"certificate"}


def test_a_relay_without_starttls_gets_no_word_in_the_open(authority: Authority) -> None:
    sink, outcomes = sent(starttls(authority, f"{IN_URL}@"), Security(login=LOGIN))
    assert {one.error.partition(":")[0] for one in outcomes} == {"starttls-missing"}
    assert {command.split(" ")[0] for command in sink.commands} == {"EHLO"}
    assert verdict(outcomes[0]).blame.us


@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "501 5.5.4 no"])
def test_a_refused_starttls_is_not_answered_in_the_open(authority: Authority, answer: str) -> None:
    script = {"starttls": [Say(answer), Say(answer)]}
    sink, outcomes = sent(starttls(authority), authority.security(), script)
    assert {(one.phase, verdict(one).state) for one in outcomes} == {(Phase.TLS, "deferred")}
    assert {command.split(" ")[0] for command in sink.commands} == {"EHLO", "STARTTLS"}


def test_words_slipped_in_behind_starttls_are_not_taken_for_protected(
    authority: Authority,
) -> None:
    script = {"starttls": [Say("220 go ahead\r\n250-evil\r\n250 AUTH PLAIN")]}
    _, outcomes = sent(starttls(authority), authority.security(), script)
    assert outcomes[0].error.startswith("garbage: plain text after STARTTLS")
    assert verdict(outcomes[1]).state == "sent"


def test_a_wrong_password_is_our_fault_and_is_repeated_nowhere(authority: Authority) -> None:
    url = implicit(authority, "ada:hunter2@")
    _, outcomes = sent(url, authority.security(implicit=True, login=LOGIN))
    found = [verdict(one) for one in outcomes]
    assert {(one.state, one.blame.us) for one in found} == {("deferred", True)}
    assert "hunter2" not in f"{outcomes} {found}"


def test_a_relay_that_offers_no_login_we_know_is_named_as_that(authority: Authority) -> None:
    security = authority.security(implicit=True, login=LOGIN, mechanisms="GSSAPI")
    _, outcomes = sent(implicit(authority, f"{IN_URL}@"), security)
    assert {one.error.partition(":")[0] for one in outcomes} == {"auth-missing"}
