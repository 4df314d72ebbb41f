"""Where papers came from."""

from sqlalchemy import Connection, Integer, bindparam, func, select

from paperround.domain.papers import (
    Carried,
    EarlierText,
    PaperId,
    PaperTrail,
)
from paperround.store import schema as db

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
