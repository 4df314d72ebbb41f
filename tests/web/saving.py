"""Readers who save papers, and what their page shows of them."""

import re
from html import unescape

import pytest

from paperround.editions.model import EditionPaper
from paperround.self_service.feedback import papers_of_digest
from tests.web.conftest import Site

Papers = tuple[EditionPaper, ...]


@pytest.fixture
def papers(site: Site, digest_token: str) -> Papers:
    """The papers of the digest, in its order."""
    form = papers_of_digest(site.runtime.signup_context, digest_token)
    assert form is not None
    return form.papers


def save(site: Site, digest_token: str, *places: int, verdict: str = "save") -> None:
    """Press the button behind the link of these papers of the digest."""
    for place in places:
        answer = site.client.post(f"/feedback/{digest_token}/{verdict}/p{place}")
        assert answer.status_code == 200
        site.clock.move(seconds=1)


def saved(site: Site, choices_token: str, **query: str) -> str:
    """The page of saved papers, its references resolved."""
    answer = site.client.get(f"/preferences/{choices_token}/saved", params=query)
    assert answer.status_code == 200
    return unescape(answer.text)


def titles(page: str) -> list[str]:
    """The titles that a page lists, in order."""
    return re.findall(r'<h2 dir="auto"[^>]*><a href="[^"]*">([^<]*)</a></h2>', page)


def write(site: Site, choices_token: str, papers: Papers, place: int, **fields: str) -> str:
    """Write a note on the paper at this place, or put it into collections; returns the page."""
    data = {"action": "keep", "paper": str(papers[place - 1].paper_id), **fields}
    return unescape(site.client.post(f"/preferences/{choices_token}/saved", data=data).text)
