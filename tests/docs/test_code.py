"""Programs of readers that the documentation shows run, and read what we really send."""

import ast
import inspect
import json
import logging
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from paperround.cli.process import JsonLines
from paperround.core.i18n.localize import english_reason
from paperround.core.jobs import QueueName
from paperround.editions.model import DeliveryState
from paperround.plugins.bounce_hooks import postmark
from paperround.plugins.channels.model import ChannelKind, Hook, written_key
from paperround.plugins.channels.webhook import messages, signed
from paperround.web import health
from tests.docs.conftest import Documented
from tests.docs.curl import difference
from tests.docs.pages import Block, blocks, blocks_in, spans
from tests.plugins.channels.services import KEY
from tests.plugins.channels.views import NOW, digest, paper
from tests.web.serving import served
from tools.evaluate.gist import read_marked

HOOK = Hook(kind=ChannelKind.WEBHOOK, url="https://lab.example/hooks/papers", key=KEY)


def only(language: str, page: str, word: str = "") -> Block:
    """The one block of a page in a language, that has this word."""
    [found] = [one for one in blocks_in(language) if one.page == page and word in one.text]
    return found


def load(shown: Block, folder: Path, text: str = "") -> ModuleType:
    """The module that a block of Python is."""
    file = folder / "shown.py"
    file.write_text(text or shown.text)
    spec = spec_from_file_location("shown", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.accept("F25", part="the check that is documented")
def test_the_check_of_a_webhook_takes_what_we_post_and_nothing_else(tmp_path: Path) -> None:
    check = load(only("python", "docs/channels.md"), tmp_path)
    check.time = SimpleNamespace(time=NOW.timestamp)  # type: ignore[attr-defined]
    [message] = messages(HOOK, digest(paper(1)))
    headers = {**message.headers, **signed(HOOK, message, now=NOW)}
    assert check.is_ours(headers, message.body, KEY)
    assert not check.is_ours(headers, message.body + b" ", KEY)
    assert not check.is_ours(headers, message.body, written_key(b"another key of 24 bytes!"))
    check.time.time = lambda: NOW.timestamp() + 301
    assert not check.is_ours(headers, message.body, KEY)


def test_a_webhook_posts_what_its_page_shows() -> None:
    [message] = messages(HOOK, digest(paper(1)))
    shown = json.loads(only("json", "docs/channels.md").text)
    assert difference(shown, json.loads(message.body)) == ""


@pytest.mark.accept("F40", part="the program that is documented")
def test_their_client_reads_this_site_as_the_page_on_the_api_shows(
    documented: Documented, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("huggingface_hub", reason="needs `pip install huggingface_hub`")
    shown = only("python", "docs/api.md")
    with served(documented.site.app) as (host, port):
        here = shown.text.replace(documented.variables["SITE"], f"http://{host}:{port}")
        assert here != shown.text
        load(shown, tmp_path, here)
    assert capsys.readouterr().out.startswith("2603.00001 ")


def test_a_provider_is_written_as_postmark_is() -> None:
    shown = ast.parse(only("python", "docs/adding-a-provider.md").text)
    [way, hook, parse] = shown.body
    assert isinstance(way, ast.Assign)
    assert isinstance(hook, ast.ClassDef)
    assert isinstance(parse, ast.FunctionDef)
    assert ast.literal_eval(way.value) == postmark.WAY
    [hear] = [one for one in hook.body if isinstance(one, ast.FunctionDef)]
    for function, real in ((hear, getattr(postmark, hook.name).hear), (parse, postmark.parse)):
        names = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
        assert names == list(inspect.signature(real).parameters)
        assert ast.unparse(function.returns or function) == real.__annotations__["return"].__name__


def test_a_reason_is_told_as_its_page_shows() -> None:
    [shown] = [one.text for one in spans() if one.text.startswith('["votes')]
    assert english_reason(shown) == "41 votes, 12 since yesterday"


def test_a_marked_abstract_is_read_as_its_page_shows(tmp_path: Path) -> None:
    [shown] = [one.text for one in spans() if one.text.startswith('{"abstract"')]
    file = tmp_path / "abstracts.jsonl"
    file.write_text(f"{shown}\n")
    [marked] = read_marked(file)
    assert marked.text == "..."


def test_an_event_of_the_log_is_what_its_page_shows() -> None:
    shown = json.loads(only("json", "docs/operating.md").text)
    record = logging.LogRecord("paperround", logging.WARNING, "", 1, "a feed failed", None, None)
    assert json.loads(JsonLines().format(record)).keys() == shown.keys()


def test_the_page_on_many_machines_names_queues_and_what_is_said_of_them() -> None:
    shown = json.loads(only("json", "docs/many-machines.md").text)
    queues = {name: facts for name, facts in shown["queues"].items() if name != "..."}
    assert queues.keys() <= set(QueueName)
    source = inspect.getsource(health)
    names = {*shown, *(name for facts in queues.values() for name in facts)}
    assert [name for name in names if f'"{name}"' not in source] == []


def test_the_picture_of_the_ledger_has_every_state() -> None:
    [shown] = blocks_in("mermaid")
    lines = [line.replace(":", " ").split() for line in shown.text.splitlines()[1:]]
    states = {state for line in lines for state in (line[0], line[2])} - {"[*]"}
    assert states == set(DeliveryState)


# --- nothing is left out -------------------------------------------------------------------------

LANGUAGES = {
    "caddyfile": "test_configuration.py",
    "crontab": "test_commands.py, test_configuration.py",
    "dotenv": "test_configuration.py",
    "http": "test_requests.py",
    "sh": "test_commands.py, test_running.py, test_requests.py",
    "zone": "test_configuration.py",
}
"""Languages whose blocks are all tried, and where."""

BLOCKS = {
    "docs/adding-a-provider.md python": (1, "here"),
    "docs/api.md json": (4, "test_requests.py"),
    "docs/api.md python": (1, "here"),
    "docs/architecture.md mermaid": (1, "here"),
    "docs/architecture.md text": (1, "tests/test_docs.py"),
    "docs/bounces.md text": (1, "test_configuration.py"),
    "docs/channels.md json": (1, "here"),
    "docs/channels.md python": (1, "here"),
    "docs/cli.md text": (1, "test_running.py"),
    "docs/feeds.md text": (1, "test_running.py"),
    "docs/first-digest.md nginx": (1, "test_configuration.py"),
    "docs/many-machines.md json": (1, "here"),
    "docs/many-machines.md text": (1, "a picture"),
    "docs/once.md toml": (2, "tests/plugins/once/test_config.py, test_running.py"),
    "docs/operating.md json": (1, "here"),
    "docs/operating.md yaml": (1, "test_configuration.py"),
    "docs/plugins.md toml": (1, "test_configuration.py"),
}
"""All other blocks by page and language: how many, and what tries them or what they are."""


@pytest.mark.accept("F50", part="no example is left out")
def test_every_block_is_tried_somewhere() -> None:
    others = [one for one in blocks() if one.language not in LANGUAGES]
    found = Counter(f"{one.page} {one.language}" for one in others)
    assert found == {name: number for name, (number, _) in BLOCKS.items()}
    assert LANGUAGES.keys() <= {one.language for one in blocks()}
