"""Header fields: nothing a source wrote can add one, and machines read theirs as they are."""

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import RenderingFailed
from paperround.core.sender import is_address
from paperround.digests.render.headers import (
    check,
    header_text,
    literal_field,
    mailbox_field,
    text_field,
)

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=200)
HOSTILE = [
    "a\r\nBcc: evil@example.com",
    "=?utf-8?q?hi=0D=0ABcc:_evil@example.com?=",
    "ünsafe =?utf-8?b?DQpCY2M6IHg=?=",
    "nul\x00 and \x85 and \u2028 and \u202etxt.exe",
    "\ud800 half",
    "😀" * 60,
    "x" * 10_000,
    "مرحبا " * 40,
]


def parsed(field: str, name: str) -> str:
    message = email.message_from_bytes(field.encode("ascii"), policy=email.policy.default)
    assert message.keys() == [name]
    return str(message[name])


@pytest.mark.accept("I8", part="mail")
@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_stays_inside_its_subject(title: str) -> None:
    field = text_field("Subject", title)
    assert "\n" not in re.sub(r"\r\n(?= )", "", field).removesuffix("\r\n")
    assert parsed(field, "Subject") == header_text(title)
    compat = email.message_from_bytes(field.encode("ascii"))
    assert compat.keys() == ["Subject"]


@given(ANY_TEXT)
def test_any_subject_is_read_back_as_its_clean_text(text: str) -> None:
    field = text_field("Subject", text)
    assert parsed(field, "Subject") == header_text(text)


@given(ANY_TEXT)
def test_lines_and_encoded_words_keep_to_their_lengths(text: str) -> None:
    lines = text_field("Subject", text).removesuffix("\r\n").split("\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert all(len(word) <= 75 for line in lines for word in re.findall(r"=\?.*?\?=", line))
    assert all(line.strip() for line in lines)


@given(ANY_TEXT)
def test_any_display_name_keeps_its_one_address(name: str) -> None:
    field = mailbox_field("From", name, "digest@example.org")
    shown, address = parseaddr(email.message_from_bytes(field.encode("ascii"))["From"])
    assert address == "digest@example.org"
    assert str(make_header(decode_header(shown))) == header_text(name)


def test_short_ascii_stays_readable_in_the_raw_mail() -> None:
    assert text_field("Subject", "Papers of today") == "Subject: Papers of today\r\n"
    assert mailbox_field("From", "Ada, Inc.", "a@b.org") == 'From: "Ada, Inc." <a@b.org>\r\n'
    assert mailbox_field("From", "", "a@b.org") == "From: a@b.org\r\n"


def test_long_ascii_is_folded_at_spaces() -> None:
    field = text_field("Subject", "word " * 40)
    assert "=?" not in field
    assert field.replace("\r\n ", " ") == "Subject: " + "word " * 39 + "word\r\n"


@pytest.mark.parametrize("value", ["a\r\nBcc: x", "é", "", " a", "a\x00", "x" * 999])
def test_a_literal_value_that_cannot_stand_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(RenderingFailed, match="List-Help"):
        literal_field("List-Help", [value])


def test_the_finished_bytes_are_checked_against_the_names_that_were_set() -> None:
    check(b"To: a\r\nSubject: b\r\n c\r\n\r\nbody\r\n", ["To", "Subject"])
    with pytest.raises(RenderingFailed, match="not the ones that were set"):
        check(b"To: a\r\nBcc: x\r\n\r\nbody\r\n", ["To"])
    with pytest.raises(RenderingFailed, match="not the ones that were set"):
        check(b"To: a\r\nTo: b\r\n\r\nbody\r\n", ["To", "To"])


@pytest.mark.parametrize("body", [b"", b"a\nb", b"a\rb", b"\xc3\xa9", b"x" * 999])
def test_the_finished_bytes_are_lines_of_ascii_that_end_in_crlf(body: bytes) -> None:
    with pytest.raises(RenderingFailed):
        check(b"To: a\r\n\r\n" + body, ["To"])


@pytest.mark.parametrize(
    "text", ["a@b", "o'brien+x@example.org", "A.B@xn--bcher-kva.example", "x" * 64 + "@e.org"]
)
def test_a_plain_address_may_stand_in_a_header(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["a", "a@", "a b@c.org", "jörg@c.org", "a@b.org\n", "<a@b.org>", "=?x?q?y?=@b.org"]
)
def test_anything_else_is_no_address_for_a_header(text: str) -> None:
    assert not is_address(text)


@pytest.mark.accept("I7", part="nothing invisible in a header")
def test_what_nobody_sees_leaves_a_header_and_joiners_stay() -> None:
    unseen = [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
    kept = {chr(one) for one in unseen if header_text(f"a{chr(one)}b") != "ab"}
    assert kept == {"\u200c", "\u200d", "\u2065"}
