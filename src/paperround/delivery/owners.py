"""Find the reader of a digest by its id, whatever its age."""

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Transaction
from paperround.delivery.model import delivery_key, delivery_nonce
from paperround.delivery.store.past import PastDelivery, PastStore
from paperround.editions.model import DeliveryId
from paperround.subscribers.readers import DeliveryOwner
from paperround.subscribers.store.subscribers import SubscriberStore


def find_owner(work: Transaction, keys: KeyRing, delivery: DeliveryId) -> DeliveryOwner | None:
    """Return the reader of a digest, with the nonce its links are bound to; None if there is
    none, or if the key that signed the links is gone."""
    owner = work[SubscriberStore].owner_of_delivery(delivery)
    past = None if owner else work[PastStore].find(delivery)
    person = work[SubscriberStore].get(past.subscriber_id) if past else None
    if past is None or person is None:
        return owner
    try:
        nonce = delivery_nonce(keys, key_of(past), past.key_id)
    except Misconfigured:
        return None
    return DeliveryOwner(
        delivery=past.id,
        edition_id=past.edition_id,
        local_date=past.local_date,
        nonce=nonce,
        list_id=past.list_id,
        subscriber_id=person.id,
        address=person.address or None,
    )


def key_of(past: PastDelivery) -> str:
    """Return the key that a digest's nonce and Message-ID are derived from."""
    return delivery_key(past.list_name, past.subscriber_id, past.kind, past.local_date)
