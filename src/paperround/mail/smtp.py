"""Sending mail over SMTP to the first relay that works."""

import re
import selectors
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from socket import socket

from paperround.domain.deliveries import Envelope, Outcome
from paperround.domain.errors import Misconfigured
from paperround.domain.smtp_url import Relay, Tls
from paperround.mail.batch import Batch, BeforeDot, Means
from paperround.mail.commands import Offers
from paperround.mail.connection import Connection, Timeouts, dial
from paperround.mail.conversation import Conversation
from paperround.mail.opener import Opened, Opening, Running, Waiting, in_a_thread
from paperround.mail.relays import Relays
from paperround.mail.session import Session
from paperround.mail.shelf import Shelf
from paperround.mail.switchboard import Switchboard

_USUAL = Timeouts()
_HOSTNAME = re.compile(r"[A-Za-z0-9.:\[\]-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What sending takes from outside: the clock, the network, and threads for openings."""

    monotonic: Callable[[], float] = time.monotonic
    selector: Callable[[], selectors.BaseSelector] = selectors.DefaultSelector
    dial: Callable[[Relay, float], socket] = dial
    start: Callable[[Callable[[], None]], Running] = in_a_thread


_OUTSIDE = World()


class SmtpMailer:
    """Sends batches, and knows from one to the next which relays work.

    `connections` is the most there may be to a relay at once; fewer are opened when fewer are
    needed. `pipelining` off sends command after command also where the server takes groups.
    Connections are kept for `keep` seconds after a batch, for the next one.

    Several threads may each send a batch. Raises Misconfigured for a certificate file that cannot
    be read, or a name no server would take in EHLO.
    """

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        hostname: str,
        connections: int = 10,
        pipelining: bool = True,
        timeouts: Timeouts = _USUAL,
        keep: float = 0.0,
        world: World = _OUTSIDE,
    ) -> None:
        if not _HOSTNAME.fullmatch(hostname):
            raise Misconfigured(f"{hostname!r} is not a host name to introduce ourselves with")
        self._routes = [(relay, _context(relay)) for relay in relays]
        self._hostname = hostname
        self._pipelining = pipelining
        self._timeouts = timeouts
        self._world = world
        relays_known = Relays(relays, sessions=connections)
        self._shelf = Shelf(keep, relays_known.ended, goodbye=timeouts.goodbye)
        self._means = Means(
            relays=relays_known,
            shelf=self._shelf,
            open=self._open,
            greet=self._greet,
            size=connections,
            timeouts=timeouts,
            monotonic=world.monotonic,
        )

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: BeforeDot,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Outcome]:
        """Send `envelopes`; one outcome each, in any order, as jobs' Mailer describes it.

        An id that `before_dot` does not return has no outcome: its row is somebody else's now.
        Nor has an envelope whose id is under way already, at its mark or at its dot.
        An envelope no server could read in one way only is answered at MAIL with the error
        `unsendable: ...`. A mail that gets no session is put off; once every relay is left alone
        for a while, so is the rest of the batch, without another try. A mail that was lined up
        behind another when their connection was lost is offered again over a new one.

        Once `stopping` says so, mails that are on no wire yet stay where they are, without an
        outcome.

        An error of `envelopes` or `before_dot` is raised here after the outcomes of the dots
        already written; no other dot follows. Closing the iterator early does the same, but can
        give no outcomes: to stop and lose none, end `envelopes` and read on.
        """
        batch = Batch(self._means, self._switchboard(), stopping)
        try:
            yield from batch.deliver(iter(envelopes), before_dot)
            batch.finish()
        except GeneratorExit:
            raise
        except BaseException:
            yield from batch.abort()
            raise
        finally:
            batch.dismiss()

    def close(self) -> None:
        """Say goodbye on the connections that are kept."""
        self._shelf.clear()

    def _switchboard(self) -> Switchboard:
        times = self._timeouts
        shortest = min(times.command, times.dot, times.goodbye)
        return Switchboard(self._world.selector(), self._world.monotonic, shortest=shortest)

    def _open(self, number: int, waiting: Waiting, report: Callable[[Opening], None]) -> Opening:
        relay, context = self._routes[number]
        connection = Connection(
            relay,
            hostname=self._hostname,
            timeouts=self._timeouts,
            context=context,
            dial=self._world.dial,
            monotonic=self._world.monotonic,
        )
        return Opening(connection, number, waiting, report=report, start=self._world.start)

    def _greet(self, opened: Opened, number: int) -> Session:
        offers = Offers.named(opened.features, pipelining=self._pipelining)
        return Session(opened.sock, number, Conversation(offers, self._timeouts))


def _context(relay: Relay) -> ssl.SSLContext | None:
    if relay.tls is Tls.NONE:
        return None
    try:
        return ssl.create_default_context(cafile=relay.ca_file)
    except OSError as error:
        raise Misconfigured(
            f"the certificate file {relay.ca_file} of {relay} cannot be used: {error.strerror}"
        ) from error
