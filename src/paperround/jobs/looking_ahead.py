"""The next digest before it comes: as a reader's choices stand, as they might be, and for somebody
who has not signed up or not confirmed yet. Nothing is planned, kept or mailed."""

from dataclasses import dataclass
from datetime import datetime

from paperround.domain.digests import DigestPaper, Letterhead, Rendered, SkipReason
from paperround.domain.interests import Interest, checked_interests
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.notices import CONFIRM_VALID, Notice
from paperround.domain.subscribers import Address, Preferences
from paperround.domain.tokens import Purpose
from paperround.jobs.choices import checked, unpacked, unpacked_interests
from paperround.jobs.desk import Desk
from paperround.jobs.links import CONFIRMING, choosing_reader, noted
from paperround.jobs.opinions import Opinions
from paperround.jobs.ports import Ranker, Renderer
from paperround.jobs.preview import Preview, Tried, preview
from paperround.jobs.wishes import settled
from paperround.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What making a digest to look at needs."""

    desk: Desk
    ranker: Ranker
    letterhead: Letterhead
    renderer: Renderer
    opinions: Opinions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDigest:
    """The next digest: its papers in order and the mail, or why there would be none."""

    list_title: str
    papers: tuple[DigestPaper, ...] = ()
    mail: Rendered | None = None
    skipped: SkipReason | None = None


def next_digest(
    press: Press,
    token: str,
    *,
    now: datetime,
    list_name: str | None = None,
    preferences: Preferences | None = None,
    interests: tuple[Interest, ...] | None = None,
) -> NextDigest | None:
    """The digest that whoever holds a freshly mailed link would get now, after what they have had:
    as their choices stand, or with `preferences` and `interests` that are not kept. None for any
    other link.

    Raises InvalidInput for choices that cannot be.
    """
    desk = press.desk
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now, list_name=list_name)
        if reader is None:
            return None
        name, zone = reader.mailing_list.name, reader.mailing_list.zone
        tried = None
        if preferences is not None:
            wish = checked(preferences, zone=zone, now=now)
            tried = Tried(preferences=wish, interests=_readable(work, interests))
    return _shown(press, name, reader.address, tried, now)


def _readable(
    work: UnitOfWork, interests: tuple[Interest, ...] | None
) -> tuple[Interest, ...] | None:
    return None if interests is None else settled(work, checked_interests(interests))


def newcomers_digest(
    press: Press,
    list_name: str,
    preferences: Preferences,
    interests: tuple[Interest, ...],
    *,
    now: datetime,
) -> NextDigest:
    """What somebody new with these choices would get now.

    Raises NotFound for an unknown list, InvalidInput for choices that cannot be.
    """
    with press.desk.database.reading() as work:
        zone = work.lists.get(list_name).zone
        wish = checked(preferences, zone=zone, now=now)
        tried = Tried(preferences=wish, interests=_readable(work, interests))
    return _shown(press, list_name, None, tried, now)


def awaited_digest(press: Press, token: str, *, now: datetime) -> NextDigest:
    """What whoever holds the link of a confirmation would get once they confirm. A link that is
    forged, used or old shows what anybody would get: looking tells nothing of it."""
    desk = press.desk
    with desk.database.reading() as work:
        notice = noted(work, desk.keys, token, Purpose.CONFIRM)
        is_good = notice is not None and _waits(notice, now)
        name = _list_of(work, notice) if notice is not None and is_good else DEFAULT_LIST
        tried = Tried(preferences=Preferences())
        if notice is not None and is_good:
            tried = _asked(notice)
    return _shown(press, name, None, tried, now)


def _waits(notice: Notice, now: datetime) -> bool:
    in_time = now <= notice.dated + CONFIRM_VALID
    return notice.kind in CONFIRMING and notice.used_at is None and in_time


def _list_of(work: UnitOfWork, notice: Notice) -> str:
    known = {one.id: one.name for one in work.lists.all()}
    named = (name for id_, name in known.items() if id_ == notice.payload.get("list"))
    return next(named, DEFAULT_LIST)


def _asked(notice: Notice) -> Tried:
    choices = notice.payload.get("choices")
    wish = Preferences() if choices is None else unpacked(str(choices))
    return Tried(preferences=wish, interests=unpacked_interests(notice.payload))


def _shown(
    press: Press, list_name: str, reader: Address | None, tried: Tried | None, now: datetime
) -> NextDigest:
    shown = preview(
        database=press.desk.database,
        ranker=press.ranker,
        identity=press.desk.identity,
        letterhead=press.letterhead,
        list_name=list_name,
        day=None,
        reader=reader,
        now=now,
        opinions=press.opinions,
        afresh=True,
        tried=tried,
    )
    with press.desk.database.reading() as work:
        title = work.lists.get(list_name).title
    return _as_page(press, title, shown)


def _as_page(press: Press, list_title: str, shown: Preview) -> NextDigest:
    if shown.mail is None:
        return NextDigest(list_title=list_title, skipped=shown.skipped)
    view = shown.mail.view
    return NextDigest(
        list_title=view.list_title, papers=view.papers, mail=press.renderer.render(view)
    )
