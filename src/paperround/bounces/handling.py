"""Handle bounces, complaints and unsubscribe requests: find the message and act on its reader.

    signed address ────────────────┐
    our Message-ID + its recipient ┼─► a message of ours ─► its reader ─► bounce score
    a provider's recipient ────────┘                         ─► suppressed, paused, noted

A signed return address proves which message an event is about. A Message-ID proves nothing by
itself: replies and forwarded digests contain it. It counts only together with the address the
message went to, and, unless a provider signed the event, only as a bounce, which then pauses
sending at most. A recipient alone counts only from such a provider, and only if the ledger has a
digest to that address in the last 30 days. An event with a forged or expired return address is
attributed to no message, whatever else it contains.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice

from paperround.bounces.classify import weaker_evidence
from paperround.bounces.model import (
    KNOWN,
    Did,
    OwnMail,
    Proof,
    ReportKind,
    ReturnedEvent,
    masked,
)
from paperround.bounces.policy import SURGE, SURGE_OF_A_DOMAIN, apply_evidence
from paperround.bounces.store import ReturnStore
from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing, Purpose, read_token
from paperround.db.counts import EVERYWHERE, DayCountStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import (
    Evidence,
    Identity,
    delivery_message_id,
    delivery_nonce,
)
from paperround.delivery.owners import find_owner, key_of
from paperround.delivery.return_path import VALID, TagUse, read_tag, verify_tag
from paperround.delivery.store.past import PastStore
from paperround.editions.model import DeliveryId
from paperround.self_service.preferences import unsubscribe
from paperround.signup.magic_links import address_of, reader_of
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import COMPLAINT, GONE, Subscriber, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore

log = logging.getLogger(__name__)

CHUNK = 100
"""Events per transaction."""

DAY = timedelta(hours=24)

BOUNCED, COMPLAINED = "returns/bounce", "returns/complaint"
"""Names of counts by day."""

_LONGEST_CODE = 40


def receive(
    database: Database, keys: KeyRing, events: Sequence[ReturnedEvent], *, now: datetime
) -> Counter[str]:
    """Process `events`, each once however often it is delivered; return counts of their effects."""
    did = Counter[str]()
    waiting = iter(events)
    while chunk := list(islice(waiting, CHUNK)):

        def handle_all(work: Transaction, chunk: Sequence[ReturnedEvent] = chunk) -> list[str]:
            handled = [(event, *handle_event(work, keys, event, now=now)) for event in chunk]
            count_returns(work, handled, now=now)
            return [one for _, one, _ in handled]

        did.update(write(database, handle_all))
    return did


def handle_event(
    work: Transaction, keys: KeyRing, event: ReturnedEvent, *, now: datetime
) -> tuple[str, OwnMail | None]:
    """Process one event within a transaction. Returns its effect, KNOWN if it was processed before,
    and the message it names."""
    name = event.event_id  # replaced by its hash if it is long or contains an address
    is_plain = name.isascii() and name.isprintable() and "@" not in name and len(name) <= 200
    sanitized = replace(  # make it storable, whatever it contains
        event,
        event_id=name if is_plain else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(),
        code=masked(event.code)[:_LONGEST_CODE],
        happened_at=min(event.happened_at, now),
        message_id=event.message_id.replace("\0", ""),
        recipient=event.recipient.replace("\0", ""),
    )
    return _EventHandler(work, keys, now).handle(sanitized)


def record_refusals(
    work: Transaction, keys: KeyRing, book: str, transitions: Sequence[Transition], *, now: datetime
) -> None:
    """Treat refusals by a relay during delivery as bounces, in the transaction that stores the
    transitions."""
    handled = []
    for transition in transitions:
        if transition.evidence is not Evidence.NONE:
            event = ReturnedEvent(
                way="smtp",
                event_id=f"{book}/{transition.id}/{transition.token}",
                kind=ReportKind.BOUNCE,
                evidence=transition.evidence,
                happened_at=now,
                code=transition.reason.partition(": ")[2][:_LONGEST_CODE],
                said=transition.reply or "",
            )
            mail = work[ReturnStore].mail_by_row(book, transition.id)
            handled.append((event, *_EventHandler(work, keys, now).handle(event, mail)))
    count_returns(work, handled, now=now)


def count_returns(
    work: Transaction,
    handled: Iterable[tuple[ReturnedEvent, str, OwnMail | None]],
    *,
    now: datetime,
) -> None:
    """Count new bounces and complaints about messages of ours; `handled` are events, what they did
    and the messages they name. Call it last: the counts stay locked."""
    counts = Counter(
        BOUNCED if event.evidence is not Evidence.COMPLAINT else COMPLAINED
        for event, did, mail in handled
        if mail is not None
        and did not in (KNOWN, Did.UNKNOWN, Did.QUARANTINED)
        and (event.evidence.is_bounce or event.evidence is Evidence.COMPLAINT)
    )
    for name in sorted(counts):
        work[DayCountStore].add(name, EVERYWHERE, now=now, count=counts[name])


@dataclass(frozen=True, slots=True)
class _EventHandler:
    """Processes one event in one transaction."""

    work: Transaction
    keys: KeyRing
    now: datetime

    def handle(
        self, event: ReturnedEvent, refused: OwnMail | None = None
    ) -> tuple[str, OwnMail | None]:
        """Process an event; `refused` is the message if our relay reported it while sending."""
        kept = self.work[ReturnStore].begin(event, now=self.now)
        if kept is None:
            return KNOWN, None
        mail, proof = (refused, Proof.REPLY) if refused else self._find_mail(event)
        did, said = self._process(event, mail, proof)
        proven = None if proof is Proof.NONE else mail
        self.work[ReturnStore].end(kept, did, proof=proof, mail=proven, said=said)
        if did is not Did.NOTED:
            log.info("returned by %s: %s, %s, did: %s", event.way, event.kind, event.evidence, did)
        return did, mail

    # --- the message ---------------------------------------------------------------------------

    def _find_mail(self, event: ReturnedEvent) -> tuple[OwnMail | None, Proof]:
        """Return the message `event` names, and the proof; without proof the event has no
        effect."""
        if event.tag:
            mail = self._find_by_tag(event)
            return mail, Proof.NONE if mail is None else Proof.TAG
        if event.message_id:
            mail = self.work[ReturnStore].mail_by_message_id(event.message_id)
            if mail is not None and self.now - mail.dated <= VALID:
                return mail, Proof.MESSAGE_ID if self._names_recipient(mail, event) else Proof.NONE
        if event.recipient and _is_from_provider(event):
            mail = self.work[ReturnStore].last_digest_to(event.recipient, since=self.now - VALID)
            if mail is not None:
                return mail, Proof.RECIPIENT
        return None, Proof.NONE

    def _names_recipient(self, mail: OwnMail, event: ReturnedEvent) -> bool:
        """Return whether an event with the Message-ID of `mail` also names its recipient. A
        complaint or an unsubscribe request needs a provider's signature, since anybody could write
        it."""
        if event.kind is not ReportKind.BOUNCE and not _is_from_provider(event):
            return False
        mailed = self._address_of(mail)
        return bool(mailed) and event.recipient.strip().casefold() == mailed.casefold()

    def _find_by_tag(self, event: ReturnedEvent) -> OwnMail | None:
        """Return the message whose signed address or link the event contains."""
        leaves = event.kind is ReportKind.UNSUBSCRIBE
        parts = read_tag(event.tag)
        if parts is None:
            link = read_token(event.tag)
            if not leaves or link is None or link.purpose is not Purpose.UNSUBSCRIBE:
                return None
            mail = self._mail_by_row("delivery", link.row)
            return mail if mail and self.keys.verify(event.tag, mail.nonce) else None
        if not parts.is_good_on(self.now.date()) or (parts.use is TagUse.LEAVE and not leaves):
            return None
        book = "notice" if parts.use is TagUse.NOTICE else "delivery"
        mail = self._mail_by_row(book, parts.row)
        return mail if mail and verify_tag(self.keys, event.tag, mail.nonce) else None

    def _mail_by_row(self, book: str, row: int) -> OwnMail | None:
        """Return the message of a row, even of a digest whose row was deleted."""
        mail = self.work[ReturnStore].mail_by_row(book, row)
        past = self.work[PastStore].find(DeliveryId(row)) if book == "delivery" else None
        if mail is not None or past is None:
            return mail
        key = key_of(past)
        try:
            nonce = delivery_nonce(self.keys, key, past.key_id)
            message_id = delivery_message_id(self.keys, key, past.message_domain, past.key_id)
        except Misconfigured:  # the key that signed its links is gone
            return None
        return OwnMail(
            book=book,
            row=row,
            person=past.subscriber_id,
            message_id=message_id,
            nonce=nonce,
            dated=datetime.combine(past.local_date, time.min, UTC),
        )

    def _address_of(self, mail: OwnMail | None) -> str:
        person = self._person(mail)
        return "" if person is None else person.address

    def _person(self, mail: OwnMail | None) -> Subscriber | None:
        """Return the message's reader; None if it has none or they were erased."""
        if mail is None or mail.person is None:
            return None
        person = self.work[SubscriberStore].get(mail.person)
        return person if person is not None and person.address else None

    # --- effects -------------------------------------------------------------------------------

    def _process(self, event: ReturnedEvent, mail: OwnMail | None, proof: Proof) -> tuple[Did, str]:
        """Return the effect of the event, and the text that may be stored: none about an erased
        reader, whose name can no longer be masked."""
        if mail and mail.person is not None and not self.work[SubscriberStore].lock(mail.person):
            return Did.NOTED, ""
        return self._act(event, mail, proof), masked(event.said, self._address_of(mail))

    def _act(self, event: ReturnedEvent, mail: OwnMail | None, proof: Proof) -> Did:
        if event.kind is ReportKind.QUARANTINED:
            return Did.QUARANTINED
        if (
            event.kind in (ReportKind.AUTO_REPLY, ReportKind.REPORT)
            or event.happened_at < self.now - VALID
        ):
            return Did.NOTED
        person = self._person(mail)
        if mail is None or person is None:
            return Did.UNKNOWN if mail is None else Did.NOTED
        if proof is Proof.NONE:
            return Did.UNKNOWN
        if event.kind is ReportKind.UNSUBSCRIBE:
            return self._unsubscribe(mail)
        return self._act_on_evidence(self._limit_evidence(event, mail, proof), mail, person)

    def _unsubscribe(self, mail: OwnMail) -> Did:
        """Unsubscribe as the link in the message does, with the same undo email."""
        if mail.book != "delivery":
            return Did.NOTED
        owner = find_owner(self.work, self.keys, DeliveryId(mail.row))
        reader = None
        if owner is not None:
            reader = reader_of(self.work, owner.subscriber_id, list_id=owner.list_id)
        domain = mail.message_id.strip("<>").rpartition("@")[2]
        identity = Identity(keys=self.keys, domain=domain)
        left = reader is not None and unsubscribe(self.work, identity, reader, now=self.now)
        return Did.UNSUBSCRIBED if left else Did.NOTED

    def _limit_evidence(self, event: ReturnedEvent, mail: OwnMail, proof: Proof) -> ReturnedEvent:
        """Limit the evidence to what is proved. Everybody to whom a digest is forwarded knows its
        Message-ID and recipient. They prove only a temporary failure, once per message: otherwise
        one Message-ID could pause sending for weeks."""
        if proof is not Proof.MESSAGE_ID or _is_from_provider(event):
            return event
        most = Evidence.NONE if self.work[ReturnStore].has_bounced(mail) else Evidence.PASSING
        return replace(event, evidence=weaker_evidence(event.evidence, most))

    def _act_on_evidence(self, event: ReturnedEvent, mail: OwnMail, person: Subscriber) -> Did:
        """Act on the evidence. A complaint unsubscribes from every list and suppresses the address,
        even of a reader who is not active. A bounced confirmation does not suppress the address: no
        digest is sent before the confirmation."""
        if event.evidence is Evidence.COMPLAINT:
            for one in self.work[SubscriberStore].subscriptions_of(person.id):
                self.work[SubscriberStore].leave(one.id, now=self.now)
            address = address_of(person)
            fresh = suppress(self.work, self.keys, address, reason=COMPLAINT, now=self.now)
            return Did.COMPLAINED if fresh else Did.NOTED
        if person.state is not SubscriberState.ACTIVE:
            return Did.NOTED
        surge = False
        if event.evidence is Evidence.GONE:
            at_domain, in_all = self.work[ReturnStore].stopped_since(person.id, self.now - DAY)
            surge = at_domain >= SURGE_OF_A_DOMAIN or in_all >= SURGE
        before = self.work[ReturnStore].score(person.id)
        after, effect = apply_evidence(
            before, event.evidence, mail=mail.name, today=event.happened_at.date(), surge=surge
        )
        if effect is Did.STOPPED:
            suppress(self.work, self.keys, address_of(person), reason=GONE, now=self.now)
        elif after != before:
            self.work[ReturnStore].set_score(person.id, after, now=self.now)
        return effect


def _is_from_provider(event: ReturnedEvent) -> bool:
    """Return whether a provider reported it with a verified signature."""
    return event.way.startswith("hook:")
