"""The SMTP_URL setting: what it may say, and what no error ever repeats."""

from pathlib import Path

import pytest

from paperround.bootstrap.mail import mailer_for
from paperround.core.errors import Misconfigured
from paperround.core.smtp_url import OutboxFolder, Relay, Tls, parse_smtp_url
from paperround.delivery.outbox import OutboxMailer
from paperround.delivery.smtp.mailer import SmtpMailer

SECRET = "hunter2"


def one(text: str) -> Relay:
    relays = parse_smtp_url(text)
    assert isinstance(relays, tuple)
    assert len(relays) == 1
    return relays[0]


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("smtps://mail.example", "mail.example", 465, Tls.IMPLICIT),
        ("smtps://mail.example:2465/", "mail.example", 2465, Tls.IMPLICIT),
        ("smtp://mail.example?starttls=required", "mail.example", 587, Tls.STARTTLS),
        ("smtp://mail.example:25?starttls=required", "mail.example", 25, Tls.STARTTLS),
        ("smtp://127.0.0.1", "127.0.0.1", 25, Tls.NONE),
        ("smtp://127.8.9.1:2525", "127.8.9.1", 2525, Tls.NONE),
        ("smtp://[::1]:2525", "::1", 2525, Tls.NONE),
        ("smtp://localhost:1025", "localhost", 1025, Tls.NONE),
    ],
)
def test_a_relay_is_read_with_the_usual_port_of_its_kind(
    text: str, host: str, port: int, tls: Tls
) -> None:
    assert one(text) == Relay(host=host, port=port, tls=tls)


def test_user_and_password_are_percent_decoded_and_the_password_never_shown() -> None:
    relay = one("smtps://ada%40example.org:p%2Css%3A%2F%3F%23%40w@mail.example")
    assert (relay.user, relay.password) == ("ada@example.org", "p,ss:/?#@w")
    assert "w" not in f"{relay!r}".partition("password")[2]
    assert str(relay) == "mail.example:465"


@pytest.mark.accept("F33", part="order of relays")
def test_several_relays_keep_their_order() -> None:
    relays = parse_smtp_url("smtps://a.example, smtp://b.example?starttls=required&ca=/etc/b.pem")
    assert isinstance(relays, tuple)
    assert [str(relay) for relay in relays] == ["a.example:465", "b.example:587"]
    assert relays[1].ca_file == Path("/etc/b.pem")


def test_an_outbox_is_a_folder_and_stands_alone() -> None:
    assert parse_smtp_url("outbox:./mail") == OutboxFolder(Path("mail"))
    for wrong in ("outbox:", "outbox:a,smtps://b.example", "smtps://b.example,outbox:a"):
        with pytest.raises(Misconfigured):
            parse_smtp_url(wrong)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("smtp://mail.example:25", "another machine"),
        ("smtp://10.0.0.1", "another machine"),
        ("smtp://localhost.example", "another machine"),
        ("smtp://mail.example?starttls=optional", "required"),
        ("smtps://mail.example?starttls=required", "TLS already"),
        ("smtps://mail.example?tls=no", "options"),
        ("smtp://127.0.0.1?ca=/x", "needs smtps"),
        ("smtps://ada@mail.example", "both"),
        ("smtps://:pass@mail.example", "both"),
        ("smtps://mail.example:0", "port"),
        ("smtps://mail.example:70000", "port"),
        ("smtps://", "no host"),
        ("smtps://a..example", "no host"),
        ("smtps://[::1", "cannot be read"),
        ("mail.example:587", "smtps://"),
        ("http://mail.example", "smtps://"),
        ("", "smtps://"),
        ("smtps://a.example,", "relay 2"),
    ],
)
def test_a_wrong_setting_gets_one_error_that_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        parse_smtp_url(text)


@pytest.mark.parametrize("mark", [",", "/", "?", "#", "@", ":", "[", "]", "&", "%", " ", "//"])
@pytest.mark.parametrize("place", ["{0}{1}", "{1}{0}", "x{1}{0}{1}x"])
def test_a_password_with_a_sign_left_undecoded_is_not_repeated(mark: str, place: str) -> None:
    password = place.format(SECRET, mark)
    for url in (f"smtps://ada:{password}@mail.example", f"smtp://ada:{password}@mail.example"):
        try:
            shown = str(parse_smtp_url(url))
        except Misconfigured as error:
            shown = str(error)
        assert SECRET not in shown


def test_one_relay_has_no_number() -> None:
    with pytest.raises(Misconfigured, match="SMTP_URL: write it like smtps"):
        parse_smtp_url("smtp.example.org")


def test_the_setting_chooses_the_mailer(tmp_path: Path) -> None:
    outbox = mailer_for(f"outbox:{tmp_path}", connections=1, hostname="papers.example")
    assert isinstance(outbox, OutboxMailer)
    relay = mailer_for("smtps://mail.example", connections=1, hostname="papers.example")
    assert isinstance(relay, SmtpMailer)


def test_a_certificate_file_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    url = f"smtps://mail.example?ca={tmp_path}/gone.pem"
    with pytest.raises(Misconfigured, match=r"gone\.pem"):
        mailer_for(url, connections=1, hostname="papers.example")


def test_a_host_name_that_would_break_the_greeting_is_refused() -> None:
    with pytest.raises(Misconfigured, match="host name"):
        mailer_for("smtp://127.0.0.1", connections=1, hostname="a\r\nMAIL")
