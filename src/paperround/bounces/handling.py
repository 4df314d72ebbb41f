"""What comes back, whoever brings it: which mail it is about, and what follows for its reader.

    signed address ────────────────┐
    our Message-ID + its recipient ┼─► a mail of ours ─► its reader ─► what is held against them
    a provider's recipient ────────┘                                   ─► stopped, mail rests, noted

A signed return address proves which mail an event is about. A Message-ID proves nothing: replies
and forwarded digests carry it. It counts only beside the address that this mail went to, and where
no provider's signature was checked only as a bounce, which then rests mail at most. A recipient
alone counts only from such a provider, and only where the ledger holds a digest to that address of
the last 30 days. A return address that is signed badly or too old makes the event be about nothing,
whatever else it says.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from paperround.bounces.classify import at_most
from paperround.bounces.model import (
    Did,
    IntakeSummary,
    OwnMail,
    Proof,
    ReportKind,
    ReturnedEvent,
    masked,
)
from paperround.bounces.policy import SURGE, SURGE_OF_A_DOMAIN, Effect, judged
from paperround.bounces.store import ReturnStore
from paperround.core.tokens import KeyRing, Purpose, read_token
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import Evidence, Identity
from paperround.delivery.return_path import VALID, TagUse, read_tag, verify_tag
from paperround.editions.model import DeliveryId
from paperround.self_service.preferences import stop_reading
from paperround.signup.magic_links import address_of, reader_of
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import COMPLAINT, GONE, Subscriber, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore

log = logging.getLogger(__name__)

CHUNK = 100
"""Events a transaction."""

DAY = timedelta(hours=24)
_LONGEST_CODE = 40


def receive(
    database: Database, keys: KeyRing, events: Sequence[ReturnedEvent], *, now: datetime
) -> IntakeSummary:
    """Take `events` in, each once however often it comes, and say what they did."""
    did = Counter[str]()
    waiting = iter(events)
    while chunk := list(islice(waiting, CHUNK)):

        def take_all(work: Transaction, chunk: Sequence[ReturnedEvent] = chunk) -> list[str]:
            return [take_one(work, keys, event, now=now).word for event in chunk]

        did.update(write(database, take_all))
    return receipt(did.elements())


def receipt(words: Iterable[str]) -> IntakeSummary:
    """The receipt of events that did this."""
    return IntakeSummary(**Counter(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class HandledReport:
    """What became of one event; `did` None: it came before."""

    did: Did | None
    mail: OwnMail | None = None

    @property
    def word(self) -> str:
        """The count of a receipt that it is in."""
        return "known" if self.did is None else self.did.value


def take_one(
    work: Transaction, keys: KeyRing, event: ReturnedEvent, *, now: datetime
) -> HandledReport:
    """Take one event in, within a transaction."""
    name = event.event_id  # it may be long, or hold an address: then its hash stands for it
    is_plain = name.isascii() and name.isprintable() and "@" not in name and len(name) <= 200
    tidy = replace(  # it can be stored, whatever somebody wrote into it
        event,
        event_id=name if is_plain else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(),
        code=masked(event.code)[:_LONGEST_CODE],
        happened_at=min(event.happened_at, now),
        message_id=event.message_id.replace("\0", ""),
        recipient=event.recipient.replace("\0", ""),
    )
    return _Taking(work, keys, now).take(tidy)


def hold_against(
    work: Transaction, keys: KeyRing, book: str, moves: Sequence[Transition], *, now: datetime
) -> None:
    """What a relay said at once, while these mails were handed over, counts as if it had come
    back: in the transaction that writes the moves down."""
    for move in moves:
        if move.evidence is not Evidence.NONE:
            _Taking(work, keys, now).take_reply(book, move)


@dataclass(frozen=True, slots=True)
class _Taking:
    """One event, in one transaction."""

    work: Transaction
    keys: KeyRing
    now: datetime

    def take(self, event: ReturnedEvent) -> HandledReport:
        kept = self.work[ReturnStore].begin(event, now=self.now)
        if kept is None:
            return HandledReport(did=None)
        mail, proof = self._about(event)
        did, said = self._weighed(event, mail, proof)
        proven = None if proof is Proof.NONE else mail
        self.work[ReturnStore].end(kept, did, proof=proof, mail=proven, said=said)
        if did is not Did.NOTED:
            log.info("returned by %s: %s, %s, did: %s", event.way, event.kind, event.evidence, did)
        return HandledReport(did=did, mail=mail)

    def take_reply(self, book: str, move: Transition) -> None:
        mail = self.work[ReturnStore].mail_in(book, move.id)
        event = ReturnedEvent(
            way="smtp",
            event_id=f"{book}/{move.id}/{move.token}",
            kind=ReportKind.BOUNCE,
            evidence=move.evidence,
            happened_at=self.now,
            code=move.reason.partition(": ")[2][:_LONGEST_CODE],
            said=move.reply or "",
        )
        kept = self.work[ReturnStore].begin(event, now=self.now)
        if kept is not None and mail is not None:
            did, said = self._weighed(event, mail, Proof.REPLY)
            self.work[ReturnStore].end(kept, did, proof=Proof.REPLY, mail=mail, said=said)

    # --- which mail ----------------------------------------------------------------------------

    def _about(self, event: ReturnedEvent) -> tuple[OwnMail | None, Proof]:
        """The mail that `event` names, and what proves it: without that it counts for nothing."""
        if event.tag:
            mail = self._tagged(event)
            return mail, Proof.NONE if mail is None else Proof.TAG
        if event.message_id:
            mail = self.work[ReturnStore].mail_called(event.message_id)
            if mail is not None and self.now - mail.dated <= VALID:
                return mail, Proof.MESSAGE_ID if self._is_told_of(mail, event) else Proof.NONE
        if event.recipient and _is_from_a_provider(event):
            mail = self.work[ReturnStore].mail_to(event.recipient, since=self.now - VALID)
            if mail is not None:
                return mail, Proof.RECIPIENT
        return None, Proof.NONE

    def _is_told_of(self, mail: OwnMail, event: ReturnedEvent) -> bool:
        """Whether an event that knows the Message-ID of `mail` also names the address it went to.
        A complaint or a wish to leave takes more, where anybody can have written it."""
        if event.kind is not ReportKind.BOUNCE and not _is_from_a_provider(event):
            return False
        mailed = self._address(mail)
        return bool(mailed) and event.recipient.strip().casefold() == mailed.casefold()

    def _tagged(self, event: ReturnedEvent) -> OwnMail | None:
        """The mail whose signed address, or whose link, `event` came with."""
        leaves = event.kind is ReportKind.UNSUBSCRIBE
        parts = read_tag(event.tag)
        if parts is None:
            link = read_token(event.tag)
            if not leaves or link is None or link.purpose is not Purpose.UNSUBSCRIBE:
                return None
            mail = self.work[ReturnStore].mail_in("delivery", link.row)
            return mail if mail and self.keys.verify(event.tag, mail.nonce) else None
        if not parts.is_good_on(self.now.date()) or (parts.use is TagUse.LEAVE and not leaves):
            return None
        book = "notice" if parts.use is TagUse.NOTICE else "delivery"
        mail = self.work[ReturnStore].mail_in(book, parts.row)
        return mail if mail and verify_tag(self.keys, event.tag, mail.nonce) else None

    def _address(self, mail: OwnMail | None) -> str:
        person = self._person(mail)
        return "" if person is None else person.address

    def _person(self, mail: OwnMail | None) -> Subscriber | None:
        """Whose mail it was; None for nobody's, and for somebody who was erased."""
        if mail is None or mail.person is None:
            return None
        person = self.work[SubscriberStore].get(mail.person)
        return person if person is not None and person.address else None

    # --- what follows --------------------------------------------------------------------------

    def _weighed(self, event: ReturnedEvent, mail: OwnMail | None, proof: Proof) -> tuple[Did, str]:
        """What the event does, and the words that may be kept of it: none about somebody who was
        erased since, whose name nobody knows any more to leave it out."""
        if mail and mail.person is not None and not self.work[SubscriberStore].lock(mail.person):
            return Did.NOTED, ""
        return self._do(event, mail, proof), masked(event.said, self._address(mail))

    def _do(self, event: ReturnedEvent, mail: OwnMail | None, proof: Proof) -> Did:
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
            return self._leave(mail)
        return self._judge(self._doubted(event, mail, proof), mail, person)

    def _leave(self, mail: OwnMail) -> Did:
        """The same as the link in the mail does, with the same mail that takes it back."""
        if mail.book != "delivery":
            return Did.NOTED
        owner = self.work[SubscriberStore].owner_of_delivery(DeliveryId(mail.row))
        reader = None
        if owner is not None:
            reader = reader_of(self.work, owner.subscriber_id, list_id=owner.list_id)
        domain = mail.message_id.strip("<>").rpartition("@")[2]
        identity = Identity(keys=self.keys, domain=domain)
        left = reader is not None and stop_reading(self.work, identity, reader, now=self.now)
        return Did.UNSUBSCRIBED if left else Did.NOTED

    def _doubted(self, event: ReturnedEvent, mail: OwnMail, proof: Proof) -> ReturnedEvent:
        """The event as far as it is proved. A Message-ID and an address are known to everybody a
        digest is forwarded to: that is something passing, once a mail, or one Message-ID could rest
        mail for weeks."""
        if proof is not Proof.MESSAGE_ID or _is_from_a_provider(event):
            return event
        most = Evidence.NONE if self.work[ReturnStore].has_bounced(mail) else Evidence.PASSING
        return replace(event, evidence=at_most(event.evidence, most))

    def _judge(self, event: ReturnedEvent, mail: OwnMail, person: Subscriber) -> Did:
        """Who complains leaves every list, and is never mailed again, also when they were not
        mailed now. A confirmation that comes back stops nobody: nobody is mailed before they
        confirm."""
        if event.evidence is Evidence.COMPLAINT:
            for one in self.work[SubscriberStore].subscriptions_of(person.id):
                self.work[SubscriberStore].leave(one.id, now=self.now)
            address = address_of(person)
            fresh = suppress(self.work, self.keys, address, reason=COMPLAINT, now=self.now)
            return Did.COMPLAINED if fresh else Did.NOTED
        if person.state is not SubscriberState.ACTIVE:
            return Did.NOTED
        before = self.work[ReturnStore].standing(person.id)
        after, effect = judged(
            before,
            event.evidence,
            mail=mail.name,
            today=event.happened_at.date(),
            surge=event.evidence is Evidence.GONE and self._is_surge(person),
        )
        if effect is Effect.STOPPED:
            suppress(self.work, self.keys, address_of(person), reason=GONE, now=self.now)
        elif after != before:
            self.work[ReturnStore].set_standing(person.id, after, now=self.now)
        return Did.NOTED if effect is Effect.NONE else Did(effect.value)

    def _is_surge(self, person: Subscriber) -> bool:
        at_domain, in_all = self.work[ReturnStore].stopped_since(person.id, self.now - DAY)
        return at_domain >= SURGE_OF_A_DOMAIN or in_all >= SURGE


def _is_from_a_provider(event: ReturnedEvent) -> bool:
    """Whether a provider told it whose signature was checked."""
    return event.way.startswith("hook:")
