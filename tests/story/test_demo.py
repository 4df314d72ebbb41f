"""What a stranger does first: the demo in a browser, and a try on the command line."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

import httpx2 as httpx
import pytest

from tests.story.command_line import SAMPLE, CommandLine
from tests.story.forked import Process
from tests.story.serving import free_port
from tests.waiting import until

T = TypeVar("T")

READER = "ada@example.org"


@pytest.fixture
def home(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@contextmanager
def running(home: CommandLine, *arguments: str) -> Iterator["Demo"]:
    """A demo that is stopped as with Ctrl-C, and must end well."""
    process = home.start("demo", *arguments)
    try:
        demo = Demo(process)
        with demo.web:
            yield demo
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.splitlines()[-1].startswith("Stopped.")
        assert err == ""
    finally:
        process.kill()
        process.communicate()


class Demo:
    """A demo as its visitor has it: what it said first, and its pages."""

    def __init__(self, process: Process) -> None:
        assert process.stdout is not None
        self.said = ""
        for line in process.stdout:
            self.said += line
            if "Stop:" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        assert found, self.said or process.communicate()[1]
        self.url = found[0]
        self.web = httpx.Client(base_url=self.url, timeout=30)

    def page(self, path: str) -> str:
        answer = self.web.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def post(self, path: str, **fields: str) -> str:
        answer = self.web.post(path, data=fields)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.text

    def mail(self, kind: str) -> EmailMessage:
        """The newest mail that is called so, once the outbox page lists one."""
        listed = re.compile(rf'href="(/outbox/[^"]+)"[^>]*>[^<]*</a><br>\s*<span[^>]*>{kind} ·')
        found = until(lambda: listed.search(self.page("/outbox")))
        content = self.web.get(f"{found[1]}/eml").content
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


def link(message: EmailMessage, route: str) -> str:
    """The path of the first link to `route` in the text part."""
    part = message.get_body(("plain",))
    assert part is not None
    found = re.search(rf"http://127\.0\.0\.1:\d+(/{route}/[\w-]{{40}})", part.get_content())
    assert found, part.get_content()
    return found[1]


# --- demo --------------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.accept("F50", part="demo")
@pytest.mark.accept("F22", part="page")
def test_from_the_first_page_to_the_digest_and_out_again(home: CommandLine) -> None:
    with running(home, "--port", "0") as demo:
        assert "invented" in demo.said
        assert demo.page("/").count('<h3 dir="auto">') >= 12
        demo.post("/subscribe", email=READER)
        asked = demo.mail("Confirm your subscription")
        assert asked["To"] == READER
        demo.post(link(asked, "confirm"))
        digest = demo.mail("Digest")
        assert re.search(r" · 12 papers, \d{1,2} [A-Z]", digest["Subject"])
        leave = link(digest, "unsubscribe")
        assert "a•••@example.org" in demo.page(leave)
        demo.post(leave)
        assert demo.mail("You unsubscribed, with a link to undo it")["To"] == READER


def test_a_demo_goes_on_where_it_was_stopped(home: CommandLine) -> None:
    with running(home, "--port", "0") as demo:
        demo.post("/subscribe", email=READER)
        asked = demo.mail("Confirm your subscription")
        first = demo.page("/editions").replace(demo.url, "")
    with running(home, "--port", "0") as demo:
        assert demo.page("/editions").replace(demo.url, "") == first
        assert demo.mail("Confirm your subscription")["Message-ID"] == asked["Message-ID"]


@pytest.mark.accept("F50", part="demo")
def test_a_demo_of_ones_own_papers_shows_those_and_no_samples(home: CommandLine) -> None:
    with running(home, "--port", "0", "--papers", str(SAMPLE / "page.txt")) as demo:
        assert "12 from page.txt (12 new)" in demo.said
        assert demo.page("/").count('<h3 dir="auto">') == 12


def test_papers_of_ones_own_are_not_mixed_with_invented_ones(home: CommandLine) -> None:
    with running(home, "--port", "0"):
        pass
    error = home.run("demo", "--papers", str(SAMPLE / "page.txt"), exit_code=1)
    assert "PAPERROUND_DATA_DIR" in error


def test_a_demo_of_ones_own_papers_gets_no_samples_later(home: CommandLine) -> None:
    with running(home, "--port", "0", "--papers", str(SAMPLE / "page.txt")):
        pass
    with running(home, "--port", "0") as demo:
        assert "samples go into an empty database only" in demo.said
        assert demo.page("/").count('<h3 dir="auto">') == 12


def test_papers_of_long_ago_make_no_edition_and_the_demo_says_so(home: CommandLine) -> None:
    old = {"id": "2001.00001", "title": "Old", "abstract": "Long ago.", "listed_on": "2020-01-02"}
    (home.folder / "old.jsonl").write_text(json.dumps(old))
    with running(home, "--port", "0", "--papers", "old.jsonl") as demo:
        assert "today has no edition" in demo.said


def test_a_demo_obeys_settings(tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path / "mine"), "PUBLIC_URL": "http://localhost:7"}
    process = CommandLine(tmp_path, settings).start("demo", "--port", "0")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "Paperround demo: open http://localhost:7/\n"
        assert (tmp_path / "mine" / "paperround.db").exists()
        assert not (tmp_path / "paperround-demo").exists()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.accept("F60", part="demo")
def test_a_demo_beside_an_installation_leaves_it_and_its_settings_alone(
    home: CommandLine,
) -> None:
    home.run("init", "--yes", "--no-test-mail", "--public-url", "https://papers.example.org")
    before = home.run("rank", "--json")
    with running(home, "--port", (port := str(free_port()))) as demo:
        assert demo.url == f"http://127.0.0.1:{port}"
        assert "paperround-demo" in demo.said
        assert demo.page("/").count('<h3 dir="auto">') >= 12
    assert json.loads(home.run("rank", "--json"))["items"] == json.loads(before)["items"] == []


@pytest.mark.accept("F50", part="demo")
def test_whoever_tries_the_demo_may_sign_up_as_often_as_they_like(home: CommandLine) -> None:
    with running(home, "--port", "0") as demo:
        for number in range(12):
            demo.post("/subscribe", email=f"reader{number}@example.org")
        for _ in range(4):
            demo.post("/subscribe", email=READER)


def test_a_taken_port_is_left_to_whoever_has_it(home: CommandLine) -> None:
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", 8000))
            other.listen()
        except OSError:
            pass  # somebody has it already, which is as good
        with running(home) as demo:
            assert not demo.url.endswith(":8000")
            assert "Subscribe" in demo.page("/")


def test_a_port_that_was_asked_for_and_is_taken_is_a_mistake(home: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        error = home.run("demo", "--port", port, exit_code=1)
    assert error.startswith(f"paperround: cannot listen on port {port} of 127.0.0.1")
    assert error.count("\n") == 1


def test_a_demo_sends_nothing_to_other_machines(tmp_path: Path) -> None:
    home = CommandLine(tmp_path, {"SMTP_URL": "smtps://ada:secret@mail.example.org"})
    error = home.run("demo", exit_code=1)
    assert "PAPERROUND_SMTP_URL" in error
    assert "secret" not in error
    assert not (tmp_path / "paperround-demo").exists()


# --- try ---------------------------------------------------------------------------------------


def test_a_try_ranks_explains_and_leaves_one_file(home: CommandLine) -> None:
    told = home.run("try", "language models")
    assert "invented samples" in told
    assert "Matches “language” and “models”" in told
    assert "= match +10.00" in told
    assert [path.name for path in home.folder.iterdir()] == ["digest.html"]
    assert "Papers for “language models”" in (home.folder / "digest.html").read_text()


def test_a_try_of_ones_own_papers_says_where_they_are_from(home: CommandLine) -> None:
    word = "the"
    answer = home.json("try", word, "--papers", str(SAMPLE / "page.txt"), "--out", "mine.html")
    assert (answer["source"], answer["papers"]) == ("page.txt", 12)
    first = answer["items"][0]
    assert first["score"] == pytest.approx(sum(first["parts"].values()), abs=1e-4)
    assert (home.folder / "mine.html").exists()


def test_a_word_that_no_paper_has_is_said_and_writes_nothing(home: CommandLine) -> None:
    error = home.run("try", "zzyzx", exit_code=1)
    assert "none of 133 papers" in error
    assert list(home.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("try",), "QUERY"),
        (("try", "x", "--preset", "alchemy"), "ml, nlp, vision"),
        (("try", "x", "--preset", "ml", "--papers", "x"), "not both"),
        (("demo", "--port", "70000"), "65535"),
    ],
)
def test_wrong_usage_says_what_is_right(
    home: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    assert says in home.run(*arguments, exit_code=2)
