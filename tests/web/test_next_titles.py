"""The page of the titles that a digest would have gone on with."""

import html
import re

import pytest

from paperround.editions.model import Edition
from paperround.signup.magic_links import digest_owner
from tests.web.conftest import Site


@pytest.mark.accept("F61", part="the next thirty", mutant="titles-lead-nowhere")
def test_the_page_of_the_next_papers_lists_titles_and_does_not_say_who_reads(
    site: Site, digest_token: str, edition: Edition
) -> None:
    with site.runtime.database.reading() as work:
        owner = digest_owner(work, site.runtime.signup_context.keys, digest_token)
    assert owner is not None
    after = [paper for paper in edition.papers if paper.position not in owner.positions]
    answer = site.client.get(f"/feedback/{digest_token}/next")
    text = html.unescape(answer.text)
    shown = re.findall(r'<li><a href="(/papers/[^"]+)"[^>]*>([^<]+)</a></li>', text)
    assert shown == [(f"/papers/{one.name}", one.title) for one in after[:30]]
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert '<meta name="robots" content="noindex">' in answer.text
    assert "alice" not in answer.text
    forged = digest_token[:-1] + chr(ord(digest_token[-1]) ^ 1)
    assert "does not work" in site.client.get(f"/feedback/{forged}/next").text
