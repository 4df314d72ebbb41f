"""A dead-man switch: a service that raises the alarm when it has *not* heard from us.

A process asks it at most every five minutes, and only while digests get out. What goes wrong with
it is logged and changes nothing: the service notices the silence, which is what it is for.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.core.errors import FetchFailed
from paperround.http.model import FetchRequest, HttpClient

EVERY = timedelta(minutes=5)

log = logging.getLogger(__name__)


class Silence:
    """Nobody listens."""

    def ping(self, event: str, *, now: datetime) -> None:
        """Do nothing."""


@dataclass
class WebPinger:
    """Asks `url` with GET, which is what the common services count as a sign of life."""

    url: str
    client: HttpClient
    _last: datetime | None = field(default=None, init=False)

    def ping(self, event: str, *, now: datetime) -> None:
        """Say that `event` was done, unless something was said within the last five minutes."""
        if self._last is not None and abs(now - self._last) < EVERY:  # a clock may be set back
            return
        self._last = now
        try:
            self.client.get(FetchRequest(url=self.url))
        except FetchFailed as error:
            log.warning("the dead-man switch did not hear of %r: %s", event, error)


def pinger_for(url: str | None, client: HttpClient) -> Silence | WebPinger:
    """The pinger of the address that is set, or one that is silent."""
    return WebPinger(url, client) if url else Silence()
