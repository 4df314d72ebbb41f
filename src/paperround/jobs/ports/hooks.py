"""Webhooks of mail providers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from paperround.domain.hooks import Heard


class Hook(Protocol):
    """Knows one provider: how a request proves that it is the provider's, and how to read it."""

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Heard:
        """What a request tells; names of `headers` are in lower case.

        Raises Forged for one that is not proven to be the provider's, FetchFailed when that cannot
        be told now. Whatever else is wrong with a proven one is ignored: a provider that is sent an
        error would send the same again.
        """
        ...
