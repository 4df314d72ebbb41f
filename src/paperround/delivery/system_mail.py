"""Create system email, and prepare claimed ones for rendering."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from paperround.access.model import LoginLink
from paperround.access.operators import LINK_VALID
from paperround.core.interfaces import Worker
from paperround.core.languages import ENGLISH, spoken_or_english
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import KeyRing, Purpose
from paperround.db.mapping import value_of
from paperround.db.transactions import Transaction
from paperround.delivery.model import Identity, Lease
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import (
    NOTICE_LIFE,
    Alert,
    ClaimedNotice,
    NewNotice,
    NoticeMail,
    NoticeView,
    SystemMailKind,
)
from paperround.editions.lists import ListLook
from paperround.editions.model import DeliveryId
from paperround.subscribers.model import SubscriberId, Subscription

log = logging.getLogger(__name__)

SOMEBODY = "reader@example.org"
"""The recipient of previews and samples."""

_LANGUAGE = "language"
_LINK = "link"
"""The payload entry that makes an alert an email with a log-in link: the link's id."""

LINKS: Mapping[SystemMailKind, tuple[str, Purpose]] = {
    SystemMailKind.CONFIRM: ("confirm", Purpose.CONFIRM),
    SystemMailKind.REMINDER: ("confirm", Purpose.CONFIRM),
    SystemMailKind.CHANGE: ("address", Purpose.CONFIRM),
    SystemMailKind.UNDO: ("confirm", Purpose.CONFIRM),
    SystemMailKind.PREFERENCES: ("preferences", Purpose.PREFERENCES),
    SystemMailKind.LOGIN: ("admin/login", Purpose.LOGIN),
}
"""The page that the link of a system email opens, and the purpose of its token."""


def new_notice(
    identity: Identity,
    kind: SystemMailKind,
    key: str,
    subscriber_id: SubscriberId | None,
    address: str | None,
    payload: Mapping[str, str | int],
    *,
    now: datetime,
    life: timedelta = NOTICE_LIFE,
) -> NewNotice:
    """Return a system email that is due now and expires after `life`. Its Message-ID and nonce are
    derived from the unique `key`."""
    local = identity.keys.digest("notice-message-id", key)[:32]
    return NewNotice(
        kind=kind,
        key=key,
        subscriber_id=subscriber_id,
        address=address,
        payload=payload,
        due_at=now,
        expires_at=now + life,
        message_id=f"<{local}@{identity.domain}>",
        dated=now,
        key_id=identity.keys.current.id,
        nonce=identity.keys.digest("notice-nonce", key)[:22],
    )


def language_payload(tag: str | None) -> dict[str, str]:
    """Return the payload entry for the language of a system email, none for English."""
    language = spoken_or_english(tag)
    return {} if language == ENGLISH else {_LANGUAGE: language}


def payload_of(subscription: Subscription) -> dict[str, str | int]:
    """Return the payload entries for a system email about a subscription."""
    return {
        "list": subscription.list_id,
        "subscription": subscription.id,
        **language_payload(subscription.preferences.language),
    }


def raise_alert(
    work: Transaction, identity: Identity, alert: Alert, to: str | None, *, now: datetime
) -> bool:
    """Queue an email about `alert` to the operator's address `to`, once for each `alert.key`.

    Returns whether it was queued. Without an address, only logs the alert.
    """
    if to is None:
        log.warning("%s", alert.subject)
        return False
    payload = {"subject": alert.subject, "lines": "\n".join(alert.lines)}
    key = f"{SystemMailKind.ALERT}|{alert.key}"
    notice = new_notice(identity, SystemMailKind.ALERT, key, None, to, payload, now=now)
    return work[NoticeLedger].put(notice, now=now)


def login_mail(
    identity: Identity, link: LoginLink, to: str, language: str | None, *, now: datetime
) -> NewNotice:
    """Return the email with a log-in link to an operator's address; it expires with the link.

    The previous release treats it as an alert without text.
    """
    payload: dict[str, str | int] = {_LINK: link.id, **language_payload(language)}
    key, kind = f"{SystemMailKind.LOGIN}|{link.id}", SystemMailKind.ALERT
    notice = new_notice(identity, kind, key, None, to, payload, now=now, life=LINK_VALID)
    return replace(notice, key_id=link.key_id, nonce=link.nonce)


def sample_notice(identity: Identity, kind: SystemMailKind, *, now: datetime) -> ClaimedNotice:
    """Return a sample system email for a preview."""
    new = new_notice(identity, kind, "sample", None, SOMEBODY, {}, now=now)
    lease = Lease(worker=Worker(host="", pid=0, started=""), until=now, token="")
    return value_of(ClaimedNotice, new, id=DeliveryId(0), attempts=0, breakdowns=0, lease=lease)


def notice_mail(
    claimed: ClaimedNotice,
    sender_identity: SenderIdentity,
    list_title: str,
    keys: KeyRing,
    *,
    look: ListLook = ListLook(),  # noqa: B008 - a frozen value
) -> NoticeMail:
    """Return a claimed system email for the renderer, with the look of its list. Raises
    Misconfigured when its key is missing."""
    lines, base = str(claimed.payload.get("lines", "")), sender_identity.public_url
    action_url, row = base, int(claimed.payload.get(_LINK, claimed.id))
    kind = SystemMailKind.LOGIN if _LINK in claimed.payload else claimed.kind
    if kind in LINKS:
        page, purpose = LINKS[kind]
        token = keys.token(purpose, row, claimed.nonce, claimed.key_id)
        action_url = f"{base}/{page}/{token}"
    view = NoticeView(
        kind=kind,
        list_title=list_title,
        subject=str(claimed.payload.get("subject", "")),
        action_url=action_url,
        public_url=base,
        operator=sender_identity.operator,
        postal_address=sender_identity.postal_address,
        contact=sender_identity.contact,
        details=tuple(lines.split("\n")) if lines else (),
        language=spoken_or_english(str(claimed.payload.get(_LANGUAGE, ENGLISH))),
        privacy_url=sender_identity.privacy_url,
        imprint_url=sender_identity.imprint_url,
        from_name=look.from_name,
        colour=look.colour,
        reply_to=look.reply_to,
    )
    return NoticeMail(
        view=view,
        recipient=claimed.address,
        message_id=claimed.message_id,
        dated=claimed.dated,
    )
