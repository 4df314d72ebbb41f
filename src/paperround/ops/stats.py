"""Figures for the operator: growth, sign-ups, deliveries, lateness, bounces, feedback.

    subscriptions ── counted every hour ─────────► counts by day ─┐
    sign-ups ─────── counted when they happen ───►                ├─► figures of some days
    ledger ───────── counted once an edition ends ► its figures ──┘    (`stats`)

The ledger has a row for every digest, so reading thirty days of it would take long. The outcomes of
an edition no longer change once all its digests have ended: then they are counted and stored.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from paperround.core.errors import invalid
from paperround.db.counts import EVERYWHERE, DayCountStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState, Edition
from paperround.editions.source_pages import feeds_of
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.ops.stats_model import (
    OTHERS,
    DeliveryDay,
    DeliveryFigures,
    DomainFigures,
    EditionFigures,
    EditionOutcome,
    FeedbackFigures,
    FeedFigures,
    FeedSaves,
    LatenessFigures,
    QueueFigures,
    ReturnDay,
    ReturnFigures,
    SignupDay,
    SignupFigures,
    Stats,
    StatsSummary,
    SubscriberDay,
    SubscriberFigures,
    hide_few,
)
from paperround.ops.store import SAVE, FigureStore
from paperround.signup.tally import CONFIRMED, SIGNUPS

DAYS = 30
MOST_DAYS = 90
"""Bounces are kept this long."""

PEOPLE = "people/"
"""Precedes the names of the counts of subscribers."""

SETTLED = timedelta(hours=1)
"""How long after its last digest expired an edition is counted for good."""

MOST_EDITIONS = 2
"""Editions counted in one tick, because each takes a moment."""


def record_people(work: Transaction, *, now: datetime) -> None:
    """Store how many subscribers there are today, in all and of each list."""
    lists: list[MailingList | None] = [None, *work[ListStore].all()]
    for one in lists:
        list_id = None if one is None else one.id
        for name, count in work[FigureStore].people(list_id, today=now.date()).items():
            work[DayCountStore].put(PEOPLE + name, list_id or EVERYWHERE, count, day=now.date())


def count_editions(database: Database, *, now: datetime) -> int:
    """Count some editions whose digests have ended, and store their figures; return how many."""
    with database.reading() as work:
        figures = work[FigureStore]
        found = figures.finished_editions(before=now - SETTLED, limit=MOST_EDITIONS)
        counted = figures.count_digests([one for one, _ in found])
        kept = {one: EditionFigures() for one, _ in found}
        for one, list_id in found:
            kept[one].merge(counted[one], figures.domains(list_id))

    def keep(work: Transaction) -> None:
        for one, its in kept.items():
            work[FigureStore].keep_figures(one, its, now=now)

    if kept:
        write(database, keep)
    return len(kept)


def stats(
    database: Database, *, now: datetime, days: int = DAYS, list_name: str | None = None
) -> Stats:
    """Return the figures of the last `days` days, today included, of a list or of all.

    Raises InvalidInput for a number of days that is not kept, NotFound for an unknown list.
    """
    if not 1 <= days <= MOST_DAYS:
        raise invalid("days", "days must be a number from 1 to %(most)s", most=MOST_DAYS)
    last = now.date()
    first = last - timedelta(days=days - 1)
    since = datetime.combine(first, time(), UTC)
    with database.reading() as work:
        wanted = None if list_name is None else work[ListStore].get(list_name)
        list_id = None if wanted is None else wanted.id
        # In the zone of a list it may be tomorrow already.
        outcomes = work[FigureStore].outcomes(list_id, first=first, last=last + timedelta(days=1))
        total = EditionFigures()
        known = work[FigureStore].domains(list_id)
        for one in outcomes:
            total.merge(one.figures, known)
        current = work[FigureStore].people(list_id, today=last)
        counted = work[DayCountStore].by_day(
            [PEOPLE + name for name in SubscriberFigures.__dataclass_fields__],
            first=first,
            last=last,
            list_id=list_id or EVERYWHERE,
        )
        signups = work[DayCountStore].by_day(SIGNUPS, first=first, last=last, list_id=list_id)
        returned = work[FigureStore].returned(list_id, since=since)
        saves = work[FigureStore].saves_by_feed(list_id, since=since)
        return Stats(
            first=first,
            last=last,
            list=list_name,
            subscribers=SubscriberFigures(**current),
            subscribers_by_day=[
                SubscriberDay(date=day, **_bare(counts))
                for day, counts in {**counted, last: current}.items()
            ],
            signups=SignupFigures(**_bare(_sum(signups))),
            signups_by_day=[
                SignupDay(date=day, **_bare(counts)) for day, counts in signups.items()
            ],
            deliveries=DeliveryFigures(**DeliveryFigures.numbers(total.states)),
            deliveries_by_day=_by_day(outcomes),
            domains=_by_domain(total),
            lateness=LatenessFigures.of(total.late),
            returned=ReturnFigures(**_sum(returned)),
            returned_by_day=[
                ReturnDay(date=day, **counts) for day, counts in sorted(returned.items())
            ],
            feedback=_feedback(work, outcomes, since),
            saves_by_feed=[FeedSaves(feed=name, saves=count) for name, count in saves],
            feeds=_feeds(work, wanted),
            queue=_queue(work, wanted, now),
        )


def summarise(database: Database, *, now: datetime, days: int = DAYS) -> StatsSummary:
    """Return the main figures of the last `days` days of all lists: a part of `stats`, faster
    because it omits feedback."""
    last = now.date()
    first = last - timedelta(days=days - 1)
    with database.reading() as work:
        figures = work[FigureStore]
        total = EditionFigures()
        for one in figures.outcomes(None, first=first, last=last + timedelta(days=1)):
            total.merge(one.figures, frozenset())
        signups = _sum(work[DayCountStore].by_day([CONFIRMED], first=first, last=last))
        returned = _sum(figures.returned(None, since=datetime.combine(first, time(), UTC)))
        return StatsSummary(
            days=days,
            readers=figures.people(None, today=last)["active"],
            confirmed=signups[CONFIRMED],
            sent=total.states[DeliveryState.SENT],
            late=LatenessFigures.of(total.late).over_30_minutes,
            bounces=returned["bounces"],
            complaints=returned["complaints"],
        )


def _bare(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts under the last part of their names."""
    return {name.rpartition("/")[2]: count for name, count in counts.items()}


def _sum(by_day: Mapping[date, Mapping[str, int]]) -> Counter[str]:
    total = Counter[str]()
    for counts in by_day.values():
        total.update(counts)
    return total


def _by_day(outcomes: Sequence[EditionOutcome]) -> list[DeliveryDay]:
    days: dict[date, Counter[str]] = {}
    for one in outcomes:
        days.setdefault(one.day, Counter()).update(one.figures.states)
    return [
        DeliveryDay(date=day, **DeliveryFigures.numbers(states))
        for day, states in sorted(days.items())
        if states
    ]


def _by_domain(total: EditionFigures) -> list[DomainFigures]:
    """Return the domains, those with most digests first, and the others last."""
    ordered = sorted(
        total.domains.items(), key=lambda one: (one[0] == OTHERS, -one[1].total(), one[0])
    )
    return [
        DomainFigures(domain=name, **DeliveryFigures.numbers(states)) for name, states in ordered
    ]


def _feedback(
    work: Transaction, outcomes: Sequence[EditionOutcome], since: datetime
) -> list[FeedbackFigures]:
    """Return the feedback on each edition that was sent to anybody, newest first."""
    sent = [one for one in outcomes if one.figures.states[DeliveryState.SENT]]
    people = work[FigureStore].feedback(since=since)
    return [
        _feedback_figures(
            one.list,
            one.day,
            one.cut,
            {verdict: people.get((one.id, verdict), 0) for verdict in ("more", "less", SAVE)},
        )
        for one in sent
    ]


def edition_feedback(work: Transaction, edition: Edition) -> FeedbackFigures:
    """Return the feedback on the digests of one edition."""
    people = work[FigureStore].feedback_on(edition.id)
    return _feedback_figures(edition.list_name, edition.day, edition.cut, people)


def _feedback_figures(
    list_name: str, day: date, cut: str, people: Mapping[str, int]
) -> FeedbackFigures:
    return FeedbackFigures(
        list=list_name,
        date=day,
        cut=cut,
        more=hide_few(people.get("more", 0)),
        less=hide_few(people.get("less", 0)),
        saved=hide_few(people.get(SAVE, 0)),
    )


def _feeds(work: Transaction, wanted: MailingList | None) -> list[FeedFigures]:
    feeds = polled_feeds(work)
    return [
        FeedFigures(
            name=one.name,
            health=one.health,
            reason=one.reason,
            last_news_at=one.last_news_at,
        )
        for one in (feeds if wanted is None else feeds_of(wanted, feeds))
    ]


def _queue(work: Transaction, wanted: MailingList | None, now: datetime) -> QueueFigures:
    lists = work[ListStore].all() if wanted is None else [wanted]
    backlogs = [work[Ledger].backlog(one.id, now=now) for one in lists]
    oldest = min((one.oldest_due for one in backlogs if one.oldest_due), default=None)
    return QueueFigures(
        waiting=sum(work[StatusStore].waiting_now(one.id, until=now) for one in lists),
        oldest_due_at=oldest,
        oldest_seconds=0 if oldest is None else max(0, int((now - oldest).total_seconds())),
        unknown=sum(one.by_state.get(DeliveryState.UNKNOWN, 0) for one in backlogs),
    )
