"""A notice with good defaults."""

from paperround.delivery.system_mail_model import NOTICE_LIFE, NewNotice, SystemMailKind
from paperround.subscribers.model import SubscriberId
from tests.builders import (
    NOW,
)


def notice(
    person: SubscriberId | None,
    key: str = "confirm/1",
    kind: SystemMailKind = SystemMailKind.CONFIRM,
    address: str | None = None,
) -> NewNotice:
    return NewNotice(
        kind=kind,
        key=key,
        subscriber_id=person,
        address=address,
        payload={"list": 1, "subject": "ü"},
        due_at=NOW,
        expires_at=NOW + NOTICE_LIFE,
        message_id=f"<{key.replace('/', '-')}@papers.example>",
        dated=NOW,
        key_id="k001",
        nonce=f"nonce {key}",
    )
