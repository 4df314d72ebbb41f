"""The Protocols that jobs need, in domain types. Adapters match them structurally.

Each has two implementations, a shipped fake included, or hides a package that jobs may not import.
What all packages share (`Clock`, `Processes`, `HttpClient`) is in `domain.ports`; the database is
no Protocol: jobs use the classes of `store`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from paperround.domain.channels import Hook
from paperround.domain.deliveries import DeliveryId, Envelope, Outcome
from paperround.domain.digests import DigestMail, DigestView, Rendered
from paperround.domain.editions import Candidate, Ranking
from paperround.domain.feeds import FeedState, Witnessed
from paperround.domain.fetching import FetchRequest, HttpClient, Page
from paperround.domain.limits import Rate
from paperround.domain.models import FittedModel, ModelFacts
from paperround.domain.notices import NoticeMail
from paperround.domain.outcomes import Cohort
from paperround.domain.papers import Paper, PaperId, ParsedBatch
from paperround.domain.posts import Digest, Greeting, Message, PostOutcome
from paperround.domain.returns import Heard, Letter, ReturnedEvent
from paperround.domain.search import Found, Query
from paperround.domain.subscribers import Address
from paperround.domain.work import Job


class Source(Protocol):
    """Knows one service: what to ask it, and how to read what it says."""

    @property
    def kind(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings it knows, each with one line for people."""

    @property
    def interval(self) -> timedelta:
        """The pause between two polls on an ordinary day."""

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, its code naming the field, when a feed cannot be made of these."""

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next request of a poll: the first page, or the one its cursor names."""

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> ParsedBatch:
        """What the page holds; `next` is the cursor of the poll's next page. Pure.

        Raises FetchFailed or InvalidInput when the answer is no page of this service."""

    def expects(self, after: datetime) -> datetime | None:
        """When the first batch after this instant ought to be there; None: it has no rhythm."""

    def holiday(self, now: datetime) -> bool:
        """Whether the service announces nothing on this day."""


class Witness(Protocol):
    """Another page of a service, asked before one of its feeds is called stale."""

    def plan(self, state: FeedState) -> FetchRequest | None:
        """The request; None when nothing speaks for a feed with these settings."""

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> Witnessed:
        """What the page says. Pure. Raises FetchFailed when it says nothing of a batch."""


class Enricher(Protocol):
    """Knows one service that can be asked for papers by their identifiers."""

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of identifiers it can ask by; empty: it looks at something else of a paper."""

    @property
    def limiter(self) -> str:
        """The service whose turns its requests take."""

    @property
    def size(self) -> int:
        """The most papers of one request."""

    @property
    def budget(self) -> tuple[Rate, ...]:
        """How often it asks at most: its share of what the service lets somebody without a key
        ask. Feeds of the same service are not counted here, but in `FetchRequest.budget`."""

    def knows(self, paper: Paper) -> bool:
        """Whether the service can be asked for this paper."""

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """What to ask for papers it knows, at most `size` of them."""

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of these papers: counts, and records that announce nothing and have
        no texts. A paper that the service does not know is left out. Pure.

        Raises FetchFailed or InvalidInput when the answer is none of this service."""


class Ranker(Protocol):
    """Orders candidates. Pure: same candidates, background and `as_of`, same order."""

    @property
    def name(self) -> str:
        """Name and version; stored with every edition."""

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking: ...


class LearnedModel(Protocol):
    """A model that was read."""

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def ranker(self) -> Ranker:
        """The ranker that uses it."""


class ModelMaker(Protocol):
    """Learns models, and reads them. Pure: same cohorts, same model."""

    @property
    def name(self) -> str:
        """What kind of model it makes."""

    @property
    def version(self) -> str:
        """Changes whenever a model of before is of no use any more."""

    @property
    def least(self) -> int:
        """How many outcomes it takes."""

    @property
    def plain(self) -> Ranker:
        """The ranker without a model."""

    def fit(self, cohorts: Sequence[Cohort]) -> FittedModel | None:
        """What the cohorts, oldest day first, lead one to expect; None for fewer than `least`."""

    def open(self, content: bytes) -> LearnedModel:
        """Read what `fit` made. Raises InvalidInput for bytes of another version, and for any that
        are no such model."""


class Summariser(Protocol):
    """A machine that says in one sentence what is new. Nothing it says is to be trusted."""

    def ask(self, paper: Paper) -> str:
        """Its answer, "" when there is none of use. Raises FetchFailed."""


class SummaryShelf(Protocol):
    """What a machine said of texts so far. Never raises: what cannot be read was never said."""

    def get(self, title: str, abstract: str) -> str | None:
        """What may be shown, "" when nothing may; None: it was never asked."""

    def put(self, title: str, abstract: str, text: str) -> None: ...

    def forget(self, *, before: datetime) -> None:
        """Drop what was put before."""


GistChooser = Callable[[str, str], str]
"""From title and abstract, the one sentence that says what is new."""


Relevance = Callable[[Query, Sequence[Paper], Found], list[PaperId]]
"""Orders the best papers of the index; `Found` is what the index said. Pure."""


class Renderer(Protocol):
    """Turns a digest into words and into the exact bytes that will be sent."""

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason."""

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """The message of a notice, CRLF line ends; raises RenderingFailed with the reason."""


class Mailer(Protocol):
    """Sends a batch: envelopes in, one outcome an envelope out, in any order.

    Everything but socket work happens on the caller's thread: `envelopes` is pulled, `before_dot`
    called and outcomes yielded there, so the caller needs no locks. `before_dot(ids)` is called
    once all of those messages' bodies are about to end and must commit their mark; only the ids it
    returns get their final dot, the others' connections are dropped without it. Outcomes that came
    before a call are yielded before it. At most one marked, unanswered dot a connection exists at
    any time. Closing the generator early finishes nothing new and waits for the open dots.

    None among the envelopes says that more may leave in a moment: the mailer goes on with what is
    under way, and asks again when something was heard, or after a hundredth of a second.

    Once `stopping` says so, no other mail is offered: mails that were taken up and are on no wire
    have no outcome.
    """

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        stopping: Callable[[], bool] = ...,
    ) -> Iterator[Outcome]: ...


class Resolver(Protocol):
    """Asks the DNS."""

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at `name`, the strings of each joined; none where there are none.

        Raises FetchFailed when nobody answers, as all of these do.
        """

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a host, of both kinds."""

    def exchangers(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for a domain (MX), the preferred first; none where it names
        none."""

    def hosts(self, address: str) -> tuple[str, ...]:
        """The names that an address has (PTR)."""

    def answers_for(self, host: str) -> bool:
        """Whether the system is told about the name of a host, be it that there is no such host."""


class AddressBook(Protocol):
    """Judges what somebody wrote as an e-mail address."""

    def read(self, written: str) -> Address:
        """The address; raises InvalidInput that says what is wrong with it."""


class ProviderHook(Protocol):
    """Knows one provider: how a request proves that it is the provider's, and how to read it."""

    def hear(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> Heard:
        """What a request tells; names of `headers` are in lower case.

        Raises Forged for one that is not proven to be the provider's, FetchFailed when that cannot
        be told now. Whatever else is wrong with a proven one is ignored: a provider that is sent an
        error would send the same again.
        """


class ReturnBox(Protocol):
    """A mailbox that mails come back to, opened."""

    def letters(self, *, limit: int) -> Iterator[Letter]:
        """The oldest mails; raises FetchFailed when the mailbox cannot be read."""

    def done(self, letters: Sequence[Letter]) -> None:
        """Take these out of the way."""


class ReturnReader(Protocol):
    """Reads mails that come back."""

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        """What a mail says, whatever it is. `to` is where it was delivered to, where that is
        known. Never raises for its content."""


class ChannelSender(Protocol):
    """Says a digest as each kind of channel wants it, and posts it."""

    def require_open(self, hook: Hook) -> None:
        """Raise FetchRefused for a hook that leads where nothing may be posted, and FetchFailed
        where nobody knows yet where it leads."""

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        """The messages that say the digest, in order; one at least."""

    def greeting(self, hook: Hook, greeting: Greeting) -> Message:
        """The message that says a few words."""

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message. `before_body` is called once the other end is there and before it
        gets a byte of the message: when it says no, nothing is sent and there is no outcome."""


class Queue(Protocol):
    """Runs jobs later, elsewhere or in a thread of this process."""

    def register(self, task: str, run: Callable[[Mapping[str, str | int]], None]) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits already. Raises NotFound for an
        unregistered task. A job that raises is logged, and never stops the others."""

    def start(self) -> None:
        """Begin running jobs in the background."""

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""


class Pinger(Protocol):
    """Tells a dead-man switch that a run was completed."""

    def ping(self, event: str, *, now: datetime) -> None: ...
