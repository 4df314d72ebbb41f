"""What comes back: the events that are kept, what they add up to, and where mails wait."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from paperround.domain.returns import (
    Did,
    Letter,
    OwnMail,
    Proof,
    QuarantinedMail,
    ReturnedEvent,
    ReturnId,
    ReturnRecord,
    ReturnTally,
)
from paperround.domain.standing import Standing
from paperround.domain.subscribers import SubscriberId


class ReturnStore(Protocol):
    """Events, standings and the quarantine."""

    def begin(self, event: ReturnedEvent, *, now: datetime) -> ReturnId | None:
        """Keep that `event` came, of no use yet; None when it came before. One that nobody
        understood then, and that is understood now, counts as new."""
        ...

    def end(
        self,
        event: ReturnId,
        did: Did,
        *,
        proof: Proof = Proof.NONE,
        mail: OwnMail | None = None,
        said: str = "",
    ) -> None:
        """Keep what it did, what it was about, and the words that may be kept of it."""
        ...

    def mail_in(self, book: str, row: int) -> OwnMail | None:
        """The mail of a row of the ledger; `book` is `delivery` or `notice`."""
        ...

    def mail_called(self, message_id: str) -> OwnMail | None:
        """The mail with this Message-ID."""
        ...

    def mail_to(self, recipient: str, *, since: datetime) -> OwnMail | None:
        """The digest that was last handed over to `recipient` since then, whatever the case."""
        ...

    def has_bounced(self, mail: OwnMail) -> bool:
        """Whether a bounce of `mail` was counted before."""
        ...

    def standing(self, person: SubscriberId) -> Standing:
        """What is held against a person; nobody else changes it once they are locked."""
        ...

    def set_standing(self, person: SubscriberId, standing: Standing, *, now: datetime) -> None: ...

    def forgive(self, person: SubscriberId) -> None:
        """Hold nothing against a person any more."""
        ...

    def stopped_since(self, person: SubscriberId, since: datetime) -> tuple[int, int]:
        """How many people were stopped since then: at the mail domain of `person`, and in all."""
        ...

    def events(self, person: SubscriberId | None, *, limit: int) -> list[ReturnRecord]:
        """Events about a person, or all of them, newest first."""
        ...

    def tally(self, *, since: datetime, today: date) -> ReturnTally:
        """What came back since then."""
        ...

    # --- quarantine

    def keep(
        self,
        event: ReturnedEvent,
        content: bytes,
        *,
        why: str,
        person: SubscriberId | None,
        now: datetime,
    ) -> None:
        """Keep the bytes of a mail for a person to look at; those of the oldest mail go when there
        is no more room."""
        ...

    def waiting(self, *, limit: int) -> list[QuarantinedMail]:
        """The mails in quarantine, newest first."""
        ...

    def quarantined(self, number: int) -> tuple[QuarantinedMail, bytes] | None: ...

    def release(self, number: int) -> None:
        """Take a mail out of the quarantine."""
        ...

    def forget(self, *, events: datetime, mails: datetime) -> int:
        """Forget events and quarantined mails from before, and what is too many of the events about
        no mail of ours; returns how many went."""
        ...


class ReturnReader(Protocol):
    """Reads mails that come back."""

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        """What a mail says, whatever it is. `to` is where it was delivered to, where that is
        known. Never raises for what stands in it."""
        ...


class ReturnBox(Protocol):
    """A mailbox that mails come back to, opened."""

    def letters(self, *, limit: int) -> Iterator[Letter]:
        """The oldest mails; raises FetchFailed when the mailbox cannot be read."""
        ...

    def done(self, letters: Sequence[Letter]) -> None:
        """Take these out of the way."""
        ...
