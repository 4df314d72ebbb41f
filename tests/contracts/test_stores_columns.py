"""What a column of lists and mappings holds, as SQLite keeps it."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from paperround.domain.lists import ListId
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import (
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.store.bulk import once_each
from paperround.store.delivery_rows import delivery_columns
from paperround.store.types import Json, Written
from tests.builders import new_delivery

READER = Subscription(
    id=SubscriptionId(1),
    subscriber_id=SubscriberId(1),
    list_id=ListId(1),
    state=SubscriberState.ACTIVE,
    preferences=Preferences(),
)
POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
VALUES: tuple[object, ...] = (
    [],
    (),
    {},
    ["Ünïcode 🌍 \u2028", 'a "quoted" \\ one', "\x00\n"],
    ("one", "two"),
    {"arxiv": "2601.00001", "doi": "10.1/x"},
    {"cut": "07:00", "size": 12},
    {1: "one"},
    ["text", None, 1.5, True],
    [["nested"], {"a": []}],
    "text",
    "",
    0,
    False,
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_is_written_as_json_writes_it(value: object) -> None:
    written = Json().process_bind_param(value, sqlite.dialect())
    assert written == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_what_several_rows_share_is_made_into_text_once() -> None:
    shared, equal = {"1": "why"}, {"1": "why"}
    seen: list[object] = []

    def written(value: object) -> str:
        seen.append(value)
        return json.dumps(value)

    assert once_each(written, [shared, equal, shared, shared]) == ['{"1": "why"}'] * 4
    assert len(seen) == 2


def test_what_is_equal_and_not_the_same_keeps_its_own_text() -> None:
    assert once_each(json.dumps, [[1], [1.0], [True]]) == ["[1]", "[1.0]", "[true]"]


def test_text_that_is_written_already_stays_as_it_is() -> None:
    said = Written('{"1":"why"}')
    assert Json().process_bind_param(said, sqlite.dialect()) == said.text
    assert Json().process_bind_param(said, POSTGRES) == {"1": "why"}


def test_rows_that_are_written_one_after_another_share_their_texts() -> None:
    papers = tuple((PaperId(number), number) for number in range(3))
    row = replace(new_delivery(READER), papers=papers, parts={"why": [0.5]})
    one, other = delivery_columns([row]), delivery_columns([replace(row, nonce="another")])
    for name, text in (("positions", "[0,1,2]"), ("parts", '{"why":[0.5]}')):
        (once,), (again,) = one[name], other[name]
        assert isinstance(once, Written)
        assert once is again
        assert once.text == text
    assert one["reasons"] == [None]
