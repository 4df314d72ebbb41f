"""The unit of work: every store of one transaction."""

from contextlib import AbstractContextManager
from typing import Protocol

from paperround.jobs.ports.enriching import EnrichmentStore
from paperround.jobs.ports.ledger import Ledger, NoticeLedger
from paperround.jobs.ports.papers import FeedStore, PaperStore
from paperround.jobs.ports.people import EditionStore, ListStore, SubscriberStore
from paperround.jobs.ports.running import KeyStore, Limiter, RateStore, SlotStore
from paperround.jobs.ports.search import Search
from paperround.jobs.ports.status import StatusStore


class UnitOfWork(Protocol):
    """The stores of one transaction."""

    @property
    def feeds(self) -> FeedStore: ...
    @property
    def papers(self) -> PaperStore: ...
    @property
    def search(self) -> Search: ...
    @property
    def enrichments(self) -> EnrichmentStore: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def editions(self) -> EditionStore: ...
    @property
    def subscribers(self) -> SubscriberStore: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def notices(self) -> NoticeLedger: ...
    @property
    def limiter(self) -> Limiter: ...
    @property
    def rates(self) -> RateStore: ...
    @property
    def slots(self) -> SlotStore: ...
    @property
    def keys(self) -> KeyStore: ...
    @property
    def status(self) -> StatusStore: ...

    def part(self, *, keep: bool) -> AbstractContextManager[None]:
        """What is done within takes as long either way, and stays only if `keep`."""
        ...


class Database(Protocol):
    """Opens units of work; each commits on a clean exit and rolls back on an exception."""

    def reading(self) -> AbstractContextManager[UnitOfWork]: ...

    def writing(self) -> AbstractContextManager[UnitOfWork]: ...
