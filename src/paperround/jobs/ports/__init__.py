"""The Protocols that jobs need, in domain types. Adapters match them structurally.

The database is no Protocol: jobs use the classes of `store`.
"""

from paperround.jobs.ports.channels import (
    PostOffice,
)
from paperround.jobs.ports.enriching import (
    Enricher,
)
from paperround.jobs.ports.hooks import (
    Hook,
)
from paperround.jobs.ports.learning import (
    LearnedModel,
    ModelMaker,
)
from paperround.jobs.ports.mail import (
    Mailer,
    Renderer,
    Resolver,
)
from paperround.jobs.ports.papers import (
    GistChooser,
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
)
from paperround.jobs.ports.returns import (
    ReturnBox,
    ReturnReader,
)
from paperround.jobs.ports.running import Pinger, Queue, SharedQueue
from paperround.jobs.ports.search import (
    Relevance,
)

__all__ = [
    "AddressBook",
    "Enricher",
    "GistChooser",
    "Hook",
    "LearnedModel",
    "Mailer",
    "ModelMaker",
    "Pinger",
    "PostOffice",
    "Queue",
    "Ranker",
    "Reader",
    "Relevance",
    "Renderer",
    "Resolver",
    "ReturnBox",
    "ReturnReader",
    "SharedQueue",
    "Source",
    "Summariser",
    "SummaryShelf",
    "TasteDay",
    "TasteModel",
    "TextRepair",
    "Witness",
]
