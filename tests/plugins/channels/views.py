"""Digests to be told: plain ones, and some whose texts want to be more than text."""

from dataclasses import replace
from datetime import UTC, date, datetime

from paperround.digests.model import DigestPaper, DigestView, PersonalLinks, WithdrawnPaper
from paperround.plugins.channels.sender import Digest

NOW = datetime(2026, 1, 30, 7, tzinfo=UTC)
HOSTILE = "<!channel> *all* `of` [it](http://evil.example) & <b>bold</b> @everyone _x_ \\ | \n\x07"


def paper(number: int = 1, **changes: object) -> DigestPaper:
    """The paper `number` as a digest shows it."""
    made = DigestPaper(
        title=f"A study of {number} things",
        authors=("Ada Ring", "Bo Stone"),
        gist=f"We count {number} things and say what follows.",
        reason="on your topic counting",
        votes=3,
        comments=None,
        links={
            "abstract": f"https://arxiv.org/abs/2601.{number:05}",
            "pdf": f"https://arxiv.org/pdf/2601.{number:05}",
        },
        page_url=f"https://papers.example.org/papers/{number}",
        score=1.5,
        parts={"votes": 1.0, "text": 0.5},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def view(*papers: DigestPaper, **changes: object) -> DigestView:
    """A digest of these papers; without any, of twelve."""
    made = DigestView(
        list_name="trending",
        list_title="Trending papers",
        local_date=date(2026, 1, 30),
        papers=papers or tuple(paper(number) for number in range(1, 13)),
        links=PersonalLinks(unsubscribe="", preferences=""),
        web_url="https://papers.example.org/editions/trending/2026-01-30/1",
        subscribe_url="https://papers.example.org/",
        operator="The Reading Group",
        postal_address="",
        contact="",
        more_papers=48,
        acknowledgements=("Thank you to arXiv for use of its open access interoperability.",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def digest(*papers: DigestPaper, **changes: object) -> Digest:
    """The same, with the name of its ledger row."""
    return Digest(
        view=view(*papers, **changes),
        message_id="<0123456789abcdef0123456789abcdef@papers.example.org>",
        dated=NOW,
    )


def hostile(number: int = 1) -> DigestPaper:
    """A paper whose texts are made of what services read as more than text, and long."""
    return paper(
        number,
        title=HOSTILE * 20,
        authors=(HOSTILE,) * 30,
        gist=HOSTILE * 100,
        reason=HOSTILE * 10,
        links={"abstract": "https://arxiv.org/abs/1?a=(b)&c=d"},
    )


WITHDRAWN = (WithdrawnPaper(title="Gone <again>", url="https://papers.example.org/papers/9"),)
