"""Sending mail over SMTP to the first relay that works, and asking a relay whether it would take
our mail without sending any."""

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

_USUAL = Timeouts()
_OUTSIDE = World()
_HOSTNAME = re.compile(r"[A-Za-z0-9.:\[\]-]+")


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
        self._hostname = hostname
        self._size = connections
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
        """Send `envelopes`; one outcome each, in any order, as jobs' Mailer describes it.

        An id that `before_dot` does not return has no outcome: its row is somebody else's now.
        Nor has an envelope whose id is under way already.
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
        batch = Batch(self._pool, self._world, size=self._size, stopping=stopping)
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
        """Say goodbye on the connections that are kept."""
        self._pool.close()

    def _session(self, route: Route) -> Session:
        talk = Conversation(
            route.relay,
            hostname=self._hostname,
            timeouts=self._timeouts,
            pipelining=self._pipelining,
        )
        return Session(route, talk, began=self._world.monotonic())


_BRIEF = Timeouts(connect=10, command=15, goodbye=2)


@dataclass(slots=True)
class Probed:
    """Where a mail would be stopped, None when the relay would take it; and until when the relay's
    certificate is good, where it showed one."""

    stopped: Stopped | None = None
    certificate_until: datetime | None = None

    def note(self, _session: Session, event: Event | None) -> None:
        """Hear what the session came to."""
        self.stopped = event if isinstance(event, Stopped) else self.stopped


def probe(relay: Relay, *, hostname: str, sender: str, timeouts: Timeouts = _BRIEF) -> Probed:
    """What the relay says to a mail from `sender`.

    `hostname` is the name in EHLO. Raises Misconfigured for a certificate file that cannot be
    read.
    """
    probed = Probed()
    route = route_to(relay, seconds=timeouts.connect, world=_OUTSIDE)
    talk = Conversation(relay, hostname=hostname, timeouts=timeouts, sender=sender)
    session = Session(route, talk, began=0.0)
    loop = SelectorLoop(_OUTSIDE, probed.note)
    loop.join(session)
    while loop.sessions:
        loop.listen(inf)
        if talk.is_idle:
            probed.certificate_until = _certificate_until(session)
            loop.say_goodbye(session)
    loop.close()
    return probed


def _certificate_until(session: Session) -> datetime | None:
    known = session.sock.getpeercert() if isinstance(session.sock, ssl.SSLSocket) else None
    if not known:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(known["notAfter"])), tz=UTC)
