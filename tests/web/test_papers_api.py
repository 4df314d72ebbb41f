"""The public JSON API: pages, conditional requests, rate headers, problems, examples."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from paperround.config import Settings
from paperround.editions.model import Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Show
from paperround.plugins.hugging_face_api import DailyShape, FoundShape, PaperShape
from paperround.web.openapi import operations
from paperround.web.papers_api import (
    EditionAnswer,
    ListsAnswer,
    PaperAnswer,
    PapersPage,
    TrendingAnswer,
)
from paperround.web.search import SearchAnswer
from tests.builders import NOW, new_edition, paper
from tests.web.conftest import Site, running
from tests.web.papers import keep

PAPERS = "/api/v1/papers"
PUBLIC = (
    PAPERS,
    "/api/v1/trending",
    "/api/v1/lists",
    "/api/v1/search?q=dense",
    "/api/v1/editions/trending/2026-03-02",
    "/api/daily_papers",
    "/feeds/trending.atom",
    "/editions/trending/2026-03-02.bib",
    "/editions",
)


@pytest.mark.accept("F42", part="cursors")
def test_papers_come_page_by_page_and_none_twice_when_more_come_meanwhile(site: Site) -> None:
    ids = keep(site, *(paper(number) for number in range(1, 8)))
    seen: list[int] = []
    cursor = None
    while True:
        params = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = site.client.get(PAPERS, params=params).json()
        seen += [one["id"] for one in page["items"]]
        if len(seen) == 3:
            keep(site, paper(20))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(ids, reverse=True)


def test_a_full_page_with_nothing_behind_it_is_the_last(site: Site) -> None:
    keep(site, *(paper(number) for number in range(1, 4)))
    page = site.client.get(PAPERS, params={"limit": "3"}).json()
    assert (len(page["items"]), page["next_cursor"]) == (3, None)


def test_a_paper_says_how_much_of_it_may_be_shown(site: Site) -> None:
    long = "We say the first thing. " * 30 + "And the last."
    keep(site, paper(1, abstract=long), paper(2, abstract=long, show=Show.LINK))
    full = site.client.get(f"{PAPERS}/2603.00001v2").json()
    link = site.client.get(f"{PAPERS}/2603.00002").json()
    assert (full["shown"], full["text"]) == ("full", long)
    assert (link["shown"], link["text"]) == ("link", "")
    assert "title_key" not in full["identifiers"]
    assert full["files"]["bib"] == full["page"] + ".bib"
    assert site.client.get(f"{PAPERS}/2699.99999").json()["status"] == 404


@pytest.mark.accept("F42", part="trending")
def test_trending_is_each_paper_once_at_its_best(site: Site) -> None:
    ids = keep(site, *(paper(number) for number in range(1, 4)))
    with site.runtime.database.writing() as work:
        mailing_list = work[ListStore].get("trending")
        for back, scores in ((8, (9.0, 1.0, 1.0)), (1, (2.0, 5.0, 1.0)), (0, (1.0, 3.0, 4.0))):
            moment = NOW - timedelta(days=back)
            made = new_edition(mailing_list, ids)
            papers = tuple(
                replace(one, score=score) for one, score in zip(made.papers, scores, strict=True)
            )
            work[EditionStore].freeze(
                replace(made, day=moment.date(), papers=papers, cut_at=moment, frozen_at=moment)
            )

    def best(period: str) -> list[tuple[int, float]]:
        answer = site.client.get(f"/api/v1/trending?period={period}").json()
        return [(one["id"], one["score"]) for one in answer["items"]]

    one, two, three = ids
    assert best("day") == [(three, 4.0), (two, 3.0), (one, 1.0)]
    assert best("week") == [(two, 5.0), (three, 4.0), (one, 2.0)]
    assert best("month") == [(one, 9.0), (two, 5.0), (three, 4.0)]
    assert site.client.get("/api/v1/trending?period=year").status_code == 422
    assert site.client.get("/api/v1/trending?list=nothing").status_code == 404


def test_the_lists_name_their_feeds(site: Site) -> None:
    [one] = site.client.get("/api/v1/lists").json()["items"]
    assert one["name"] == "trending"
    for address in one["feeds"].values():
        assert site.client.get(address).status_code == 200


def varies_by(answer: httpx2.Response) -> set[str]:
    return {name.strip().lower() for name in answer.headers.get("vary", "").split(",")} - {""}


@pytest.mark.accept("F42", part="conditional requests")
@pytest.mark.parametrize("path", PUBLIC)
def test_whoever_has_an_answer_already_gets_a_304(site: Site, edition: Edition, path: str) -> None:
    site.client.headers["accept-encoding"] = "identity"  # what is packed has a weak one
    first = site.client.get(path)
    assert first.status_code == 200
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = site.client.get(path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert again.headers.get("link") == first.headers.get("link")
        assert varies_by(first) <= varies_by(again)
        assert "content-length" not in again.headers
    other = site.client.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    head = site.client.head(path)
    assert (head.headers["etag"], head.content) == (tag, b"")


def test_another_answer_has_another_tag(site: Site) -> None:
    before = site.client.get(PAPERS).headers["etag"]
    keep(site, paper(1))
    assert site.client.get(PAPERS, headers={"If-None-Match": before}).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/papers/0", "/api/v1/admin/feeds", "/healthz"])
def test_what_may_not_be_kept_has_no_tag(site: Site, path: str) -> None:
    answer = site.client.get(path, headers={"If-None-Match": "*"})
    assert answer.status_code != 304
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.accept("F42", part="rate headers")
def test_every_counted_answer_says_what_is_left(settings: Settings) -> None:
    tight = settings.model_copy(update={"rate_search_ip": "3/m", "rate_search_net": "off"})
    with running(tight) as site:
        answers = [site.client.get(PAPERS) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert {one.headers["ratelimit-policy"] for one in answers} == {'"visits";q=3;w=60'}
        left = [one.headers["ratelimit"] for one in answers]
        assert left == [f'"visits";r={number};t=60' for number in (2, 1, 0, 0)]
        assert answers[-1].headers["retry-after"] == "60"
        assert answers[-1].headers["content-type"] == "application/problem+json"
        known = site.client.get("/static/site.css")
        assert "ratelimit" not in known.headers


@pytest.mark.accept("F42", part="examples")
def test_every_public_answer_is_described_with_an_example_that_fits(site: Site) -> None:
    schema: dict[str, Any] = site.client.get("/api/openapi.json").json()
    public = [one for _, one in operations(schema) if one["tags"] in (["papers"], ["hugging face"])]
    assert len(public) >= 10
    for operation in public:
        answer = operation["responses"]["200"]
        [content] = answer["content"].values()
        shown = content["schema"].get("items", content["schema"])
        model = schema["components"]["schemas"][shown["$ref"].rpartition("/")[2]]
        assert model["examples"], operation["operationId"]
        assert {"ETag", "RateLimit", "RateLimit-Policy"} <= answer["headers"].keys()
        assert {"304", "429"} <= operation["responses"].keys()


@pytest.mark.parametrize(
    "model",
    [
        PaperAnswer,
        PapersPage,
        TrendingAnswer,
        ListsAnswer,
        EditionAnswer,
        SearchAnswer,
        DailyShape,
        FoundShape,
        PaperShape,
    ],
    ids=lambda model: model.__name__,
)
def test_an_example_is_an_answer_that_could_be_given(model: type[BaseModel]) -> None:
    [example] = model.model_json_schema()["examples"]
    made = model.model_validate(example)
    assert _known(made.model_dump(mode="json", by_alias=True)) == _known(example)


def _known(value: Any) -> Any:
    """`value` without what is null in it."""
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items() if one is not None}
    return [_known(one) for one in value] if isinstance(value, list) else value
