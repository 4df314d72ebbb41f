"""Which mail domains are refused at sign-up: those that give out addresses to throw away.

The list is the one of disposable-email-domains, which the community keeps up to date; an operator
adds to it, takes from it, or switches it off.
"""

from functools import cache

from paperround.domain.errors import invalid
from paperround.domain.mailboxes import RefusedNames, and_above, parse_refused
from paperround.domain.subscribers import Address


class RefusedDomains:
    """Judges the domains of addresses by what an operator named."""

    def __init__(self, names: RefusedNames) -> None:
        self._names = names

    def require_kept(self, address: Address) -> None:
        """Raise InvalidInput for an address at a refused domain, or below one. This is a matter of
        the domain alone: it tells nothing of the address."""
        above = set(and_above(address.domain))
        if above & self._names.let_in:
            return
        if above & self._names.refused:
            raise invalid(
                "email",
                "addresses at %(name)s cannot be signed up here: use another one of yours",
                name=address.domain,
            )
        if self._names.disposable and above & _disposable():
            raise invalid(
                "email",
                "addresses at %(name)s are made to be thrown away: use one that you keep",
                name=address.domain,
            )


@cache
def refused_domains(setting: str) -> RefusedDomains:
    """What the setting REFUSED_DOMAINS says; raises InvalidInput when that cannot be read."""
    return RefusedDomains(parse_refused(setting))


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist  # ten thousand names: only whoever asks needs it

    return frozenset(blocklist)
