"""Putting the rooms together: the one place that knows every adapter, and where mypy proves
that each of them satisfies the Protocol its users wrote."""

import atexit
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Event
from typing import TYPE_CHECKING, cast

from paperround import version
from paperround.access.rate_limiter import InMemoryRateLimiter
from paperround.bootstrap import database as databases
from paperround.bootstrap import mail as mailroom
from paperround.bootstrap import workers
from paperround.bootstrap.workers import MAIL, PUBLISH, WorkerConfig
from paperround.bounces.intake import Intake, empty_box
from paperround.bounces.model import IntakeSummary, ProviderHook
from paperround.bounces.providers import provider_hooks
from paperround.config import Settings
from paperround.core.clock import SystemClock
from paperround.core.errors import InvalidInput, Misconfigured, RateLimited
from paperround.core.interfaces import Clock, Processes
from paperround.core.jobs import Queue, QueueName, SharedQueue
from paperround.core.plugins import plugins
from paperround.core.processes import SystemProcesses
from paperround.core.sender import SenderIdentity
from paperround.core.times import Boot
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Identity, Mailer
from paperround.delivery.outbox import forget_mails
from paperround.delivery.queues import PendingWrites
from paperround.delivery.restore_guard import SendMarks
from paperround.digests.channel_delivery import ChannelReport
from paperround.digests.channel_posts import ChannelSender
from paperround.digests.plan import Hours
from paperround.digests.sending import DeliveryContext
from paperround.digests.summaries import SummaryOrGist, Writing, summarise
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import Source
from paperround.http.model import HttpClient, Resolver
from paperround.ops import tick as rounds_of_a_tick
from paperround.ops.cluster import sign_off
from paperround.ops.tick import Pinger, TickContext
from paperround.papers.enrichment import Enricher
from paperround.papers.gist import GistChooser, choose_gist
from paperround.papers.search_service import Neighbours, Relevance
from paperround.papers.summaries import Wording
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.formula_model import Formula
from paperround.ranking.learn import LearnedRanker
from paperround.ranking.models import ModelMaker, Ranker
from paperround.self_service.preview import DigestPreviewer
from paperround.signup.context import SignupContext
from paperround.subscribers.choices import SuggestedTopics
from paperround.subscribers.model import AddressBook

if TYPE_CHECKING:  # a command imports the rooms it needs, so that it starts quickly
    from paperround.db.engine import Pool
    from paperround.delivery.dkim.signers import Signers
    from paperround.digests.render.composer import MailRenderer
    from paperround.http.client import GuardedClient

NO_SHARING = (
    "several processes share their work on PostgreSQL only: on SQLite one of them does everything, "
    "`paperround serve`"
)


@dataclass(frozen=True)
class AppContext:
    """An installation: settings, the present, and adapters made when first asked for."""

    settings: Settings
    clock: Clock
    demo: bool = False
    """One machine, invented papers, nothing read from the network by itself."""
    creates: bool = True
    """Whether it makes an installation where there is none."""
    stopping: Event = field(default_factory=Event, repr=False, compare=False)
    """Set once this process was asked to end."""
    unwritten: PendingWrites = field(default_factory=PendingWrites, repr=False, compare=False)
    """What its runs of sending could not write down yet."""
    hands: WorkerConfig = field(default_factory=WorkerConfig)
    """What this process does of the jobs that it shares with others."""

    @cached_property
    def engine(self) -> "Pool":
        """The connections of this process to its database: one pool for everything."""
        from paperround.db.engine import create

        engine = create(self.settings.database)
        atexit.register(engine.dispose)  # however the process ends, no connection is left open
        return engine

    @cached_property
    def database(self) -> SqlDatabase:
        """The database, as `database_of` opens it, with its default list."""
        database = databases.database_of(self)
        databases.ensure_default_list(database, self.settings.timezone, now=self.clock.now())
        return database

    def prepare(self) -> None:
        """Open the database, so that its default list stands."""
        _ = self.database

    def prepare_to_serve(self) -> None:
        """Make what threads will share before there are any."""
        _ = (self.desk, self.rounds, self.queue, self.renderer, self.addresses)
        _ = (self.visits, self.neighbours, self.hooks, self.hook_visits, self.channel_sender)
        _ = (self.previewer, self.topics)

    @cached_property
    def ranker(self) -> LearnedRanker:
        """The ranker with its default weights, and with what was learned so far."""
        return LearnedRanker(self.database, self.model_maker)

    @property
    def model_maker(self) -> ModelMaker:
        """What learns from the votes of earlier papers."""
        from paperround.ranking.prior.maker import PriorMaker
        from paperround.ranking.weights import DEFAULTS

        return PriorMaker(weights=DEFAULTS)

    @cached_property
    def formula(self) -> Formula:
        """The ranker's formula, with its weights."""
        from paperround.ranking.formula import formula_of
        from paperround.ranking.weights import DEFAULTS

        return formula_of(DEFAULTS)

    @cached_property
    def opinions(self) -> PersonalRanking:
        """What papers are worth to each reader, by what they said of others."""
        from paperround.personal.ranking import taste_day

        return PersonalRanking(taste_day, gist=self.gist)

    def ranker_with(self, weights: str) -> Ranker:
        """The ranker with some weights changed; raises InvalidInput for an unknown one."""
        from paperround.ranking.prior.maker import PriorMaker
        from paperround.ranking.weights import parse_weights

        maker = PriorMaker(weights=parse_weights(weights))  # judged before a database is looked for
        return LearnedRanker(self.database, maker)

    @property
    def relevance(self) -> Relevance:
        """What puts the best papers of a search in order."""
        from paperround.ranking.relevance import by_relevance

        return by_relevance

    @cached_property
    def neighbours(self) -> Neighbours:
        """Which papers are similar to which, as far as it was asked lately."""
        return Neighbours(self.database, self.relevance)

    @cached_property
    def visits(self) -> InMemoryRateLimiter:
        """How often each visitor searched, or asked for a feed, a file or the API lately."""
        return InMemoryRateLimiter(self.settings.search_limits)

    @cached_property
    def hooks(self) -> Mapping[str, ProviderHook]:
        """The webhooks of the mail providers that are set; raises Misconfigured for a wrong one."""
        settings = self.settings
        return provider_hooks(settings.all_of, settings.public_url, self.provider_client)

    def provider_client(self) -> HttpClient:
        """A client for a provider's own addresses: for seconds, never on a private network."""
        return self.client_for(seconds=10)

    @cached_property
    def hook_visits(self) -> InMemoryRateLimiter:
        """How often each client called a webhook lately."""
        return InMemoryRateLimiter(
            self.settings.hook_limits,
            refusal="that was a lot of calls from your network: wait a little",
        )

    @cached_property
    def renderer(self) -> "MailRenderer":
        """The renderer of this installation's mail."""
        from paperround.digests.render.composer import MailRenderer

        return MailRenderer(self.letterhead, signer=self.signers)

    @cached_property
    def signers(self) -> "Signers":
        """Who signs mails. Raises Misconfigured for keys or a domain that cannot."""
        return mailroom.signers_of(self.settings)

    @cached_property
    def addresses(self) -> AddressBook:
        """What judges addresses."""
        from paperround.subscribers.addresses import EmailAddresses

        return EmailAddresses()

    @cached_property
    def letterhead(self) -> SenderIdentity:
        """The sender as every mail names it."""
        return mailroom.letterhead_of(self.settings)

    @cached_property
    def identity(self) -> Identity:
        """What names and signs deliveries."""
        return Identity(keys=self.settings.keys, domain=mailroom.domain_of(self.settings))

    @cached_property
    def desk(self) -> SignupContext:
        """What signing up and self-service need."""
        return SignupContext(
            database=self.database,
            keys=self.settings.keys,
            identity=self.identity,
            limits=self.settings.signup_limits,
            default_hour=self.settings.default_hour,
            wake=self._wake_after,
            plan=self.plan,
            forget_mails=partial(forget_mails, self.settings.relay),
        )

    @cached_property
    def previewer(self) -> DigestPreviewer:
        """What makes a digest to look at."""
        return DigestPreviewer(
            database=self.database,
            identity=self.identity,
            ranker=self.ranker,
            letterhead=self.letterhead,
            renderer=self.renderer,
            gist=self.gist,
            opinions=self.opinions,
        )

    @cached_property
    def topics(self) -> SuggestedTopics:
        """Topics to choose from, of what the papers here are about."""
        return SuggestedTopics(self.database)

    @cached_property
    def client(self) -> HttpClient:
        """The guarded HTTP client, which says who asks."""
        return self.client_for(*self.settings.open_places)

    def client_for(self, *allow: str, seconds: float | None = None) -> "GuardedClient":
        """A client that may also reach the places of `allow`, and answers within `seconds`."""
        from paperround.http.client import GuardedClient
        from paperround.http.limits import MIB, FetchLimits

        contact = self.settings.contact or self.settings.public_url
        return GuardedClient(
            user_agent=f"Paperround/{version()} (+{contact})",
            allow=allow,
            clock=self.clock,
            limits=FetchLimits()
            if seconds is None
            else FetchLimits(total=seconds, wire=MIB, decoded=MIB),
        )

    @cached_property
    def resolver(self) -> Resolver:
        """The DNS, for the checks of this installation's records."""
        from paperround.http.resolver import SystemResolver

        return SystemResolver()

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Every service that feeds can be of."""
        from paperround.feeds.sources.registry import sources

        return sources(self.settings.service_keys)

    @cached_property
    def enrichers(self) -> Sequence[Enricher]:
        """The services that papers are enriched from, as the settings name them."""
        known, keys = plugins("enrichers"), self.settings.service_keys
        names = self.settings.enrichers
        return [known[n](key=keys[n]) if n in keys else known[n]() for n in names]

    @cached_property
    def newsroom(self) -> FeedContext:
        """What reading feeds needs."""
        from paperround.feeds.sources.registry import WITNESSES

        return FeedContext(
            database=self.database,
            client=self.client,
            sources=self.sources,
            witnesses=WITNESSES,
            clock=self.clock,
            processes=self.processes,
            pause=self._pause,
        )

    def _pause(self, seconds: float) -> None:
        """Wait for a service's turn; a poll that has to wait when this process ends is put off."""
        if self.stopping.wait(seconds):
            raise RateLimited("this process was asked to stop", retry_after=0)

    @cached_property
    def writing(self) -> Writing | None:
        """What summing papers up needs; None where no machine is set."""
        from paperround.digests.summary_cache import SummaryCache

        settings, service = self.settings, self.settings.summary_service
        if service is None:
            return None
        base, model = service
        wording = Wording(model=model, language=settings.summarise_language)
        client_for = partial(self.client_for, seconds=settings.summarise_seconds)
        make = plugins("summaries")["chat"]
        return Writing(
            database=self.database,
            ranker=self.ranker,
            summariser=make(base, wording, settings.summarise_key, client_for),
            shelf=SummaryCache(settings.data_dir / "summaries", wording),
            wording=wording,
            budget=settings.summary_budget,
        )

    @cached_property
    def gist(self) -> GistChooser:
        """Chooses what an edition says of a paper."""
        return choose_gist if self.writing is None else SummaryOrGist(self.writing.shelf)

    @cached_property
    def pinger(self) -> Pinger:
        """Tells the dead-man switch that is set, if one is, that this installation lives."""
        from paperround.ops.dead_man_switch import pinger_for

        return pinger_for(self.settings.ping_url, self.client)

    @cached_property
    def rounds(self) -> TickContext:
        """What a tick needs."""
        return TickContext(
            database=self.database,
            ranker=self.ranker,
            opinions=self.opinions,
            identity=self.identity,
            hours=Hours(hour=self.settings.default_hour),
            newsroom=self.newsroom,
            enrichers=self.enrichers,
            pinger=self.pinger,
            alerts_to=self._keeper,
            wake=self._wake_after,
            boot=self.boot,
            alive=lambda: rounds_of_a_tick.live(self.database, now=self.clock.now()),
            gist=self.gist,
        )

    @property
    def _keeper(self) -> str | None:
        """Where the operator reads mail; None when the contact is a page or there is none."""
        try:
            return self.addresses.read(self.settings.contact or "").mailed
        except InvalidInput:
            return None

    @cached_property
    def queue(self) -> Queue:
        """The jobs of this installation; nothing runs in this process before it is started."""
        return workers.queue_of(self)

    @property
    def shared_queue(self) -> SharedQueue:
        """The same, where other processes have it too. Raises Misconfigured on SQLite."""
        if self.settings.embedded:
            raise Misconfigured(NO_SHARING)
        return cast("SharedQueue", self.queue)

    @cached_property
    def channel_sender(self) -> ChannelSender:
        """What posts to channels."""
        from paperround.digests.channel_sender import HttpChannelSender

        client = self.client_for(*self.settings.open_places, seconds=mailroom.SECONDS)
        return HttpChannelSender(client=client, clock=self.clock)

    def requests_first(self) -> AbstractContextManager[None]:
        """Write the mails that people asked for. Where that fails they wait, and other mail does
        not wait for them."""
        return workers.requests_first(self)

    def post_to_channels(self) -> ChannelReport:
        """Post to channels what is due."""
        return mailroom.post_channels(self)

    def publish(self) -> None:
        """Freeze editions and plan digests that are due, keep house, tell what is wrong."""
        rounds_of_a_tick.publish_round(self.rounds, now=self.clock.now())

    def poll(self) -> None:
        """Read the feeds that are due, unless this is a demo."""
        if not self.demo:
            rounds_of_a_tick.poll_round(self.rounds, now=self.clock.now())

    def enrich(self) -> None:
        """Ask other services for more of the papers, unless this is a demo."""
        if not self.demo:
            rounds_of_a_tick.enrich_round(self.rounds, now=self.clock.now())

    def summarise(self) -> None:
        """Have papers summed up ahead of their edition, if a machine is set and this is no demo."""
        if self.writing is not None and not self.demo:
            summarise(self.writing, now=self.clock.now())

    @cached_property
    def intake(self) -> Intake:
        """What taking mails in that come back needs."""
        from paperround.bounces.reader import ReturnReader

        reader = ReturnReader(self.settings.bounce_address or "")
        return Intake(database=self.database, keys=self.settings.keys, reader=reader)

    def read_returns(self) -> None:
        """Look into the mailbox that mails come back to, if one is set and it is time to."""
        if self.settings.bounce_imap_url and not self.demo:
            now = self.clock.now()
            rounds_of_a_tick.returns_round(self.rounds, self.empty_return_box, now=now)

    def empty_return_box(self) -> IntakeSummary | None:
        """Take in what waits in the mailbox; None where none is set. Raises FetchFailed."""
        from paperround.bounces.imap import opened_box, parse_imap_url

        if not self.settings.bounce_imap_url:
            return None
        place = parse_imap_url(self.settings.bounce_imap_url)
        return empty_box(self.intake, partial(opened_box, place), now=self.clock.now())

    def learn(self) -> None:
        """Learn from the votes of earlier papers, if the night's learning is due."""
        now = self.clock.now()
        rounds_of_a_tick.learn_round(self.database, self.model_maker, now=now)

    def wake(self) -> None:
        """Something waits to be sent: do not wait for the next tick."""
        for job in MAIL:
            self.queue.put(job)

    def _wake_after(self) -> None:
        """Mails were written. On PostgreSQL they have asked for their senders in doing so."""
        if self.settings.embedded:
            self.wake()

    def sign_off(self, lines: tuple[QueueName, ...] | None) -> None:
        """This process has ended: it was a worker of these lines, or a scheduler."""
        sign_off(self.database, self.processes.current(), lines)

    def plan(self) -> None:
        """Somebody is due at once: do not wait for the next tick."""
        self.queue.put(PUBLISH)

    def stop_sending(self) -> None:
        """Finish the mails in hand and take up no others. Safe to call from a signal's handler."""
        self.stopping.set()

    def boot(self) -> Boot | None:
        """How long this machine runs. By a clock that was put somewhere that says nothing."""
        is_real = isinstance(self.clock, SystemClock) and not self.demo
        return SystemProcesses().boot() if is_real else None

    @property
    def processes(self) -> Processes:
        """The processes of this host."""
        return SystemProcesses()

    def post(self) -> DeliveryContext:
        """All that delivering needs. Raises Misconfigured when the sender may not be anonymous."""
        return mailroom.post_of(self)

    @cached_property
    def send_marks(self) -> SendMarks:
        """What tells that an older copy of the database was put back."""
        return databases.send_marks_of(self.settings, self.processes.current().host)

    @cached_property
    def mailer(self) -> Mailer:
        """One for the process: what it learns of a relay holds for every batch."""
        return mailroom.mailer_of(self.settings)
