"""The requests that command lines with `curl` send."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.docs.pages import Block
from tests.docs.shell import commands_in

VARIABLE = re.compile(r"\$([A-Z]+)")
SWITCHES = frozenset({"--fail"})


@dataclass(frozen=True)
class Request:
    """What is sent: method, address, headers, and a body or the name of a file with it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: str = ""


def requests_in(block: Block, variables: Mapping[str, str]) -> Iterator[Request]:
    """The requests of every `curl` of a block, with `$VARIABLES` filled in."""
    for words in commands_in(block.text):
        if words[0] == "curl":
            yield read_curl([_filled(one, variables) for one in words[1:]])


def exported(text: str) -> dict[str, str]:
    """The variables that `export` sets in a script."""
    lines = [words for words in commands_in(text) if words[0] == "export"]
    return {name: value for line in lines for name, _, value in map(_parts, line[1:])}


def _parts(word: str) -> tuple[str, str, str]:
    return word.partition("=")


def _filled(word: str, variables: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda name: variables[name[1]], word)


def read_curl(words: list[str]) -> Request:
    """The request of `curl` with these words. Fails for an option that is not known here."""
    url, method, headers, body, file = "", "", dict[str, str](), b"", ""
    waiting = iter(words)
    for word in waiting:
        if word in SWITCHES:
            continue
        if not word.startswith("-"):
            assert not url, f"two addresses: {url} and {word}"
            url = word
            continue
        value = next(waiting)
        match word:
            case "-X":
                method = value
            case "-H":
                name, _, told = value.partition(": ")
                headers[name] = told
            case "--json":
                body = json.dumps(json.loads(value)).encode()
                headers["Content-Type"] = "application/json"
            case "--data-binary":
                assert value.startswith("@"), f"name a file: {value}"
                file = value.removeprefix("@")
            case _:
                raise AssertionError(f"this test does not know curl's {word}")
    assert url, f"no address: {words}"
    return Request(method or ("POST" if body or file else "GET"), url, headers, body, file)


FREE = frozenset("errors identifiers links parts settings".split())
"""Fields whose keys differ from one object to the next."""


def difference(example: Any, answer: Any, at: str = "") -> str:
    """Where the shape of an answer differs from that of its example; empty if nowhere. Lists are
    compared by their first items, null with anything."""
    if example is None or answer is None:
        return ""
    if isinstance(example, dict) and isinstance(answer, dict):
        if at.rpartition(".")[2] in FREE:
            return ""
        if example.keys() - {"..."} != answer.keys() and "..." not in example:
            return f"{at or 'the object'} has {sorted(answer)}, not {sorted(example)}"
        both = [name for name in example if name in answer]
        return next(filter(None, (_inner(example, answer, name, at) for name in both)), "")
    if isinstance(example, list) and isinstance(answer, list):
        return difference(example[0], answer[0], at) if example and answer else ""
    alike = isinstance(example, int | float) and isinstance(answer, int | float)
    return "" if alike or type(example) is type(answer) else f"{at} is {answer!r}, not {example!r}"


def _inner(example: Any, answer: Any, name: str, at: str) -> str:
    return difference(example[name], answer[name], f"{at}.{name}")
