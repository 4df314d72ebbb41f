"""Ask a relay whether it would take our mail, without sending any."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from paperround.domain.smtp_url import Relay
from paperround.mail.conversation import Conversation, Event, Stopped, Timeouts
from paperround.mail.session import SelectorLoop, Session, World, route_to

_BRIEF = Timeouts(connect=10, command=15, goodbye=2)
_OUTSIDE = World()


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
