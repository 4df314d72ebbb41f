"""Live feeds, with the commands a person types and a server that answers over HTTP."""

import json
from pathlib import Path
from threading import Event

import pytest

from tests.feeds.arxiv_samples import item, rss
from tests.http.faults import PATIENCE, Behaviour, Caller, FaultServer, page, says
from tests.story.command_line import CommandLine

FEED = page(rss(item("2601.00001v1", title="One"), item("2601.00002v1", title="Two")))
MORE = page(rss(item("2601.00003v1", title="Three")))


def home_at(folder: Path, server: FaultServer) -> CommandLine:
    return CommandLine(folder, {"FETCH_ALLOW": server.at})


def add(home: CommandLine, server: FaultServer, categories: str = "cs.AI") -> None:
    command = ("feeds", "add", "arxiv", "--kind", "arxiv", "--url", server.url("/atom"))
    home.run(*command, "--set", f"categories={categories}")


def asked(server: FaultServer) -> list[str]:
    return [head.split(b" ")[1].decode() for head in server.requests if head]


@pytest.mark.quick
@pytest.mark.accept("F03", part="commands")
@pytest.mark.accept("F08", part="commands")
def test_a_feed_is_added_read_and_listed(tmp_path: Path) -> None:
    with FaultServer({"/": says(FEED)}) as server:
        home = home_at(tmp_path, server)
        add(home, server)
        (poll,) = home.json("feeds", "run")["polls"]
        assert (poll["new"], poll["health"], poll["error"]) == (2, "fresh", None)
        read = home.json("ingest", "--feed", "arxiv")
    assert (read["unchanged"], read["papers_total"], read["rejects"]) == (2, 2, [])
    (feed,) = home.json("feeds", "list")["feeds"]
    assert (feed["name"], feed["health"], feed["failures"]) == ("arxiv", "fresh", 0)
    assert feed["settings"] == {"categories": "cs.AI"}
    assert feed["next_at"].endswith("Z")


@pytest.mark.accept("F08", part="failing")
def test_a_source_that_fails_is_named_in_one_line_and_in_the_list(tmp_path: Path) -> None:
    with FaultServer({"/": says(page(b"", status="500 Oops"))}) as server:
        home = home_at(tmp_path, server)
        add(home, server)
        error = home.run("ingest", "--feed", "arxiv", exit_code=1)
    assert error == "paperround: arxiv: 127.0.0.1 did not return a page (status 500)\n"
    (feed,) = home.json("feeds", "list")["feeds"]
    assert (feed["health"], feed["failures"]) == ("failed", 1)
    home.run("feeds", "check", exit_code=1)


@pytest.mark.accept("F08", part="resume")
def test_a_poll_that_was_killed_goes_on_behind_what_it_stored(tmp_path: Path) -> None:
    reached = Event()

    def hangs_once(caller: Caller) -> None:
        if reached.is_set():
            caller.sock.sendall(MORE)
        reached.set()
        caller.pause(PATIENCE)

    paths: dict[str, Behaviour] = {"/": says(FEED), "/atom/cs.CL": hangs_once}
    with FaultServer(paths) as server:
        home = home_at(tmp_path, server)
        add(home, server, "cs.AI,cs.CL")
        process = home.start("feeds", "run")
        assert reached.wait(60)
        process.kill()
        process.communicate()
        read = home.json("ingest", "--feed", "arxiv")
    assert (read["new"], read["papers_total"]) == (1, 3)
    assert asked(server) == ["/atom/cs.AI", "/atom/cs.CL", "/atom/cs.CL"]


@pytest.mark.accept("F09", part="commands")
def test_feeds_are_changed_exported_removed_and_imported(tmp_path: Path) -> None:
    home = CommandLine(tmp_path)
    assert home.json("feeds", "add", "--preset", "ml")["added"] == ["hf-daily", "arxiv-ml"]
    assert home.json("feeds", "add", "--preset", "ml")["added"] == []
    command = ("feeds", "edit", "arxiv-ml", "--set", "categories=cs.CL", "--show", "gist")
    assert home.json(*command, "--pause")["feed"]["health"] == "paused"
    exported = home.run("feeds", "export")
    (tmp_path / "feeds.json").write_text(exported)
    home.run("feeds", "remove", "arxiv-ml", "--yes")
    assert home.json("feeds", "import", "feeds.json")["new"] == ["arxiv-ml"]
    assert json.loads(home.run("feeds", "export")) == json.loads(exported)
    home.run("feeds", "check")


@pytest.mark.parametrize(
    ("arguments", "code", "says_so"),
    [
        (("ingest", "--feed", "x", "--file", "y"), 2, "give --file PATH or --feed NAME"),
        (("ingest", "--feed", "x", "--format", "hf"), 2, "belong to --file"),
        (("ingest", "--feed", "x"), 1, "no feed called x: add one"),
        (("feeds", "add", "x"), 2, "give NAME and --kind, or --preset alone; RSS, Atom"),
        (("feeds", "add", "--preset", "cooking"), 2, "ml, nlp, vision"),
        (("feeds", "add", "x", "--kind", "hf-daily", "--set", "days"), 2, "name=value"),
        (("feeds", "add", "x", "--kind", "hf-daily", "--show", "all"), 2, "full, gist or link"),
        (("feeds", "add", "x", "--kind", "gopher"), 1, "hf-daily, arxiv"),
        (("feeds", "add", "x", "--kind", "hf-daily", "--set", "day=1"), 1, "no setting 'day'"),
        (("feeds", "import", "nowhere.json"), 1, "No such file"),
    ],
)
def test_a_mistake_says_what_is_right(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says_so: str
) -> None:
    assert says_so in CommandLine(tmp_path).run(*arguments, exit_code=code)
