"""Choosing what one subscriber gets of an edition, or saying why they get nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from paperround.domain.editions import Edition, EditionPaper
from paperround.domain.finder import Finder, findable, finder_of
from paperround.domain.lists import MailingList
from paperround.domain.papers import PaperId
from paperround.domain.risers import dated
from paperround.domain.subscribers import WEEKDAYS, Frequency, Subscription
from paperround.domain.tastes import Opinion, Why
from paperround.domain.wishes import Sight, Wishes, sight_of


class DigestKind(StrEnum):
    """The kinds of mail a list sends."""

    DIGEST = "digest"
    ROUNDUP_WEEK = "roundup_week"
    ROUNDUP_MONTH = "roundup_month"
    REPLACEMENT = "replacement"


class SkipReason(StrEnum):
    """Why there is no mail today. Each one is recorded in the ledger."""

    NO_NEW_PAPERS = "no-new-papers"
    NO_PAPERS_AT_ALL = "no-papers-at-all"
    MUTED = "muted"
    BELOW_FLOOR = "below-floor"
    PAUSED = "paused"
    BOUNCING = "bouncing"
    NOT_THEIR_DAY = "not-their-day"
    HOLIDAY = "holiday"
    FEED_STALE = "feed-stale"
    FEED_FAILED = "feed-failed"
    RESTORED = "restored"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """News that a paper a reader was sent is withdrawn, in the words it is told with.

    `page` is what the paper's page is called.
    """

    paper_id: PaperId
    title: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The positions of the edition's papers that one subscriber gets, in the digest's order.

    `reasons` replace the edition's own where a paper is there for this reader's sake; `parts` are
    added to those of the edition where the reader's wishes decided the order.
    """

    positions: tuple[int, ...]
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


def choose(
    *,
    edition: Edition,
    mailing_list: MailingList,
    subscription: Subscription,
    already_sent: Collection[PaperId],
    local_day: date,
    finder: Finder | None = None,
    sight: Sight | None = None,
    withdrawn: Collection[PaperId] = (),
    opinion: Opinion | None = None,
    wishes: Wishes | None = None,
) -> Choice | SkipReason:
    """What `subscription` gets of `edition` on `local_day`; a reason when that is nothing.

    A paper that is `withdrawn` by now is left out, and so is one that the reader muted or gave as
    one they know. Two that the edition holds and that turned out to be one since are one paper, at
    the better place. Papers by an author whom the reader follows come first, then those on their
    topics or found by their searches, each group in the edition's order; with an `opinion`, in the
    order it makes of the scores and of what each paper is worth to the reader. Papers of a category
    they follow are worth more by its lift, and the floor is one of the sum. `finder` looks for all
    that in the edition's papers; without one it knows what the edition says of them. `sight` is
    what the wishes touch of these papers, where that was found before.
    """
    wish = subscription.preferences
    nothing = none_due(edition, subscription, local_day)
    if nothing is not None:
        return nothing
    wishes = wishes or Wishes(topics=wish.topics)
    unseen = _unseen(edition.papers, (already_sent, withdrawn, wishes.seeds + wishes.unlike))
    if not unseen:
        return SkipReason(edition.quiet_reason or SkipReason.NO_NEW_PAPERS)
    if wishes and sight is None:
        sight = sight_of(wishes, finder or _frozen_finder(edition))
    wanted = _heard(unseen, sight)
    if not wanted:
        return SkipReason.MUTED
    if wish.floor is not None:
        wanted = [one for one in wanted if _worth(one, sight, opinion) >= wish.floor]
    if not wanted:
        return SkipReason.BELOW_FLOOR
    choice = _chosen(wanted, sight, wish.size or mailing_list.size, opinion)
    return _for_a_week(choice, edition) if wish.frequency is Frequency.WEEKLY else choice


def none_due(edition: Edition, subscription: Subscription, local_day: date) -> SkipReason | None:
    """Why nobody looks at the papers at all; None when somebody does."""
    wish = subscription.preferences
    if wish.paused_until is not None and local_day < wish.paused_until:
        return SkipReason.PAUSED
    if subscription.resting_until is not None and local_day < subscription.resting_until:
        return SkipReason.BOUNCING
    if not is_their_day(subscription, local_day):
        return SkipReason.NOT_THEIR_DAY
    if not edition.papers:
        return SkipReason(edition.empty_reason or SkipReason.NO_PAPERS_AT_ALL)
    return None


def _frozen_finder(edition: Edition) -> Finder:
    return finder_of(tuple(findable(paper, None) for paper in _each_once(edition.papers)))


def _lift(paper: EditionPaper, sight: Sight | None) -> float:
    return sight.lift if sight is not None and paper.paper_id in sight.lifted else 0.0


def _worth(paper: EditionPaper, sight: Sight | None, opinion: Opinion | None) -> float:
    """What the floor is one of: the score, the lift of a category, and what the reader likes."""
    liked = 0.0 if opinion is None else opinion.worth(paper.paper_id)
    return paper.score + _lift(paper, sight) + liked


def _unseen(
    papers: Sequence[EditionPaper], left_out: Sequence[Collection[PaperId]]
) -> Sequence[EditionPaper]:
    """The papers, each once, but those that are in one of the collections."""
    ids = {paper.paper_id for paper in papers}
    out = set[PaperId]().union(*(ids.intersection(some) for some in left_out))
    if not out and len(ids) == len(papers):
        return papers
    return [paper for paper in _each_once(papers) if paper.paper_id not in out]


def _heard(papers: Sequence[EditionPaper], sight: Sight | None) -> Sequence[EditionPaper]:
    if sight is None or not sight.muted:
        return papers
    return [paper for paper in papers if paper.paper_id not in sight.muted]


def _each_once(papers: Sequence[EditionPaper]) -> Collection[EditionPaper]:
    first: dict[PaperId, EditionPaper] = {}
    for paper in papers:
        first.setdefault(paper.paper_id, paper)
    return first.values()


def _chosen(
    wanted: Sequence[EditionPaper], sight: Sight | None, size: int, opinion: Opinion | None
) -> Choice:
    chosen: list[EditionPaper] = []
    for papers in _grouped(wanted, sight):
        chosen += _best(papers, size - len(chosen), sight, opinion, chosen)
    liked = [Why() for _ in chosen] if opinion is None else opinion.explain(chosen)
    why = [_why(paper, sight, one) for paper, one in zip(chosen, liked, strict=True)]
    places = tuple(paper.position for paper in chosen)
    return Choice(
        positions=places,
        reasons={place: one.reason for place, one in zip(places, why, strict=True) if one.reason},
        parts={place: one.parts for place, one in zip(places, why, strict=True) if one.parts},
    )


def _grouped(
    papers: Sequence[EditionPaper], sight: Sight | None
) -> Sequence[Sequence[EditionPaper]]:
    """By authors they follow; on their topics and searches; the others, those of a category they
    follow at the place it lifts them to."""
    if sight is None:
        return [papers]
    if not (sight.followed or sight.wanted or sight.lifted):
        return [papers]
    followed = [paper for paper in papers if paper.paper_id in sight.followed]
    pinned = sight.followed | sight.wanted
    wanted = [
        paper
        for paper in papers
        if paper.paper_id in sight.wanted and paper.paper_id not in sight.followed
    ]
    others = [paper for paper in papers if paper.paper_id not in pinned]
    if sight.lift and not sight.lifted.isdisjoint(paper.paper_id for paper in others):
        others.sort(key=lambda paper: -(paper.score + _lift(paper, sight)))
    return [followed, wanted, others]


def _for_a_week(choice: Choice, edition: Edition) -> Choice:
    """The choice with reasons for somebody whose last mail was not yesterday's."""
    yesterday = edition.day - timedelta(days=1)
    frozen = {one.position: one.reason for one in papers_at(edition, choice.positions)}
    told = {
        place: dated(reason, yesterday) for place, reason in {**frozen, **choice.reasons}.items()
    }
    return replace(
        choice, reasons={place: said for place, said in told.items() if said != frozen[place]}
    )


def _best(
    papers: Sequence[EditionPaper],
    size: int,
    sight: Sight | None,
    opinion: Opinion | None,
    taken: Sequence[EditionPaper],
) -> Sequence[EditionPaper]:
    if opinion is None:
        return papers[:size]
    return opinion.spread(_lifted(papers, sight), size, taken)


def _lifted(papers: Sequence[EditionPaper], sight: Sight | None) -> Sequence[EditionPaper]:
    if sight is None or not (sight.lift and sight.lifted):
        return papers
    lifts = [_lift(paper, sight) for paper in papers]
    return [
        replace(paper, score=paper.score + lift) if lift else paper
        for paper, lift in zip(papers, lifts, strict=True)
    ]


def _why(paper: EditionPaper, sight: Sight | None, liked: Why) -> Why:
    """Why the paper is there for this reader, and then what everybody is told of it, with what
    that adds to the score; without a reason when nothing of theirs speaks for it."""
    own = sight.reason(paper.paper_id) if sight is not None else ""
    if sight is None or not sight.pins(paper.paper_id):
        own = " · ".join(filter(None, (own, liked.reason)))
    lift = _lift(paper, sight)
    return Why(
        reason=" · ".join(filter(None, (own, paper.reason))) if own else "",
        parts={"category": lift, **liked.parts} if lift else liked.parts,
    )


def is_their_day(subscription: Subscription, local_day: date) -> bool:
    """Whether the subscriber wants mail on the weekday of `local_day`."""
    match subscription.preferences.frequency:
        case Frequency.WEEKDAYS:
            return local_day.weekday() < 5
        case Frequency.WEEKLY:
            return WEEKDAYS[local_day.weekday()] == (subscription.preferences.weekday or "mon")
        case _:
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPaper:
    """One paper as a digest shows it. The named `parts` add up to `score`."""

    title: str
    authors: tuple[str, ...]
    gist: str
    reason: str
    votes: int | None
    comments: int | None
    links: Mapping[str, str]
    page_url: str
    score: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnPaper:
    """A paper that was withdrawn since the reader got it, as a digest says it."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalLinks:
    """The addresses that only this reader gets. Every token in them is 40 characters long."""

    unsubscribe: str
    preferences: str
    one_click: str
    feedback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """Everything a digest's template may know: values only, nothing left to look up."""

    list_name: str
    list_title: str
    day: date
    papers: tuple[DigestPaper, ...]
    links: PersonalLinks
    web_url: str
    subscribe_url: str
    operator: str
    postal_address: str
    contact: str
    more_papers: int
    language: str = "en"
    acknowledgements: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    withdrawn: tuple[WithdrawnPaper, ...] = ()
    privacy_url: str = ""
    imprint_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A digest in words: built together, from the same view."""

    subject: str
    preheader: str
    text: str
    html: str


def papers_at(edition: Edition, positions: tuple[int, ...]) -> tuple[EditionPaper, ...]:
    """The papers at `positions` (1-based), the edition's own and those behind, in that order."""
    by_position = {paper.position: paper for paper in edition.all_papers}
    return tuple(by_position[position] for position in positions)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMail:
    """One digest to be turned into bytes: the shared view, and what is this reader's alone.

    `view.links` hold the reader's own addresses; renderers may share work between mails whose
    views differ in nothing but the 40-character tokens inside `view.links`.
    """

    view: DigestView
    recipient: str
    message_id: str
    dated: datetime
    list_unsubscribe_mail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What every mail of an installation says about its sender."""

    mail_from: str
    """A From field: `Name <address>`."""
    envelope_from: str
    """The bare address of MAIL FROM, where no return address is set."""
    public_url: str
    operator: str
    postal_address: str
    contact: str
    privacy_url: str = ""
    imprint_url: str = ""
    bounce_address: str = ""
    """Mails come back to this address, with a tag of their own in it. Empty: to `envelope_from`."""
