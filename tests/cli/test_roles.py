"""The commands of many machines, as they are typed."""

import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest
from typer import BadParameter
from typer.testing import CliRunner

from paperround.bootstrap import AppContext
from paperround.cli.app import app
from paperround.cli.process import serve_health
from paperround.cli.server import listen
from paperround.config import Settings
from paperround.core.clock import StartedClock
from paperround.core.errors import InvalidInput, Misconfigured
from paperround.web.health import scheduler_role
from tests.builders import NOW
from tests.story.serving import free_port

RUN = CliRunner()


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_worker_on_sqlite_is_told_what_to_start_instead() -> None:
    answer = RUN.invoke(app, ["worker"])
    assert isinstance(answer.exception, Misconfigured)
    assert "paperround serve" in str(answer.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--queues", "post"], "notices, mail, posts, editions, papers, upkeep"),
        (["--concurrency", "0"], "write 1 or more"),
    ],
)
def test_a_worker_that_is_asked_for_what_is_not_there_says_what_is(
    arguments: list[str], says: str
) -> None:
    answer = RUN.invoke(app, ["worker", *arguments])
    assert answer.exit_code == 2
    assert says in answer.output


@pytest.mark.slow
def test_the_embedded_installation_loads_nothing_of_many_machines(tmp_path: Path) -> None:
    """`pip install paperround` alone has neither the driver nor the queue."""
    code = (
        "import sys\n"
        "from paperround.config import Settings\n"
        "from datetime import UTC, datetime\n"
        "from paperround.core.clock import FixedClock\n"
        "from paperround.bootstrap import AppContext\n"
        "from paperround.web.app import create_app\n"
        "clock = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))\n"
        f"home = AppContext(Settings(data_dir={str(tmp_path)!r}), clock)\n"
        "create_app(home)\n"
        "home.wake()\n"
        "assert home.queue.stop(drain_seconds=0)\n"
        "print([name for name in ('procrastinate', 'psycopg') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def home(tmp_path: Path) -> AppContext:
    made = AppContext(Settings(data_dir=tmp_path), StartedClock(NOW))
    made.prepare_to_serve()
    return made


@pytest.mark.parametrize("place", ["nowhere", "127.0.0.1:99999", "127.0.0.1:", ""])
def test_a_place_that_nobody_can_listen_at_is_refused(home: AppContext, place: str) -> None:
    with (
        pytest.raises(BadParameter, match="PORT"),
        serve_health(home, scheduler_role(home.clock.now), place),
    ):
        raise AssertionError("it is served")


def test_a_place_that_is_taken_is_said_so(home: AppContext) -> None:
    with (
        listen("127.0.0.1", 0) as door,
        pytest.raises(InvalidInput, match=r"cannot listen on .*choose another with --health"),
        serve_health(home, scheduler_role(home.clock.now), str(door.getsockname()[1])),
    ):
        raise AssertionError("it is served")


def test_the_pages_of_a_role_are_served_while_it_lasts(home: AppContext) -> None:
    port = free_port()
    with serve_health(home, scheduler_role(home.clock.now), str(port)):
        assert _status(port, "/readyz") == 200
        assert _status(port, "/metrics") == 200
        assert _status(port, "/") == 404
    assert _status(port, "/readyz") == 0


def _status(port: int, path: str) -> int:
    """What is answered; 0 where nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()
