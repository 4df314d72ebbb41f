"""Define digests and choose a reader's papers from an edition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from paperround.core.reasons import freeze, join_reasons
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.system_mail_model import NoticeMail
from paperround.editions.model import (
    Edition,
    EditionPaper,
    NewPapers,
    SkipReason,
    TrendingPeriod,
    is_month_position,
)
from paperround.editions.rank_changes import dated
from paperround.editions.sections import (
    LEARNED,
    Age,
    Section,
    order_for_all,
    order_of,
    section_of,
)
from paperround.papers.formatting import web_address
from paperround.papers.model import PaperId
from paperround.personal.citing import NO_CITING, CitingPapers
from paperround.personal.keyword_index import Papers, bits
from paperround.personal.matches import Matches
from paperround.personal.views import PaperIndex, Pick
from paperround.subscribers.model import WEEKDAYS, Frequency, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestChoice:
    """The positions of a reader's papers in the edition, in the digest's order.

    `reasons` replace the edition's for papers chosen for this reader. `parts` are score parts
    added by the reader's preferences, one number per position. `next_papers` would follow.
    """

    positions: tuple[int, ...]
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    next_papers: tuple[PaperId, ...] = ()


def choice_of(
    pick: Pick,
    edition: Edition,
    index: PaperIndex,
    matches: Matches,
    *,
    citing: CitingPapers = NO_CITING,
    period: TrendingPeriod = TrendingPeriod.DAY,
    told: Papers = 0,
) -> DigestChoice | SkipReason:
    """Turn a pick into a choice, or into the reason why there is no email.

    The reasons of a week name weekdays. Those of papers in `told` say how many saved them.
    """
    if not pick.unseen:
        return SkipReason(edition.quiet_reason or SkipReason.NO_NEW_PAPERS)
    if not pick.heard:
        return SkipReason.MUTED
    if not pick.places:
        return SkipReason.BELOW_FLOOR
    papers = [index.papers[place] for place in pick.places]
    saved = {place: edition.shared.readers[index.papers[place].position] for place in bits(told)}
    choice = _choice(pick, papers, matches, citing, saved)
    if period is TrendingPeriod.WEEK:
        choice = _weekly_choice(choice, papers, edition.day)
    return _in_sections(choice, papers, edition.as_of, period)


def positions_for_everyone(edition: Edition, size: int) -> tuple[int, ...]:
    """Return the positions of the digest of a reader without preferences."""
    papers = edition.papers[:size]
    return tuple(papers[at].position for at in order_for_all(papers, edition.as_of))


def _in_sections(
    choice: DigestChoice, papers: Sequence[EditionPaper], as_of: datetime, period: TrendingPeriod
) -> DigestChoice:
    """Put a choice in the order of its sections, so that the ledger, the feedback page and every
    rendering number the papers alike. `papers` are those at its positions."""
    worth = choice.parts.get(PERSONAL) or (0.0,) * len(papers)
    placed = [
        (
            section_of(
                paper,
                reason=choice.reasons.get(paper.position, paper.reason),
                worth=one,
                as_of=as_of,
                period=period,
            ),
            paper.votes,
        )
        for paper, one in zip(papers, worth, strict=True)
    ]
    order = order_of(placed)
    if order == list(range(len(order))):
        return choice
    return replace(
        choice,
        positions=tuple([choice.positions[at] for at in order]),
        parts={name: [numbers[at] for at in order] for name, numbers in choice.parts.items()},
    )


def period_of(subscription: Subscription) -> TrendingPeriod:
    """Return what the subscriber's digests cover."""
    match subscription.preferences.frequency:
        case Frequency.WEEKLY:
            return TrendingPeriod.WEEK
        case Frequency.MONTHLY:
            return TrendingPeriod.MONTH
        case _:
            return TrendingPeriod.DAY


def period_covered(delivery: DeliveryContent) -> TrendingPeriod:
    """Return what a digest covers, by its papers, whatever the reader has chosen since."""
    if any(is_month_position(position) for position in delivery.positions):
        return TrendingPeriod.MONTH
    is_week = any(WEEK in own for own in delivery.parts.values())
    return TrendingPeriod.WEEK if is_week else TrendingPeriod.DAY


def covered_days(period: TrendingPeriod, local_day: date) -> tuple[date, date]:
    """Return the first and the last day that a digest of `local_day` covers: the seven days or the
    calendar month before it."""
    last = local_day - timedelta(days=1)
    match period:
        case TrendingPeriod.DAY:
            return local_day, local_day
        case TrendingPeriod.WEEK:
            return local_day - timedelta(days=7), last
        case TrendingPeriod.MONTH:
            return last.replace(day=1), last


def skip_reason_for(
    edition: Edition, subscription: Subscription, local_day: date
) -> SkipReason | None:
    """Return why there is no digest whatever its papers would be; None if it depends on them."""
    reason = reader_skip_reason(subscription, local_day)
    if reason is None and not edition.papers:
        return SkipReason(edition.empty_reason or SkipReason.NO_PAPERS_AT_ALL)
    return reason


def reader_skip_reason(subscription: Subscription, local_day: date) -> SkipReason | None:
    """Return why the subscriber gets no digest on `local_day`, whatever the edition; None if they
    do."""
    paused_until = subscription.preferences.paused_until
    if paused_until is not None and local_day < paused_until:
        return SkipReason.PAUSED
    if subscription.resting_until is not None and local_day < subscription.resting_until:
        return SkipReason.BOUNCING
    if not is_digest_day(subscription, local_day):
        return SkipReason.NOT_THEIR_DAY
    return None


def _choice(
    pick: Pick,
    papers: Sequence[EditionPaper],
    matches: Matches,
    citing: CitingPapers,
    saved: Mapping[int, int],
) -> DigestChoice:
    """Build the choice. A paper's first reason is what it cites. Then a pinned paper's reason names
    what pins it; other reasons name matches and liked topics. The reader's reasons come before how
    many others `saved` the paper, and before the edition's."""
    reasons = {}
    for place, paper, liked in zip(pick.places, papers, pick.reasons, strict=True):
        if paper.is_chosen:
            continue
        match = matches.reason(place)
        own = join_reasons(citing.reason(place), match, "" if matches.pins(place) else liked)
        if place in saved:
            own = join_reasons(own, freeze("colleagues.saved", num=saved[place]))
        if own:
            reasons[paper.position] = join_reasons(own, paper.reason)
    return DigestChoice(
        positions=tuple([paper.position for paper in papers]),
        reasons=reasons,
        parts=_nonzero(
            category=[matches.lift_of(place) for place in pick.places],
            cites=[citing.lift_of(place) for place in pick.places],
            **{PERSONAL: pick.worth},
            spread=[0.0 - cost for cost in pick.beside],
        ),
    )


def _nonzero(**parts: Sequence[float]) -> Mapping[str, Sequence[float]]:
    return {name: numbers for name, numbers in parts.items() if any(numbers)}


def _weekly_choice(choice: DigestChoice, papers: Sequence[EditionPaper], day: date) -> DigestChoice:
    """Adapt a choice to a weekly digest: reasons name weekdays, and the WEEK part is added."""
    yesterday = day - timedelta(days=1)
    frozen = {one.position: one.reason for one in papers}
    reasons = {at: dated(one, yesterday) for at, one in {**frozen, **choice.reasons}.items()}
    week = _nonzero(**{WEEK: [one.parts.get(WEEK, 0.0) for one in papers]})
    return replace(
        choice,
        reasons={at: reason for at, reason in reasons.items() if reason != frozen[at]},
        parts={**choice.parts, **week},
    )


def is_digest_day(subscription: Subscription, local_day: date) -> bool:
    """Return whether the subscriber wants a digest on `local_day`."""
    match subscription.preferences.frequency:
        case Frequency.WEEKDAYS:
            return local_day.weekday() < 5
        case Frequency.WEEKLY:
            return WEEKDAYS[local_day.weekday()] == (subscription.preferences.weekday or "mon")
        case Frequency.MONTHLY:
            return local_day.day == 1
        case _:
            return True


_CLUB_DAY = WEEKDAYS.index("fri")


def is_club_day(subscription: Subscription, local_day: date) -> bool:
    """Return whether the digest of `local_day` may name the journal club: once a week, on Friday
    for readers who get several digests a week. A monthly digest never does."""
    match subscription.preferences.frequency:
        case Frequency.WEEKLY:
            return True
        case Frequency.MONTHLY:
            return False
        case _:
            return local_day.weekday() == _CLUB_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPaper:
    """One paper as a digest shows it.

    `parts` add up to `score`. No email shows either, so they do not count for equality. Neither
    does `section`, which decides the heading above it, and with the parts the note below that.
    `lead_gist` has two sentences. `note` is what an editor wrote about it.
    """

    title: str
    authors: tuple[str, ...]
    gist: str
    reason: str
    votes: int | None
    comments: int | None
    links: Mapping[str, str] = field(hash=False)
    page_url: str
    lead_gist: str = field(default="", hash=False)
    organization: str = field(default="", hash=False)
    stars: int | None = field(default=None, hash=False)
    age: Age | None = field(default=None, hash=False)
    listed: str = field(default="", compare=False)
    note: str = field(default="", hash=False)
    section: Section | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)
    parts: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def is_estimated(self) -> bool:
        """Whether it has no votes, and is ranked by what was learned from earlier papers."""
        is_without_votes = self.section in (Section.NEW, Section.OLDER)
        return is_without_votes and any(part.startswith(LEARNED) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnPaper:
    """A paper withdrawn since it was sent to the reader."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClubPaper:
    """The journal club of a digest: its paper, and how many colleagues saved it this week."""

    title: str
    url: str
    readers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutPaper:
    """A paper that the reader's digests had left out, with its later votes."""

    title: str
    url: str
    votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalLinks:
    """The reader's own links. Each ends in a token of 40 characters; all are empty without a
    site."""

    unsubscribe: str
    preferences: str
    feedback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """The values of a digest's template.

    `local_date` is the subscriber's; the edition may be of another day. `thin` explains which
    feed problem made the digest shorter; empty for none. `note` is what an editor wrote about the
    edition. The last fields are the look of the list (`ListLook`), empty for the installation's.
    """

    list_name: str
    list_title: str
    local_date: date
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
    thin: str = ""
    note: str = ""
    withdrawn: tuple[WithdrawnPaper, ...] = ()
    club: ClubPaper | None = None
    new_papers: NewPapers | None = None
    risen: tuple[LeftOutPaper, ...] = ()
    next_titles: int = 0
    privacy_url: str = ""
    imprint_url: str = ""
    logo_url: str = ""
    period: TrendingPeriod = TrendingPeriod.DAY
    from_name: str = ""
    colour: str = ""
    reply_to: str = ""
    intro: str = ""
    footer: str = ""
    archive: str = ""
    """What follows `/editions` in the address of its archive: empty for the default list."""

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day that the digest covers."""
        return covered_days(self.period, self.local_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The rendered texts of a digest or a notice."""

    subject: str
    preheader: str
    text: str
    html: str


def papers_at(edition: Edition, positions: tuple[int, ...]) -> tuple[EditionPaper, ...]:
    """Return the papers at `positions` (1-based, of the edition or its tail), in that order."""
    by_position = {paper.position: paper for paper in edition.all_papers}
    return tuple(by_position[position] for position in positions)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMail:
    """One digest to render: the view and the reader's own values.

    Renderers may share work between messages whose views differ only in the 40-character tokens
    inside `view.links`.
    """

    view: DigestView
    recipient: str
    message_id: str
    dated: datetime
    list_unsubscribe_mail: str | None = None


# Weekly editions rank the best papers of seven days, not the newest.
#
# A trending score rewards papers for being new and for growing, so a daily edition starts with
# that day's papers. A weekly edition subtracts these points.

PERSONAL = "personal"
"""The score part that says how well a paper fits the reader."""

WEEK = "week"
"""The score part that subtracts recency and growth. Only weekly digests have it."""

MONTH = "month"
"""The same for monthly digests, where it also adds the votes since the paper's last rank."""


def weekly_edition(edition: Edition, behind: Iterable[EditionPaper] = ()) -> Edition:
    """Return `edition` in weekly order, with the papers of `behind` that now rank high enough."""
    shown = {one.position for one in edition.papers}
    papers = []
    for one in (*edition.papers, *behind):
        taken = -round(one.parts.get("recency", 0.0) + one.parts.get("growth", 0.0), 4)
        parts = {**one.parts, WEEK: taken}
        papers.append(replace(one, score=round(one.score + taken, 4), parts=parts))
    papers.sort(key=lambda paper: (-paper.score, paper.position))
    kept = [one for place, one in enumerate(papers) if place < len(shown) or one.position in shown]
    return replace(edition, papers=tuple(kept))


class Renderer(Protocol):
    """Render digests and notices, and build the bytes to send."""

    def render(self, view: DigestView) -> Rendered:
        """Return subject, preheader, text and HTML of a view."""

    def compose(self, mail: DigestMail) -> bytes:
        """Return the message with CRLF line ends. Raises RenderingFailed with the reason."""

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """Return a notice with CRLF line ends. Raises RenderingFailed with the reason."""


def title_address(paper: DigestPaper) -> str:
    """Return the URL of the title: the abstract, else the paper's page."""
    return web_address(paper.links.get("abstract", "")) or web_address(paper.page_url)
