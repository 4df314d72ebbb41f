"""`--health`: the small pages of a worker or a scheduler, for whatever watches the process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.domain.errors import Misconfigured

if TYPE_CHECKING:
    from paperround.web.role import Role
    from paperround.wiring import Runtime

HERE = "127.0.0.1"

Health = Annotated[
    str | None,
    typer.Option(
        "--health",
        metavar="[ADDRESS:]PORT",
        help="Tell at /healthz, /readyz and /metrics how this process is doing; without an "
        f"address on {HERE}.",
    ),
]


@contextmanager
def watched(home: "Runtime", role: "Role", place: str | None) -> Iterator[None]:
    """The pages of `role` are served at `place` within; nothing is where that is None. Raises
    Misconfigured where nothing can listen there."""
    if place is None:
        yield
        return
    from paperround.cli.server import server
    from paperround.web.role import role_app

    with _door(place) as door:
        running = server(role_app(home, role), host=HERE, port=0)
        thread = threading.Thread(
            target=running.run, kwargs={"sockets": [door]}, name="paperround-health", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            running.should_exit = True
            thread.join(timeout=5)


def _door(place: str) -> socket.socket:
    """A socket that listens at `[ADDRESS:]PORT`."""
    address, _, port = place.rpartition(":")
    address = address.strip("[]") or HERE
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise typer.BadParameter("write PORT or ADDRESS:PORT, like 8081", param_hint="--health")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, int(port)), family=family)
    except OSError as error:
        raise Misconfigured(f"--health {place}: {error.strerror or error}") from error
