"""Where papers came from, and what a map of the site says of them."""

from sqlalchemy import Connection, Integer, bindparam, func, select

from paperround.domain.papers import (
    Carried,
    EarlierText,
    PaperAddress,
    PaperId,
    PaperTrail,
)
from paperround.store import schema as db
from paperround.store.joining import STANDS

_KEPT, _LISTED = db.paper_versions.c, db.listings.c
_TEXTS = (
    select(_KEPT.version, _KEPT.title, _KEPT.replaced_at)
    .where(_KEPT.paper_id == bindparam("paper"))
    .order_by(func.coalesce(_KEPT.version, 0).desc(), _KEPT.id.desc())
    .limit(bindparam("most", type_=Integer()))
)
_CARRIED = (
    select(db.feeds.c.name, _LISTED.listed_on, _LISTED.first_seen_at)
    .join_from(db.listings, db.feeds)
    .where(_LISTED.paper_id == bindparam("paper"))
    .order_by(_LISTED.first_seen_at, db.feeds.c.name)
    .limit(bindparam("most", type_=Integer()))
)


def trail(connection: Connection, paper: PaperId, *, limit: int) -> PaperTrail:
    """The `limit` last texts of a paper, newest first, and the feeds that carry it."""
    texts = connection.execute(_TEXTS, {"paper": paper, "most": limit}).all()
    carried = connection.execute(_CARRIED, {"paper": paper, "most": limit}).all()
    return PaperTrail(
        earlier=tuple(
            EarlierText(version=version, title=title, replaced_at=at)
            for version, title, at in texts
        ),
        carried=tuple(Carried(feed=name, listed_on=day, since=at) for name, day, at in carried),
    )


def addresses(connection: Connection, *, after: PaperId, through: PaperId) -> list[PaperAddress]:
    """What stands among these ids, by id."""
    own = db.papers.c
    found = connection.execute(
        select(own.id, own.identifiers, own.changed_at)
        .where(own.id > after, own.id <= through, own.withdrawn_at.is_(None), STANDS)
        .order_by(own.id)
    )
    return [
        PaperAddress(id=PaperId(id_), identifiers=identifiers, changed_at=at)
        for id_, identifiers, at in found
    ]


def last_id(connection: Connection) -> PaperId:
    """The highest id that was given; 0 when there is none."""
    highest = select(func.coalesce(func.max(db.papers.c.id), 0))
    return PaperId(connection.execute(highest).scalar_one())
