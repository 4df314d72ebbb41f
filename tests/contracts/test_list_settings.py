"""Lists as operators describe them, on every database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from paperround.access.model import AuditEntry
from paperround.access.store import AuditStore
from paperround.core.errors import AlreadyTaken, InvalidInput, NotFound
from paperround.core.times import end_of_day
from paperround.db.transactions import Database
from paperround.delivery.store.ledger import Ledger
from paperround.editions.lists import (
    OFFERED_FREQUENCIES,
    ListLook,
    MailingList,
    SignupPolicy,
    Window,
    window_of,
)
from paperround.editions.manage_lists import archive_list, create_list, edit_list, restore_list
from paperround.editions.model import ListedBy
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    lease,
    listing,
    new_delivery,
    paper,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
    write,
)

BY = "shell tests"


def create(database: Database, name: str = "bio", **changes: Any) -> MailingList:
    return create_list(database, name, {"title": "Biology", **changes}, by=BY, now=NOW)


def edit(database: Database, name: str, **changes: Any) -> MailingList:
    return edit_list(database, name, changes, by=BY, now=NOW + HOUR)


def audited(database: Database) -> list[AuditEntry]:
    with database.reading() as work:
        return work[AuditStore].page(before=None, limit=50)


@pytest.mark.accept("F44", part="created")
def test_a_list_is_stored_with_all_that_was_decided(database: Database) -> None:
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("biorxiv", "biorxiv", now=NOW).id
    decided: dict[str, Any] = {
        "description": "For the lab.",
        "zone": "Europe/Berlin",
        "categories": ("q-bio.NC",),
        "search": "neuron* NOT survey",
        "size": 8,
        "edition_size": 30,
        "candidate_days": 3,
        "cuts": ("18:00", "06:00"),
        "default_hour": 9,
        "frequencies": ("weekly", "daily"),
        "languages": ("de", "en"),
        "signup": SignupPolicy.DOMAINS,
        "domains": ("Lab.Example.org",),
        "private": True,
    }
    look = {"from_name": "Bio weekly", "colour": "#7A1F1F", "reply_to": "bio@lab.example.org"}
    made = create(database, **decided, feeds=("biorxiv",), look=look)
    with database.reading() as work:
        assert work[ListStore].get("bio") == made
    expected = decided | {
        "feeds": (feed,),
        "cuts": ("06:00", "18:00"),
        "frequencies": ("daily", "weekly"),
        "languages": ("en", "de"),
        "domains": ("lab.example.org",),
        "look": ListLook(from_name="Bio weekly", colour="#7a1f1f", reply_to="bio@lab.example.org"),
    }
    assert {name: getattr(made, name) for name in expected} == expected


@pytest.mark.accept("F44", part="edited")
def test_a_change_touches_only_what_it_names(database: Database) -> None:
    made = create(database, look={"intro": "Hello", "footer": "Bye"}, size=5)
    changed = edit(database, "bio", title="Life", look={"footer": ""})
    assert changed == replace(made, title="Life", look=ListLook(intro="Hello"))
    assert edit(database, "bio", look=None).look == ListLook()


def test_a_feed_knows_the_lists_that_name_it(database: Database) -> None:
    with database.writing() as work:
        feed, other = (work[FeedStore].get_or_create(one, one, now=NOW).id for one in "ab")
    create(database, "two", feeds=("b", "a"))
    create(database, "one", feeds=("a",))
    create(database, "none")
    archive_list(database, "one", by=BY, now=NOW)
    with database.reading() as work:
        assert work[FeedStore].lists_of(feed) == ["one", "two"]
        assert work[FeedStore].lists_of(other) == ["two"]


def test_a_name_is_given_once(database: Database) -> None:
    create(database)
    with pytest.raises(AlreadyTaken, match="bio"):
        create(database)
    with pytest.raises(NotFound, match="known lists: bio"):
        edit(database, "physics", size=5)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("title", {"title": " "}),
    ("title", {"title": "two\nlines"}),
    ("title", {"title": "x" * 101}),
    ("description", {"description": "x" * 501}),
    ("zone", {"zone": "Mars/Olympus"}),
    ("feeds", {"feeds": ("nowhere",)}),
    ("categories", {"categories": ("cs.LG, cs.CL",)}),
    ("search", {"search": "... !"}),
    ("size", {"size": 0}),
    ("size", {"size": 51}),
    ("edition_size", {"size": 20, "edition_size": 10}),
    ("candidate_days", {"candidate_days": 32}),
    ("cuts", {"cuts": ()}),
    ("cuts", {"cuts": ("6:00",)}),
    ("cuts", {"cuts": ("00:00", "01:00", "02:00", "03:00", "04:00")}),
    ("default_hour", {"default_hour": 24}),
    ("frequencies", {"frequencies": ("hourly",)}),
    ("languages", {"languages": ("tlh",)}),
    ("domains", {"signup": SignupPolicy.DOMAINS}),
    ("domains", {"domains": ("@example.org",)}),
    ("from_name", {"look": {"from_name": "Bio <x@example.org>"}}),
    ("colour", {"look": {"colour": "#ffff00"}}),
    ("logo_url", {"look": {"logo_url": "http://example.org/logo.png"}}),
    ("reply_to", {"look": {"reply_to": "nobody"}}),
    ("intro", {"look": {"intro": "two\nlines"}}),
]


@pytest.mark.accept("F44", part="validated")
@pytest.mark.parametrize(("field", "changes"), WRONG)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    sqlite_database: Database, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(sqlite_database, **changes)
    assert refused.value.code == field
    with sqlite_database.reading() as work:
        assert work[ListStore].all() == []
    assert audited(sqlite_database) == []


@pytest.mark.parametrize("name", ["", "Bio", "bio_1", "-bio", "bio-", "x" * 41, "bio/x", "é"])
def test_a_name_is_small_letters_digits_and_hyphens(sqlite_database: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="lowercase letters"):
        create(sqlite_database, name)


def test_the_frequencies_of_lists_are_those_of_readers() -> None:
    assert set(OFFERED_FREQUENCIES) == {one.value for one in Frequency}


@pytest.mark.accept("F44", part="audited", mutant="a-list-is-edited-unseen")
def test_every_change_is_audited_with_who_made_it_and_without_addresses(
    database: Database,
) -> None:
    create(database)
    edit(database, "bio", size=20, look={"reply_to": "bio@lab.example.org"})
    edit(database, "bio", size=20)
    for change in (archive_list, archive_list, restore_list, restore_list):
        change(database, "bio", by=BY, now=NOW + HOUR)
    found = audited(database)[::-1]
    assert {(one.actor, one.target) for one in found} == {(BY, "bio")}
    assert [(one.action, dict(one.details)) for one in found] == [
        ("create list", {"title": "Biology"}),
        ("edit list", {"size": "12 -> 20", "look": "reply_to"}),
        ("archive list", {}),
        ("restore list", {}),
    ]


def test_the_default_list_keeps_the_zone_that_an_operator_chose(database: Database) -> None:
    seed_list(database)
    edit(database, "trending", zone="Asia/Tokyo")
    with database.writing() as work:
        assert work[ListStore].ensure_default(zone="Europe/Berlin", now=NOW).zone == "Asia/Tokyo"


def test_another_default_hour_moves_those_who_chose_none(database: Database) -> None:
    people = seed_subscribers(database, create(database), ("follows", "chose"))
    with database.writing() as work:
        work[SubscriberStore].choose(people[1].id, Preferences(hour=5), now=NOW)
        work[SubscriberStore].schedule({one.id: NOW + 9 * HOUR for one in people})
    edit(database, "bio", default_hour=9)
    with database.reading() as work:
        assert [one.id for one in work[SubscriberStore].unscheduled(limit=9)] == [people[0].id]


# --- filters -----------------------------------------------------------------------------------

TITLES = ("Graph attention", "A survey of graph attention", "Protein folding", "Dense retrieval")


@pytest.mark.accept("F44", part="filters", mutant="a-list-ignores-its-search")
@pytest.mark.parametrize(
    ("search", "entered"),
    [
        ("", (1, 2, 3, 4)),
        ("graph", (1, 2)),
        ("graphs AND attention NOT survey", (1,)),
        ('"dense retrieval" OR protein', (3, 4)),
        ("dense protein", ()),
        ("fold*", (3,)),
        ("-survey", (1, 3, 4)),
        ("title:protein category:q-bio", (3,)),
        ("category:cs NOT survey", (1, 4)),
        ("feed:hf", (1, 2, 3, 4)),
        ("feed:other", ()),
        ("zebra", ()),
    ],
)
def test_only_papers_that_match_the_search_enter(
    database: Database, search: str, entered: tuple[int, ...]
) -> None:
    mailing_list = create(database, search=search)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        made = [
            write(paper(n, title=title, categories=("q-bio.BM",) if n == 3 else ("cs.LG",)))
            for n, title in enumerate(TITLES, start=1)
        ]
        ids = work[PaperStore].save(made, now=NOW)
        work[PaperStore].list_papers(feed.id, [listing(one) for one in ids.values()], now=NOW)
    numbers = {ids[PaperId(-n)]: n for n in range(1, 5)}
    window = window_of(mailing_list, DAY, end_of_day(DAY, "UTC"))
    with database.reading() as work:
        store = work[CandidateStore]
        candidates = [one.paper.id for one in store.candidates(mailing_list, window)]
        listed = store.listed(mailing_list, ListedBy.TIME, days=None, by=window.as_of, limit=9)
        seen = Window(NOW - HOUR, end_of_day(DAY, "UTC"))
        new = store.new_papers(mailing_list, seen, listed_after=NOW - timedelta(days=9))
    for found in (candidates, listed, new):
        assert sorted(numbers[one] for one in found) == list(entered)


# --- archiving ---------------------------------------------------------------------------------


@pytest.mark.accept("F44", part="archived", mutant="an-archived-list-sends")
def test_nothing_of_an_archived_list_is_sent_until_it_is_restored(database: Database) -> None:
    bio, papers = create(database), seed_papers(database, 1)
    (alice,) = seed_subscribers(database, bio, ("alice",))
    plan(database, seed_edition(database, bio, papers), [new_delivery(alice, papers)])
    archive_list(database, "bio", by=BY, now=NOW)
    with database.writing() as work:
        assert work[Ledger].claim(lease(), limit=5, now=NOW) == []
    restore_list(database, "bio", by=BY, now=NOW)
    with database.writing() as work:
        assert len(work[Ledger].claim(lease(), limit=5, now=NOW)) == 1


def test_readers_of_a_restored_list_are_scheduled_anew(database: Database) -> None:
    people = seed_subscribers(database, create(database), ("alice", "bob"))
    with database.writing() as work:
        work[SubscriberStore].schedule({one.id: NOW - 9 * HOUR for one in people})
    archive_list(database, "bio", by=BY, now=NOW)
    restore_list(database, "bio", by=BY, now=NOW)
    with database.reading() as work:
        assert len(work[SubscriberStore].unscheduled(limit=9)) == 2
