"""The unit of work: every store of one transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from paperround.domain.work import Job
from paperround.jobs.ports.audit import AuditStore
from paperround.jobs.ports.channels import ChannelStore, PostLedger
from paperround.jobs.ports.enriching import EnrichmentStore
from paperround.jobs.ports.learning import HistoryStore, ModelStore
from paperround.jobs.ports.ledger import Ledger, NoticeLedger
from paperround.jobs.ports.pacing import PaceStore
from paperround.jobs.ports.papers import FeedStore, PaperStore
from paperround.jobs.ports.people import EditionStore, ListStore, SubscriberStore
from paperround.jobs.ports.requests import RequestStore
from paperround.jobs.ports.returns import ReturnStore
from paperround.jobs.ports.running import AnswerStore, KeyStore, Limiter, RateStore, SlotStore
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
    def history(self) -> HistoryStore: ...
    @property
    def models(self) -> ModelStore: ...
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
    def requests(self) -> RequestStore: ...
    @property
    def returns(self) -> ReturnStore: ...
    @property
    def limiter(self) -> Limiter: ...
    @property
    def pacing(self) -> PaceStore: ...
    @property
    def rates(self) -> RateStore: ...
    @property
    def slots(self) -> SlotStore: ...
    @property
    def keys(self) -> KeyStore: ...
    @property
    def status(self) -> StatusStore: ...
    @property
    def channels(self) -> ChannelStore: ...
    @property
    def posts(self) -> PostLedger: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def answers(self) -> AnswerStore: ...

    def ask(self, job: Job) -> None:
        """Have `job` put with this transaction, where jobs are rows of the database: no commit, no
        job. Rows of the ledgers ask for their senders by themselves."""
        ...


class Database(Protocol):
    """Opens units of work; each commits on a clean exit and rolls back on an exception."""

    def reading(self) -> AbstractContextManager[UnitOfWork]: ...

    def writing(self) -> AbstractContextManager[UnitOfWork]: ...


class JoiningDatabase(Database, Protocol):
    """A database that can make one transaction of many."""

    def together(
        self, first: Callable[[UnitOfWork], None]
    ) -> AbstractContextManager[Callable[[], UnitOfWork]]:
        """What is written meanwhile in this context is one transaction, whoever opens how many.

        It begins with the first of them, and `first` is done at its beginning; until then readers
        hold nobody up. Gives what begins it, where nothing else did. It commits on a clean exit.
        Raises what `writing` raises, at the end too.
        """
        ...


@runtime_checkable
class Keeping(Protocol):
    """A database that can keep a connection for many transactions in a row."""

    def kept(self) -> AbstractContextManager[Database]: ...
