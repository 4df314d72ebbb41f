"""A digest to compose."""

from datetime import date

from paperround.delivery.ledger_model import DeliveryContent
from paperround.editions.model import EditionId
from tests.sample_database import IDENTITY, NOW

SAMPLE_DELIVERY = DeliveryContent(
    row=7,
    edition_id=EditionId(1),
    address="ada@example.org",
    positions=(1, 2),
    local_date=date(2026, 1, 30),
    message_id="<x@papers.example>",
    dated=NOW,
    key_id=IDENTITY.keys.current.id,
    nonce="nonce",
)
