"""Every Protocol the jobs need, in domain types. Adapters match them structurally.

Jobs open the units of work; nothing below a unit of work commits. `Database.reading()` gives a
consistent snapshot, `Database.writing()` the writer's lock from its first statement on
(BEGIN IMMEDIATE on SQLite), so a check and the insert that follows it are one step.
"""

from paperround.jobs.ports.audit import (
    AuditStore,
)
from paperround.jobs.ports.channels import (
    ChannelStore,
    PostLedger,
    PostOffice,
)
from paperround.jobs.ports.enriching import (
    Enricher,
    EnrichmentStore,
)
from paperround.jobs.ports.hooks import (
    Hook,
)
from paperround.jobs.ports.learning import (
    HistoryStore,
    LearnedModel,
    ModelMaker,
    ModelStore,
)
from paperround.jobs.ports.ledger import (
    Claiming,
    Ledger,
    NoticeLedger,
)
from paperround.jobs.ports.mail import (
    Mailer,
    Renderer,
    Resolver,
)
from paperround.jobs.ports.pacing import (
    Gate,
    PaceStore,
)
from paperround.jobs.ports.papers import (
    Client,
    FeedStore,
    GistChooser,
    PaperStore,
    Ranker,
    Reader,
    Source,
    Summariser,
    SummaryShelf,
    TasteDay,
    TasteModel,
    TextRepair,
    Witness,
)
from paperround.jobs.ports.people import (
    AddressBook,
    EditionStore,
    ListStore,
    SubscriberStore,
)
from paperround.jobs.ports.returns import (
    ReturnBox,
    ReturnReader,
    ReturnStore,
)
from paperround.jobs.ports.running import (
    AnswerStore,
    Clock,
    KeyStore,
    Limiter,
    MarkFile,
    Pinger,
    Processes,
    Queue,
    RateStore,
    SharedQueue,
    SlotStore,
)
from paperround.jobs.ports.search import (
    Relevance,
    Search,
)
from paperround.jobs.ports.status import (
    StatusStore,
)
from paperround.jobs.ports.work import (
    Database,
    JoiningDatabase,
    Keeping,
    UnitOfWork,
)

__all__ = [
    "AddressBook",
    "AnswerStore",
    "AuditStore",
    "ChannelStore",
    "Claiming",
    "Client",
    "Clock",
    "Database",
    "EditionStore",
    "Enricher",
    "EnrichmentStore",
    "FeedStore",
    "Gate",
    "GistChooser",
    "HistoryStore",
    "Hook",
    "JoiningDatabase",
    "Keeping",
    "KeyStore",
    "LearnedModel",
    "Ledger",
    "Limiter",
    "ListStore",
    "Mailer",
    "MarkFile",
    "ModelMaker",
    "ModelStore",
    "NoticeLedger",
    "PaceStore",
    "PaperStore",
    "Pinger",
    "PostLedger",
    "PostOffice",
    "Processes",
    "Queue",
    "Ranker",
    "RateStore",
    "Reader",
    "Relevance",
    "Renderer",
    "Resolver",
    "ReturnBox",
    "ReturnReader",
    "ReturnStore",
    "Search",
    "SharedQueue",
    "SlotStore",
    "Source",
    "StatusStore",
    "SubscriberStore",
    "Summariser",
    "SummaryShelf",
    "TasteDay",
    "TasteModel",
    "TextRepair",
    "UnitOfWork",
    "Witness",
]
