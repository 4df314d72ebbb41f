"""Store a compact record of digests whose rows were deleted: their recipients, so that the links
still work, and which papers each person was sent, so that none is sent twice.

Sorted ids are stored as compressed differences between neighbours: a digest takes a few bytes
instead of a few hundred, and a paper that everybody got takes next to nothing.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, true, update

from paperround.db.dialect import column_in, upsert
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind, EditionId
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberId

FINAL = tuple(
    state.value
    for state in (
        DeliveryState.SENT,
        DeliveryState.UNKNOWN,
        DeliveryState.FAILED,
        DeliveryState.EXPIRED,
        DeliveryState.SKIPPED,
    )
)
PART = 5000
"""People of a paper in one row. A batch only reads and writes the last row of a paper."""

REACHED = frozenset({DeliveryState.SENT, DeliveryState.UNKNOWN})
"""The states of digests that may be in somebody's mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedDigest:
    """A digest that has a final state."""

    id: DeliveryId
    list_id: ListId
    list_name: str
    subscriber_id: SubscriberId
    kind: DigestKind
    local_date: date
    state: DeliveryState
    message_id: str
    key_id: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDelivery:
    """What is kept of a digest: enough to find its reader, and to verify its links."""

    id: DeliveryId
    list_id: ListId
    list_name: str
    edition_id: EditionId
    subscriber_id: SubscriberId
    kind: DigestKind
    local_date: date
    key_id: str
    message_domain: str


class PastStore(Store):
    """Digests and sent papers whose own rows are deleted."""

    # --- what is deleted -------------------------------------------------------------------------

    def next_edition(self, *, before: datetime) -> EditionId | None:
        """Return the oldest edition that ended before `before`, still has rows, has no waiting
        digest, and has its figures counted; None without one."""
        c, mail = db.editions.c, db.deliveries.c
        counted = exists().where(db.edition_figures.c.edition_id == c.id)
        waits = exists().where(mail.edition_id == c.id, mail.state.not_in(FINAL))
        found = self._connection.execute(
            select(c.id)
            .where(
                c.compacted_at.is_(None),
                c.cut_at < before,
                or_(c.live_until.is_(None), c.live_until < before),
                or_(c.live_until.is_(None), counted),
                ~waits,
            )
            .order_by(c.cut_at, c.id)
            .limit(1)
        ).scalar()
        return None if found is None else EditionId(found)

    def is_any_deleted(self, list_id: ListId, day: date) -> bool:
        """Return whether rows of digests of a date were deleted: then not all outcomes are known
        any more."""
        c = db.editions.c
        begun = exists().where(db.past_deliveries.c.edition_id == c.id)
        which = (c.list_id == list_id, c.day == day, or_(c.compacted_at.is_not(None), begun))
        return self._connection.execute(select(c.id).where(*which).limit(1)).first() is not None

    def ended_digests(self, edition: EditionId, *, limit: int) -> list[EndedDigest]:
        """Return digests of an edition that have a final state, by id."""
        c = db.deliveries.c
        found = self._connection.execute(
            select(db.deliveries, db.lists.c.name.label("list_name"))
            .join_from(db.deliveries, db.lists)
            .where(c.edition_id == edition, c.state.in_(FINAL))
            .order_by(c.id)
            .limit(limit)
        )
        return [value_of(EndedDigest, row) for row in found]

    def compact(
        self, edition: EditionId, kept: Sequence[EndedDigest], gone: Collection[DeliveryId]
    ) -> None:
        """Delete the rows of the digests `gone`, and store a compact record: the papers of all of
        them, and the recipients of `kept`."""
        groups: dict[tuple[Any, ...], list[tuple[int, int]]] = defaultdict(list)
        for row in kept:
            domain = row.message_id.strip("<>").rpartition("@")[2]
            group = (row.list_id, row.kind, row.local_date, row.key_id, domain)
            groups[group].append((row.id, row.subscriber_id))
        for (list_id, kind, local_date, key_id, domain), pairs in groups.items():
            new = {
                "list_id": list_id,
                "edition_id": edition,
                "kind": kind,
                "local_date": local_date,
                "key_id": key_id,
                "message_domain": domain,
                "first_id": pairs[0][0],
                "last_id": pairs[-1][0],
                "ids": _packed(one for one, _ in pairs),
                "people": _packed(person for _, person in pairs),
            }
            self._connection.execute(db.past_deliveries.insert(), new)
        self._compact_papers(gone)
        c = db.deliveries.c
        self._connection.execute(
            delete(db.deliveries).where(column_in(self._connection, c.id, gone))
        )

    def _compact_papers(self, deliveries: Collection[int]) -> None:
        c = db.sent_papers.c
        theirs = column_in(self._connection, c.delivery_id, deliveries)
        people: dict[PaperId, set[SubscriberId]] = defaultdict(set)
        for paper, person in self._connection.execute(
            select(c.paper_id, c.subscriber_id).where(theirs)
        ):
            people[PaperId(paper)].add(SubscriberId(person))
        if not people:
            return
        saving = upsert(self._connection, db.past_papers, ("paper_id", "part"), ("people",))
        last = self.last_parts(people)
        rows = []
        for paper, some in people.items():
            part, known = last.get(paper, (0, frozenset[SubscriberId]()))
            if len(known) >= PART:
                part, known = part + 1, frozenset()
            both = sorted(some | known)
            rows.append({"paper_id": paper, "part": part, "people": _packed(both)})
        self._connection.execute(saving, rows)
        self._connection.execute(delete(db.sent_papers).where(theirs))

    def last_parts(
        self, papers: Collection[PaperId]
    ) -> dict[PaperId, tuple[int, frozenset[SubscriberId]]]:
        """Return the number and the people of the last part of each paper that has one."""
        c = db.past_papers.c
        last = (
            select(c.paper_id, func.max(c.part).label("part"))
            .where(column_in(self._connection, c.paper_id, papers))
            .group_by(c.paper_id)
            .subquery()
        )
        found = self._connection.execute(
            select(c.paper_id, c.part, c.people).join_from(
                db.past_papers, last, and_(c.paper_id == last.c.paper_id, c.part == last.c.part)
            )
        )
        return {
            PaperId(row.paper_id): (row.part, frozenset(map(SubscriberId, _unpacked(row.people))))
            for row in found
        }

    def finish(self, edition: EditionId, *, now: datetime) -> None:
        """Note that the edition has no digests left, and delete what only digests showed."""
        behind = db.behind_papers
        self._connection.execute(delete(behind).where(behind.c.edition_id == edition))
        self._connection.execute(
            update(db.editions).where(db.editions.c.id == edition).values(compacted_at=now)
        )

    # --- what is kept ----------------------------------------------------------------------------

    def find(self, delivery: DeliveryId) -> PastDelivery | None:
        """Return what is kept of a digest, None if nothing is."""
        c = db.past_deliveries.c
        batches = self._connection.execute(
            select(db.past_deliveries, db.lists.c.name.label("list_name"))
            .join_from(db.past_deliveries, db.lists)
            .where(c.first_id <= delivery, c.last_id >= delivery)
        )
        for row in batches:
            ids = _unpacked(row.ids)
            if delivery in ids:
                return PastDelivery(
                    id=delivery,
                    list_id=ListId(row.list_id),
                    list_name=row.list_name,
                    edition_id=EditionId(row.edition_id),
                    subscriber_id=SubscriberId(_unpacked(row.people)[ids.index(delivery)]),
                    kind=DigestKind(row.kind),
                    local_date=row.local_date,
                    key_id=row.key_id,
                    message_domain=row.message_domain,
                )
        return None

    def people_sent(
        self, papers: Collection[PaperId] | None
    ) -> dict[PaperId, frozenset[SubscriberId]]:
        """Return who was sent each of these papers (None: all papers), as far as the rows are
        deleted."""
        c = db.past_papers.c
        wanted = true() if papers is None else column_in(self._connection, c.paper_id, papers)
        found = self._connection.execute(select(c.paper_id, c.people).where(wanted))
        people: dict[PaperId, frozenset[SubscriberId]] = defaultdict(frozenset)
        for paper, some in found:
            people[PaperId(paper)] |= frozenset(map(SubscriberId, _unpacked(some)))
        return dict(people)

    def page(self, *, after: PaperId, limit: int) -> dict[PaperId, frozenset[SubscriberId]]:
        """Return the same for up to `limit` papers with an id above `after`."""
        c = db.past_papers.c
        following = select(c.paper_id).where(c.paper_id > after).distinct().order_by(c.paper_id)
        found = self._connection.execute(following.limit(limit)).scalars()
        return self.people_sent([PaperId(one) for one in found])


def _packed(numbers: Iterable[int]) -> bytes:
    steps = [after - before for before, after in pairwise((0, *numbers))]
    return zlib.compress(json.dumps(steps, separators=(",", ":")).encode("ascii"))


def _unpacked(content: bytes) -> list[int]:
    return list(accumulate(json.loads(zlib.decompress(content))))
