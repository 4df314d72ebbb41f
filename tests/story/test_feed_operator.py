"""What an operator reads who makes mistakes: each is said, and none is done by halves."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feeds.arxiv_samples import item, rss
from tests.http.faults import FaultServer, page, says
from tests.story.command_line import CommandLine

pytestmark = pytest.mark.accept("F09", part="commands")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """An installation with two feeds that no mistake changes."""
    home = CommandLine(tmp_path_factory.mktemp("home"))
    home.run("feeds", "add", "hf", "--kind", "hf-daily", "--set", "days=2")
    home.run("feeds", "add", "resting", "--kind", "hf-daily")
    home.run("feeds", "edit", "resting", "--pause")
    before = home.run("feeds", "export")
    yield home
    assert home.run("feeds", "export") == before


@pytest.mark.parametrize(
    ("arguments", "code", "says_so"),
    [
        (("edit", "hf"), 2, "say what to change: --set"),
        (("edit", "hf", "--unset", "colour"), 1, "no setting 'colour': it has days"),
        (("edit", "resting", "--unset", "days"), 1, "no setting 'days': it has none"),
        (("edit", "hf", "--unset", "days", "--set", "days=3"), 2, "days is also set"),
        (("edit", "hf", "--set", "days=3", "--set", "days=4"), 2, "days is given twice"),
        (("edit", "hf", "--rename", ""), 1, "cannot be a feed's name"),
        (("edit", "hf", "--own-url", "--url", "https://x.example"), 2, "not both"),
        (("add", "x", "--kind", "arxiv"), 1, "arxiv needs categories: 1 to 60"),
        (("add", "x", "--kind", "rss"), 1, "`feed` is the kind of RSS, Atom and JSON Feed"),
        (("add", "x", "--kind", "arxiv-oai"), 1, "arxiv-oai needs sets: 1 to 60"),
        (("add", "x", "--kind", "feed", "--url", "https://x.example/a b"), 1, "a space"),
        (("add", "x", "--preset", "ml"), 2, "cannot be combined"),
        (("runs", "nobody"), 1, "no feed called nobody: there are hf, resting"),
        (("rejects", "hf", "--limit", "0"), 2, "write 1 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    home: CommandLine, arguments: tuple[str, ...], code: int, says_so: str
) -> None:
    assert says_so in home.run("feeds", *arguments, exit_code=code)


def test_a_list_lines_up_below_its_heading(home: CommandLine) -> None:
    heading, *rows = home.run("feeds", "list").splitlines()
    assert heading.split() == ["name", "kind", "health", "next", "at", "reason"]
    assert [row.split()[:3] for row in rows] == [
        ["hf", "hf-daily", "new"],
        ["resting", "hf-daily", "paused"],
    ]
    assert len({row.index("hf-daily ") for row in rows}) == 1


@pytest.mark.accept("F50", part="no network")
def test_a_feed_is_added_without_a_network(tmp_path: Path) -> None:
    home = CommandLine(tmp_path)
    assert home.run("feeds", "add", "--preset", "ml") == "added hf-daily\nadded arxiv-ml\n"
    assert home.json("feeds", "add", "--preset", "ml") == {"added": []}


def test_nothing_is_no_silence(home: CommandLine, tmp_path: Path) -> None:
    empty = CommandLine(tmp_path)
    empty.run("db", "upgrade")
    assert "no feeds yet" in empty.run("feeds", "check")
    never = "hf has not been polled yet: paperround feeds run hf\n"
    assert home.run("feeds", "runs", "hf") == never
    assert home.run("feeds", "rejects", "hf") == "no entry of hf was rejected\n"
    assert home.json("feeds", "runs", "hf") == {"runs": []}
    (tmp_path / "none.opml").write_text('<opml version="2.0"><head/><body/></opml>')
    assert empty.run("feeds", "import", "none.opml") == "none.opml: the file contains no feeds\n"
    (tmp_path / "empty.opml").write_text("\n")
    assert "the file is empty" in empty.run("feeds", "import", "empty.opml", exit_code=1)


def test_a_file_that_names_a_feed_twice_is_taken_once_and_says_where(tmp_path: Path) -> None:
    home = CommandLine(tmp_path)
    twice = [{"name": "a", "kind": "hf-daily", "settings": {"days": n}} for n in ("1", "2")]
    (tmp_path / "feeds.json").write_text(json.dumps({"feeds": twice}))
    told = home.run("feeds", "import", "feeds.json").splitlines()
    assert told == [
        "feeds.json: 1 new, 1 rejected",
        "  feed 2 rejected: feed 1 of the file is called a, too",
    ]
    (reject,) = home.json("feeds", "import", "feeds.json")["rejects"]
    assert (reject["reason"], reject["position"]) == ("duplicate", 2)
    assert home.json("feeds", "list")["feeds"][0]["settings"] == {"days": "1"}


def test_among_many_feeds_the_nearest_names_are_told(tmp_path: Path) -> None:
    home = CommandLine(tmp_path)
    many = [{"name": f"feed-{n}", "kind": "hf-daily"} for n in range(100, 130)]
    (tmp_path / "feeds.json").write_text(json.dumps({"feeds": many}))
    home.run("feeds", "import", "feeds.json")
    error = home.run("feeds", "remove", "fed-117", "--yes", exit_code=1)
    assert "did you mean feed-117" in error
    assert "feeds list shows all" in error
    assert len(error) < 160


def test_what_a_feed_brought_and_what_not_can_be_looked_at(tmp_path: Path) -> None:
    with FaultServer({"/": says(page(rss(item(title="One"), item(title=""))))}) as server:
        home = CommandLine(tmp_path, {"FETCH_ALLOW": server.at})
        command = ("feeds", "add", "ax", "--kind", "arxiv", "--url", server.url("/atom"))
        home.run(*command, "--set", "categories=cs.AI")
        told = home.run("feeds", "run", "ax")
    assert told.splitlines()[1].split()[:3] == ["ax", "fresh", "1"]
    home.run("feeds", "run", "ax", exit_code=1)  # nobody answers any more
    listed = home.run("feeds", "runs", "ax").splitlines()
    assert [line.split()[1] for line in listed] == ["at", "failed", "done"]
    assert "new 1, " in listed[2]
    newest, first = home.json("feeds", "runs", "ax")["runs"]
    assert newest["error"]
    assert (first["counts"]["new"], first["error"]) == (1, None)
    assert home.run("feeds", "rejects", "ax").splitlines()[1].split()[2] == "2"
    (reject,) = home.json("feeds", "rejects", "ax", "--limit", "1")["rejects"]
    assert (reject["run"], reject["position"]) == (first["id"], 2)


def test_what_a_file_had_that_could_not_be_used_is_found_by_the_words_of_ingest(
    tmp_path: Path,
) -> None:
    home = CommandLine(tmp_path)
    (tmp_path / "papers.jsonl").write_text('{"id": "2601.00001", "title": ""}\n')
    told = home.run("ingest", "--file", "papers.jsonl")
    assert "1 rejected: no-title (paperround feeds rejects file:jsonl)" in told
    assert " no-title " in home.run("feeds", "rejects", "file:jsonl")
