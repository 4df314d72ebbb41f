"""The composition root: the only module that knows every adapter.

Here mypy checks that each adapter implements the Protocol that its callers expect.
"""

import atexit
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from threading import Event
from typing import TYPE_CHECKING, Any, cast

from paperround import version
from paperround.access.rate_limiter import InMemoryRateLimiter
from paperround.bootstrap import database as database_setup
from paperround.bootstrap import mail as mail_setup
from paperround.bootstrap import workers
from paperround.bootstrap.workers import MAIL, PUBLISH
from paperround.bounces.intake import MOST_PER_RUN, Intake, ReturnReader, process_mailbox
from paperround.bounces.model import ProviderHook
from paperround.config import Settings, unused_proxy
from paperround.core.clock import SystemClock
from paperround.core.errors import InvalidInput, Misconfigured, PaperroundError, RateLimited
from paperround.core.interfaces import Clock, Processes
from paperround.core.jobs import Queue, QueueName, SharedQueue
from paperround.core.plugins import plugins
from paperround.core.processes import SystemProcesses
from paperround.core.sender import SenderIdentity
from paperround.core.times import Boot
from paperround.db.backups import BackupPlan, back_up_if_due
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Identity, Mailer
from paperround.delivery.outbox import remove_emails
from paperround.delivery.queues import PendingWrites
from paperround.delivery.rate_limits import retry_unreached
from paperround.delivery.restore_guard import SendMarks
from paperround.digests.plan import Hours
from paperround.digests.sending import DeliveryContext
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.sources.base import Source
from paperround.http.model import HttpClient
from paperround.ops import tick
from paperround.ops.cluster import sign_off
from paperround.ops.plugin_jobs import JobReport, plugin_jobs
from paperround.ops.retention import Retention
from paperround.ops.tick import AlertHook, DeadManSwitch, TickContext
from paperround.papers.enrichment import FIGURES, Enricher
from paperround.papers.figures import FigureFolder
from paperround.papers.gist import GistChooser, choose_gist
from paperround.papers.search_service import Neighbours, Relevance
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.learn import LearnedRanker
from paperround.ranking.models import Ranker
from paperround.ranking.prior import PriorMaker
from paperround.ranking.weights import Weights, parse_weights
from paperround.self_service.preview import DigestPreviewer
from paperround.signup.context import SignupContext
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.choices import SuggestedTopics

if TYPE_CHECKING:  # imported lazily, so that commands start quickly
    from paperround.db.engine import Pool
    from paperround.delivery.dkim.signers import Signers
    from paperround.digests.render.composer import MailRenderer
    from paperround.http.client import GuardedClient
    from paperround.http.resolver import Resolver

NO_SHARING = (
    "several processes need PostgreSQL: with SQLite one process does everything, `paperround serve`"
)


@dataclass(frozen=True)
class AppContext:
    """An installation: settings, clock, and adapters created on first use."""

    settings: Settings
    clock: Clock
    demo: bool = False
    """Whether this is a demo: one machine, sample papers, no outgoing requests."""
    is_outbox_open: bool = False
    """Whether the outbox needs no key on this machine; in a demo it never does."""
    creates: bool = True
    """Whether to create a missing installation."""
    stopping: Event = field(default_factory=Event, repr=False, compare=False)
    """Set when the process should stop."""
    pending_writes: PendingWrites = field(default_factory=PendingWrites, repr=False, compare=False)
    """Delivery outcomes that could not be written to the database yet."""
    lines: tuple[QueueName, ...] = tuple(QueueName)
    """The shared queues that this process serves."""
    wide: int = 4
    """How many jobs of a queue this process runs at once, where several may run."""

    @cached_property
    def engine(self) -> "Pool":
        """The connection pool of this process."""
        from paperround.db.engine import create

        engine = create(self.settings.database)
        atexit.register(engine.dispose)
        return engine

    @cached_property
    def database(self) -> SqlDatabase:
        """The database, with its default list. Raises what `database_of` raises."""
        database = database_setup.database_of(self)
        database_setup.ensure_default_list(database, self.settings.timezone, now=self.clock.now())
        return database

    def prepare(self) -> None:
        """Open the database, and create its default list."""
        _ = self.database

    def prepare_to_serve(self) -> None:
        """Create the adapters that threads share before the threads start."""
        _ = (self.signup_context, self.tick_context, self.queue, self.renderer)
        _ = (self.visitor_limiter, self.neighbours, self.hooks, self.hook_rate_limiter)
        _ = (self.previewer, self.topics)

    @cached_property
    def ranker(self) -> LearnedRanker:
        """The ranker with the weights of the settings and the latest trained model."""
        return LearnedRanker(self.database, self.model_maker)

    @property
    def model_maker(self) -> PriorMaker:
        """The trainer of the model that predicts votes from earlier papers."""
        return PriorMaker(self.ranking_weights)

    @property
    def ranking_weights(self) -> Weights:
        """The weights of the ranking, as the settings change them."""
        return parse_weights(self.settings.ranking_weights)

    @cached_property
    def personal_ranking(self) -> PersonalRanking:
        """Personal scores of papers, from each reader's feedback."""
        return PersonalRanking(self.gist)

    def ranker_with(self, weights: str) -> Ranker:
        """Return the ranker with some weights changed; raises InvalidInput for an unknown one."""
        maker = PriorMaker(parse_weights(weights))  # validate before opening the database
        return LearnedRanker(self.database, maker)

    @property
    def relevance(self) -> Relevance:
        """The function that orders search results by relevance."""
        from paperround.ranking.relevance import by_relevance

        return by_relevance

    @cached_property
    def neighbours(self) -> Neighbours:
        """Similar papers, with a cache of recent ones."""
        return Neighbours(self.database, self.relevance)

    @cached_property
    def visitor_limiter(self) -> InMemoryRateLimiter:
        """The rate limiter of searches, feeds, files and the API, per visitor."""
        return InMemoryRateLimiter(self.settings.search_limits)

    @cached_property
    def hooks(self) -> Mapping[str, ProviderHook]:
        """The configured webhooks of mail providers; raises Misconfigured for a wrong setting."""
        return mail_setup.provider_hooks(self.settings, self.provider_client)

    def provider_client(self) -> HttpClient:
        """Return a client for a mail provider's URLs: 10 s timeout, no private networks."""
        return self.client_for(seconds=10)

    @cached_property
    def hook_rate_limiter(self) -> InMemoryRateLimiter:
        """The rate limiter of webhooks, per client."""
        return InMemoryRateLimiter(
            self.settings.hook_limits, refusal="too many requests from your network: wait a moment"
        )

    @cached_property
    def renderer(self) -> "MailRenderer":
        """The renderer of emails."""
        from paperround.digests.render.composer import MailRenderer

        return MailRenderer(self.sender_identity, signer=self.signers)

    @cached_property
    def signers(self) -> "Signers":
        """The DKIM signers. Raises Misconfigured for invalid keys or an invalid domain."""
        return mail_setup.dkim_signers(self.settings)

    @cached_property
    def sender_identity(self) -> SenderIdentity:
        """The sender identity of every email."""
        return mail_setup.sender_identity(self.settings)

    @cached_property
    def identity(self) -> Identity:
        """The keys and domain for Message-IDs and links."""
        return Identity(keys=self.settings.keys, domain=mail_setup.sender_domain(self.settings))

    @cached_property
    def signup_context(self) -> SignupContext:
        """The dependencies of sign-up and self-service."""
        return SignupContext(
            database=self.database,
            keys=self.settings.keys,
            identity=self.identity,
            limits=self.settings.signup_limits,
            default_hour=self.settings.default_hour,
            wake=self._wake_embedded,
            plan=self.plan,
            remove_emails=partial(remove_emails, self.settings.relay),
        )

    @cached_property
    def previewer(self) -> DigestPreviewer:
        """The builder of digest previews."""
        return DigestPreviewer(
            database=self.database,
            identity=self.identity,
            ranker=self.ranker,
            sender_identity=self.sender_identity,
            renderer=self.renderer,
            gist=self.gist,
            personal_ranking=self.personal_ranking,
        )

    @cached_property
    def topics(self) -> SuggestedTopics:
        """Suggested topics, from the papers in the database."""
        return SuggestedTopics(self.database)

    @cached_property
    def client(self) -> HttpClient:
        """The guarded HTTP client, which identifies Paperround in its user agent."""
        return self.client_for(*self.settings.open_places)

    def client_for(self, *allow: str, seconds: float | None = None) -> "GuardedClient":
        """Return a client that may also reach `allow`, with a total timeout of `seconds`."""
        from paperround.http.client import GuardedClient
        from paperround.http.network import Network, through
        from paperround.http.transport import MIB, FetchLimits

        contact = self.settings.contact or self.settings.public_url
        proxy, hint = self.settings.fetch_proxy, unused_proxy(self.settings)
        return GuardedClient(
            network=Network(dial=through(proxy)) if proxy else Network(hint=hint),
            user_agent=f"Paperround/{version()} (+{contact})",
            allow=allow,
            clock=self.clock,
            limits=FetchLimits()
            if seconds is None
            else FetchLimits(total=seconds, wire=MIB, decoded=MIB),
        )

    @cached_property
    def resolver(self) -> "Resolver":
        """The DNS resolver, for checks of DNS records."""
        from paperround.http.resolver import Resolver

        return Resolver()

    @cached_property
    def sources(self) -> Mapping[str, Source[Any]]:
        """All kinds of sources, by name."""
        from paperround.feeds.sources.registry import Sources

        return Sources(self.settings.service_keys)

    @cached_property
    def enrichers(self) -> Sequence[Enricher]:
        """The enrichers that the settings enable."""
        known, keys = plugins("enrichers"), self.settings.service_keys
        names = self.settings.enrichers
        return [known[n](key=keys[n]) if n in keys else known[n]() for n in names]

    @cached_property
    def feed_context(self) -> FeedContext:
        """The dependencies of polling feeds."""
        return FeedContext(
            database=self.database,
            client=self.client,
            sources=self.sources,
            clock=self.clock,
            processes=self.processes,
            pause=self._pause,
            figures=self.figures,
        )

    @cached_property
    def figures(self) -> FigureFolder | None:
        """The figures of papers; None if they are off."""
        return self._figure_folder if FIGURES in self.settings.enrichers else None

    @property
    def _figure_folder(self) -> FigureFolder:
        return FigureFolder(self.settings.data_dir / "figures")

    def _pause(self, seconds: float) -> None:
        """Wait for a service's turn; raises RateLimited when the process should stop."""
        if self.stopping.wait(seconds):
            raise RateLimited("this process was asked to stop", retry_after=0)

    @cached_property
    def summaries(self) -> Any:
        """The plugin that summarises papers; None when no summary service is configured."""
        service = self.settings.summary_service
        return None if service is None else plugins("summaries")["chat"](self, *service)

    @cached_property
    def gist(self) -> GistChooser:
        """The function that chooses a paper's gist."""
        chosen: GistChooser = choose_gist if self.summaries is None else self.summaries.gist
        return chosen

    @cached_property
    def tick_context(self) -> TickContext:
        """The dependencies of the periodic jobs."""
        return TickContext(
            database=self.database,
            ranker=self.ranker,
            personal_ranking=self.personal_ranking,
            identity=self.identity,
            hours=Hours(hour=self.settings.default_hour),
            feed_context=self.feed_context,
            enrichers=self.enrichers,
            ping=DeadManSwitch(self.settings.ping_url, self.client).ping,
            alerts_to=self._operator_address,
            post_alert=AlertHook(self.settings.alert_webhook, self.client).post,
            why_unreached=partial(mail_setup.why_unreached, self.settings),
            wake=self._wake_embedded,
            boot=self.boot,
            alive=lambda: tick.live(self.database, now=self.clock.now()),
            gist=self.gist,
            keep=Retention(
                deliveries=timedelta(days=self.settings.keep_deliveries),
                audit=timedelta(days=self.settings.keep_audit),
                observations=timedelta(days=self.settings.keep_observations),
                runs=timedelta(days=self.settings.keep_runs),
            ),
        )

    def back_up_if_due(self) -> None:
        """Make the nightly backup, if backups are on and it is due."""
        folder = self.settings.backup_folder
        if folder is not None:
            plan = BackupPlan(
                folder=folder, keep=self.settings.keep_backups, secret=self.settings.secret_file
            )
            back_up_if_due(self.engine, self.database, plan, now=self.clock.now())

    @property
    def _operator_address(self) -> str | None:
        """The operator's email address; None when the contact is a URL or missing."""
        try:
            return parse_address(self.settings.contact or "").mailed
        except InvalidInput:
            return None

    @cached_property
    def queue(self) -> Queue:
        """The job queue. No job runs in this process before you start it."""
        return workers.create_queue(self)

    @property
    def shared_queue(self) -> SharedQueue:
        """The queue that processes share on PostgreSQL. Raises Misconfigured on SQLite."""
        if self.settings.embedded:
            raise Misconfigured(NO_SHARING)
        return cast("SharedQueue", self.queue)

    def requests_first(self) -> AbstractContextManager[None]:
        """Process sign-up requests, then run the block, even if a request fails."""
        return workers.requests_first(self)

    def run_plugin_jobs(self) -> Sequence[JobReport]:
        """Run the periodic jobs of plugins, such as posts to chat channels."""
        return [one.run(self) for one in plugin_jobs()]

    def publish(self) -> None:
        """Freeze due editions, plan due digests, clean up, and send alerts."""
        tick.publish_round(self.tick_context, now=self.clock.now())

    def poll(self) -> None:
        """Poll the due feeds, unless this is a demo."""
        if not self.demo:
            tick.poll_round(self.tick_context, now=self.clock.now())

    def enrich(self) -> None:
        """Enrich papers from other services, unless this is a demo."""
        if not self.demo:
            tick.enrich_round(self.tick_context, now=self.clock.now())
            if self.figures is None:
                self._figure_folder.delete()
            else:
                self.figures.clean_up(now=self.clock.now())

    def summarise(self) -> None:
        """Summarise papers before their edition, if a service is configured; not in a demo."""
        if self.summaries is not None and not self.demo:
            self.summaries.summarise(now=self.clock.now())

    @cached_property
    def intake(self) -> Intake:
        """The dependencies of processing bounces."""
        reader = ReturnReader(self.settings.bounce_address or "")
        return Intake(database=self.database, keys=self.settings.keys, reader=reader)

    def read_returns(self) -> None:
        """Read the bounce mailbox, if it is configured and due; not in a demo."""
        if self.settings.bounce_imap_url and not self.demo:
            tick.returns_round(self.tick_context, self.process_bounce_mailbox, now=self.clock.now())

    def process_bounce_mailbox(self) -> Counter[str] | None:
        """Process the bounce mailbox; None when it is not configured. Raises FetchFailed."""
        from paperround.bounces.imap import parse_imap_url, read_mailbox

        if not self.settings.bounce_imap_url:
            return None
        place = parse_imap_url(self.settings.bounce_imap_url)
        with closing(read_mailbox(place, limit=MOST_PER_RUN)) as messages:
            return process_mailbox(self.intake, messages, now=self.clock.now())

    def learn(self) -> None:
        """Train the model on the votes of earlier papers, if the nightly training is due."""
        tick.learn_round(self.database, self.model_maker, now=self.clock.now())

    def wake(self) -> None:
        """Enqueue the sending jobs now, instead of at the next tick."""
        for job in MAIL:
            self.queue.put(job)

    def _wake_embedded(self) -> None:
        """Enqueue the sending jobs on SQLite; on PostgreSQL the transaction has enqueued them."""
        if self.settings.embedded:
            self.wake()

    def sign_off(self, lines: tuple[QueueName, ...] | None) -> None:
        """Deregister this process: a worker of these queues, or with None a scheduler."""
        sign_off(self.database, self.processes.current(), lines)

    def start_jobs(self) -> None:
        """Run jobs in this process, and try at once what waits for the relay."""
        with suppress(PaperroundError):  # without a database, everything waits
            retry_unreached(self.database, now=self.clock.now())
        self.queue.start()

    def plan(self) -> None:
        """Plan digests now, instead of at the next tick."""
        self.queue.put(PUBLISH)

    def stop_sending(self) -> None:
        """Finish the claimed emails and claim no others. Safe to call from a signal handler."""
        self.stopping.set()

    def boot(self) -> Boot | None:
        """Return the boot of this machine; None with a fixed clock, unrelated to the uptime."""
        is_real = isinstance(self.clock, SystemClock) and not self.demo
        return SystemProcesses().boot() if is_real else None

    @property
    def processes(self) -> Processes:
        """The process detector of this host."""
        return SystemProcesses()

    def post(self) -> DeliveryContext:
        """Return the dependencies of delivery. Raises Misconfigured without a sender identity."""
        return mail_setup.delivery_context(self)

    @cached_property
    def send_marks(self) -> SendMarks:
        """The marks that detect a restored older copy of the database."""
        return database_setup.send_marks_of(self.settings, self.processes.current().host)

    @cached_property
    def mailer(self) -> Mailer:
        """The mailer, shared by all batches, because it learns the state of relays."""
        return mail_setup.create_mailer(self.settings)
