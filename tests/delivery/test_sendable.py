"""What the composer joins of checked pieces is looked at no more: so it must be what a look would
find, whatever its papers and readers hold."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.errors import RenderingFailed
from paperround.delivery.dkim.keys import new_key
from paperround.delivery.dkim.signer import Algorithm, Signer
from paperround.delivery.model import Envelope, WireReady, dot_stuffed, require_sendable
from paperround.digests.model import DigestPaper
from paperround.digests.render.composer import MailRenderer
from paperround.digests.render.message import check_wire_ready
from paperround.editions.model import DeliveryId
from tests.digests.messages import links, mail, paper, sender_identity, view
from tests.digests.reading import HOSTILE

TOKENS = st.text("abcXYZ019-_", min_size=40, max_size=40)
ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=200),
    st.text(".\r\n =x", max_size=200),
    st.sampled_from(HOSTILE),
)
SIGNER = Signer("papers.example.org", [new_key(Algorithm.ED25519, "s1")])
RENDERERS = [
    MailRenderer(sender_identity()),
    MailRenderer(sender_identity(), signer=lambda: SIGNER),
]


def sealed(content: bytes, *, recipient: str = "reader@example.org") -> Envelope:
    return Envelope(
        id=DeliveryId(1),
        sender="papers@example.org",
        recipient=recipient,
        message_id="<1@example.org>",
        content=content,
    )


@st.composite
def papers(draw: st.DrawFn) -> list[DigestPaper]:
    texts = draw(st.lists(ANY_TEXT, min_size=4, max_size=4))
    own = paper(title=texts[0], authors=(texts[1],), gist=texts[2], reason=texts[3])
    return [paper(1), own, replace(own, gist=f".{texts[2]}\n.{texts[0]}")]


@pytest.mark.parametrize("renderer", RENDERERS)
@settings(max_examples=60, deadline=None)
@given(papers=papers(), leave=TOKENS, local=st.text(".aZ'+-", min_size=1, max_size=20))
def test_whatever_is_composed_passes_the_full_check_as_it_is(
    renderer: MailRenderer, papers: list[DigestPaper], leave: str, local: str
) -> None:
    made = mail(view(papers, links=links(leave)), recipient=f"{local}@example.org")
    for content in (renderer.compose(made) for _ in range(3)):
        assert isinstance(content, WireReady)
        unchecked = bytes(content)
        require_sendable(sealed(unchecked))
        assert dot_stuffed(unchecked) == unchecked == dot_stuffed(content)


def test_the_addresses_of_a_ready_message_are_looked_at() -> None:
    ready = WireReady(b"Subject: x\r\n\r\nx\r\n")
    require_sendable(sealed(ready))
    with pytest.raises(ValueError, match="the recipient"):
        require_sendable(sealed(ready, recipient="a@example.org>\r\nDATA"))


@pytest.mark.parametrize("lines", [b"x", b"x\n", b"x\r", b"a\rb\r\n", b"a\nb\r\n", b".\r\n"])
def test_pieces_that_are_not_ready_are_refused(lines: bytes) -> None:
    for piece in (lines, b"a\r\n" + lines):
        with pytest.raises(RenderingFailed):
            check_wire_ready(piece)


def test_no_lines_and_whole_lines_are_ready() -> None:
    for lines in (b"", b"a.\r\n\r\n =2E\r\n"):
        assert check_wire_ready(lines) == lines
