"""Query the DNS for the checks of an installation.

Queries go to the resolvers of this machine; their responses are not verified.
"""

import socket
from collections.abc import Callable, Iterable, Sequence

import dns.exception
import dns.resolver
import dns.reversename
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from paperround.core.errors import FetchFailed
from paperround.http.network import Address, look_up

SECONDS = 5.0
"""Timeout of one query, with all its retries."""

MAX_TIMEOUTS = 2
"""Timeouts in a row after which queries fail at once, as each would take the full timeout."""


class Resolver:
    """Queries the resolvers of this machine, or those of `resolver`. Use one for each command,
    because it stops querying after repeated timeouts."""

    def __init__(
        self,
        resolver: dns.resolver.Resolver | None = None,
        *,
        seconds: float = SECONDS,
        look_up: Callable[[str, int], Sequence[Address]] = look_up,
    ) -> None:
        self._resolver = resolver
        self._look_up = look_up
        self._seconds = seconds
        self._timeouts = 0

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of `name`, the strings of each joined.

        Unprintable characters, which could control a terminal, become replacement characters. Like
        every method, raises FetchFailed when no server responds.
        """
        found = self._query(name, RdataType.TXT)
        strings = [b"".join(record.strings) for record in found if isinstance(record, TXT)]
        return tuple(
            "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
            for text in (one.decode("utf-8", "replace") for one in strings)
        )

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 and IPv6 addresses of a host."""
        found = [*self._query(name, RdataType.A), *self._query(name, RdataType.AAAA)]
        return tuple(record.to_text() for record in found)

    def exchangers(self, name: str) -> tuple[str, ...]:
        """Return the mail servers of a domain (MX), the preferred one first."""
        found = [one for one in self._query(name, RdataType.MX) if isinstance(one, MX)]
        ordered = sorted(found, key=lambda one: (one.preference, one.exchange.to_text()))
        names = (one.exchange.to_text().rstrip(".") for one in ordered)
        return tuple(name for name in names if name)

    def hosts(self, address: str) -> tuple[str, ...]:
        """Return the names of an address (PTR)."""
        name = dns.reversename.from_address(address).to_text()
        return tuple(one.to_text().rstrip(".") for one in self._query(name, RdataType.PTR))

    def answers_for(self, host: str) -> bool:
        """Whether the system resolver responds for a host, even with "no such host"."""
        try:
            self._look_up(host, 0)
        except OSError as error:
            return error.errno != socket.EAI_AGAIN
        return True

    def _query(self, name: str, kind: RdataType) -> Iterable[Rdata]:
        if self._timeouts >= MAX_TIMEOUTS:
            raise FetchFailed(f"the DNS was not asked for {name}: it did not answer before")
        try:
            resolver = self._resolver or dns.resolver.get_default_resolver()
            found: Iterable[Rdata] = resolver.resolve(name, kind, lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            found = ()
        except dns.exception.Timeout as error:
            self._timeouts += 1
            raise FetchFailed(f"the DNS did not answer for {name} in time") from error
        except (dns.exception.DNSException, OSError) as error:
            # Short, because the full message lists the servers and all attempts.
            is_refused = isinstance(error, dns.resolver.NoNameservers)
            why = "no server could answer" if is_refused else type(error).__name__
            raise FetchFailed(f"the DNS did not answer for {name}: {why}") from error
        self._timeouts = 0
        return found
