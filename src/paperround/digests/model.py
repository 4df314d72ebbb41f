"""Choosing what one subscriber gets of an edition, or saying why they get nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from paperround.core.reasons import join_reasons
from paperround.delivery.system_mail_model import NoticeMail
from paperround.editions.model import Edition, EditionPaper, SkipReason
from paperround.editions.rank_changes import dated
from paperround.papers.formatting import web_address
from paperround.personal.matches import Matches
from paperround.personal.views import PaperIndex, Pick
from paperround.subscribers.model import WEEKDAYS, Frequency, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestChoice:
    """The positions of the edition's papers that one subscriber gets, in the digest's order.

    `reasons` replace the edition's own where a paper is there for this reader's sake; `parts` are
    added to those of the edition where the reader's wishes decided the order: of each a number for
    every position.
    """

    positions: tuple[int, ...]
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)


def choice_of(
    pick: Pick,
    edition: Edition,
    index: PaperIndex,
    sight: Matches | None,
    *,
    is_week: bool = False,
) -> DigestChoice | SkipReason:
    """Turn a pick from the papers of `edition` into positions with reasons, or into the reason why
    there is no mail. The reasons of a digest that `is_week` name weekdays."""
    if not pick.unseen:
        return SkipReason(edition.quiet_reason or SkipReason.NO_NEW_PAPERS)
    if not pick.heard:
        return SkipReason.MUTED
    if not pick.places:
        return SkipReason.BELOW_FLOOR
    papers = [index.papers[place] for place in pick.places]
    choice = _picked(pick, papers, sight)
    return _for_a_week(choice, papers, edition.day) if is_week else choice


def is_weekly(subscription: Subscription) -> bool:
    """Whether the last mail was not yesterday's."""
    return subscription.preferences.frequency is Frequency.WEEKLY


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


def _picked(pick: Pick, papers: Sequence[EditionPaper], sight: Matches | None) -> DigestChoice:
    """A pinned paper says what pins it; another what speaks for it, and why it is liked. After what
    is the reader's own comes what everybody is told of the paper."""
    reasons = {}
    for place, paper, liked in zip(pick.places, papers, pick.reasons, strict=True):
        wish = sight.reason(place) if sight is not None else ""
        own = wish if wish and sight and sight.pins(place) else join_reasons(wish, liked)
        if own:
            reasons[paper.position] = join_reasons(own, paper.reason)
    return DigestChoice(
        positions=tuple([paper.position for paper in papers]),
        reasons=reasons,
        parts=_parts(
            category=[] if sight is None else [sight.lift_of(place) for place in pick.places],
            personal=pick.worth,
            spread=[0.0 - cost for cost in pick.beside],
        ),
    )


def _parts(**parts: Sequence[float]) -> Mapping[str, Sequence[float]]:
    return {name: numbers for name, numbers in parts.items() if any(numbers)}


def _for_a_week(choice: DigestChoice, papers: Sequence[EditionPaper], day: date) -> DigestChoice:
    """The choice of these papers with reasons for somebody whose last mail was not yesterday's, and
    with what their order takes off the score of each."""
    yesterday = day - timedelta(days=1)
    frozen = {one.position: one.reason for one in papers}
    told = {
        place: dated(reason, yesterday) for place, reason in {**frozen, **choice.reasons}.items()
    }
    return replace(
        choice,
        reasons={place: said for place, said in told.items() if said != frozen[place]},
        parts={**choice.parts, **_parts(**{WEEK: [one.parts.get(WEEK, 0.0) for one in papers]})},
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
    """One paper as a digest shows it. The named `parts` add up to `score`; no mail shows either, so
    papers that differ in these alone are equal."""

    title: str
    authors: tuple[str, ...]
    gist: str
    reason: str
    votes: int | None
    comments: int | None
    links: Mapping[str, str] = field(hash=False)
    page_url: str
    score: float | None = field(default=None, compare=False)
    parts: Mapping[str, float] = field(default_factory=dict, compare=False)


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
    """Everything a digest's template may know: values only, nothing left to look up.

    `thin` says which trouble with a feed left the reader fewer papers; empty when none did.
    """

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
    thin: str = ""
    withdrawn: tuple[WithdrawnPaper, ...] = ()
    privacy_url: str = ""
    imprint_url: str = ""
    is_week: bool = False
    """Whether it is of a week, not of a day."""


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


# A week's edition: what is best of all its days, and not what is newest.
#
# A trending score gives a paper points for being new and for growing now, so that a day's edition
# opens with that day's papers. For a reader who missed six days these points are taken off again.

WEEK = "week"
"""The part of a score that takes off what is of one day. A digest with it is of a week."""


def of_the_week(edition: Edition, behind: Iterable[EditionPaper] = ()) -> Edition:
    """`edition` in the order of the week: the papers it shows, and those `behind` it that are as
    good as these."""
    shown = len(edition.papers)
    every = []
    for one in (*edition.papers, *behind):
        taken = -round(one.parts.get("recency", 0.0) + one.parts.get("growth", 0.0), 4)
        parts = {**one.parts, WEEK: taken}
        every.append(replace(one, score=round(one.score + taken, 4), parts=parts))
    every.sort(key=lambda paper: (-paper.score, paper.position))
    papers = [one for place, one in enumerate(every) if place < shown or one.position <= shown]
    return replace(edition, papers=tuple(papers))


class Renderer(Protocol):
    """Turns a digest into words and into the exact bytes that will be sent."""

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason."""

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """The message of a notice, CRLF line ends; raises RenderingFailed with the reason."""


def title_address(paper: DigestPaper) -> str:
    """Where the title leads: the abstract, else the paper's page."""
    return web_address(paper.links.get("abstract", "")) or web_address(paper.page_url)
