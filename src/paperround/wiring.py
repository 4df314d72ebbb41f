"""Putting the rooms together: the one place that knows every adapter, and where mypy proves
that each of them satisfies the Protocol its users wrote."""

import atexit
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import cached_property
from urllib.parse import urlsplit

from paperround.config import Settings
from paperround.domain.digests import Letterhead
from paperround.domain.errors import Misconfigured
from paperround.jobs.deliver import Post
from paperround.jobs.ports import AddressBook, Clock, Database, Mailer, Processes, Ranker, Renderer
from paperround.jobs.publish import Identity
from paperround.processes import SystemProcesses


@dataclass(frozen=True)
class Runtime:
    """An installation: settings, the present, and adapters made when first asked for."""

    settings: Settings
    clock: Clock

    @cached_property
    def database(self) -> Database:
        """The database, migrated if it is an empty SQLite file, with its default list."""
        from paperround.store.engine import create
        from paperround.store.migrate import prepare
        from paperround.store.unit_of_work import SqlDatabase

        engine = create(self.settings.database)
        atexit.register(engine.dispose)  # however the process ends, no connection is left open
        prepare(engine)
        database: Database = SqlDatabase(engine)
        self._ensure_default_list(database)
        return database

    def _ensure_default_list(self, database: Database) -> None:
        """Most commands find it as it should be, and need not wait for the writer's lock."""
        zone = self.settings.timezone
        with database.reading() as work:
            standing = work.lists.default()
        if standing is None or standing.zone != zone:
            with database.writing() as work:
                work.lists.ensure_default(zone=zone, now=self.clock.now())

    def prepare(self) -> None:
        """Open the database, so that its default list stands."""
        _ = self.database

    @cached_property
    def ranker(self) -> Ranker:
        """The ranker with its default weights."""
        from paperround.ranking.trending import TrendingRanker

        return TrendingRanker()

    def ranker_with(self, weights: str) -> Ranker:
        """The ranker with some weights changed; raises InvalidInput for an unknown one."""
        from paperround.ranking.trending import TrendingRanker
        from paperround.ranking.weights import parse_weights

        return TrendingRanker(weights=parse_weights(weights))

    @cached_property
    def renderer(self) -> Renderer:
        """The renderer of this installation's mail."""
        from paperround.mail.composer import MailRenderer

        return MailRenderer(self.letterhead)

    @cached_property
    def addresses(self) -> AddressBook:
        """What judges addresses."""
        from paperround.mail.addresses import EmailAddresses

        return EmailAddresses()

    @cached_property
    def letterhead(self) -> Letterhead:
        """The sender as every mail names it."""
        settings = self.settings
        return Letterhead(
            mail_from=settings.mail_from,
            envelope_from=self._sender,
            public_url=settings.public_url,
            operator=settings.operator or "",
            postal_address=settings.postal_address or "",
            contact=settings.contact or "",
            privacy_url=settings.privacy_url or "",
            imprint_url=settings.imprint_url or "",
        )

    @cached_property
    def identity(self) -> Identity:
        """What names and signs deliveries."""
        return Identity(keys=self.settings.keys, domain=self._sender.rpartition("@")[2])

    @property
    def processes(self) -> Processes:
        """The processes of this host."""
        return SystemProcesses()

    def post(self) -> Post:
        """All that delivering needs. Raises Misconfigured when the sender may not be anonymous."""
        self.settings.require_sender()
        return Post(
            database=self.database,
            mailer=self._mailer(),
            renderer=self.renderer,
            letterhead=self.letterhead,
            keys=self.settings.keys,
            clock=self.clock,
            processes=self.processes,
            lease=timedelta(seconds=self.settings.lease_seconds),
        )

    def _mailer(self) -> Mailer:
        from paperround.mail.relay import mailer_for

        return mailer_for(
            self.settings.relay,
            connections=self.settings.smtp_connections,
            hostname=urlsplit(self.settings.public_url).hostname or "localhost",
        )

    @property
    def _sender(self) -> str:
        name_and_address = parseaddr(self.settings.mail_from)
        if "@" not in name_and_address[1]:
            raise Misconfigured(
                f"PAPERROUND_MAIL_FROM is {self.settings.mail_from!r}: "
                "write it like Paper digest <digest@example.org>"
            )
        return name_and_address[1]
