"""Do one reader's day: read papers, plan today's digest, send it, write the files.

    reader, feeds ─► planned today? ─ no ─► poll ─► a digest to send? ─ yes ─► publish
                        yes └───────────────────────────── no └──────► deliver ◄─┘
                                                                          └─► files

Every step is the same as in any installation. The ledger has one row per local date of the reader,
so a second run on that day sends nothing, and one after a crash sends the rest. A day without new
papers gets no row, so a later run on that day looks again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from paperround.bootstrap import AppContext
from paperround.cli.ingest import paper_file, store_papers
from paperround.core.errors import InvalidInput
from paperround.core.times import format_instant, local_date
from paperround.db.transactions import Transaction, write
from paperround.delivery.deliver import DeliverReport
from paperround.delivery.replies import NO_SESSION
from paperround.delivery.status import DeliveryEntry, DeliveryQuery, redact_addresses, state_text
from paperround.delivery.store.status import StatusStore
from paperround.delivery.system_mail_model import NoticeMail
from paperround.digests.compose import without_site
from paperround.digests.model import DigestMail, DigestView, Rendered, Renderer
from paperround.digests.plan import expire_old
from paperround.digests.publish import publish
from paperround.digests.sending import deliver
from paperround.editions.lists import DEFAULT_LIST, MANUAL_CUT
from paperround.editions.model import DeliveryState, DigestKind, SkipReason
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import live_feeds, run_all_now
from paperround.ops.cleanup import clean_up
from paperround.personal.reader_preferences import interests_of, known_seeds
from paperround.plugins.once.config import OnceConfig
from paperround.plugins.once.files import write_files
from paperround.plugins.once.installation import claim, save_feeds, save_reader
from paperround.plugins.once.store import OldPapers
from paperround.subscribers.model import SubscriberId

UNREAD = "no papers could be read"
IN_DOUBT = "may have arrived, so it is not sent again"

VOTED_LIFE = timedelta(days=183)
"""How long papers with votes are kept: the ranking learns from them."""

MOST_DOUBTS = 100
"""Digests that may have arrived that are read; a run can only add to the latest."""

PAGE = 500
"""Papers deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class OwnRenderer:
    """Renders digests without links to a site, because there is none."""

    renderer: Renderer

    def render(self, view: DigestView) -> Rendered:
        """Return subject, preheader, text and HTML of a view."""
        return self.renderer.render(without_site(view))

    def compose(self, mail: DigestMail) -> bytes:
        """Return the message with CRLF line ends. Raises RenderingFailed with the reason."""
        return self.renderer.compose(replace(mail, view=without_site(mail.view)))

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """Return a notice with CRLF line ends. Raises RenderingFailed with the reason."""
        return self.renderer.compose_notice(mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceReport:
    """What a run did. `sent` counts the digests sent, `is_out` is true once today's digest is sent,
    and `papers` is its size. `nothing` is why none was sent. `trouble` is what is wrong with
    today's digest or its papers, None if nothing is. `unread` maps the feeds and files that could
    not be read to the reason."""

    sent: int = 0
    is_out: bool = False
    papers: int = 0
    nothing: str = ""
    trouble: str | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def run_once(app: AppContext, config: OnceConfig, *, is_trial: bool = False) -> OnceReport:
    """Do what is due for the reader of `config` now, and report it. A trial writes the files, but
    does nothing for later days. Raises Conflict in the folder of an installation."""
    claim(app, config)
    now = app.clock.now()
    reader = save_reader(app, config, now=now).subscriber_id
    save_feeds(app, config, now=now)
    unread: Mapping[str, str] = {}
    skipped = ""
    before = _entry_of_today(app, reader)
    looks = before is None
    if looks:
        unread = _read_papers(app, config, now)
        is_blind = len(unread) == len(config.feeds) + len(config.papers)
        # papers count from when they were read, so planning looks at the clock again
        skipped = UNREAD if is_blind else _plan(app, app.clock.now())
    post = app.post()
    renderer = OwnRenderer(post.renderer)
    known = _in_doubt(app, reader)
    sent = deliver(replace(post, renderer=renderer))
    entry = _entry_of_today(app, reader)
    cut_off = _in_doubt(app, reader) - known
    trouble = (
        _trouble(sent, entry) or _doubt(app, cut_off) or (skipped if skipped == UNREAD else None)
    )
    files = write_files(app, renderer, reader, config.files, now=app.clock.now())
    if not is_trial:
        _prepare_next(app, config, reader, looks=looks, is_well=trouble is None)
    return OnceReport(
        sent=sent.digests[DeliveryState.SENT],
        is_out=_is_sent(entry) and not _is_sent(before),
        papers=0 if entry is None else len(entry.positions),
        nothing=_why_nothing(app, config, entry, skipped),
        trouble=trouble,
        unread=unread,
        files=tuple(files),
    )


def _entry_of_today(app: AppContext, reader: SubscriberId) -> DeliveryEntry | None:
    """Return the ledger's row of the reader's date, None before it is planned."""
    today = local_date(app.clock.now(), app.settings.timezone)
    wanted = DeliveryQuery(subscriber_id=reader, local_date=today)
    with app.database.reading() as work:
        rows = work[StatusStore].deliveries(wanted, before=None, limit=5)
    return next((row for row in rows if row.kind == DigestKind.DIGEST), None)


def _in_doubt(app: AppContext, reader: SubscriberId) -> set[date]:
    """Return the dates of the digests that may have arrived."""
    wanted = DeliveryQuery(subscriber_id=reader, state=DeliveryState.UNKNOWN)
    with app.database.reading() as work:
        rows = work[StatusStore].deliveries(wanted, before=None, limit=MOST_DOUBTS)
    return {row.local_date for row in rows}


def _is_sent(entry: DeliveryEntry | None) -> bool:
    return entry is not None and entry.state is DeliveryState.SENT


def _read_papers(app: AppContext, config: OnceConfig, now: datetime) -> dict[str, str]:
    """Read every feed and file; return the error of each that could not be read, by name."""
    unread = run_all_now(app.feed_context, live_feeds(app.feed_context), now=now)
    for path in config.papers:
        try:
            store_papers(app, paper_file(path))
        except InvalidInput as error:
            unread[str(path)] = str(error).removeprefix(f"{path}: ")
    return unread


def _plan(app: AppContext, now: datetime) -> str:
    """Plan today's digest; return why there is none, "" if there is one. On a day that is not one
    of the reader's, an edition is frozen all the same: a monthly digest is made from the editions
    of its days."""
    app.summarise()
    expire_old(app.database, now=now)

    def planned(*, dry_run: bool) -> Mapping[str, int]:
        report = publish(
            database=app.database,
            ranker=app.ranker,
            identity=app.identity,
            list_name=DEFAULT_LIST,
            day=None,
            cut=MANUAL_CUT,
            now=now,
            dry_run=dry_run,
            gist=app.gist,
            personal_ranking=app.personal_ranking,
        )
        return report.planned.skipped

    skipped = next(iter(planned(dry_run=True)), "")
    if skipped in ("", SkipReason.NOT_THEIR_DAY):
        planned(dry_run=False)
    return skipped


def _trouble(report: DeliverReport, entry: DeliveryEntry | None) -> str | None:
    """Return why a digest that is due was not sent, None if it was or there is none."""
    waits = entry is not None and entry.state in _WAITING
    reasons = [*sorted(report.troubles), *filter(None, [report.stopped])]
    if not reasons and not waits:
        return None
    for one in (entry.reason if waits else "", entry.reply) if entry is not None else ():
        if one and not any(one in known for known in reasons):
            reasons.append(one)
    why = redact_addresses("; ".join(reasons)) or "another run is already sending it"
    why = why.replace(f"{NO_SESSION}: ", "the mail server cannot be reached: ")
    if entry is not None and entry.state is DeliveryState.UNKNOWN:
        what = IN_DOUBT
    else:
        what = "waits" if waits else "was not sent"
    return f"today's digest {what}: {why}"


def _doubt(app: AppContext, cut_off: Collection[date]) -> str | None:
    """Return which digests became doubtful in this run, because an earlier one was cut off while
    sending them; None if none did."""
    if not cut_off:
        return None
    today = local_date(app.clock.now(), app.settings.timezone)
    days = ", ".join(map(str, sorted(cut_off)))
    which = "today's digest" if set(cut_off) == {today} else f"the digest of {days}"
    return f"{which} {IN_DOUBT}: a run was cut off while sending it"


_WAITING = frozenset(
    {
        DeliveryState.QUEUED,
        DeliveryState.CLAIMED,
        DeliveryState.IN_DATA,
        DeliveryState.DEFERRED,
    }
)


def _why_nothing(
    app: AppContext, config: OnceConfig, entry: DeliveryEntry | None, skipped: str
) -> str:
    """Return as text why this run sends nothing."""
    if entry is None:
        with app.database.reading() as work:
            digests = work[StatusStore].deliveries(DeliveryQuery(), before=None, limit=1)
            days = work[ListStore].get(DEFAULT_LIST).candidate_days
        if skipped == SkipReason.NO_NEW_PAPERS and not digests:  # before the first, all are new
            return f"no paper is from the last {days} days"
        return state_text(DeliveryState.SKIPPED, skipped)
    if entry.state is DeliveryState.SENT and entry.sent_at is not None:
        how = "sent" if config.is_mailed else "made"
        return f"Today's digest was {how} at {format_instant(entry.sent_at)}."
    return state_text(entry.state, entry.reason)


def _prepare_next(
    app: AppContext, config: OnceConfig, reader: SubscriberId, *, looks: bool, is_well: bool
) -> None:
    """Do what no digest waits for: enrich papers for the next days, clean up, and ping."""
    if looks:
        app.enrich()
        app.learn()
    now = app.clock.now()
    clean_up(database=app.database, identity=app.identity, now=now)
    _delete_old_papers(app, config, reader, now)
    if is_well:
        app.tick_context.ping(now)


def _delete_old_papers(
    app: AppContext, config: OnceConfig, reader: SubscriberId, now: datetime
) -> None:
    """Delete old papers in small transactions, except those that are interests of the reader."""
    before = now - timedelta(days=config.keep_days)
    voted_before = min(before, now - VOTED_LIFE)

    def delete(work: Transaction) -> int:
        return work[OldPapers].delete(
            before=before, voted_before=voted_before, limit=PAGE, named=named
        )

    with app.database.reading() as work:
        named = set(known_seeds(work, interests_of(work, reader)).values())
    write(app.database, lambda work: work[OldPapers].leave_editions(before=before.date()))
    while write(app.database, delete) == PAGE:
        pass
