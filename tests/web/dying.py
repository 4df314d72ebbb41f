"""A server that dies in the middle of one request: `python -m tests.web.dying URL DIR MOMENT WHAT`.

Moments: `done`, before the answer is written down; `kept`, before the commit; `committed`, before
anything is sent. WHAT is `feed`, or `subscription`.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from paperround.access.model import Scope
from paperround.access.store import AnswerStore
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.web import auth
from paperround.web.app import create_app
from tests.builders import NOW
from tests.web.admin import FEEDS, PUBLIC_URL, bearer, feed_body, key_for, program

KEYED = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
REQUESTS: dict[str, tuple[str, Any]] = {
    "feed": (FEEDS, feed_body()),
    "subscription": ("/api/v1/subscriptions", {"email": "ada@mail.example"}),
}


def feed_settings(url: str, folder: Path) -> Settings:
    """An installation on the database at `url`."""
    return Settings(
        data_dir=folder,
        public_url=PUBLIC_URL,
        database_url=url,
        secret_key="a secret that is only used by these tests",
    )


def die(*_: object, **__: object) -> None:
    """End as if the power had gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(do: Callable[..., Any]) -> Callable[..., Any]:
    """`do`, and then the end."""

    def done(*arguments: Any) -> None:
        do(*arguments)
        die()

    return done


def arm(moment: str) -> None:
    """Let this process die at the moment."""
    if moment == "done":
        AnswerStore.save = die  # type: ignore[method-assign]
    elif moment == "kept":
        Connection.commit = die  # type: ignore[method-assign]
    else:
        auth._run_once = die_after(auth._run_once)


def main(url: str, folder: str, moment: str, what: str) -> None:
    """Ask once, and die of it."""
    runtime = AppContext(feed_settings(url, Path(folder)), FixedClock(NOW))
    key = key_for(runtime, *Scope)
    client = program(create_app(runtime), None)
    path, body = REQUESTS[what]
    client.get(FEEDS, headers=bearer(key))  # so that only the request itself is left to write
    sys.stdout.write(key)
    sys.stdout.flush()
    arm(moment)
    client.post(path, json=body, headers={**bearer(key), **KEYED})


if __name__ == "__main__":
    main(*sys.argv[1:])
