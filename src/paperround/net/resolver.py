"""Asking the DNS, for the checks of an installation.

The servers of this machine are asked, and their answer is believed as it is.
"""

from collections.abc import Iterable

import dns.exception
import dns.resolver
import dns.reversename
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TXT import TXT

from paperround.domain.errors import FetchFailed

SECONDS = 5.0
"""For one question, all tries together."""


class SystemResolver:
    """The DNS as this machine sees it, or as the servers that `asked` knows do."""

    def __init__(
        self, asked: dns.resolver.Resolver | None = None, *, seconds: float = SECONDS
    ) -> None:
        self._asked = asked
        self._seconds = seconds

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at `name`, the strings of each joined; none where there are none.

        Raises FetchFailed when nobody answers, as all of these do.
        """
        found = self._ask(name, RdataType.TXT)
        strings = [record.strings for record in found if isinstance(record, TXT)]
        return tuple(b"".join(one).decode("utf-8", "replace") for one in strings)

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a host, of both kinds."""
        found = [*self._ask(name, RdataType.A), *self._ask(name, RdataType.AAAA)]
        return tuple(record.to_text() for record in found)

    def hosts(self, address: str) -> tuple[str, ...]:
        """The names that an address has (PTR)."""
        place = dns.reversename.from_address(address).to_text()
        return tuple(one.to_text().rstrip(".") for one in self._ask(place, RdataType.PTR))

    def _ask(self, name: str, kind: RdataType) -> Iterable[Rdata]:
        try:
            asked = self._asked or dns.resolver.get_default_resolver()
            return asked.resolve(name, kind, lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            raise FetchFailed(f"the DNS did not answer for {name}: {_why(error)}") from error


def _why(error: Exception) -> str:
    """A few words: which servers were asked, and how often, stands in the rest."""
    match error:
        case dns.exception.Timeout():
            return "nothing came in time"
        case dns.resolver.NoNameservers():
            return "no server could say"
        case _:
            return type(error).__name__
