"""The page of the formula: filled from what is in force, with what was learned or without."""

import re
from datetime import timedelta

import pytest

from paperround.ranking.prior import VERSION, PriorMaker
from paperround.ranking.prior.predictor import GROUPS
from paperround.ranking.store import ModelStore
from paperround.ranking.trending import VERSION as RANKER
from paperround.ranking.weights import DEFAULTS
from tests.builders import NOW
from tests.ranking.learned import cohorts
from tests.web.conftest import Site


@pytest.fixture(scope="module")
def content() -> bytes:
    fitted = PriorMaker().fit(cohorts())
    assert fitted is not None
    return fitted[0]


def learn(site: Site, content: bytes, *, version: str = VERSION) -> None:
    """Keep a model that was learned in the night before NOW."""
    at = NOW - timedelta(hours=5)
    with site.runtime.database.writing() as work:
        work[ModelStore].add("prior", version, content, outcomes=700, now=at)


@pytest.mark.accept("F12", part="page")
def test_the_formula_stands_on_a_public_page_with_the_numbers_in_force(site: Site) -> None:
    answer = site.client.get("/ranking")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=60"
    for name, value in DEFAULTS.by_name().items():
        row = rf"<dt>{name.replace('_', ' ')}</dt>\s*<dd><strong>{value:g}</strong>"
        assert re.search(row, answer.text), name
    assert f"<code>{RANKER}</code>" in answer.text
    assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text)


@pytest.mark.accept("F12", part="page")
def test_before_anything_was_learned_the_page_says_so(site: Site) -> None:
    page = site.client.get("/ranking").text
    assert "Nothing yet: this needs 600 papers with final votes." in page


@pytest.mark.accept("F12", part="page")
def test_what_was_learned_stands_there_by_part(site: Site, content: bytes) -> None:
    learn(site, content)
    page = site.client.get("/ranking").text
    assert f"<code>{RANKER}+{VERSION}(700 until 2026-01-09)</code>" in page
    assert "learned on Monday 2 March 2026 from 700 papers of 70 days" in page
    facts, _ = PriorMaker().open(content)
    for part in GROUPS:
        said = re.search(rf"<dt>{part.replace('_', ' ')}</dt>\s*<dd>(.*?)</dd>", page)
        assert said, part
        shown = [one.rpartition(" ")[2] for one in said[1].split(", ")]
        weights = facts.weights[part].values()
        assert shown == [f"{weight:+.2f}".replace("-", "−") for weight in weights]
    for person in ("Ada", "s1", "Sand Lab"):
        assert person not in page


def test_a_model_that_cannot_be_read_is_not_shown_as_if_it_ranked(
    site: Site, content: bytes
) -> None:
    learn(site, content[:-9])
    page = site.client.get("/ranking").text
    assert f"<code>{RANKER}</code>" in page
    assert "Nothing yet" in page
