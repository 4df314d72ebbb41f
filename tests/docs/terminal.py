"""A terminal in an empty folder, in which the commands of a page are typed one after the other.

The commands run in this process. Their clock shows a set time, and they reach no network: the
services, the chats and the DNS that they ask are made up.
"""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner, Result

from paperround import bootstrap
from paperround.bootstrap import AppContext
from paperround.cli.app import app
from paperround.core.clock import StartedClock, SystemClock
from paperround.feeds.fetcher import FeedContext
from paperround.http.model import FetchRequest, Page
from paperround.plugins.once import installation
from tests.fakes import FakeResolver
from tests.feeds.arxiv_samples import item, rss
from tests.story.clocked import cut_off
from tests.web.admin import Service

MORNING = datetime(2026, 1, 30, 7, tzinfo=UTC)
ANNOUNCED = "Fri, 30 Jan 2026 00:00:00 -0500"
DAILY_PAPERS = [
    {
        "paper": {
            "id": f"2601.0000{number}",
            "title": f"Counting {number} bees",
            "summary": f"We count {number} bees and say what diffusion models make of it.",
            "authors": [{"name": "Ada Ring"}],
            "publishedAt": "2026-01-29T20:00:00.000Z",
            "upvotes": 10 * number,
        },
        "publishedAt": "2026-01-30T06:00:00.000Z",
        "title": f"Counting {number} bees",
        "numComments": number,
    }
    for number in (1, 2, 3)
]
ANSWERS: Mapping[str, bytes | Exception] = {
    "huggingface.co": json.dumps(DAILY_PAPERS).encode(),
    "arxiv.org": rss(
        *(item(f"2601.000{n}v1", title=f"A Study of {n}", day=ANNOUNCED) for n in ("01", "77"))
    ),
}


@dataclass
class World(Service):
    """Every service, and every chat: it takes what is posted."""

    def require_open(self, url: str, *, seconds: float) -> None:
        """Any address may be asked."""

    def post(self, request: FetchRequest, *, before_body: Callable[[], bool]) -> Page:
        assert before_body()
        return replace(self.get(request), body=b"ok")


@dataclass(frozen=True)
class Offline(AppContext):
    """An installation whose services, and whose DNS, are made up."""

    opened: ClassVar[list[Any]] = []
    world: World = field(default_factory=lambda: World(says=dict(ANSWERS)))

    @cached_property
    def engine(self) -> Any:
        self.opened.append(super().engine)
        return self.opened[-1]

    @cached_property
    def client(self) -> Any:
        return self.world

    def client_for(self, *_: str, **__: Any) -> Any:
        return self.world

    @cached_property
    def resolver(self) -> Any:
        zone = Path("zone.json")
        return FakeResolver(held=json.loads(zone.read_text()) if zone.exists() else {})

    @cached_property
    def feed_context(self) -> FeedContext:
        return replace(super().feed_context, client=self.world, pause=lambda _: None)


@dataclass
class Typing:
    """A clock that runs, and is ten seconds further with each command."""

    begun: StartedClock = field(default_factory=lambda: StartedClock(MORNING))
    commands: int = 0

    def now(self) -> datetime:
        return self.begun.now() + timedelta(seconds=10 * self.commands)


@contextmanager
def offline() -> Iterator[Typing]:
    """Let commands begin on a Friday morning, and ask nobody."""
    clock = Typing()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SystemClock, "now", lambda _: clock.now())
        patched.setattr(bootstrap, "AppContext", Offline)
        patched.setattr(installation, "AppContext", Offline)
        patched.setattr(socket, "getaddrinfo", socket.getaddrinfo)
        cut_off()
        try:
            yield clock
        finally:
            while Offline.opened:
                Offline.opened.pop().dispose()


@dataclass(frozen=True)
class Terminal:
    """A folder in which commands are typed."""

    folder: Path
    clock: Typing

    def run(self, *words: str, typed: str = "") -> Result:
        """What `paperround` does with these words."""
        self.clock.commands += 1
        return CliRunner().invoke(app, list(words), input=typed)

    def works(self, *words: str, typed: str = "", exit_code: int = 0) -> str:
        """The output of a command, which must end as it should."""
        result = self.run(*words, typed=typed)
        told = f"paperround {' '.join(words)}: {result.output} {result.exception!r}"
        assert result.exit_code == exit_code, told
        return result.stdout

    def json(self, *words: str) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.works(*words, "--json"))

    def publish_dns(self) -> None:
        """Put what `dkim show-dns` prints into the DNS."""
        records = self.json("dkim", "show-dns")["records"]
        zone = {one["name"]: [one["value"]] for one in records}
        self.folder.joinpath("zone.json").write_text(json.dumps(zone))
