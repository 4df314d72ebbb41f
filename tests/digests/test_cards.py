"""Personal digests joined from cards: the bytes of a message that was built alone, whoever reads
what, and nothing of one reader in the mail of another."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paperround.core.errors import RenderingFailed
from paperround.delivery.dkim.keys import new_key
from paperround.delivery.dkim.signer import Algorithm, Signer
from paperround.digests.model import DigestPaper, LeftOutPaper, WithdrawnPaper
from paperround.digests.render.composer import MOST_CARDS, MOST_DIGESTS, MailRenderer, render_card
from paperround.digests.render.view import HTML_LIMIT
from paperround.editions.model import NewPapers
from tests.digests.alone import compose_alone
from tests.digests.messages import links, mail, paper, sender_identity, view
from tests.digests.reading import HOSTILE, body_lines, modern, modern_parts, split_by_hand

TOKENS = st.text("abcXYZ019-_", min_size=40, max_size=40)
EDITION = [
    *(paper(number) for number in range(24)),
    *(paper(title=text, authors=(text,), gist=text, votes=7) for text in HOSTILE),
    paper(title="From here on", gist=".one dot\n.and another", reason="", votes=None),
    paper(gist="", reason="", links={}, page_url="javascript:alert(1)"),
    paper(votes=1, comments=1, reason="1 vote, new today"),
]
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=250)
REASONS = st.one_of(
    st.sampled_from(["", "41 votes in nine hours", "your topic “images” & <more>", *HOSTILE]),
    ANY_TEXT,
)


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer(sender_identity())


@pytest.mark.accept("F18", part="sections")
def test_nothing_is_called_likely_before_anything_was_learned(renderer: MailRenderer) -> None:
    for part, is_noted in (("topics", False), ("prior_text", True)):
        shown = view(papers=(paper(5, parts={part: 0.8}),))
        text = renderer.compose(mail(shown)).decode()
        assert "New today" in text
        assert ("Likely to interest people here" in text) is is_noted


@st.composite
def personal(draw: st.DrawFn) -> list[DigestPaper]:
    """Some papers of the edition in any order, with reasons of the reader's own."""
    chosen = draw(st.lists(st.sampled_from(EDITION), min_size=1, max_size=30))
    for place in draw(st.sets(st.integers(0, len(chosen) - 1), max_size=6)):
        chosen[place] = replace(chosen[place], reason=draw(REASONS))
    return chosen


@pytest.mark.slow
@pytest.mark.accept("R13", part="personal")
@settings(max_examples=60)
@given(
    papers=personal(),
    leave=TOKENS,
    judge=TOKENS,
    more=st.integers(0, 3),
    news=st.lists(ANY_TEXT, max_size=2),
)
def test_a_personal_digest_has_the_bytes_of_one_built_alone(
    renderer: MailRenderer,
    papers: list[DigestPaper],
    leave: str,
    judge: str,
    more: int,
    news: list[str],
) -> None:
    texts = " ".join((*news, *(one.reason for one in papers)))
    assume(leave not in texts and judge not in texts)
    told = tuple(WithdrawnPaper(title=title, url="https://papers.example.org/x") for title in news)
    risen = tuple(LeftOutPaper(title=one.title, url=one.url, votes=more) for one in told)
    new = NewPapers(new=more, here=1, in_fields=bool(news)) if more else None
    shown = view(papers, links=links(leave, judge=judge), more_papers=more, withdrawn=told)
    made = mail(replace(shown, new_papers=new, risen=risen))
    alone = compose_alone(renderer, made)
    assert [renderer.compose(made) for _ in range(3)] == [alone] * 3
    words = renderer.render(made.view)
    assert modern_parts(alone) == split_by_hand(alone)[1] == [words.text, words.html]
    assert str(modern(alone)["Subject"]) == words.subject
    assert all(len(line) <= 76 for line in body_lines(alone))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 160), first=st.integers(1, 12))
def test_the_number_stands_whole_wherever_a_line_is_broken(
    renderer: MailRenderer, length: int, first: int
) -> None:
    """The question's address moves along its line with the title, and the number with it."""
    moving = paper(title="x" * length, page_url=f"https://papers.example.org/{'y' * length}")
    made = mail(view([*(paper(n) for n in range(first)), moving, moving]))
    assert renderer.compose(made) == compose_alone(renderer, made)


@pytest.mark.accept("F18", part="size")
@pytest.mark.parametrize("count", [11, 12, 13, 20, 25, 30, 40, 50])
def test_gists_are_shortened_as_in_a_message_built_alone(
    renderer: MailRenderer, count: int
) -> None:
    for length in (300, 590, 610):
        long = [paper(n, gist="A steady sentence. " * (length // 19)) for n in range(count)]
        made = mail(view(long))
        assert renderer.compose(made) == compose_alone(renderer, made)


@pytest.mark.parametrize("beyond", [0, 1])
def test_the_last_byte_below_the_limit_decides(renderer: MailRenderer, beyond: int) -> None:
    papers = [paper(n, gist="A steady sentence. " * 40) for n in range(12)]
    size = len(renderer.render(view(papers, postal_address="x")).html.encode())
    made = mail(view(papers, postal_address="x" * (1 + HTML_LIMIT - size + beyond)))
    assert (len(renderer.render(made.view).html.encode()) == HTML_LIMIT) is (beyond == 0)
    assert renderer.compose(made) == compose_alone(renderer, made)


@pytest.mark.accept("F35", part="personal digests")
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_signed_personal_digest_has_the_bytes_of_one_signed_alone(algorithm: Algorithm) -> None:
    signer = Signer("papers.example.org", [new_key(algorithm, "s1")])
    renderer = MailRenderer(sender_identity(), signer=lambda: signer)
    for first in range(12):
        own = replace(EDITION[first], reason=f"for   you {first}")
        made = mail(view([own, *EDITION[first + 1 : first + 14]]))
        assert [renderer.compose(made) for _ in range(3)] == [compose_alone(renderer, made)] * 3


def test_a_signature_that_starts_meanwhile_covers_cards_made_before_it() -> None:
    signers = [None, Signer("papers.example.org", [new_key(Algorithm.ED25519, "s1")])]
    renderer = MailRenderer(sender_identity(), signer=lambda: signers[-1] if started else None)
    started: list[bool] = []
    made = [mail(view([paper(n), paper(n + 1)])) for n in range(3)]
    plain = [renderer.compose(one) for one in made]
    started.append(True)
    signed = [renderer.compose(one) for one in made]
    assert [one.partition(b"\r\nFrom: ")[2] for one in signed] == [
        one.removeprefix(b"From: ") for one in plain
    ]
    assert signed == [compose_alone(renderer, one) for one in made]


@pytest.mark.slow
@pytest.mark.accept("R12", part="personal bytes")
def test_no_personal_digest_holds_anything_of_another_reader() -> None:
    """2,000 readers with papers and reasons of their own, in turns with shared digests."""
    renderer = MailRenderer(sender_identity())
    for number in range(2000):
        address, tokens = (
            f"reader{number}@example.com",
            [f"{number:038}{n:02}" for n in (11, 22, 33)],
        )
        papers = [paper((number * 7 + n) % 20) for n in range(3)]
        if number % 5:
            papers[1] = replace(papers[1], reason=f"as reader-{number} wished")
        content = renderer.compose(mail(view(papers, links=links(*tokens)), recipient=address))
        read = content.decode().replace("=\r\n", "")
        assert set(re.findall(r"reader\d+@example\.com", read)) == {address}
        assert set(re.findall(r"(?<![0-9a-f])\d{40}(?![0-9a-f])", read)) == set(tokens)
        wished = {f"reader-{number}"} if number % 5 else set()
        assert set(re.findall(r"reader-\d+", read)) == wished


def test_what_looks_like_a_slot_stays_as_it_is(renderer: MailRenderer) -> None:
    """Cards and frames are formats for the operator `%`."""
    odd = "100 % of %(recipient)b, %%s"
    made = mail(view([paper(title=odd, gist=odd, reason=odd)], list_title=odd, operator=odd))
    assert renderer.compose(made) == compose_alone(renderer, made)


def test_what_is_kept_of_readers_has_a_bound(renderer: MailRenderer) -> None:
    assert render_card.cache_info().maxsize == MOST_CARDS
    for number in range(MOST_DIGESTS + 10):
        own = replace(paper(), reason=f"reason {number}")
        renderer.compose(mail(view([own, paper(1)])))
    assert renderer._digest.cache_info().currsize == MOST_DIGESTS


def poisoned(place: int) -> DigestPaper:
    return replace(paper(place), links={"abstract": object()})  # type: ignore[dict-item]


@pytest.mark.accept("R10", part="personal")
def test_a_paper_that_cannot_be_rendered_fails_its_own_digests_only() -> None:
    renderer = MailRenderer(sender_identity())
    for place in range(6):
        papers = [paper(n) for n in range(6)]
        papers[place] = poisoned(place)
        with pytest.raises((TypeError, AttributeError, RenderingFailed)):
            renderer.compose(mail(view(papers)))
        whole = mail(view([paper(n) for n in range(place, place + 6)]))
        assert renderer.compose(whole) == compose_alone(renderer, whole)
