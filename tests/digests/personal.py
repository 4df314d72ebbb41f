"""Editions that are published for readers of their own, and the digests they are mailed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.store.ledger import Ledger
from paperround.digests.compose import digest_mail, edition_content
from paperround.digests.model import DigestView
from paperround.digests.publish import publish
from paperround.editions.model import Candidate, DigestKind, Edition, Ranking
from paperround.editions.store.editions import EditionStore
from paperround.personal.ranking import PersonalRanking
from tests.fakes import SENDER_IDENTITY, NewestFirst
from tests.personal.personal_ranking import LATER, person
from tests.sample_database import IDENTITY


class Level(NewestFirst):
    """The newest first, by little, as on a day without great news."""

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        ranking = super().rank(
            candidates, background=background, as_of=as_of, submitter_cap=submitter_cap
        )
        scores = [round(one.score / 100, 4) for one in ranking.items]
        items = (
            replace(one, score=score, parts={"place": score})
            for one, score in zip(ranking.items, scores, strict=True)
        )
        return replace(ranking, items=tuple(items))


def narrow(database: SqlDatabase, shown: int) -> None:
    """Editions show this many papers."""
    with database.writing() as work:
        work.connection.execute(update(db.lists).values(edition_size=shown))


def publish_it(
    database: SqlDatabase, personal_ranking: PersonalRanking | None = None, *, now: datetime = LATER
) -> Edition:
    return publish(
        database=database,
        ranker=Level(),
        identity=IDENTITY,
        list_name="trending",
        day=now.date(),
        cut="manual",
        now=now,
        personal_ranking=personal_ranking or PersonalRanking(),
    ).edition


def slip_of(database: SqlDatabase, edition: Edition, name: str) -> DeliveryContent:
    with database.reading() as work:
        who = person(database, name)
        slip = work[Ledger].find(edition.list_id, who, DigestKind.DIGEST, edition.day)
    assert slip is not None
    return slip


def mailed(database: SqlDatabase, edition: Edition, name: str) -> DigestView:
    """What the mail of a reader shows, made as delivering makes it."""
    with database.reading() as work:
        stored = work[EditionStore].get(edition.id)
    slip = slip_of(database, edition, name)
    return digest_mail(
        edition_content(stored, "Trending", SENDER_IDENTITY), slip, IDENTITY.keys
    ).view
