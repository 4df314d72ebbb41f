"""Clients for these tests: guarded ones with short patience, and networks that lead where told."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from paperround.core.clock import FixedClock
from paperround.core.errors import FetchFailed
from paperround.http.client import GuardedClient
from paperround.http.model import FetchRequest, Page
from paperround.http.network import Address, Network, look_up
from paperround.http.transport import FetchLimits
from tests.http.faults import Behaviour, FaultServer

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
QUICK = FetchLimits(total=5.0)
"""Long enough for a busy machine; no test waits for its end."""
PUBLIC = "93.184.216.34"


@contextmanager
def guarded(
    *allow: str,
    limits: FetchLimits = QUICK,
    network: Network = Network(),  # noqa: B008 - a frozen value
    trust: ssl.SSLContext | None = None,
) -> Iterator[GuardedClient]:
    client = GuardedClient(
        user_agent="Paperround-test",
        allow=allow,
        clock=FixedClock(NOW),
        limits=limits,
        network=network,
        # Trusting nobody by default: loading the public authorities takes longer than most tests.
        trust=trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    try:
        yield client
    finally:
        client.close()


def fetch(behaviour: Behaviour, *, limits: FetchLimits = QUICK, **headers: str) -> Page:
    """What the client makes of a server that behaves like this."""
    with FaultServer({"/": behaviour}) as server, guarded(server.at, limits=limits) as client:
        return client.get(FetchRequest(url=server.url(), headers=headers))


def error_of(
    address: str,
    *allow: str,
    limits: FetchLimits = QUICK,
    network: Network = Network(),  # noqa: B008 - a frozen value
) -> FetchFailed:
    """The error of a GET that has to fail, within its time and a second."""
    started = time.monotonic()
    with (
        guarded(*allow, limits=limits, network=network) as client,
        pytest.raises(FetchFailed) as caught,
    ):
        client.get(FetchRequest(url=address))
    assert time.monotonic() - started <= limits.total + 1
    return caught.value


def only_examples_lead_to(server: FaultServer) -> Network:
    """Names under .example are public and lead to `server`, all others to where they truly lead."""
    led = Led([[PUBLIC]], port=server.port)

    def ask(host: str, port: int) -> Sequence[Address]:
        return (led.look_up if host.endswith(".example") else look_up)(host, port)

    return Network(look_up=ask, dial=led.dial)


def nobody_s(_address: Address) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Led:
    """Names and connections under a test's control. Nothing leaves the machine.

    Each look-up takes the next of `answers`, the last one again and again. Connections to
    `PUBLIC` are made to the local `port`, those to loopback as asked, all others fail.
    """

    answers: list[list[str]]
    port: int = 0
    dialled: list[str] = field(default_factory=list)

    def network(self, is_own: Callable[[Address], bool] = nobody_s) -> Network:
        return Network(look_up=self.look_up, dial=self.dial, is_own=is_own)

    def look_up(self, _host: str, _port: int) -> Sequence[Address]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(one) for one in found]

    def dial(self, address: Address, port: int, seconds: float) -> socket.socket:
        self.dialled.append(str(address))
        if str(address) == PUBLIC:
            return socket.create_connection(("127.0.0.1", self.port), seconds)
        if address.is_loopback:
            return socket.create_connection((str(address), port), seconds)
        raise ConnectionRefusedError
