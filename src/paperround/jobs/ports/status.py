"""Numbers over the ledger, for people who look after an installation. It only reads."""

from datetime import date, datetime, timedelta
from typing import Protocol

from paperround.domain.lists import ListId
from paperround.domain.status import (
    DeliveryEntry,
    DeliveryQuery,
    EditionTally,
    KeysInUse,
    MailRecord,
    ReasonTally,
    Storage,
)
from paperround.domain.subscribers import SubscriberId


class StatusStore(Protocol):
    """How things stand."""

    def is_migrated(self) -> bool:
        """Whether the database has the schema this version needs."""
        ...

    def storage(self) -> Storage:
        """The room the database takes up, and has left."""
        ...

    def editions(self, list_id: ListId, *, now: datetime, limit: int) -> list[EditionTally]:
        """The newest edition, and those whose mails still live, newest first."""
        ...

    def editions_of(self, list_id: ListId, day: date) -> list[EditionTally]:
        """Every edition of that date, newest first, also one that was cancelled."""
        ...

    def reasons(self, list_id: ListId, *, since: datetime) -> list[ReasonTally]:
        """Why mails that were due since then were not sent: the most frequent reason first."""
        ...

    def waiting_now(self, list_id: ListId, *, until: datetime) -> int:
        """How many mails of the list may leave by then and have not."""
        ...

    def left_since(
        self, list_id: ListId, *, since: datetime, now: datetime
    ) -> tuple[int, datetime | None]:
        """How many mails of the list left since then, and when the first of them did."""
        ...

    def late(
        self, list_id: ListId, *, since: datetime, by: timedelta, now: datetime
    ) -> list[tuple[datetime, int, datetime, datetime]]:
        """Mails due since then that left at the first try and later than `by` after they were due:
        for each due instant how many, and when the first and the last of them left."""
        ...

    def due_by(self, list_id: ListId, moment: datetime) -> int:
        """How many readers have a digest due by then. One whose clock the next tick will start
        counts: it is due within a day."""
        ...

    def active(self, list_id: ListId) -> int:
        """How many readers get mail of the list: people who may be mailed, and no channels."""
        ...

    def mails(self, subscriber: SubscriberId, *, limit: int) -> list[MailRecord]:
        """Digests and notices of a person, newest first."""
        ...

    def deliveries(
        self, wanted: DeliveryQuery, *, before: int | None, limit: int
    ) -> list[DeliveryEntry]:
        """Rows of the ledger with an id below `before`, newest first."""
        ...

    def keys_in_use(self, *, since: datetime) -> KeysInUse:
        """Which keys rows were made with; of mails that are out, those sent since then."""
        ...
