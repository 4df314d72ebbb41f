"""Try other weights on the editions of the last days: what would readers have got instead?

    the edition of each day that went to most readers
       └─► its papers, ordered by their parts with other weights
              ├─► the first ones, against those that were sent
              └─► the votes of both a week later

Only the papers that an edition shows are reordered, from the parts that were frozen with it:
observations and models of later days change nothing. Stores nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperround.core.errors import InvalidInput, invalid
from paperround.core.times import local_date
from paperround.db.transactions import Database, Transaction
from paperround.editions.lists import MailingList
from paperround.editions.model import FIRST_CHOSEN, Edition, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import HistoryStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId, Vote
from paperround.ranking.reweigh import is_comparable, require_part_weights, reweigh
from paperround.ranking.weights import Weights, parse_weights, weights_of

DAYS = 30
MOST_DAYS = 90

OUTCOME = timedelta(days=7)
"""When the votes of an edition's papers are compared: most of them are in."""

MOST_MOVED = 10
"""Papers to name, both of those that would come in and of those that would drop out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDay:
    """One day: how many of the first `size` papers stay, those that come in, and those that drop
    out, in order."""

    day: date
    cut: str
    size: int
    entered: Sequence[EditionPaper]
    left: Sequence[EditionPaper]

    @property
    def same(self) -> int:
        """How many papers stay."""
        return self.size - len(self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedPaper:
    """A paper that comes in, or drops out, and on how many days."""

    paper: EditionPaper
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """The mean votes a week later of the first papers, as sent and as tried, over `days` days."""

    days: int
    sent: float
    tried: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsTrial:
    """What other weights would have changed, newest day first.

    `size` is the number of papers of a digest, `shown` that of an edition. `incomparable` days have
    editions whose scores cannot be recomputed. `outcome` is None without a day that is a week old
    and has papers with votes.
    """

    list: str
    weights: Weights
    size: int
    shown: int
    days: Sequence[TrialDay]
    incomparable: int
    outcome: TrialOutcome | None

    @property
    def same(self) -> float:
        """How many of the first papers stay on average; 0 without days."""
        return sum(one.same for one in self.days) / len(self.days) if self.days else 0.0

    @property
    def deepest(self) -> int:
        """The lowest rank from which a paper comes in; 0 if none does."""
        return max((paper.position for one in self.days for paper in one.entered), default=0)

    @property
    def entered(self) -> Sequence[MovedPaper]:
        """The papers that come in on most days."""
        return _most(paper for one in self.days for paper in one.entered)

    @property
    def left(self) -> Sequence[MovedPaper]:
        """The papers that drop out on most days."""
        return _most(paper for one in self.days for paper in one.left)


def try_weights(
    database: Database, list_name: str, weights: str, *, now: datetime, days: int = DAYS
) -> WeightsTrial:
    """Order the editions of the last `days` days, today included, with `weights`.

    Raises NotFound for an unknown list, and InvalidInput for a wrong number of days, unknown
    weights, and those that cannot be tried on past days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise invalid("days", "days must be a number from 1 to %(most)s", most=MOST_DAYS)
    try:
        after = parse_weights(weights)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="weights") from error
    require_part_weights(after)
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        editions = _editions(work, mailing_list, days=days, now=now)
        fitting = [one for one in editions if is_comparable(weights_of(one.ranker), after)]
        orders = [_orders(one, after, mailing_list.size) for one in fitting]
        old = [
            (one.as_of + OUTCOME, sent, tried)
            for one, (sent, tried) in zip(fitting, orders, strict=True)
            if one.as_of + OUTCOME <= now
        ]
        papers = {paper.paper_id for _, *both in old for order in both for paper in order}
        votes = work[HistoryStore].votes(papers, by=now)
    return WeightsTrial(
        list=mailing_list.name,
        weights=after,
        size=mailing_list.size,
        shown=mailing_list.edition_size,
        days=[_day(one, *order) for one, order in zip(fitting, orders, strict=True)],
        incomparable=len(editions) - len(fitting),
        outcome=_outcome(old, votes),
    )


def _editions(
    work: Transaction, mailing_list: MailingList, *, days: int, now: datetime
) -> list[Edition]:
    """Return the edition of each day that was sent in most digests, newest first."""
    last = local_date(now, mailing_list.zone)
    first = last - timedelta(days=days - 1)
    names = work[EditionStore].most_sent(mailing_list.id, since=first, until=last)
    found = (work[EditionStore].find(mailing_list.id, day, cut) for day, cut in names)
    return [one for one in found if one is not None]


_Order = Sequence[EditionPaper]


def _orders(edition: Edition, after: Weights, size: int) -> tuple[_Order, _Order]:
    """Return the first papers of an edition, as it ranked them and with other weights."""
    before = weights_of(edition.ranker)
    ranked = sorted(
        (one for one in (*edition.papers, *edition.dropped) if one.position < FIRST_CHOSEN),
        key=lambda one: one.position,
    )
    tried = sorted(ranked, key=lambda one: (-reweigh(one.parts, before, after), one.position))
    return ranked[:size], tried[:size]


def _day(edition: Edition, sent: _Order, tried: _Order) -> TrialDay:
    return TrialDay(
        day=edition.day,
        cut=edition.cut,
        size=len(sent),
        entered=_without(tried, sent),
        left=_without(sent, tried),
    )


def _without(papers: _Order, others: _Order) -> list[EditionPaper]:
    known = {one.position for one in others}
    return [one for one in papers if one.position not in known]


def _most(papers: Iterable[EditionPaper]) -> list[MovedPaper]:
    known: dict[PaperId, EditionPaper] = {}
    counts = Counter[PaperId]()
    for one in papers:
        known.setdefault(one.paper_id, one)
        counts[one.paper_id] += 1
    most = counts.most_common(MOST_MOVED)
    return [MovedPaper(paper=known[one], days=count) for one, count in most]


def _outcome(
    old: Collection[tuple[datetime, _Order, _Order]], votes: Mapping[PaperId, Sequence[Vote]]
) -> TrialOutcome | None:
    """Compare the means of the days on which both orders have papers with votes."""
    means = []
    for by, *orders in old:
        sent, tried = (_mean_votes(order, votes, by) for order in orders)
        if sent is not None and tried is not None:
            means.append((sent, tried))
    if not means:
        return None
    return TrialOutcome(
        days=len(means),
        sent=sum(sent for sent, _ in means) / len(means),
        tried=sum(tried for _, tried in means) / len(means),
    )


def _mean_votes(
    papers: _Order, votes: Mapping[PaperId, Sequence[Vote]], by: datetime
) -> float | None:
    """Return the mean of the papers whose votes are known by then; None if none are."""
    known = [
        max(counts)
        for one in papers
        if (counts := [v.value for v in votes.get(one.paper_id, ()) if v.captured_at <= by])
    ]
    return sum(known) / len(known) if known else None
