"""Posts: what a channel is sent of an edition, and what became of it.

A post is a row of the ledger like every mail, with the same states. What cannot be said in one
message of a service is said in several; each is marked before its body goes out, and the row tells
how many were taken. So a process that dies leaves one message in doubt, and repeats none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from paperround.domain.deliveries import Reply, Verdict
from paperround.domain.digests import DigestView

LONGEST_SAID = 500
"""Characters that are kept of what a service answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a channel is told: the digest, the name that all tries of it share, and its date."""

    view: DigestView
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """A few words that show that a channel works, and count for nothing."""

    list_title: str
    words: str
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request: bytes, and headers beside those that every request has. It shows so many of the
    digest's `papers`, those after what the messages before it show."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    papers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOutcome:
    """What became of one message, and the answer, if one came: its status and first words. A hook
    that is no more is `verdict.blame.subscriber`: nothing will ever be taken there."""

    verdict: Verdict
    reply: Reply | None = None
