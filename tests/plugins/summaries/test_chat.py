"""Asking a service that speaks OpenAI's chat completions, in front of a local one."""

import json

import pytest

from paperround.core.errors import FetchFailed
from paperround.http.transport import FetchLimits
from paperround.plugins.summaries.chat import TOKENS, ChatSummariser, host_and_port
from paperround.plugins.summaries.checks import Wording
from tests.builders import paper
from tests.http.clients import QUICK, guarded
from tests.http.faults import Behaviour, FaultServer, page, says
from tests.plugins.summaries.completions import completion

PAPER = paper(title="Foo", abstract='Say "Foo".\nThen say bar.')


def answer_of(behaviour: Behaviour, *, language: str = "", limits: FetchLimits = QUICK) -> str:
    with FaultServer({"/": behaviour}) as server, guarded(server.at, limits=limits) as client:
        wording = Wording(model="small-1", language=language)
        return ChatSummariser(client, server.url("/v1"), wording, "key").ask(PAPER)


def test_the_service_is_told_the_paper_and_nothing_else() -> None:
    with FaultServer({"/": completion("Foo.")}) as server, guarded(server.at) as client:
        wording = Wording(model="small-1", language="German")
        assert ChatSummariser(client, server.url("/v1/"), wording, "k3y").ask(PAPER) == "Foo."
        [head], [body] = server.requests, server.bodies
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1")
    assert b"authorization: bearer k3y\r\n" in head.lower()
    asked = json.loads(body)
    task, told = asked["messages"]
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("small-1", TOKENS, 0)
    assert (task["role"], told["role"]) == ("system", "user")
    assert task["content"].endswith("Write in German.")
    assert json.loads(told["content"]) == {"title": "Foo", "abstract": PAPER.abstract}


def test_without_a_key_none_is_sent() -> None:
    with FaultServer({"/": completion("Foo.")}) as server, guarded(server.at) as client:
        ChatSummariser(client, server.url("/v1"), Wording(model="m")).ask(PAPER)
        assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("ended", ["length", "content_filter", "tool_calls"])
def test_an_answer_that_did_not_come_to_its_end_is_none(ended: str) -> None:
    assert answer_of(completion("Foo is", ended=ended)) == ""


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"7", b"{}", b'{"choices": []}', b'{"choices": [{"message": {}}]}', b"\xff",
     b'{"choices": {"0": 1}}', b'{"choices": [null]}', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_completion_is_a_failure(body: bytes) -> None:
    with pytest.raises(FetchFailed, match="not a chat completion"):
        answer_of(says(page(body)))


def test_content_that_is_no_text_is_no_answer() -> None:
    assert answer_of(completion(None)) == ""
    assert answer_of(completion([{"type": "text"}])) == ""


@pytest.mark.parametrize(
    ("base", "place"),
    [
        ("http://127.0.0.1:11434/v1", "127.0.0.1:11434"),
        ("https://models.example.org/v1", "models.example.org:443"),
        ("http://models.lab/v1", "models.lab:80"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
    ],
)
def test_the_place_that_is_opened_is_that_of_the_service(base: str, place: str) -> None:
    assert host_and_port(base) == place
