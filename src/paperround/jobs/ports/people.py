"""Lists, their editions, and the people who read them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from paperround.domain.deliveries import DeliveryId
from paperround.domain.digests import Withdrawal
from paperround.domain.editions import (
    Edition,
    EditionId,
    EditionState,
    EditionSummary,
    NewEdition,
    TailPaper,
)
from paperround.domain.interests import Interest
from paperround.domain.lists import ListId, MailingList
from paperround.domain.papers import PaperId
from paperround.domain.places import Order, Placed, Stood
from paperround.domain.readers import (
    DeliveryOwner,
    ExportPage,
    ExportPlace,
    NewFeedback,
    NewSignup,
)
from paperround.domain.subscribers import (
    Address,
    Consent,
    DueSubscription,
    ImportedSubscriber,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)


class ListStore(Protocol):
    """The mailing lists of an installation."""

    def get(self, name: str) -> MailingList:
        """The list called `name`; raises NotFound with the names there are."""
        ...

    def default(self) -> MailingList | None:
        """The list every installation has, None before it was made."""
        ...

    def all(self) -> list[MailingList]:
        """Every list, by name."""
        ...

    def page(self, after: ListId, *, limit: int) -> list[MailingList]:
        """Lists with an id above `after`, by id."""
        ...

    def pause(self, list_id: ListId, *, now: datetime) -> bool:
        """Send nothing of the list until `resume`; False when it is paused already."""
        ...

    def resume(self, list_id: ListId) -> bool:
        """End the pause; False when there is none."""
        ...

    def hold_after_restore(self, *, now: datetime) -> None:
        """Pause every list, and let nothing that was due or counted before `now` be mailed."""
        ...

    def ensure_default(self, *, zone: str, now: datetime) -> MailingList:
        """Make the default list when there is none, and give it this zone."""
        ...


class EditionStore(Protocol):
    """Frozen editions."""

    def find(self, list_id: ListId, day: date, cut: str) -> Edition | None: ...

    def get(self, edition: EditionId) -> Edition:
        """Raises NotFound. Only here the papers behind that digests carry are read as well."""
        ...

    def tail(self, edition: EditionId) -> tuple[TailPaper, ...]:
        """The places behind those that the edition shows; none once they are forgotten."""
        ...

    def forget_tails(self, *, before: datetime) -> int:
        """Forget the tails of editions that were cut before; returns how many."""
        ...

    def freeze(self, edition: NewEdition) -> Edition:
        """Store it in one transaction; raises Conflict when that (list, day, cut) stands."""
        ...

    def newest(self, list_id: ListId, *, by: datetime, most: int | None = None) -> Edition | None:
        """The standing edition with the latest cut at or before `by`, and at most `most` of its
        papers; none that was cancelled."""
        ...

    def recent(
        self, list_id: ListId, *, before: date | None = None, limit: int
    ) -> list[EditionSummary]:
        """Editions that hold papers, newest first; of days before `before`, where that is said."""
        ...

    def between(self, list_id: ListId, *, since: date, until: date) -> list[EditionSummary]:
        """Every standing edition of these days, both included, newest first; also those that hold
        no paper, with the reason."""
        ...

    def following(self, list_id: ListId, *, after: date) -> EditionSummary | None:
        """The last edition of the next day after `after` that has one with papers."""
        ...

    def stood(self, paper: PaperId, *, limit: int) -> list[Stood]:
        """Where a paper stood in the editions of all lists, the newest first."""
        ...

    def places(
        self,
        list_id: ListId,
        order: Order,
        *,
        days: tuple[date | None, date | None] = ...,
        limit: int,
        offset: int = ...,
    ) -> list[Placed]:
        """Papers of standing editions of these days, both included, each once, from `offset` on."""
        ...

    def set_state(self, edition: EditionId, state: EditionState) -> None: ...

    def cancel(self, edition: EditionId, *, now: datetime) -> bool:
        """Withdraw the edition: nothing is planned of it from now on. False when it was."""
        ...

    def restore(self, edition: EditionId) -> bool:
        """Let a cancelled edition stand again; False when it does."""
        ...

    def discard_empty(self, edition: EditionId) -> bool:
        """Forget an edition without papers and the skipped rows planned from it, so that the day
        can be published after all. False, and nothing done, when it holds papers or mails, or
        was cancelled."""
        ...


class SubscriberStore(Protocol):
    """Subscribers, subscriptions, suppressions, and which papers each person was sent."""

    def put(self, subscriber: ImportedSubscriber, list_id: ListId, *, now: datetime) -> str:
        """Insert or update one; returns `new`, `changed` or `unchanged`. Never un-suppresses,
        and never turns somebody who left back into a subscriber."""
        ...

    def subscriptions_after(
        self, list_id: ListId, after: SubscriptionId, *, limit: int
    ) -> list[Subscription]:
        """Active subscriptions with an id above `after`, by id."""
        ...

    def already_sent(
        self, subscribers: Collection[SubscriberId], papers: Collection[PaperId] | None = None
    ) -> dict[SubscriberId, frozenset[PaperId]]:
        """The papers each person was or will be sent, over all lists, with all ids of each; where
        `papers` are named, of those at least."""
        ...

    def withdrawals_to_tell(
        self, subscribers: Collection[SubscriberId], *, since: datetime
    ) -> dict[SubscriberId, tuple[Withdrawal, ...]]:
        """The papers that were withdrawn after `since` and that a person got, and was not told
        of; people for whom there are none are left out."""
        ...

    def find(self, address: Address) -> Subscriber | None: ...

    def subscription(self, subscriber: SubscriberId, list_id: ListId) -> Subscription | None: ...

    def export(self, list_id: ListId) -> Iterator[tuple[Subscriber, Preferences]]: ...

    def suppress(self, digest: str, key_id: str, *, reason: str, now: datetime) -> bool:
        """Keep a keyed hash that must never be mailed; False when it stands already. A complaint
        stands in the place of a mail that came back."""
        ...

    def lift(self, digest: str, *, now: datetime) -> bool:
        """End a suppression; False when it does not stand."""
        ...

    def suppressed(self, digests: Collection[str]) -> frozenset[str]: ...

    def suppression_keys(self) -> frozenset[str]:
        """The names of the keys that standing suppressions were hashed with."""
        ...

    def suppressions(self) -> list[tuple[str, str, datetime]]:
        """(digest, reason, since) of every standing suppression."""
        ...

    def set_state(
        self, subscriber: SubscriberId, state: SubscriberState, *, now: datetime
    ) -> None: ...

    # --- signing up and self-service

    def sign_up(
        self, signup: NewSignup, list_id: ListId, *, now: datetime
    ) -> tuple[Subscriber, Subscription]:
        """The person and their subscription, made `pending` when there is none. Somebody who is
        active, suppressed or left stays as they are: what was asked now waits in `signup`'s notice
        and counts once they confirm."""
        ...

    def get(self, subscriber: SubscriberId) -> Subscriber | None: ...

    def subscriptions_of(self, subscriber: SubscriberId) -> list[Subscription]:
        """Every subscription of a person, by list."""
        ...

    def activate(
        self,
        subscription: SubscriptionId,
        *,
        preferences: Preferences | None,
        consent: Consent,
        now: datetime,
    ) -> bool:
        """Pending or left -> active, person and subscription, with the consent and the choices
        that go with it. False when suppressed or erased."""
        ...

    def leave(self, subscription: SubscriptionId, *, now: datetime) -> bool:
        """active -> unsubscribed, with no due instant; False when it was not active."""
        ...

    def readdress(self, subscriber: SubscriberId, address: Address, *, now: datetime) -> bool:
        """Mail the person at another address from now on. Somebody who asked to be mailed there
        and never confirmed it is forgotten; False, and nothing done, when anybody else is known
        by it."""
        ...

    def reinstate(self, subscriber: SubscriberId, *, now: datetime) -> None:
        """Somebody who was stopped, and never left, is active again; their clocks start anew."""
        ...

    def choose(
        self, subscription: SubscriptionId, preferences: Preferences, *, now: datetime
    ) -> None:
        """Replace the choices; the due instant is for the caller to set anew."""
        ...

    def renew_nonce(self, subscriber: SubscriberId, nonce: str, *, now: datetime) -> None:
        """Bind the person's lasting links to `nonce`: those bound to the one before end."""
        ...

    def owner_of_delivery(self, delivery: DeliveryId) -> DeliveryOwner | None:
        """Whose mail a delivery was, with the nonce its links are bound to."""
        ...

    def give_feedback(self, feedback: NewFeedback, *, now: datetime) -> bool:
        """Keep what a reader says of a paper; `more` and `less` replace each other, `save` stands
        by itself. False when it was said already."""
        ...

    def feedback_of(self, subscriber: SubscriberId) -> list[tuple[PaperId, str]]: ...

    def feedback_of_all(
        self, subscribers: Collection[SubscriberId]
    ) -> dict[SubscriberId, list[tuple[PaperId, str]]]:
        """What each person said of papers, in the order they said it; those who said nothing are
        left out."""
        ...

    def interests_of_all(
        self, subscribers: Collection[SubscriberId]
    ) -> dict[SubscriberId, tuple[Interest, ...]]:
        """What each person is interested in, in the order they said it; those who said nothing
        are left out."""
        ...

    def set_interests(
        self, subscriber: SubscriberId, interests: Sequence[Interest], *, now: datetime
    ) -> bool:
        """Make these the person's interests, whatever was kept; False when they were so."""
        ...

    def kept_about(self, subscriber: SubscriberId, place: ExportPlace, *, limit: int) -> ExportPage:
        """Rows of what is kept about a person from `place` on, `limit` at most and of one table."""
        ...

    def message_ids_of(self, subscriber: SubscriberId) -> list[str]:
        """The Message-ID of every mail written for a person, whose bytes may be kept elsewhere."""
        ...

    def lock(self, subscriber: SubscriberId) -> bool:
        """Have others who lock this person wait until this transaction ends, and see what those
        before it wrote. False for a person who was erased, or is not there."""
        ...

    def erase(self, subscriber: SubscriberId, *, now: datetime) -> None:
        """Forget the person: address, choices, feedback, memory, replies and notices that hold the
        address. Ledger rows stay, nameless; what waits in it is skipped."""
        ...

    def forget_orphans(self, *, now: datetime) -> int:
        """Forget what was written of people after they were erased, and in notices of people who
        are gone. Returns how many rows said something."""
        ...

    def forget_unconfirmed(self, *, before: datetime, now: datetime) -> int:
        """Erase people who never confirmed and asked before; returns how many."""
        ...

    def unconfirmed(
        self, *, between: tuple[datetime, datetime], limit: int
    ) -> list[tuple[Subscriber, Subscription]]:
        """People who signed up in that stretch and have not confirmed yet, oldest first."""
        ...

    # --- the clock of each subscription

    def unscheduled(self, *, limit: int) -> list[Subscription]:
        """Active subscriptions whose next due instant is not set."""
        ...

    def schedule(self, due: Mapping[SubscriptionId, datetime | None]) -> None:
        """Set when each of these is next due, whatever was set before."""
        ...

    def start_clocks(self, due: Mapping[SubscriptionId, datetime]) -> None:
        """Set when each of these is first due; whoever left or got an instant meanwhile keeps
        what they have."""
        ...

    def due(
        self, list_id: ListId, *, now: datetime, limit: int, after: SubscriptionId
    ) -> list[DueSubscription]:
        """Active subscriptions of the list that are due and have an id above `after`, by id."""
        ...

    def last_dates(self, subscriptions: Collection[SubscriptionId]) -> dict[SubscriptionId, date]:
        """The latest local date the ledger holds a digest's row of each for, where there is one."""
        ...


class AddressBook(Protocol):
    """Judges what somebody wrote as an e-mail address."""

    def read(self, written: str) -> Address:
        """The address; raises InvalidInput that says what is wrong with it."""
        ...
