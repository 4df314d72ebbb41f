"""Store which papers each person was sent, and which withdrawals they were notified of.

Both are stored under the id a paper had at that time. A paper that was merged into another since is
the same work, so queries return all its ids.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, or_, select
from sqlalchemy.exc import IntegrityError

from paperround.core.errors import Conflict
from paperround.db.dialect import column_in, insert_new, insert_row, is_duplicate
from paperround.db.driver import Columns, insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.delivery.ledger_model import DeliveryContent, NewDelivery
from paperround.delivery.store.past import PastStore
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind, Withdrawal
from paperround.papers.identifiers import page_name
from paperround.papers.model import PaperId
from paperround.papers.store.duplicates import NOT_JOINED, groups
from paperround.subscribers.model import SubscriberId

Groups = Mapping[PaperId, frozenset[PaperId]]
Planned = tuple[DeliveryId, NewDelivery]

_REACHED = (DeliveryState.SENT.value, DeliveryState.UNKNOWN.value)
_TAKEN = "another list took one of these papers: choose again"


def all_ids(papers: Collection[PaperId], same: Groups) -> frozenset[PaperId]:
    """Return `papers` with all ids of each; `same` maps a merged paper to all ids of its work."""
    if not same:
        return frozenset(papers)
    return frozenset(papers).union(*(same[one] for one in papers if one in same))


def record_sent(connection: Connection, added: Collection[Planned]) -> None:
    """Record the papers and withdrawals in new rows. Raises Conflict when a person already has a
    paper of a digest or was notified of a withdrawal.

    Round-ups and replacements repeat papers on purpose, so they only add what is missing. Rows
    planned as skipped are ignored.
    """
    going = [(id_, row) for id_, row in added if row.state is DeliveryState.QUEUED]
    digests = [one for one in going if one[1].kind is DigestKind.DIGEST]
    others = [one for one in going if one[1].kind is not DigestKind.DIGEST]
    _insert(connection, db.sent_papers, _papers(digests))
    told = [(row.subscriber_id, one.paper_id, id_) for id_, row in going for one in row.withdrawn]
    _insert(connection, db.told_withdrawals, _columns(told))
    _require_new_works(connection, digests)
    insert_many(connection, insert_new(connection, db.sent_papers), _papers(others))


def record_sent_again(
    connection: Connection, edition: int, stopped: Sequence[tuple[SubscriberId, DeliveryContent]]
) -> None:
    """Record the papers of stopped digests of `edition` that are sent after all. Raises Conflict
    when another digest with one of the papers was planned meanwhile."""
    papers: dict[int, int] = {}
    for table in (db.edition_papers, db.behind_papers):
        places = select(table.c.position, table.c.paper_id).where(table.c.edition_id == edition)
        papers |= dict(connection.execute(places).all())
    sent = [(person, papers[at], mail.row) for person, mail in stopped for at in mail.positions]
    told = [(person, one.paper_id, mail.row) for person, mail in stopped for one in mail.withdrawn]
    for table, rows in ((db.sent_papers, sent), (db.told_withdrawals, told)):
        _insert(connection, table, _columns(rows))


def _insert(connection: Connection, table: Table, rows: Columns) -> None:
    try:
        insert_many(connection, insert_row(table), rows)
    except IntegrityError as error:
        if is_duplicate(error):
            raise Conflict(_TAKEN) from error
        raise


def _papers(planned: Sequence[Planned]) -> Columns:
    return _columns(
        [(row.subscriber_id, paper, id_) for id_, row in planned for paper, _ in row.papers]
    )


def _columns(rows: Sequence[tuple[int, int, int]]) -> Columns:
    """Return rows of (person, paper, delivery) as columns for a bulk insert."""
    person, paper, delivery = zip(*rows, strict=True) if rows else ((), (), ())
    return Columns({"subscriber_id": person, "paper_id": paper, "delivery_id": delivery})


def _require_new_works(connection: Connection, planned: Collection[Planned]) -> None:
    """Raise Conflict if a person would get two papers that were merged since selection."""
    same = groups(connection)
    if not same:  # the usual case: no paper needs checking
        return
    carried = {
        (row.subscriber_id, paper) for _, row in planned for paper, _ in row.papers if paper in same
    }
    if not carried:
        return
    people = {person for person, _ in carried}
    # Two lists may plan the two papers of one work for one person at the same time: the later one
    # waits here, and then sees the rows of the other. (Inserting into `sent_papers` already took a
    # weaker lock on these rows, which is compatible with this one.)
    c = db.subscribers.c
    locking = select(c.id).where(column_in(connection, c.id, people)).order_by(c.id)
    connection.execute(locking.with_for_update(key_share=True)).all()
    ids = {id_ for _, paper in carried for id_ in same[paper]}
    known = _recorded(connection, db.sent_papers, people, ids)
    if any(len(known[person] & same[paper]) > 1 for person, paper in carried):
        raise Conflict(_TAKEN)


def _recorded(
    connection: Connection,
    table: Table,
    people: Collection[SubscriberId],
    papers: Collection[PaperId],
    *which: Any,
) -> dict[SubscriberId, set[PaperId]]:
    """Return those of `papers` that `table` contains for each of `people`."""
    papers_of: dict[SubscriberId, set[PaperId]] = defaultdict(set)
    found = connection.execute(
        select(table.c.subscriber_id, table.c.paper_id)
        .outerjoin_from(table, db.deliveries, db.deliveries.c.id == table.c.delivery_id)
        .where(
            column_in(connection, table.c.subscriber_id, people),
            column_in(connection, table.c.paper_id, papers),
            *which,
        )
    )
    for person, paper in found:
        papers_of[SubscriberId(person)].add(PaperId(paper))
    return papers_of


def _withdrawn(connection: Connection, since: datetime) -> list[Withdrawal]:
    found = connection.execute(
        select(db.papers.c.id, db.papers.c.title, db.papers.c.identifiers)
        .where(db.papers.c.withdrawn_at > since, NOT_JOINED)
        .order_by(db.papers.c.withdrawn_at, db.papers.c.id)
    )
    return [
        Withdrawal(
            paper_id=PaperId(row.id),
            title=row.title,
            page=page_name(row.identifiers, PaperId(row.id)),
        )
        for row in found
    ]


class SentPapers(Store):
    """The papers each person was sent, and the withdrawals they were notified of."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._past = work[PastStore]

    def already_sent(
        self,
        subscribers: Collection[SubscriberId],
        papers: Collection[PaperId] | None = None,
    ) -> dict[SubscriberId, frozenset[PaperId]]:
        """Return the papers each person was or will be sent, over all lists, with an entry for
        every person. If `papers` are given, others may be missing.

        A merged paper is included with all its ids.
        """
        same = groups(self._connection)
        papers_of: dict[int, list[PaperId]] = defaultdict(list)
        kept = db.sent_papers.c
        sent = select(kept.subscriber_id, kept.paper_id).where(
            column_in(self._connection, kept.subscriber_id, subscribers)
        )
        if ids := all_ids(papers or (), same):
            # The index is in the order of papers, and a day's papers arrived within a week: a short
            # range of a person's rows.
            sent = sent.where(kept.paper_id.between(min(ids), max(ids)))
        for person, paper in self._connection.execute(sent):
            papers_of[person].append(paper)
        # Read second: a row that is deleted in between is found twice rather than never.
        for paper, people in self._past.people_sent(ids if papers is not None else None).items():
            for person in people.intersection(subscribers):
                papers_of[person].append(paper)
        return {person: all_ids(papers_of.get(person, ()), same) for person in subscribers}

    def withdrawals_to_tell(
        self, subscribers: Collection[SubscriberId], *, since: datetime
    ) -> dict[SubscriberId, tuple[Withdrawal, ...]]:
        """Return the papers withdrawn after `since` that each person got and was not notified of,
        in order of withdrawal; people without any are omitted. A paper in an unfinished delivery
        does not count."""
        withdrawn = _withdrawn(self._connection, since)
        if not withdrawn or not subscribers:
            return {}
        same = groups(self._connection)
        ids = all_ids([one.paper_id for one in withdrawn], same)
        reached = or_(db.sent_papers.c.delivery_id.is_(None), db.deliveries.c.state.in_(_REACHED))
        got = _recorded(self._connection, db.sent_papers, subscribers, ids, reached)
        for paper, people in self._past.people_sent(ids).items():
            for person in people.intersection(subscribers):
                got.setdefault(person, set()).add(paper)
        told = _recorded(self._connection, db.told_withdrawals, got, ids) if got else {}
        untold = {
            person: all_ids(papers, same) - all_ids(told.get(person, ()), same)
            for person, papers in got.items()
        }
        return {
            person: tuple(one for one in withdrawn if one.paper_id in papers)
            for person, papers in untold.items()
            if papers
        }
