"""Send email through the first relay that works, and probe a relay without sending."""

import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from paperround.core.errors import Misconfigured
from paperround.core.smtp_url import Relay
from paperround.delivery.model import Envelope, Outcome
from paperround.delivery.smtp.batch import Batch, BeforeDot
from paperround.delivery.smtp.conversation import Conversation, Event, Stopped, Timeouts
from paperround.delivery.smtp.pool import ConnectionPool
from paperround.delivery.smtp.session import Route, SelectorLoop, Session, World, route_to

_DEFAULT_TIMEOUTS = Timeouts()
_WORLD = World()
_HOSTNAME = re.compile(r"[A-Za-z0-9.:\[\]-]+")


class SmtpMailer:
    """Send batches, and remember between them which relays work.

    `connections` is the most connections to a relay; they are opened as needed. Without
    `pipelining`, each command waits for its reply, even if the server supports PIPELINING.
    Connections stay open for `keep` seconds after a batch, for the next one.

    Several threads may each send a batch. Raises Misconfigured for an unreadable certificate file
    and for a hostname that is not valid in EHLO.
    """

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        hostname: str,
        connections: int = 10,
        pipelining: bool = True,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        keep: float = 0.0,
        world: World = _WORLD,
    ) -> None:
        if not _HOSTNAME.fullmatch(hostname):
            raise Misconfigured(f"{hostname!r} is not a host name to introduce ourselves with")
        self._hostname = hostname
        self._connections = connections
        self._pipelining = pipelining
        self._timeouts = timeouts
        self._world = world
        routes = [
            route_to(relay, number=number, seconds=timeouts.connect, world=world)
            for number, relay in enumerate(relays)
        ]
        self._pool = ConnectionPool(routes, self._session, most=connections, keep=keep, world=world)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: BeforeDot,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Outcome]:
        """Send `envelopes` and yield one outcome for each, in any order; see `Mailer`.

        There is no outcome for an id that `before_dot` does not return, because its row belongs to
        another claim, nor for an id that is already in flight. An ambiguous envelope gets an
        outcome at MAIL with the error `unsendable: ...`. A message without a session is deferred;
        once every relay is paused, so is the rest of the batch, without another try. A message that
        was queued behind another when their connection was lost is offered again over a new one.

        Once `stopping` returns true, messages not offered yet have no outcome.

        An error of `envelopes` or `before_dot` is raised after the outcomes of the dots already
        written; no other dot follows. Closing the iterator early also writes no more dots, but
        loses outcomes: to stop and lose none, end `envelopes` and read on.
        """
        batch = Batch(self._pool, self._world, size=self._connections, stopping=stopping)
        try:
            yield from batch.deliver(iter(envelopes), before_dot)
            batch.finish()
        except GeneratorExit:
            raise
        except BaseException:
            yield from batch.abort(self._timeouts.patience)
            raise
        finally:
            batch.close(self._timeouts.patience)

    def close(self) -> None:
        """Quit the idle connections."""
        self._pool.close()

    def _session(self, route: Route) -> Session:
        conversation = Conversation(
            route.relay,
            hostname=self._hostname,
            timeouts=self._timeouts,
            pipelining=self._pipelining,
        )
        return Session(route, conversation, began=self._world.monotonic())


_PROBE_TIMEOUTS = Timeouts(connect=10, command=15, goodbye=2)


@dataclass(slots=True)
class Probed:
    """The result of a probe: where a message would be refused, None if it would be accepted, and
    when the relay's certificate expires, if it has one."""

    stopped: Stopped | None = None
    certificate_until: datetime | None = None


def probe(
    relay: Relay, *, hostname: str, sender: str, timeouts: Timeouts = _PROBE_TIMEOUTS
) -> Probed:
    """Test whether the relay accepts a message from `sender`.

    `hostname` is the name in EHLO. Raises Misconfigured for an unreadable certificate file.
    """
    probed = Probed()

    def note(_session: Session, event: Event | None) -> None:
        if isinstance(event, Stopped):
            probed.stopped = event

    route = route_to(relay, seconds=timeouts.connect, world=_WORLD)
    conversation = Conversation(relay, hostname=hostname, timeouts=timeouts, sender=sender)
    session = Session(route, conversation, began=0.0)
    loop = SelectorLoop(_WORLD, note)
    loop.join(session)
    while loop.sessions:
        loop.listen(inf)
        if conversation.is_idle:
            if isinstance(session.sock, ssl.SSLSocket) and (peer := session.sock.getpeercert()):
                expiry = ssl.cert_time_to_seconds(str(peer["notAfter"]))
                probed.certificate_until = datetime.fromtimestamp(expiry, tz=UTC)
            loop.quit(session)
    loop.close()
    return probed
