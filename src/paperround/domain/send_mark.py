"""The send mark: what a machine remembers outside the database of how far its sending came."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMark:
    """`at` is the instant of the last claim or outcome that `host` wrote into the database of
    `installation`; it only grows."""

    installation: str
    host: str
    at: datetime
