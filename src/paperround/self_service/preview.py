"""Preview digests with a reader's own preferences, or with ones they only try; send test emails.

Previews plan, store and send nothing.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from paperround.access.model import COMMAND_LINE, AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import Conflict, InvalidInput, NotFound, RateLimited
from paperround.core.languages import marked
from paperround.core.rates import Rate
from paperround.core.sender import SenderIdentity
from paperround.core.times import local_date
from paperround.db.limits import RateStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.ledger_model import DeliveryContent, NewDelivery, content_for
from paperround.delivery.model import FIRST_RETRY, Identity
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import SOMEBODY, new_notice
from paperround.delivery.system_mail_model import NewNotice, Notice, SystemMailKind
from paperround.digests.build import BuildContext, DigestReader, build
from paperround.digests.compose import content_of_list, digest_mail
from paperround.digests.editing import EditionRef, find_edition, held_editions
from paperround.digests.model import (
    DigestMail,
    DigestPaper,
    Rendered,
    Renderer,
)
from paperround.digests.publish import draft_edition, frozen_edition, unsaved_edition
from paperround.digests.sending import DeliveryContext, deliver_notices, why_held
from paperround.editions.lists import MANUAL_CUT, MailingList
from paperround.editions.model import DigestKind, Edition, SkipReason
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.gist import GistChooser, choose_gist
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.models import Ranker
from paperround.signup.magic_links import authorized_reader
from paperround.signup.requests import require_open
from paperround.subscribers.choices import checked, settled
from paperround.subscribers.imports import is_suppressed
from paperround.subscribers.interests import Interest, validate_interests
from paperround.subscribers.model import (
    WEEKDAYS,
    Address,
    Frequency,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.store.subscribers import SubscriberStore

DEFAULTS = Preferences()
"""The preferences of a reader who chose nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The message, or why there would be none. `planned`: the content comes from a ledger row.
    `rendered` is the text and HTML for a page. `has_other`: the reader's digest of that date is
    of another edition, so they get none of this one."""

    edition: Edition
    mail: DigestMail | None = None
    rendered: Rendered | None = None
    skipped: SkipReason | None = None
    planned: bool = False
    has_other: bool = False

    @property
    def papers(self) -> tuple[DigestPaper, ...]:
        """The papers of the message, in its order."""
        return self.mail.view.papers if self.mail else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPreviewer:
    """Previews digests."""

    database: Database
    ranker: Ranker
    identity: Identity
    sender_identity: SenderIdentity
    renderer: Renderer
    gist: GistChooser = choose_gist
    personal_ranking: PersonalRanking | None = None

    def preview(
        self,
        list_name: str,
        *,
        now: datetime,
        day: date | None = None,
        cut: str | None = None,
        reader: Address | None = None,
        afresh: bool = False,
        preferences: Preferences | None = None,
        interests: tuple[Interest, ...] | None = None,
        with_held: bool = False,
    ) -> Preview:
        """Return the digest of `reader` (None: a new one) from the frozen edition, else from a
        draft.

        If that edition's message is planned or sent, it is shown unchanged; `afresh` instead shows
        what would follow it, if the edition has more papers. `preferences` and `interests` are
        tried in place of the stored ones; a pause and the weekday among them are ignored, as the
        next digest is shown. `with_held` is for editors: the newest edition that is held is shown,
        if there is one. Raises NotFound for an unknown list or subscriber, and for a `cut` that the
        day has no edition of.
        """
        mailing_list, edition = self._find_edition(list_name, day, cut, now, with_held=with_held)
        with self.database.reading() as work:
            subscriber, subscription = _find_subscription(work, mailing_list, reader)
            planned = None if subscriber is None else _find_planned(work, edition, subscriber)
            if preferences is not None:
                tried = replace(
                    preferences, frequency=Frequency.DAILY, weekday=None, paused_until=None
                )
                subscription = replace(
                    subscription,
                    preferences=tried,
                    state=SubscriberState.ACTIVE,
                    resting_until=None,
                )
            context = BuildContext(
                identity=self.identity,
                now=now,
                personal_ranking=self.personal_ranking,
                interests=None if interests is None else {subscription.subscriber_id: interests},
            )
            one = DigestReader(subscription=subscription, day=edition.day, due_at=now)
            (row,) = build(work, context, edition, mailing_list, [one])
        if planned is not None and (not afresh or row.reason == SkipReason.NO_NEW_PAPERS):
            return self._render(mailing_list, *planned, is_planned=True)
        return self._preview_row(mailing_list, edition, row, subscriber)

    def preview_edition(
        self,
        ref: EditionRef,
        *,
        now: datetime,
        person: SubscriberId | None = None,
        preferences: Preferences = DEFAULTS,
    ) -> Preview:
        """Return the digest of an edition, even of one that is held or cancelled, as a subscriber
        gets or got it, or (None) a new reader with these preferences; a weekly one gets it on that
        day.

        Its personal links do not work: it is for operators. Raises NotFound for an unknown edition,
        and for a subscriber who is not on the list.
        """
        with self.database.reading() as work:
            edition = find_edition(work, ref, now=now)
            mailing_list = work[ListStore].get(ref.list_name)
            if person is None:
                subscriber, planned, has_other = None, None, False
                subscription = _new_subscription(mailing_list, preferences, edition.day)
            else:
                subscriber, subscription = _find_person(work, mailing_list, person)
                planned = _find_planned(work, edition, subscriber)
                kind = DigestKind.DIGEST
                row = work[Ledger].find(edition.list_id, person, kind, edition.day)
                has_other = row is not None and row.edition_id != edition.id
            if planned is not None:
                content, whole = planned
                return self._render(mailing_list, replace(content, row=0), whole, is_planned=True)
            context = BuildContext(
                identity=self.identity, now=now, personal_ranking=self.personal_ranking
            )
            one = DigestReader(subscription=subscription, day=edition.day, due_at=now)
            (new,) = build(work, context, edition, mailing_list, [one])
        shown = self._preview_row(mailing_list, edition, new, subscriber)
        return replace(shown, has_other=has_other)

    def _preview_row(
        self,
        mailing_list: MailingList,
        edition: Edition,
        row: NewDelivery,
        subscriber: Subscriber | None,
    ) -> Preview:
        """Return the email of a row that is not stored, or why there would be none."""
        if row.reason:
            return Preview(edition=edition, skipped=SkipReason(row.reason))
        address = SOMEBODY if subscriber is None else subscriber.address
        content = content_for(row, edition.id, address)
        return self._render(mailing_list, content, replace(edition, behind=row.behind))

    def _find_edition(
        self,
        list_name: str,
        day: date | None,
        cut: str | None,
        now: datetime,
        *,
        with_held: bool,
    ) -> tuple[MailingList, Edition]:
        if with_held:
            with self.database.reading() as work:
                reviewed = _edition_to_review(work, list_name, day, cut, now)
                if reviewed is not None:
                    return work[ListStore].get(list_name), reviewed
        mailing_list, edition = frozen_edition(
            database=self.database, list_name=list_name, day=day, cut=MANUAL_CUT, now=now
        )
        if edition is None:  # readers due now get the newest edition, if it is of this day
            with self.database.reading() as work:
                newest = work[EditionStore].newest(mailing_list.id, by=now, with_held=with_held)
            if newest is not None and newest.day == (day or local_date(now, mailing_list.zone)):
                return mailing_list, newest
            drafted = draft_edition(
                self.database,
                self.ranker,
                list_name,
                day=day,
                now=now,
                gist=self.gist,
                with_shared=False,
            )
            edition = unsaved_edition(drafted, list_name)
        return mailing_list, edition

    def _render(
        self,
        mailing_list: MailingList,
        content: DeliveryContent,
        edition: Edition,
        *,
        is_planned: bool = False,
    ) -> Preview:
        contents = content_of_list(
            edition,
            mailing_list,
            self.sender_identity,
            self.identity.keys,
            size=mailing_list.size,
        )
        mail = digest_mail(contents, content, self.identity.keys)
        return Preview(
            edition=edition,
            mail=mail,
            rendered=self.renderer.render(mail.view),
            planned=is_planned,
        )


def _edition_to_review(
    work: Transaction, list_name: str, day: date | None, cut: str | None, now: datetime
) -> Edition | None:
    """Return the newest held edition of the day and the cut, any if they are None; else the one of
    the cut, None without a cut. Raises NotFound if the cut has no edition."""
    held = held_editions(work, list_name, now=now)
    matching = [one for one in held if day in (None, one.day) and cut in (None, one.cut)]
    if matching:
        return matching[-1]
    if cut is None:
        return None
    day = day or local_date(now, work[ListStore].get(list_name).zone)
    return find_edition(work, EditionRef(list_name=list_name, day=day, cut=cut), now=now)


def _find_subscription(
    work: Transaction, mailing_list: MailingList, address: Address | None
) -> tuple[Subscriber | None, Subscription]:
    """Return the person at `address` and their subscription; for None, that of a new reader."""
    if address is None:
        return None, _new_subscription(mailing_list)
    subscriber = work[SubscriberStore].find(address)
    found = None
    if subscriber is not None:
        found = work[SubscriberStore].subscription(subscriber.id, mailing_list.id)
    if found is None:
        raise NotFound(f"{address.written} is not on the list {mailing_list.name}")
    return subscriber, found


def _find_person(
    work: Transaction, mailing_list: MailingList, person: SubscriberId
) -> tuple[Subscriber, Subscription]:
    subscriber = work[SubscriberStore].get(person)
    found = work[SubscriberStore].subscription(person, mailing_list.id)
    if subscriber is None or found is None:
        raise NotFound(
            marked(
                "The list %(term)s has no subscriber %(name)s.",
                term=mailing_list.name,
                name=str(person),
            )
        )
    return subscriber, found


def _new_subscription(
    mailing_list: MailingList, preferences: Preferences = DEFAULTS, day: date | None = None
) -> Subscription:
    """Return a subscription that is not stored. If it is weekly, its weekday is that of `day`."""
    if day is not None and preferences.frequency is Frequency.WEEKLY:
        preferences = replace(preferences, weekday=WEEKDAYS[day.weekday()])
    return Subscription(
        preferences=preferences,
        id=SubscriptionId(0),
        subscriber_id=SubscriberId(0),
        list_id=mailing_list.id,
        state=SubscriberState.ACTIVE,
    )


def _find_planned(
    work: Transaction, edition: Edition, subscriber: Subscriber
) -> tuple[DeliveryContent, Edition] | None:
    """Return the reader's planned or sent message of this edition, whatever the date in their zone,
    and the edition with every paper."""
    for offset in (0, -1, 1):
        day = edition.day + timedelta(days=offset)
        row = work[Ledger].find(edition.list_id, subscriber.id, DigestKind.DIGEST, day)
        if row is not None and row.edition_id == edition.id and row.positions:
            return row, work[EditionStore].get(edition.id)
    return None


# --- previews on readers' pages ----------------------------------------------------------------


def next_digest(
    previewer: DigestPreviewer,
    token: str,
    *,
    now: datetime,
    list_name: str | None = None,
    preferences: Preferences | None = None,
    interests: tuple[Interest, ...] | None = None,
) -> Preview:
    """Return the next digest of the holder of a recently mailed link, with their stored preferences
    or the given ones, which are not stored.

    Raises LinkExpired, and InvalidInput for invalid preferences.
    """
    keys = previewer.identity.keys
    with previewer.database.reading() as work:
        reader = authorized_reader(work, keys, token, now=now, list_name=list_name)
        if preferences is not None:
            preferences = checked(preferences, zone=reader.mailing_list.zone, now=now)
        if interests is not None:
            interests = settled(work, validate_interests(interests))
    return previewer.preview(
        reader.mailing_list.name,
        reader=reader.address,
        now=now,
        afresh=True,
        preferences=preferences,
        interests=interests,
    )


def first_digest_preview(
    previewer: DigestPreviewer,
    list_name: str,
    preferences: Preferences,
    interests: tuple[Interest, ...],
    *,
    now: datetime,
) -> Preview:
    """Return the first digest of a new reader with these preferences.

    Raises NotFound for an unknown or private list, SignupClosed, and InvalidInput for invalid
    preferences.
    """
    with previewer.database.reading() as work:
        mailing_list = work[ListStore].get_public(list_name)
        require_open(mailing_list)
        preferences = checked(preferences, zone=mailing_list.zone, now=now)
        interests = settled(work, validate_interests(interests))
    return previewer.preview(
        list_name, now=now, afresh=True, preferences=preferences, interests=interests
    )


TEST_LIFE = FIRST_RETRY - timedelta(minutes=1)
"""A test email is tried once: it expires before its second attempt."""

TESTS = (Rate(10, timedelta(hours=1)),)
"""Test emails to one address, which may be a stranger's."""


def send_test(
    post: DeliveryContext,
    identity: Identity,
    address: Address,
    list_name: str,
    *,
    now: datetime,
    by: str = COMMAND_LINE,
) -> Notice:
    """Send a test email to `address` at once, along with any queued system emails.

    It contains the list's newest edition as a new reader would get it, or a short text if there is
    none. Returns its system email afterwards. Raises NotFound for an unknown list, InvalidInput for
    a suppressed address, RateLimited for one that had too many, and Conflict while sending is
    paused.
    """
    if (held := why_held(post)) is not None:
        raise Conflict(held)

    def put(work: Transaction) -> NewNotice:
        list_id = work[ListStore].get(list_name).id
        if is_suppressed(work, identity.keys, address):
            raise InvalidInput(
                f"{address.written} is suppressed and never emailed, not even for a test: if the "
                "person asks, use `paperround suppressions lift`"
            )
        mailbox = identity.keys.digest("rate", address.folded)
        if wait := work[RateStore].hit(f"test/{mailbox}", TESTS, now=now):
            raise RateLimited("that address got ten test emails within an hour", retry_after=wait)
        newest = work[EditionStore].newest(list_id, by=now, with_held=True)
        payload: dict[str, str | int] = {"list": list_id}
        if newest is not None and newest.papers:
            payload["edition"] = newest.id
        key = f"{SystemMailKind.TEST}/{now.isoformat()}"
        notice = new_notice(
            identity,
            SystemMailKind.TEST,
            key,
            None,
            address.mailed,
            payload,
            now=now,
            life=TEST_LIFE,
        )
        if not work[NoticeLedger].put(notice, now=now):
            raise Conflict("another test email is being sent: try again")
        action = AuditedAction(actor=by, action="send test mail", target=list_name)
        work[AuditStore].note(action, now=now)
        return notice

    notice = write(post.database, put)
    deliver_notices(post)
    with post.database.reading() as work:
        written = work[NoticeLedger].find(notice.key)
    if written is None:
        raise Conflict("the test email was deleted before it was sent: try again")
    return written
