"""Logs: one line an event, and never an address or a token in it, wherever it came from."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.cli.process import JsonLines, RedactingFormatter, log_to_stderr
from paperround.config import Settings, load_settings
from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing, Purpose

RING = KeyRing((b"a secret that is only for tests!",))
TOKEN = RING.token(Purpose.CONFIRM, 7, "nonce")


def line(message: str, *arguments: object, error: BaseException | None = None) -> str:
    """What is written of a record."""
    raised = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("tests", logging.ERROR, "", 1, message, arguments, raised)
    return RedactingFormatter("%(levelname)s %(name)s: %(message)s").format(record)


@pytest.mark.accept("P1", part="log lines")
@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <ada.ring+papers@mail.example.org>: no such user",
        "RCPT TO:<ada.ring@mail.example.org> refused",
        'to "ada ring"@mail.example.org',
        "ada.ring@localhost",
        "GET /subscribe?email=ada.ring%40mail.example.org&list=ml",
        "('ada.ring@mail.example.org', 550)",
        "ada/ring=x@mail.example.org",
        "ada.ring@[192.0.2.1]",
        "ada.ring@bücher.example",
    ],
)
def test_no_address_is_written(text: str) -> None:
    for said in (line(text), line("the relay said %s", text), line("failed", error=OSError(text))):
        assert "ada" not in said
        assert "ring" not in said
        assert "<address>" in said


@pytest.mark.accept("P1", part="log lines")
@pytest.mark.parametrize(
    "text",
    [
        f"GET /confirm/{TOKEN} failed",
        f"https://papers.example/unsubscribe/{TOKEN}?x=1",
        f"token={TOKEN}",
        repr(f"line\n{TOKEN}"),
        f"Bearer pr_abcd2345_{TOKEN}xyz",
    ],
)
def test_no_token_is_written(text: str) -> None:
    for said in (line(text), line("the page %s", text), line("failed", error=OSError(text))):
        assert TOKEN not in said
        assert TOKEN[:20] not in said


@pytest.mark.slow
@pytest.mark.accept("P1", part="log lines")
@given(address=st.emails(), before=st.sampled_from(["", " ", "<", "to=", "(", "'", "x "]))
def test_no_address_of_any_form_is_written(address: str, before: str) -> None:
    said = line("refused: %s%s now", before, address)
    assert address not in said
    assert address.partition("@")[0] + "@" not in said


def test_what_is_no_secret_stays_readable() -> None:
    text = "arxiv-ml is stale: no new papers since Tue 3 Mar 07:00 UTC; 12 of 34 at 10.0.0.1"
    assert line(text) == f"ERROR tests: {text}"
    assert line("gave up %s", "a @ b") == "ERROR tests: gave up a @ b"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\u2028", "\x85"])
def test_nobody_can_forge_an_event(end: str) -> None:
    said = line("the relay said %s", f"no{end}ERROR tests: all mail is gone")
    assert said.splitlines() == [
        "ERROR tests: the relay said no",
        "    ERROR tests: all mail is gone",
    ]


@pytest.mark.slow
def test_a_long_line_without_a_space_costs_little() -> None:
    assert len(line("x" * 39 + "." + "y." * 40_000)) > 80_000


@pytest.fixture
def loggers() -> Iterator[None]:
    """The root logger and ours, as before at the end."""
    root, ours = logging.getLogger(), logging.getLogger("paperround")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.mark.usefixtures("loggers")
def test_a_command_logs_discreetly_and_leaves_out_the_chatter_of_libraries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_to_stderr(Settings())
    logging.getLogger("paperround.jobs").info("sent to ada@example.org")
    logging.getLogger("uvicorn.error").info("chatter")
    logging.getLogger("uvicorn.error").warning("odd request for /confirm/%s", TOKEN)
    ours, theirs = capsys.readouterr().err.splitlines()
    assert ours.endswith(" INFO paperround.jobs: sent to <address>")
    assert theirs.endswith(" WARNING uvicorn.error: odd request for /confirm/<secret>")


@pytest.mark.usefixtures("loggers")
def test_the_level_says_what_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(load_settings({"PAPERROUND_LOG_LEVEL": "error"}))
    for name in ("paperround.jobs", "uvicorn.error"):
        logging.getLogger(name).warning("a warning")
        logging.getLogger(name).error("an error")
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "an error",
        "an error",
    ]


@pytest.mark.usefixtures("loggers")
def test_the_debug_level_is_about_us_alone(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(load_settings({"PAPERROUND_LOG_LEVEL": "debug"}))
    logging.getLogger("paperround.jobs").debug("ours")
    logging.getLogger("httpx").debug("theirs")
    assert capsys.readouterr().err.endswith("paperround.jobs: ours\n")


def test_a_level_there_is_not_is_refused() -> None:
    with pytest.raises(Misconfigured, match="PAPERROUND_LOG_LEVEL"):
        load_settings({"PAPERROUND_LOG_LEVEL": "loud"})


@pytest.mark.usefixtures("loggers")
@pytest.mark.accept("F46", part="JSON logs", mutant="json-logs-tell-addresses")
def test_as_json_each_event_is_one_object_on_one_line_without_addresses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_to_stderr(load_settings({"PAPERROUND_LOG_FORMAT": "json"}))
    logger = logging.getLogger("paperround.jobs")
    logger.warning("refused:\n550 ada@example.org of %s", TOKEN)
    try:
        raise OSError(TOKEN)
    except OSError:
        logger.exception("a step failed")
    refused, failed = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (refused["level"], refused["logger"]) == ("warning", "paperround.jobs")
    assert refused["message"] == "refused:\n550 <address> of <secret>"
    assert failed["traceback"].endswith("OSError: <secret>")
    assert "traceback" not in refused


def test_the_time_of_an_event_as_json_is_utc() -> None:
    record = logging.LogRecord("tests", logging.INFO, "", 1, "hello", (), None)
    record.created = datetime(2026, 1, 30, 7, 0, 0, 123_000, tzinfo=UTC).timestamp()
    assert json.loads(JsonLines().format(record))["time"] == "2026-01-30T07:00:00.123Z"
