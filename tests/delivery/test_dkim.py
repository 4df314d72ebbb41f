"""Signatures: good by the word of two other implementations, and broken by whatever matters."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.delivery.dkim.signer import (
    Algorithm,
    SigningKey,
    prepared,
)
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.render.composer import MailRenderer
from tests.delivery.dkim_oracles import dkimpy_says, key, perl_lacks, perl_says, signer
from tests.digests.alone import compose_alone
from tests.digests.messages import links, mail, notice, notice_view, sender_identity, view
from tests.digests.reading import HOSTILE, modern

AT = datetime(2026, 1, 30, 7, 5, 9, tzinfo=UTC)
TOKENS = st.text("abcXYZ019-_", min_size=40, max_size=40)
ACTED_ON = (
    *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID"),
    *("MIME-Version", "Content-Type"),
)
GOOD_SENDERS = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Owner"),
    *("List-Archive", "List-Post", "Archived-At", "Feedback-ID", "Auto-Submitted"),
    "X-Auto-Response-Suppress",
)
"""RFC 5322, 2369, 2919, 3834, 5064 and 8058, and what receivers say that they look at."""

needs_perl = pytest.mark.skipif(bool(perl_lacks()), reason=perl_lacks() or "it can be asked")
pytestmark = pytest.mark.accept("F35", part="signatures")


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer(sender_identity(), signer=signer)


def unsigned() -> MailRenderer:
    return MailRenderer(sender_identity())


def signatures(content: bytes) -> list[str]:
    """The DKIM-Signature fields in front of a mail, unfolded."""
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    fields = re.split(r"\r\n(?! )", head)
    return [one.replace("\r\n ", "") for one in fields if one.startswith("DKIM-Signature: ")]


def tag(signature: str, name: str) -> str:
    found = re.search(rf"[:;]\s*{name}=([^;]*)", signature)
    assert found is not None
    return found[1]


# --- right ---------------------------------------------------------------------------------------


RFC_8463 = b"""From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
RFC_8463_SECRET = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
RFC_8463_SIGNATURE = (
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
)
RFC_8463_FIELD = (
    b"dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com; "
    b"i=@football.example.com; q=dns/txt; s=brisbane; t=1528637909; h=from : to : subject : date : "
    b"message-id : from : subject : date; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b="
)


def test_the_example_of_rfc_8463_comes_out_to_the_letter() -> None:
    example = prepared(RFC_8463)
    body_hash = base64.b64encode(hashlib.sha256(example.body).digest()).decode()
    assert body_hash == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(RFC_8463_SECRET))
    made = SigningKey("brisbane", private).sign(example.head + RFC_8463_FIELD)
    assert base64.b64encode(made).decode() == RFC_8463_SIGNATURE


@pytest.mark.parametrize("algorithms", [(Algorithm.RSA,), (Algorithm.ED25519,), tuple(Algorithm)])
def test_a_digest_and_every_notice_are_signed_with_each_key(
    algorithms: tuple[Algorithm, ...],
) -> None:
    signing = MailRenderer(sender_identity(), signer=lambda: signer(*algorithms))
    notices = [signing.compose_notice(notice(notice_view(kind))) for kind in SystemMailKind]
    for content in (signing.compose(mail()), signing.compose(mail(view(30))), *notices):
        found = [tag(one, "a") for one in signatures(content)]
        assert found == [f"{algorithm}-sha256" for algorithm in algorithms]
        assert dkimpy_says(content) == [True] * len(algorithms)


@needs_perl
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_perls_mail_dkim_takes_hostile_mails_too(renderer: MailRenderer, number: int) -> None:
    papers = [replace(paper, title=HOSTILE[number]) for paper in view(2).papers]
    content = renderer.compose(mail(view(papers)))
    good = ["rsa-sha256 pass", "ed25519-sha256 pass"]
    assert perl_says(content) == good
    assert perl_says(content.replace(b"Unsubscribe", b"Subscribe")) == [
        word.replace("pass", "fail") for word in good
    ]
    assert dkimpy_says(content) == [True, True]


WORDS = st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n\x00"))
BLANKS = st.sampled_from([b" ", b"\t", b"  ", b" \t ", b"\r\n ", b"\r\n\t", b" \r\n  "])
LINES = st.lists(st.one_of(WORDS, BLANKS.map(lambda raw: raw.replace(b"\r\n", b""))), max_size=6)
NAMES = st.from_regex(re.compile(r"X-[A-Za-z0-9-]{1,20}"), fullmatch=True)


@st.composite
def values(draw: st.DrawFn) -> bytes:
    """A field's value with folds and blanks in odd places, and words of any bytes."""
    words = draw(st.lists(st.tuples(WORDS, BLANKS), max_size=5))
    whole = b"".join(word + blank for word, blank in words) + b"end"
    return re.sub(rb"\r\n[ \t]+(?=\r\n)", b"", whole)  # no line of a field is blank


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A mail with odd fields, each name once, and an odd body."""
    names = draw(st.lists(NAMES, max_size=4, unique_by=str.lower))
    fields = [f"{name}:".encode() + draw(values()) for name in names]
    body = b"".join(b"".join(line) + b"\r\n" for line in draw(st.lists(LINES, max_size=8)))
    head = b"\r\n".join([b"From: a@papers.example.org", b"subject:" + draw(values()), *fields])
    return head + b"\r\n\r\n" + body


@pytest.mark.slow
@settings(max_examples=100)
@given(content=messages())
def test_any_mail_is_canonical_as_dkimpy_has_it(content: bytes) -> None:
    ours = prepared(content)
    head, _, body = content.partition(b"\r\n\r\n")
    fields = [one.partition(b":")[::2] for one in re.split(rb"\r\n(?![ \t])", head)]
    theirs = Relaxed.canonicalize_headers([(name, value + b"\r\n") for name, value in fields])
    assert ours.head == b"".join(b"%b:%b" % pair for pair in theirs)
    assert ours.body == Relaxed.canonicalize_body(body)


# --- what it covers ------------------------------------------------------------------------------


@pytest.mark.accept("F35")
def test_every_field_that_a_good_sender_sets_is_there_and_signed_with_both_kinds(
    renderer: MailRenderer,
) -> None:
    content = renderer.compose(mail())
    found = {tag(one, "a"): set(tag(one, "h").split(":")) for one in signatures(content)}
    assert found.keys() == {"rsa-sha256", "ed25519-sha256"}
    for named in found.values():
        assert set(GOOD_SENDERS) <= named
    assert set(GOOD_SENDERS) <= set(modern(content).keys())
    assert dkimpy_says(content) == [True, True]


def test_every_field_is_covered_and_what_readers_act_on_cannot_be_added(
    renderer: MailRenderer,
) -> None:
    content = renderer.compose(mail())
    for signature in signatures(content):
        named = tag(signature, "h").split(":")
        there = [name for name in modern(content) if name != "DKIM-Signature"]
        assert set(there) <= set(named)
        for name in (*ACTED_ON, "List-Unsubscribe", "List-Unsubscribe-Post"):
            assert named.count(name) == there.count(name) + 1


@pytest.mark.accept("S12", part="signed")
def test_a_mail_with_another_way_to_unsubscribe_has_no_good_signature(
    renderer: MailRenderer,
) -> None:
    content = renderer.compose(mail())
    other = content.replace(
        b"\r\nList-Unsubscribe: <https://p", b"\r\nList-Unsubscribe: <https://q"
    )
    second = content.replace(b"\r\nTo: ", b"\r\nList-Unsubscribe: <https://evil.example>\r\nTo: ")
    without = content.replace(b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", b"")
    assert len({content, other, second, without}) == 4
    for changed in (other, second, without):
        assert dkimpy_says(changed) == [False, False]


# --- the field -----------------------------------------------------------------------------------


def test_the_field_says_what_it_should_on_short_lines(renderer: MailRenderer) -> None:
    content = renderer.compose(mail())
    for signature in signatures(content):
        names = re.findall(r"(?:^DKIM-Signature:|;)\s*([a-z]+)=", signature)
        assert names == ["v", "a", "c", "d", "s", "h", "t", "bh", "b"]
        assert tag(signature, "c") == "relaxed/relaxed"
        assert tag(signature, "d") == "papers.example.org"
        assert tag(signature, "t") == str(int(mail().dated.timestamp()))
    head = content.partition(b"\r\nFrom: ")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 76


def test_a_signature_comes_in_front_of_the_same_bytes(renderer: MailRenderer) -> None:
    for signed, plain in (
        (renderer.compose(mail()), unsigned().compose(mail())),
        (renderer.compose_notice(notice()), unsigned().compose_notice(notice())),
    ):
        assert signed.endswith(b"==\r\n" + plain)
        assert signed.startswith(b"DKIM-Signature: ")
        assert len(modern(signed).get_all("DKIM-Signature", [])) == 2


@pytest.mark.accept("R13", part="signatures")
def test_a_mail_made_again_is_signed_with_the_same_bytes(renderer: MailRenderer) -> None:
    again = MailRenderer(sender_identity(), signer=signer)
    again.compose(mail(recipient="someone.else@example.com"))
    assert renderer.compose(mail()) == again.compose(mail())
    assert renderer.compose_notice(notice()) == again.compose_notice(notice())


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(leave=TOKENS, prefer=TOKENS, judge=TOKENS, by_mail=st.booleans(), day=st.integers(1, 28))
def test_what_readers_share_is_signed_as_if_it_were_one_readers_alone(
    renderer: MailRenderer, leave: str, prefer: str, judge: str, by_mail: bool, day: int
) -> None:
    made = mail(
        view(3, links=links(leave, prefer, judge)),
        recipient=f"{leave[:9]}@example.com",
        dated=datetime(2026, 2, day, tzinfo=UTC),
        list_unsubscribe_mail="leave@papers.example.org" if by_mail else None,
    )
    content = renderer.compose(made)
    assert content == compose_alone(renderer, made)
    assert content == signer().sign(unsigned().compose(made), made.dated)
    assert dkimpy_says(content) == [True, True]


def test_a_private_key_is_never_printed() -> None:
    for algorithm in Algorithm:
        assert repr(key(algorithm)) == f"SigningKey(selector='of-{algorithm}')"
