"""What a server's words prove of an address."""

import pytest

from paperround.bounces.classify import BounceReply, evidence_of
from paperround.delivery.model import Evidence, strongest


def said(words: str, **more: object) -> Evidence:
    return evidence_of(BounceReply(said=words, **more))  # type: ignore[arg-type]


@pytest.mark.accept("F36", part="evidence")
@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown",
        "550-5.1.1 The email account that you tried to reach does not exist.",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "550 5.1.6 recipient no longer on server",
        "550 5.1.2 Bad destination host",
    ],
)
def test_a_code_that_names_the_address_stops_a_reader(words: str) -> None:
    assert said(words) is Evidence.GONE


@pytest.mark.parametrize(
    "words",
    [
        "550 User not found",
        "no such user here",
        "User ada (ada@example.org) not listed in Domino Directory",
        "Host or domain name not found. Name service error for name=example.org",
        "550 5.0.0 This user doesn't have a yahoo.com account",
    ],
)
def test_words_alone_are_only_likely(words: str) -> None:
    assert said(words) is Evidence.LIKELY_GONE


@pytest.mark.parametrize(
    "words",
    [
        "552 5.2.2 The recipient's inbox is out of storage space",
        "550 5.1.1 mailbox over quota",
        "550 5.7.1 IP address blacklisted by recipient",
        "554 5.7.1 Your message was rejected due to a DMARC policy",
        "550 5.1.8 Domain of sender address does not exist",
        "421 4.3.2 try again later",
        "550 5.2.1 The account is inactive",
        "connect to example.org[192.0.2.1]:25: Connection timed out",
        "554 5.6.0 This message has been scored as spam",
    ],
)
def test_full_blocked_and_later_stop_nobody(words: str) -> None:
    assert said(words) is Evidence.PASSING


def test_a_list_that_blocks_us_says_nothing_of_an_address_it_calls_unknown() -> None:
    assert said("550 5.1.1 user unknown", status="5.1.1") is Evidence.GONE
    assert said("550 5.7.1 blocked: user unknown", status="5.1.1") is Evidence.PASSING


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <us@example.org>: unauthorized sender",
        "550 5.1.1 <us@example.org>: Sender address rejected: User unknown in local table",
        "550 5.1.7 Sender address rejected: undeliverable address: 550 5.1.1 User unknown",
        "550 5.1.1 Callback failed: user unknown",
        "501 5.1.3 Bad return path address syntax",
        "550 5.1.1 Too many invalid recipients from your host",
        "550 5.1.1 Refused due to recipient preferences",
    ],
)
def test_a_code_that_is_about_our_address_or_our_ways_stops_nobody(words: str) -> None:
    assert said(words) is Evidence.PASSING


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 Postfach voll",
        "550 5.1.1 boite aux lettres pleine",
        "550 5.1.1 buzon lleno",
        "550 5.1.1 容量超過",
        "550 5.1.1 Account ada@example.org suspended",
        "550 5.1.1 Postfach gesperrt",
    ],
)
def test_a_mailbox_that_is_full_or_rests_is_there_whatever_its_code_and_language(
    words: str,
) -> None:
    assert said(words) is Evidence.PASSING


@pytest.mark.parametrize(
    "words",
    [
        "450 Requested mail action not taken: mailbox unavailable",
        "450 4.1.1 <ada@example.org>: Recipient address rejected: User unknown",
        "450 4.7.1 <papers>: Helo command rejected: Host not found",
        "Host or domain name not found. Name service error: Host not found, try again",
        "Delay reason: host not found",
    ],
)
def test_what_a_server_says_for_now_is_no_answer(words: str) -> None:
    assert said(words, status="5.1.1") is Evidence.PASSING


def test_an_address_of_which_something_else_is_said_too_is_only_likely_gone() -> None:
    assert said("550 5.1.1 User unknown, or blocked by policy") is Evidence.LIKELY_GONE


@pytest.mark.parametrize(
    "words",
    [
        "554 Unbekannter Fehler",
        "550 Absender unbekannt",
        "550 error desconocido",
        "550 送信元ドメインが見つかりません",
        "For such graphs a polynomial algorithm does not exist.",
    ],
)
def test_not_everything_that_is_unknown_is_a_reader(words: str) -> None:
    assert said(words) is Evidence.PASSING


@pytest.mark.parametrize(
    "words",
    [
        "550 Empfänger unbekannt",
        "550 Adresse inconnue",
        "550 Usuario desconocido",
        "指定されたユーザーは存在しません",
        "ada@example.org does not exist",
    ],
)
def test_a_reader_is_unknown_in_other_languages_too(words: str) -> None:
    assert said(words) is Evidence.LIKELY_GONE


def test_filters_speak_after_the_message_was_handed_over() -> None:
    assert said("550 5.1.1 User unknown", after_data=True) is not Evidence.GONE


def test_a_program_of_the_last_machine_is_no_mail_server() -> None:
    assert said("procmail: No such user", status="5.1.1", by_smtp=False) is Evidence.LIKELY_GONE


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_has_not_failed_proves_nothing(action: str) -> None:
    assert said("550 5.1.1 User unknown", action=action) is Evidence.NONE


def test_a_status_without_words_is_no_more_than_likely_where_the_mailbox_may_rest() -> None:
    assert evidence_of(BounceReply(status="5.1.1")) is Evidence.GONE
    assert evidence_of(BounceReply(status="5.2.1")) is Evidence.LIKELY_GONE
    assert evidence_of(BounceReply(status="5.0.0")) is Evidence.PASSING


def test_the_strongest_of_several_counts() -> None:
    assert strongest([Evidence.PASSING, Evidence.GONE, Evidence.NONE]) is Evidence.GONE
    assert strongest([]) is Evidence.NONE
