"""Mails of several lists, each with its own look, from one renderer."""

import email
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default

import pytest

from paperround.delivery.system_mail import notice_mail, sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import digest_mail, edition_content
from paperround.digests.model import DigestMail
from paperround.digests.render.composer import MailRenderer
from paperround.editions.lists import ListLook
from tests.digests.alone import compose_alone
from tests.digests.builders import edition
from tests.digests.composing import SAMPLE_DELIVERY
from tests.fakes import SENDER_IDENTITY
from tests.sample_database import IDENTITY, NOW

ROBOTS = ListLook(
    from_name="Robots, weekly",
    colour="#7a1f1f",
    logo_url="https://lab.example.org/robot.png",
    reply_to="robots@lab.example.org",
    intro="What moved <this> week.",
    footer="Made by the lab on the hill.",
)
RENDERER = MailRenderer(SENDER_IDENTITY)


def mail(look: ListLook) -> DigestMail:
    content = edition_content(edition(3), "Robots", SENDER_IDENTITY, look=look)
    return digest_mail(content, SAMPLE_DELIVERY, IDENTITY.keys)


def read(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=default)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return " ".join(str(found.get_content()).split())


@pytest.mark.accept("F44", part="look", mutant="every-list-has-one-look")
def test_a_digest_has_the_look_of_its_list() -> None:
    message = read(RENDERER.compose(mail(ROBOTS)))
    sender = read(RENDERER.compose(mail(ListLook())))["From"].addresses[0]
    assert message["From"].addresses[0].display_name == "Robots, weekly"
    assert message["From"].addresses[0].addr_spec == sender.addr_spec
    assert message["Reply-To"].addresses[0].addr_spec == "robots@lab.example.org"
    html, text = part(message, "html"), part(message, "plain")
    assert "#7a1f1f" in html
    assert 'src="https://lab.example.org/robot.png"' in html
    assert "What moved &lt;this&gt; week." in html
    assert "What moved <this> week." in text
    assert all("Made by the lab on the hill." in one for one in (html, text))


def test_lists_do_not_mix_their_looks_in_one_renderer() -> None:
    plain, robots = mail(ListLook()), mail(ROBOTS)
    first = [RENDERER.compose(one) for one in (plain, robots)]
    assert [RENDERER.compose(one) for one in (plain, robots)] == first
    assert b"7a1f1f" not in first[0]
    assert read(first[0])["Reply-To"] is None


def test_a_digest_with_a_look_is_the_one_that_is_built_alone() -> None:
    assert RENDERER.compose(mail(ROBOTS)) == compose_alone(RENDERER, mail(ROBOTS))


def test_a_mail_that_asks_for_confirmation_has_the_look_of_its_list() -> None:
    notice = sample_notice(IDENTITY, SystemMailKind.CONFIRM, now=NOW)
    made = notice_mail(notice, SENDER_IDENTITY, "Robots", IDENTITY.keys, look=ROBOTS)
    message = read(RENDERER.compose_notice(made))
    assert message["From"].addresses[0].display_name == "Robots, weekly"
    assert message["Reply-To"].addresses[0].addr_spec == "robots@lab.example.org"
    assert "#7a1f1f" in part(message, "html")


def test_a_digest_names_the_archive_of_its_own_list() -> None:
    made = replace(edition(3), list_name="robots")
    content = edition_content(made, "Robots", SENDER_IDENTITY)
    message = read(RENDERER.compose(digest_mail(content, SAMPLE_DELIVERY, IDENTITY.keys)))
    assert message["List-Archive"].endswith("/editions?list=robots>")
