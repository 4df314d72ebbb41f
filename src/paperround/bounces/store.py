"""Store bounce events, the bounce scores of readers, and the quarantine."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, distinct, func, select, update

from paperround.bounces.model import (
    LONGEST_QUARANTINED,
    MOST_QUARANTINED,
    MOST_UNPROVEN,
    Did,
    OwnMail,
    Proof,
    QuarantinedMail,
    ReportKind,
    ReturnedEvent,
    ReturnId,
    ReturnRecord,
    ReturnTally,
)
from paperround.bounces.policy import NO_BOUNCES, BounceScore
from paperround.db.dialect import column_in, insert_new, upsert
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.delivery.model import Evidence
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState
from paperround.editions.schedule import DIGEST_LIFE
from paperround.subscribers.model import SubscriberId, SubscriberState
from paperround.subscribers.store.mapping import EMAIL

_TABLES = {"delivery": db.deliveries, "notice": db.notices}
_LEFT = (DeliveryState.SENT, DeliveryState.UNKNOWN)
_TRIED = (*_LEFT, DeliveryState.FAILED)
_BOUNCES = (Evidence.PASSING, Evidence.LIKELY_GONE, Evidence.GONE)

_QUARANTINE_COLUMNS = tuple(column for column in db.quarantine.c if column.name != "content")


_DIGEST = "delivery/"
"""The start of the name of a digest."""


def _tried(since: datetime) -> Sequence[ColumnElement[bool]]:
    """Match digests sent or refused, of editions whose deliveries expired since."""
    alive = select(db.editions.c.id).where(db.editions.c.live_until > since + DIGEST_LIFE)
    states = [state.value for state in _TRIED]
    return (db.deliveries.c.edition_id.in_(alive), db.deliveries.c.state.in_(states))


class ReturnStore(Store):
    """Bounce events, bounce scores, and the quarantine."""

    # --- events --------------------------------------------------------------------------------

    def begin(self, event: ReturnedEvent, *, now: datetime) -> ReturnId | None:
        """Store `event`, without effect yet; return None if it is known."""
        row = {
            "way": event.way,
            "event_id": event.event_id,
            "kind": event.kind.value,
            "evidence": event.evidence.value,
            "proof": Proof.NONE.value,
            "did": Did.UNKNOWN.value,
            "code": event.code,
            "happened_at": event.happened_at,
            "received_at": now,
        }
        adding = insert_new(self._connection, db.returned).returning(db.returned.c.id)
        added = self._connection.execute(adding, row).scalar()
        return None if added is None else ReturnId(added)

    def end(
        self,
        event: ReturnId,
        did: Did,
        *,
        proof: Proof = Proof.NONE,
        mail: OwnMail | None = None,
        said: str = "",
    ) -> None:
        """Store the effect of an event, the message it is about, and the text that may be
        stored."""
        self._connection.execute(
            update(db.returned)
            .where(db.returned.c.id == event)
            .values(
                did=did.value,
                proof=proof.value,
                mail=None if mail is None else mail.name,
                subscriber_id=None if mail is None else mail.person,
                said=said or None,
            )
        )

    def events(
        self, person: SubscriberId | None, *, limit: int, before: int | None = None
    ) -> list[ReturnRecord]:
        """Return events about a person, or all of them, newest first; with an id below `before`."""
        query = select(db.returned).order_by(db.returned.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(db.returned.c.id < before)
        if person is not None:
            query = query.where(db.returned.c.subscriber_id == person)
        return [
            value_of(
                ReturnRecord,
                row,
                kind=ReportKind(row.kind),
                evidence=Evidence(row.evidence),
                proof=Proof(row.proof),
                did=Did(row.did),
                said=row.said or "",
            )
            for row in self._connection.execute(query)
        ]

    # --- messages ------------------------------------------------------------------------------

    def mail_by_row(self, book: str, row: int) -> OwnMail | None:
        """Return the message of a ledger row, or None; `book` is `delivery` or `notice`."""
        table = _TABLES[book]
        found = self._connection.execute(select(table).where(table.c.id == row)).one_or_none()
        return None if found is None else _own_mail(book, found)

    def mail_by_message_id(self, message_id: str) -> OwnMail | None:
        """Return the message with this Message-ID, or None."""
        for book, table in _TABLES.items():
            named = select(table).where(table.c.message_id == message_id).limit(1)
            found = self._connection.execute(named).one_or_none()
            if found is not None:
                return _own_mail(book, found)
        return None

    def last_digest_to(self, recipient: str, *, since: datetime) -> OwnMail | None:
        """Return the last digest sent to `recipient` since `since`, ignoring case, or None."""
        c = db.deliveries.c
        found = self._connection.execute(
            select(db.deliveries)
            .join_from(db.deliveries, db.subscribers)
            .where(
                db.subscribers.c.kind == EMAIL,
                db.subscribers.c.folded == recipient.strip().casefold(),
                c.state.in_([state.value for state in _LEFT]),
                c.dated >= since,
            )
            .order_by(c.dated.desc(), c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if found is None else _own_mail("delivery", found)

    def has_bounced(self, mail: OwnMail) -> bool:
        """Return whether a bounce of `mail` was counted before."""
        c = db.returned.c
        counted = select(c.id).where(
            c.subscriber_id == mail.person,
            c.mail == mail.name,
            c.evidence.in_([one.value for one in _BOUNCES]),
        )
        return self._connection.execute(counted.limit(1)).scalar() is not None

    # --- bounce scores -------------------------------------------------------------------------

    def score(self, person: SubscriberId) -> BounceScore:
        """Return the bounce score of a person; lock them first if you will change it."""
        row = self._connection.execute(
            select(db.standings).where(db.standings.c.subscriber_id == person)
        ).one_or_none()
        return NO_BOUNCES if row is None else value_of(BounceScore, row)

    def set_score(self, person: SubscriberId, score: BounceScore, *, now: datetime) -> None:
        """Store the bounce score of a person."""
        row = columns_of(score) | {"changed_at": now}
        setting = upsert(self._connection, db.standings, ("subscriber_id",), tuple(row))
        self._connection.execute(setting, row | {"subscriber_id": person})

    def stopped_since(self, person: SubscriberId, since: datetime) -> tuple[int, int]:
        """Return how many people were suppressed since then: at the mail domain of `person`, and in
        all."""
        domain = select(db.subscribers.c.domain).where(db.subscribers.c.id == person)
        theirs = db.subscribers.c.domain == domain.scalar_subquery()
        people = db.returned.c.subscriber_id
        at_domain, in_all = self._connection.execute(
            select(func.count(distinct(people)).filter(theirs), func.count(distinct(people)))
            .join_from(db.returned, db.subscribers)
            .where(db.returned.c.received_at > since, db.returned.c.did == Did.STOPPED.value)
        ).one()
        return at_domain, in_all

    # --- counting ------------------------------------------------------------------------------

    def tally(self, *, since: datetime, today: date) -> ReturnTally:
        """Return counts of events since `since`."""
        c = db.returned.c
        ours = and_(c.received_at >= since, c.mail.is_not(None))
        counted = self._connection.execute(
            select(c.kind, c.evidence, func.count()).where(ours).group_by(c.kind, c.evidence)
        )
        effects = self._connection.execute(
            select(c.did, func.count()).where(c.received_at >= since).group_by(c.did)
        )
        hard = [one.value for one in _BOUNCES]
        bounced, complained = self._connection.execute(
            select(
                func.count(distinct(c.mail)).filter(c.evidence.in_(hard)),
                func.count(distinct(c.mail)).filter(c.evidence == Evidence.COMPLAINT.value),
            ).where(ours)
        ).one()
        tried = select(func.count()).where(*_tried(since))
        quarantined = select(func.count()).select_from(db.quarantine)
        resting = (
            select(func.count())
            .join_from(db.standings, db.subscribers)
            .where(
                db.standings.c.resting_until > today,
                db.subscribers.c.state == SubscriberState.ACTIVE.value,
            )
        )
        return ReturnTally(
            since=since,
            tried=self._connection.execute(tried).scalar_one(),
            bounced=bounced,
            complained=complained,
            quarantined=self._connection.execute(quarantined).scalar_one(),
            resting=self._connection.execute(resting).scalar_one(),
            events={(kind, evidence): count for kind, evidence, count in counted},
            effects=dict(effects.all()),
        )

    def tallies_by_list(self, *, since: datetime) -> Mapping[ListId, ReturnTally]:
        """Return how many digests of each list were tried, bounced and were reported as spam."""
        c, d, counts = db.returned.c, db.deliveries.c, defaultdict[ListId, Counter[str]](Counter)
        hard = [one.value for one in _BOUNCES]
        said = self._connection.execute(
            select(c.mail, c.evidence)
            .where(c.received_at >= since, c.mail.startswith(_DIGEST))
            .where(c.evidence.in_([*hard, Evidence.COMPLAINT.value]))
            .distinct()
        ).all()
        ids = [int(mail.removeprefix(_DIGEST)) for mail, _ in said]
        found = select(d.id, d.list_id).where(column_in(self._connection, d.id, ids))
        lists = {f"{_DIGEST}{id_}": its for id_, its in self._connection.execute(found)}
        for mail, is_hard in {(mail, evidence in hard) for mail, evidence in said}:
            if mail in lists:
                counts[ListId(lists[mail])]["bounced" if is_hard else "complained"] += 1
        tried = select(d.list_id, func.count()).where(*_tried(since)).group_by(d.list_id)
        sent = {ListId(id_): count for id_, count in self._connection.execute(tried)}
        return {
            id_: ReturnTally(
                since=since,
                tried=count,
                bounced=counts[id_]["bounced"],
                complained=counts[id_]["complained"],
            )
            for id_, count in sent.items()
        }

    # --- quarantine ----------------------------------------------------------------------------

    def keep(
        self,
        event: ReturnedEvent,
        content: bytes,
        *,
        why: str,
        person: SubscriberId | None,
        now: datetime,
    ) -> None:
        """Quarantine a message; the oldest ones are deleted if there are too many."""
        row = {
            "way": event.way,
            "event_id": event.event_id,
            "why": why,
            "subscriber_id": person,
            "size": len(content),
            "content": content[:LONGEST_QUARANTINED],
            "received_at": now,
        }
        self._connection.execute(insert_new(self._connection, db.quarantine), row)
        newest = (
            select(db.quarantine.c.id).order_by(db.quarantine.c.id.desc()).limit(MOST_QUARANTINED)
        )
        self._connection.execute(
            delete(db.quarantine).where(db.quarantine.c.id.not_in(newest.scalar_subquery()))
        )

    def waiting(self, *, limit: int, before: int | None = None) -> list[QuarantinedMail]:
        """Return the quarantined messages, newest first; with an id below `before`."""
        newest = select(*_QUARANTINE_COLUMNS).order_by(db.quarantine.c.id.desc()).limit(limit)
        if before is not None:
            newest = newest.where(db.quarantine.c.id < before)
        return [value_of(QuarantinedMail, row) for row in self._connection.execute(newest)]

    def quarantined(self, number: int) -> tuple[QuarantinedMail, bytes] | None:
        """Return a quarantined message and the stored part of its bytes, or None."""
        row = self._connection.execute(
            select(db.quarantine).where(db.quarantine.c.id == number)
        ).one_or_none()
        return None if row is None else (value_of(QuarantinedMail, row), bytes(row.content))

    def forget(self, *, events: datetime, mails: datetime) -> int:
        """Delete events and quarantined messages from before these instants, and surplus events
        about no message of ours; return how many."""
        about_none = db.returned.c.mail.is_(None)
        newest = select(db.returned.c.id).where(about_none).order_by(db.returned.c.id.desc())
        too_many = newest.offset(MOST_UNPROVEN).limit(1).scalar_subquery()
        old_events = delete(db.returned).where(db.returned.c.received_at < events)
        old_mails = delete(db.quarantine).where(db.quarantine.c.received_at < mails)
        unproven = delete(db.returned).where(about_none, db.returned.c.id <= too_many)
        statements = (old_events, old_mails, unproven)
        return sum(self._connection.execute(one).rowcount for one in statements)


def _own_mail(book: str, row: Row[Any]) -> OwnMail:
    """Return the message of a row. A system email to an address of its own, such as a reader's new
    one, proves nothing about the address they have."""
    person = None if getattr(row, "address", None) else row.subscriber_id
    return value_of(OwnMail, row, book=book, row=row.id, person=person)
