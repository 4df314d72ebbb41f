"""The admin API for feeds, as a program meets it."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.bootstrap.workers import POLL
from paperround.config import Settings
from paperround.core.errors import FetchFailed, FetchRefused
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import Show
from paperround.papers.store.papers import PaperStore
from paperround.web.app import create_app
from paperround.web.models import MOST_PREVIEWED
from tests.feeds.arxiv_samples import item, rss
from tests.web.admin import FEEDS, Staffed, feed_body, fields_of, key_for, program
from tests.web.conftest import HandClock, sql

JSONL = b'{"id": "2601.00001", "title": "A paper", "summary": "What it says."}\n{"id": "x"}\n'
AS_JSON = {"content-type": "application/json"}
READ_ONLY = ("id", "health", "reason", "failures", "next_at", "created_at", "progress")


@pytest.fixture
def home(settings: Settings) -> Iterator[Staffed]:
    runtime = Staffed(settings, HandClock())
    yield runtime
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.fixture
def admin(home: Staffed) -> TestClient:
    """A program that may change feeds."""
    return program(create_app(home), key_for(home, Scope.FEEDS_WRITE))


def create(admin: TestClient, name: str = "arxiv-ml", **changes: Any) -> str:
    """The address of a new feed."""
    answer = admin.post(FEEDS, json=feed_body(name, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


# --- one feed ----------------------------------------------------------------------------------


@pytest.mark.accept("F09", part="crud")
def test_a_feed_is_created_and_read_where_its_location_says(admin: TestClient) -> None:
    created = admin.post(FEEDS, json=feed_body())
    read = admin.get(created.headers["location"])
    assert created.status_code == 201
    assert read.json() == created.json()
    assert read.json()["settings"] == {"categories": "cs.LG"}
    assert read.json()["health"] == "new"
    assert read.json()["next_at"] == "2026-03-02T08:00:00Z"


@pytest.mark.accept("F09", part="crud")
def test_a_change_touches_only_what_it_names(admin: TestClient) -> None:
    where = create(admin, show="gist")
    before = admin.get(where).json()
    answer = admin.patch(where, json={"enabled": False})
    assert answer.status_code == 200
    assert answer.json() == before | {"enabled": False, "health": "paused"}
    assert admin.patch(where, json={"show": None}).json()["show"] is None
    assert admin.patch(where, json={}).json()["enabled"] is False


@pytest.mark.accept("F09", part="crud")
def test_a_deleted_feed_is_gone(admin: TestClient) -> None:
    where = create(admin)
    assert admin.delete(where).status_code == 204
    assert admin.get(where).status_code == 404
    assert admin.delete(where).status_code == 404
    assert admin.get(f"{where}/runs").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settings": {"categories": "no category!"}}, "settings.categories"),
        ({"settings": {"colour": "red", "categories": "cs.LG"}}, "settings.colour"),
        ({"settings": {"categories": 5}}, "settings.categories"),
        ({"kind": "newspaper"}, "kind"),
        ({"name": "two words"}, "name"),
        ({"url": "ftp://feeds.example"}, "url"),
        ({"show": "all"}, "show"),
        ({"enabled": "yes"}, "enabled"),
        ({"name": None}, "name"),
    ],
)
def test_what_is_wrong_with_a_feed_is_said_by_the_name_of_its_field(
    admin: TestClient, changes: dict[str, Any], field: str
) -> None:
    where = create(admin, "standing")
    for answer in (admin.post(FEEDS, json=feed_body(**changes)), admin.patch(where, json=changes)):
        assert answer.status_code == 422
        assert fields_of(answer) == [field]


@pytest.mark.accept("A8", part="feeds")
@pytest.mark.parametrize("field", [*READ_ONLY, "Name", "anything"])
def test_unknown_and_read_only_fields_are_refused(admin: TestClient, field: str) -> None:
    where = create(admin, "standing")
    before = admin.get(where).json()
    body = {**feed_body(), field: before.get(field, 1)}
    for path in (FEEDS, f"{FEEDS}/preview"):
        assert fields_of(admin.post(path, json=body)) == [field]
    assert fields_of(admin.patch(where, json={field: before.get(field, 1)})) == [field]
    assert admin.get(where).json() == before


# --- collections -------------------------------------------------------------------------------


@pytest.mark.accept("A9")
@pytest.mark.accept("F42", part="cursors")
def test_feeds_come_in_pages_that_join_without_a_gap(admin: TestClient) -> None:
    for number in range(5):
        create(admin, f"feed-{number}")
    names, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = admin.get(FEEDS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        names += [one["name"] for one in page.json()["items"]]
        cursor, pages = page.json()["next_cursor"], pages + 1
    assert names == [f"feed-{number}" for number in range(5)]
    assert pages == 3


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.accept("F09", part="run")
def test_a_feed_read_at_once_reports_what_it_brought(home: Staffed, admin: TestClient) -> None:
    where = create(admin)
    home.service.says["cs.LG"] = rss(item("2603.00001v1"), item("2603.00002v1", title="Another"))
    answer = admin.post(f"{where}/run", params={"wait": "true"})
    assert answer.status_code == 200
    assert (answer.json()["new"], answer.json()["error"]) == (2, None)
    [run] = admin.get(f"{where}/runs").json()["items"]
    assert (run["state"], run["counts"]["records"]) == ("done", 2)
    assert admin.get(where).json()["health"] == "fresh"


@pytest.mark.accept("F09", part="run")
def test_a_feed_to_be_read_soon_is_due_and_its_job_waits(home: Staffed, admin: TestClient) -> None:
    where = create(admin)
    admin.post(f"{where}/run", params={"wait": "true"})
    later = admin.get(where).json()["next_at"]
    answer = admin.post(f"{where}/run")
    assert answer.status_code == 202
    assert answer.json()["next_at"] < later
    assert home.queue.put(POLL) is False


def test_a_feed_that_no_poll_would_take_is_not_put_in_line(
    home: Staffed, admin: TestClient
) -> None:
    where = create(admin, enabled=False)
    with home.database.writing() as work:
        of_files = work[FeedStore].get_or_create("file:csv", "file", now=home.clock.now())
    assert fields_of(admin.post(f"{where}/run")) == ["enabled"]
    assert fields_of(admin.post(f"{FEEDS}/{of_files.id}/run")) == ["kind"]
    assert fields_of(admin.post(f"{FEEDS}/{of_files.id}/run?wait=true")) == ["kind"]


@pytest.mark.accept("F09", part="preview")
def test_a_preview_shows_papers_and_stores_nothing(home: Staffed, admin: TestClient) -> None:
    many = [item(f"2603.{number:05}v1") for number in range(1, MOST_PREVIEWED + 3)]
    home.service.says["cs.LG"] = rss(*many)
    shown = admin.post(f"{FEEDS}/preview", json=feed_body()).json()
    assert shown["papers_total"] == len(many)
    assert len(shown["papers"]) == MOST_PREVIEWED
    assert (shown["new_total"], shown["known_total"]) == (len(many), 0)
    assert shown["papers"][0] == {
        "title": "A Study",
        "identifiers": {"arxiv": "2603.00001"},
        "authors": ["Ada Lovelace", "Alan Turing"],
        "listed_on": "2026-01-28",
        "show": "full",
        "becomes": "new",
    }
    assert (shown["bytes"], shown["has_more"]) == (len(rss(*many)), False)
    assert shown["url"] == "https://rss.arxiv.org/atom/cs.LG"
    assert shown["seconds"] >= 0
    assert admin.get(FEEDS).json()["items"] == []
    with home.database.reading() as work:
        assert work[PaperStore].count() == 0


@pytest.mark.accept("F09", part="preview")
@pytest.mark.parametrize(
    ("error", "status"),
    [(FetchFailed("the service answered 503"), 424), (FetchRefused("not that address"), 422)],
)
def test_a_preview_of_what_cannot_be_read_is_no_empty_preview(
    home: Staffed, admin: TestClient, error: Exception, status: int
) -> None:
    home.service.says["cs.LG"] = error
    answer = admin.post(f"{FEEDS}/preview", json=feed_body())
    assert answer.status_code == status
    assert answer.json()["detail"] == str(error)


# --- files -------------------------------------------------------------------------------------


@pytest.mark.accept("F09", part="upload")
@pytest.mark.parametrize("content", [JSONL, gzip.compress(JSONL, mtime=0)], ids=["plain", "packed"])
def test_an_uploaded_file_becomes_papers_of_the_feed_and_rejects(
    admin: TestClient, content: bytes
) -> None:
    where = create(admin)
    report = admin.post(f"{where}/upload", params={"format": "jsonl"}, content=content).json()
    assert (report["records"], report["new"]) == (1, 1)
    assert sum(one["count"] for one in report["rejects"]) == 1
    [reject] = admin.get(f"{where}/rejects").json()["items"]
    [run] = admin.get(f"{where}/runs").json()["items"]
    assert (reject["position"], reject["run"]) == (2, run["id"])
    again = admin.post(f"{where}/upload", params={"format": "jsonl"}, content=content).json()
    assert (again["new"], again["unchanged"]) == (0, 1)


@pytest.mark.accept("F06", part="upload")
@pytest.mark.parametrize(
    ("named", "content"),
    [
        ("bibtex", b"@misc{a, title={On tides}, year=2026}\n@misc{b, title={Cut o"),
        ("ris", b"TY  - JOUR\nTI  - On tides\nER  - \nTY  - JOUR\nER  - \n"),
        ("rss", b"<rss><channel><item><title>On tides</title></item><item/></channel></rss>"),
        (
            "jsonfeed",
            b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "A"}, 7]}',
        ),
    ],
)
@pytest.mark.parametrize("says", [True, False], ids=["named", "found"])
def test_bibliographies_and_feeds_are_uploaded_as_they_are(
    admin: TestClient, named: str, content: bytes, says: bool
) -> None:
    where = create(admin)
    params = {"format": named} if says else {}
    report = admin.post(f"{where}/upload", params=params, content=content).json()
    assert (report["new"], len(report["rejects"])) == (1, 1)


def test_how_much_of_an_uploaded_paper_is_shown_is_what_the_operator_says(
    home: Staffed, admin: TestClient
) -> None:
    where = create(admin, show="full")
    content = b"@misc{a, title={On tides}, doi={10.1000/a}, abstract={We tide.}}"
    admin.post(f"{where}/upload", params={"format": "bibtex"}, content=content)
    with home.database.reading() as work:
        known = work[PaperStore].find([("doi", "10.1000/a")])
        [paper] = work[PaperStore].load(set(known.values())).values()
    assert paper.show is Show.FULL


def test_a_file_of_no_known_format_is_refused_and_leaves_no_run(admin: TestClient) -> None:
    where = create(admin)
    for content, named in ((b"no papers here", "auto"), (JSONL, "docx"), (b"", "auto")):
        answer = admin.post(f"{where}/upload", params={"format": named}, content=content)
        assert fields_of(answer) == ["format"]
    assert admin.get(f"{where}/runs").json()["items"] == []


@pytest.mark.accept("W3", part="unpacked")
def test_an_upload_that_unpacks_to_too_much_is_refused(admin: TestClient) -> None:
    where = create(admin)
    answer = admin.post(f"{where}/upload", content=gzip.compress(bytes(17 * 1024 * 1024), mtime=0))
    assert answer.status_code == 422
    assert "unpacks" in answer.json()["detail"]


@pytest.mark.accept("W3", part="admin")
@pytest.mark.parametrize(
    "body", [b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 100_000, b"x" * (1024 * 1024 + 1)]
)
def test_a_deep_or_large_body_is_refused(admin: TestClient, body: bytes) -> None:
    for path in (FEEDS, f"{FEEDS}/preview", f"{FEEDS}/import"):
        answer = admin.post(path, content=body, headers=AS_JSON)
        assert answer.status_code in (400, 413, 422)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.accept("F09", part="export")
def test_an_export_read_by_import_brings_every_feed_back(admin: TestClient) -> None:
    places = [create(admin, "one", show="link"), create(admin, "two", enabled=False)]
    exported = admin.get(f"{FEEDS}/export").json()
    assert admin.post(f"{FEEDS}/import", json=exported).json()["unchanged"] == ["one", "two"]
    admin.delete(places[0])
    admin.patch(places[1], json={"enabled": True})
    done = admin.post(f"{FEEDS}/import", json=exported).json()
    assert (done["new"], done["changed"], done["rejects"]) == (["one"], ["two"], [])
    assert admin.get(f"{FEEDS}/export").json()["feeds"] == exported["feeds"][::-1]


@pytest.mark.accept("F09", part="import")
def test_a_wrong_entry_of_an_import_is_a_reject_and_the_others_are_kept(admin: TestClient) -> None:
    wrong = {**feed_body("bad"), "health": "fresh"}
    done = admin.post(f"{FEEDS}/import", json={"feeds": [feed_body("good"), wrong]}).json()
    assert done["new"] == ["good"]
    assert [(one["reason"], one["position"]) for one in done["rejects"]] == [("health", 2)]
    assert admin.post(f"{FEEDS}/import", json={"sources": []}).status_code == 422


OPML = {"content-type": "text/x-opml"}


@pytest.mark.accept("F09", part="OPML")
def test_feeds_travel_as_opml_too(admin: TestClient) -> None:
    create(admin, "one", show="link", enabled=False)
    create(admin, "two", kind="feed", url="https://journal.example/?feed=rss&x", settings={})
    before = admin.get(f"{FEEDS}/export").json()
    answer = admin.get(f"{FEEDS}/export", params={"format": "opml"})
    assert answer.headers["content-type"].startswith("text/x-opml")
    assert "feeds.opml" in answer.headers["content-disposition"]
    for feed in admin.get(FEEDS).json()["items"]:
        admin.delete(f"{FEEDS}/{feed['id']}")
    done = admin.post(f"{FEEDS}/import", content=answer.content, headers=OPML).json()
    assert done["new"] == ["one", "two"]
    assert admin.get(f"{FEEDS}/export").json() == before


# --- whatever is sent --------------------------------------------------------------------------

HALF = "\ud800"
"""Half a character: JSON can say it, UTF-8 cannot."""
ANY_TEXT = st.text(max_size=12) | st.sampled_from(["", "\0", HALF, f"categories{HALF}"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
ALMOST_A_FEED = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b"]) | ANY_JSON,
        "kind": st.sampled_from(["arxiv", "hf-daily", "biorxiv"]) | ANY_JSON,
    },
    optional={
        "url": st.sampled_from(["https://feeds.example/x", "http://[", "//x"]) | ANY_JSON,
        "settings": st.dictionaries(
            st.sampled_from(["categories", "via", "days", "include", "server"]) | ANY_TEXT,
            st.sampled_from(["cs.LG", "rss", "api", "3", "new"]) | ANY_JSON,
            max_size=3,
        )
        | ANY_JSON,
        "show": st.sampled_from(["full", "gist", "link"]) | ANY_JSON,
        "enabled": ANY_JSON,
        "more": ANY_JSON,
    },
)


@pytest.mark.parametrize(
    "body",
    [
        {HALF: 1},
        feed_body(HALF),
        feed_body(kind=HALF),
        feed_body(settings={HALF: "x"}),
        feed_body(settings={"categories": HALF}),
        feed_body(settings={"categories": "cs.LG", "\0": "\0"}),
    ],
)
def test_half_a_character_is_refused_like_any_other_wrong_text(
    admin: TestClient, body: Any
) -> None:
    content, entries = json.dumps(body).encode(), json.dumps({"feeds": [body]}).encode()
    assert admin.post(FEEDS, content=content, headers=AS_JSON).status_code == 422
    imported = admin.post(f"{FEEDS}/import", content=entries)
    assert (imported.status_code, len(imported.json()["rejects"])) == (200, 1)


@pytest.mark.slow
@pytest.mark.accept("A7", part="bodies")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=ALMOST_A_FEED | ANY_JSON)
def test_no_body_breaks_anything(admin: TestClient, body: Any) -> None:
    content = json.dumps(body).encode()
    entries = json.dumps({"feeds": [body]}).encode()
    answers = [
        admin.post(FEEDS, content=content, headers=AS_JSON),
        admin.patch(f"{FEEDS}/1", content=content, headers=AS_JSON),
        admin.post(f"{FEEDS}/preview", content=content, headers=AS_JSON),
        admin.post(f"{FEEDS}/import", content=entries, headers=AS_JSON),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
