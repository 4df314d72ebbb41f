"""The values that columns allow are those that the code knows.

The schema knows no capability, so it names the values itself.
"""

import re
from collections.abc import Iterable

import pytest
from sqlalchemy import CheckConstraint

from paperround.bounces.model import Did, ReportKind
from paperround.db.schema import tables as db
from paperround.delivery.model import Evidence
from paperround.editions.model import DeliveryState, DigestKind, EditionState
from paperround.feeds.model import FeedHealth
from paperround.papers.model import Show
from paperround.subscribers.interests import STATEMENTS, InterestKind
from paperround.subscribers.model import WEEKDAYS, Frequency, SubscriberState
from paperround.subscribers.readers import RequestKind


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("behind_papers.show", Show),
        ("deliveries.kind", DigestKind),
        ("deliveries.state", DeliveryState),
        ("edition_papers.show", Show),
        ("editions.state", EditionState),
        ("feeds.health", FeedHealth),
        ("feeds.show", Show),
        ("interests.kind", [one for one in InterestKind if one not in STATEMENTS]),
        ("notices.state", DeliveryState),
        ("papers.show", Show),
        ("returned.did", Did),
        ("returned.evidence", Evidence),
        ("returned.kind", ReportKind),
        ("signup_requests.kind", RequestKind),
        ("subscribers.state", SubscriberState),
        ("subscriptions.frequency", [one for one in Frequency if one is not Frequency.MONTHLY]),
        ("subscriptions.state", SubscriberState),
        ("subscriptions.weekday", WEEKDAYS),
    ],
)
def test_a_column_allows_the_values_that_the_code_knows(column: str, values: Iterable[str]) -> None:
    table, _, name = column.partition(".")
    [allowed] = [
        str(one.sqltext)
        for one in db.metadata.tables[table].constraints
        if isinstance(one, CheckConstraint) and str(one.sqltext).startswith(f"{name} IN")
    ]
    assert re.findall(r"'([\w-]+)'", allowed) == list(values)
