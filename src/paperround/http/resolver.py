"""Asking the DNS, for the checks of an installation.

The servers of this machine are asked, and their answer is believed as it is.
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
"""For one question, all tries together."""

MOST_UNANSWERED = 2
"""Questions in a row that are waited for in vain. Each of the others would take its time too."""


class SystemResolver:
    """The DNS as this machine sees it, or as the servers that `asked` knows do; for one command,
    since it does not try again what was silent."""

    def __init__(
        self,
        asked: dns.resolver.Resolver | None = None,
        *,
        seconds: float = SECONDS,
        look_up: Callable[[str, int], Sequence[Address]] = look_up,
    ) -> None:
        self._asked = asked
        self._look_up = look_up
        self._seconds = seconds
        self._unanswered = 0

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at `name`, the strings of each joined; none where there are none. What no
        record should hold, and a terminal would obey, is a question mark in a square.

        Raises FetchFailed when nobody answers, as all of these do.
        """
        found = self._ask(name, RdataType.TXT)
        strings = [b"".join(record.strings) for record in found if isinstance(record, TXT)]
        return tuple(
            "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
            for text in (one.decode("utf-8", "replace") for one in strings)
        )

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a host, of both kinds."""
        found = [*self._ask(name, RdataType.A), *self._ask(name, RdataType.AAAA)]
        return tuple(record.to_text() for record in found)

    def exchangers(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for a domain (MX), the preferred first."""
        found = [one for one in self._ask(name, RdataType.MX) if isinstance(one, MX)]
        ordered = sorted(found, key=lambda one: (one.preference, one.exchange.to_text()))
        names = (one.exchange.to_text().rstrip(".") for one in ordered)
        return tuple(name for name in names if name)

    def hosts(self, address: str) -> tuple[str, ...]:
        """The names that an address has (PTR)."""
        place = dns.reversename.from_address(address).to_text()
        return tuple(one.to_text().rstrip(".") for one in self._ask(place, RdataType.PTR))

    def answers_for(self, host: str) -> bool:
        """Whether the system is told about the name of a host, be it that there is no such host."""
        try:
            self._look_up(host, 0)
        except OSError as error:
            return error.errno != socket.EAI_AGAIN
        return True

    def _ask(self, name: str, kind: RdataType) -> Iterable[Rdata]:
        if self._unanswered >= MOST_UNANSWERED:
            raise FetchFailed(f"the DNS was not asked for {name}: it did not answer before")
        try:
            asked = self._asked or dns.resolver.get_default_resolver()
            found: Iterable[Rdata] = asked.resolve(name, kind, lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            found = ()
        except dns.exception.Timeout as error:
            self._unanswered += 1
            raise FetchFailed(f"the DNS did not answer for {name}: nothing came in time") from error
        except (dns.exception.DNSException, OSError) as error:
            # A few words: which servers were asked, and how often, stands in the rest.
            nobody = isinstance(error, dns.resolver.NoNameservers)
            why = "no server could say" if nobody else type(error).__name__
            raise FetchFailed(f"the DNS did not answer for {name}: {why}") from error
        self._unanswered = 0
        return found
