"""Ping a dead-man switch: a service that raises the alarm when pings stop.

A process pings it at most every five minutes, and only while digests get out. A ping that fails is
logged and changes nothing: the service notices that it is missing.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.core.errors import FetchFailed
from paperround.http.model import FetchRequest, HttpClient

PING_INTERVAL = timedelta(minutes=5)

log = logging.getLogger(__name__)


class NoPinger:
    """The pinger of an installation without a dead-man switch."""

    def ping(self, event: str, *, now: datetime) -> None:
        """Do nothing."""


@dataclass
class WebPinger:
    """Requests `url` with GET, which the common services count as a ping."""

    url: str
    client: HttpClient
    _last: datetime | None = field(default=None, init=False)

    def ping(self, event: str, *, now: datetime) -> None:
        """Report `event`, unless there was a ping within the last five minutes."""
        # The clock may be set back.
        if self._last is not None and abs(now - self._last) < PING_INTERVAL:
            return
        self._last = now
        try:
            self.client.get(FetchRequest(url=self.url))
        except FetchFailed as error:
            log.warning("the dead-man switch did not hear of %r: %s", event, error)


def pinger_for(url: str | None, client: HttpClient) -> NoPinger | WebPinger:
    """Return a pinger of `url`, or one that does nothing where none is set."""
    return WebPinger(url, client) if url else NoPinger()
