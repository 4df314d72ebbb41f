"""What somebody asked for on a page is worked on by whatever command sends mail."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from paperround.bootstrap import AppContext
from paperround.cli.app import app
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.errors import Conflict, DatabaseFailed, SharedLimitReached
from paperround.core.times import format_instant
from paperround.signup.limits import count_refused
from paperround.signup.requests import SignupRequest, subscribe
from paperround.subscribers.model import Preferences
from paperround.subscribers.readers import Visitor
from tests.builders import NOW, address


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppContext]:
    """An installation in whose folder commands run; Ada has asked for the list."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("paperround.cli.serve.gc.freeze", lambda: None)
    one = AppContext(Settings(data_dir=tmp_path), FixedClock(NOW))
    asked = SignupRequest(
        address=address("ada"),
        list_name="trending",
        preferences=Preferences(),
        visitor=Visitor(ip="192.0.2.7", stamped=True),
        source="form",
    )
    subscribe(one.signup_context, asked, now=one.clock.now())
    yield one
    one.queue.stop(drain_seconds=1)
    one.engine.dispose()


def run(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json"))


def said(*arguments: str) -> str:
    answer = CliRunner().invoke(app, [*arguments, "--now", format_instant(NOW)])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.accept("S18", part="worked on by every command")
def test_deliver_works_on_requests_before_it_sends(home: AppContext) -> None:
    notices = run("deliver", "--until-empty")["notices"]
    assert (notices["sent"], notices["queued"]) == (1, 0)


@pytest.mark.accept("S18", part="worked on by every command")
def test_tick_works_on_requests_before_it_sends(home: AppContext) -> None:
    run("tick")
    assert len(list((home.settings.data_dir / "outbox").glob("*.eml"))) == 1


@pytest.mark.accept("S18", part="worked on by every command")
def test_deliver_counts_a_request_that_waits_as_queued(
    home: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AppContext, "requests_first", lambda _: nullcontext())
    assert run("deliver")["notices"]["queued"] == 1


WAITS = "sign-ups and requests for links have to wait"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that fails those who work on requests."""

    def fail(*_: object, **__: object) -> int:
        raise DatabaseFailed("the disk is full")

    monkeypatch.setattr("paperround.signup.worker.process_requests", fail)


@pytest.mark.usefixtures("broken")
@pytest.mark.accept("S18", part="worked on by every command")
def test_what_keeps_requests_waiting_is_told_and_mail_goes_on(
    home: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    gone_on = False
    with home.requests_first():
        gone_on = True
    assert gone_on
    assert caplog.text.count(f"{WAITS}: the disk is full") == 1


@pytest.mark.usefixtures("broken")
@pytest.mark.accept("D6", part="command", mutant="a-failed-command-tells-it-twice")
def test_what_ends_the_command_too_is_told_by_that_alone(
    home: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DatabaseFailed), home.requests_first():
        raise DatabaseFailed("the disk is full")
    assert WAITS not in caplog.text
    with pytest.raises(Conflict), home.requests_first():
        raise Conflict("somebody was faster")
    assert WAITS in caplog.text


@pytest.mark.accept("S18", part="operator")
def test_status_tells_what_waits_and_what_was_refused(home: AppContext) -> None:
    refused = SharedLimitReached("too many", retry_after=1, limit="domain")
    count_refused(home.database, refused, now=home.clock.now())
    found = run("digest", "status")["signups"]
    assert (found["waiting"], found["refused"]["domain"]) == (1, 1)
    words = said("digest", "status")
    assert "signups:\n  waiting: 1\n" in words
    assert "refused: domain 1\n" in words
