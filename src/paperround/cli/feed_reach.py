"""Whether the services of new feeds can be reached from this machine: said when they are added."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from paperround.domain.errors import FetchFailed, FetchRefused, NameNotFound

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import NewFeed
    from paperround.wiring import Runtime

SECONDS = 4.0
"""How long one service may take to be connected to."""


def unreachable(home: "Runtime", feeds: "Iterable[NewFeed]") -> str | None:
    """Why a service of `feeds` cannot be reached, and what to look at; None when all can. They are
    connected to, and asked nothing."""
    from paperround.domain.feeds import FeedState, Progress

    client = home.client_for(*home.settings.open_places)
    asked = {}
    for feed in feeds:
        state = FeedState(url=feed.url, settings=feed.settings, progress=Progress())
        url = home.sources[feed.kind].plan(state, home.clock.now()).url
        asked[urlsplit(url).netloc] = url
    try:
        for url in asked.values():
            client.reach(url, seconds=SECONDS)
    except FetchFailed as error:
        return f"{error}{_way_out(error)}"
    return None


def _way_out(error: FetchFailed) -> str:
    from urllib.request import getproxies  # as slow to load as the rest of the commands

    if isinstance(error, FetchRefused):
        return ""  # it names its own
    if any(name in getproxies() for name in ("http", "https", "all")):
        return ": this machine uses a proxy, and Paperround asks each service directly"
    if isinstance(error, NameNotFound):
        return ": does this machine have a network, and does its DNS answer?"
    return ": a firewall may block it, or the service is down"
