"""The dependencies of sign-up and self-service: the database, signing keys, rate limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paperround.core.rates import SignupLimits
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database
from paperround.delivery.model import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupContext:
    """The dependencies of sign-up and self-service.

    `wake` is called after a request or a system email was queued, so that it is sent within
    seconds; `plan` when a digest is due at once. `remove_emails` deletes the files of messages with
    these Message-IDs after a person was erased.
    """

    database: Database
    keys: KeyRing
    identity: Identity
    limits: SignupLimits
    default_hour: int
    wake: Callable[[], None]
    plan: Callable[[], None]
    remove_emails: Callable[[Sequence[str]], None]
