"""What serving people needs: the database, the keys links are signed with, the limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from paperround.domain.limits import SignupLimits
from paperround.domain.tokens import KeyRing
from paperround.jobs.build import Identity
from paperround.jobs.key_check import KeyCheck
from paperround.store.unit_of_work import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where people sign up and change their minds.

    `wake` is called after a request or a notice was written, so that mail leaves within seconds,
    `plan` when somebody is due at once. `forget_mails` removes what is kept of these Message-IDs
    outside the database, after somebody was erased.
    """

    database: Database
    keys: KeyRing
    identity: Identity
    limits: SignupLimits
    default_hour: int
    wake: Callable[[], None]
    plan: Callable[[], None]
    forget_mails: Callable[[Sequence[str]], None]
    key_check: KeyCheck = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_check", KeyCheck(self.keys))
