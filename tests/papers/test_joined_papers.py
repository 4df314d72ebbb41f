"""Two papers that turn out to be one: what moves, what stays frozen, and where old ids lead."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine, select

from paperround.core.errors import Conflict
from paperround.core.sender import SenderIdentity
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import NewDelivery
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.digests.compose import edition_content
from paperround.digests.pages import paper_page
from paperround.editions.model import Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.merge import joined
from paperround.papers.model import Count, LooseCount, Paper, PaperId, ParsedBatch, Record
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.model import Subscription
from paperround.subscribers.store.saved import SavedPapers
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    new_delivery,
    new_edition,
    plan,
    seed_subscribers,
    shard,
)
from tests.digests.messages import sender_identity
from tests.sample_database import NOW, record

ARXIV, DOI, PMID = {"arxiv": "2601.00001"}, {"doi": "10.5555/one"}, {"pmid": "1001"}
BOTH = record(9, identifiers={**ARXIV, **DOI}, title="Paper 1")


def run(
    database: SqlDatabase, *records: Record, feed: str = "tests", **batch: object
) -> IngestReport:
    return ingest(
        ParsedBatch(records=records, **batch),  # type: ignore[arg-type]
        database=database,
        feed_name=feed,
        feed_kind="file",
        source="a test",
        captured_at=NOW,
        now=NOW,
    )


def id_of(database: SqlDatabase, identifiers: dict[str, str]) -> PaperId:
    with database.reading() as work:
        (found,) = work[PaperStore].find(identifiers.items()).values()
    return found


def load(database: SqlDatabase, id_: PaperId) -> Paper:
    with database.reading() as work:
        return work[PaperStore].load([id_])[id_]


@pytest.fixture
def two(database: SqlDatabase) -> tuple[PaperId, PaperId]:
    """A preprint, and the journal's article that nobody knows to be the same."""
    run(database, record(1))
    run(database, record(2, identifiers=DOI, categories=("q-bio",)), feed="journal")
    return id_of(database, ARXIV), id_of(database, DOI)


@pytest.mark.accept("F07", part="joining")
def test_a_record_with_both_identifiers_makes_one_paper_of_two(
    database: SqlDatabase, two: tuple[PaperId, PaperId]
) -> None:
    older, younger = two
    report = run(database, BOTH, feed="journal")
    assert (report.new, report.changed, report.papers_total) == (0, 1, 1)
    one = load(database, older)
    assert (one.id, one.title, one.categories) == (older, "Paper 1", ("q-bio",))
    assert {**ARXIV, **DOI}.items() <= one.identifiers.items()
    assert load(database, younger) == one
    assert paper_page(database, str(younger), now=NOW).paper == one
    again = run(database, BOTH, feed="journal")
    assert (again.unchanged, again.papers_total) == (1, 1)


@pytest.mark.accept("F07", part="joining")
def test_two_different_ids_of_one_kind_stay_apart_whatever_a_record_says(
    database: SqlDatabase, two: tuple[PaperId, PaperId]
) -> None:
    run(database, record(3, identifiers={"arxiv": "2601.00003", "pmid": "1001"}))
    report = run(database, record(4, identifiers={**ARXIV, **PMID}, categories=("cs.LG",)))
    assert report.papers_total == 3
    assert load(database, two[0]).categories == ("cs.LG",)
    assert id_of(database, PMID) == id_of(database, {"arxiv": "2601.00003"})


def test_the_title_an_arxiv_paper_gets_later_finds_the_journal_s_article(
    database: SqlDatabase,
) -> None:
    named = {"authors": ("Ada Ring",), "listed_on": date(2026, 1, 20)}
    run(database, record(1, **named, version=1))
    run(database, record(2, identifiers=DOI, title="A better title", **named), feed="journal")
    later = record(1, title="A better title", version=2, fingerprint="v2", **named)
    assert run(database, later).papers_total == 1


def test_a_chain_of_joins_leads_every_old_id_to_the_first_paper(database: SqlDatabase) -> None:
    run(database, record(1), record(2, identifiers=DOI), record(3, identifiers=PMID))
    ids = [id_of(database, one) for one in (ARXIV, DOI, PMID)]
    run(database, record(4, identifiers={**DOI, **PMID}), feed="journal")
    run(database, BOTH, feed="journal")
    assert {load(database, one).id for one in ids} == {ids[0]}


def test_counts_listings_and_feedback_move_to_the_paper_that_stays(
    database: SqlDatabase, engine: Engine, two: tuple[PaperId, PaperId]
) -> None:
    (reader,) = readers(database, "ada")
    votes = (Count(signal="mentions", value=7),)
    run(
        database,
        loose_counts=(LooseCount(kind="doi", value="10.5555/one", counts=votes, position=1),),
    )
    with database.writing() as work:
        for number, (one, verdict) in enumerate([(two[0], "less"), (two[1], "more")]):
            at = NOW + timedelta(minutes=number)
            work[SubscriberStore].give_feedback(reader.subscriber_id, one, verdict, now=at)
    run(database, BOTH)
    with database.reading() as work:
        assert work[SubscriberStore].feedback_of(reader.subscriber_id) == [(two[0], "more")]
    with engine.connect() as connection:
        for table, rows in ((db.observations, 1), (db.listings, 2), (db.identifiers, 2)):
            owners = connection.execute(select(table.c.paper_id)).scalars().all()
            assert owners == [two[0]] * rows, table.name


@pytest.mark.accept("F54", part="notes")
def test_a_reader_who_saved_both_papers_keeps_both_notes_and_all_collections(
    database: SqlDatabase, two: tuple[PaperId, PaperId]
) -> None:
    people = [one.subscriber_id for one in readers(database, "ada", "bob")]
    with database.writing() as work:
        for number, one in enumerate(two):
            for person in people[number:]:  # ada saved the first paper alone
                work[SubscriberStore].give_feedback(person, one, "save", now=NOW)
                note, names = f"note {number}", ("both", f"of {number}")
                work[SavedPapers].annotate(person, one, note, names)
    run(database, BOTH)
    with database.reading() as work:
        [[adas], [bobs]] = [work[SavedPapers].saved_by(one) for one in people]
    assert (adas.note, adas.collections) == ("note 0", ("both", "of 0"))
    assert (bobs.note, bobs.collections) == ("note 0\n\nnote 1", ("both", "of 0", "of 1"))
    assert {adas.paper_id, bobs.paper_id} == {two[0]}


def test_the_newer_text_stands_and_the_other_is_kept_as_a_version(
    database: SqlDatabase, engine: Engine
) -> None:
    run(database, record(1, version=1), record(2, identifiers=DOI, version=2, title="Paper  two"))
    run(database, record(3, identifiers={**ARXIV, **DOI}, version=1, title="Paper 1"))
    one = load(database, id_of(database, ARXIV))
    assert (one.version, one.title, one.abstract) == (2, "Paper two", "We present paper 2.")
    with engine.connect() as connection:
        kept = connection.execute(
            select(db.paper_versions.c.paper_id, db.paper_versions.c.title)
        ).all()
    assert kept == [(one.id, "Paper 1")]


def test_three_records_make_one_paper_in_any_order_and_in_one_file(database: SqlDatabase) -> None:
    for number, order in enumerate(permutations(range(3)), start=1):
        ids = ({"arxiv": f"2602.{number:05}"}, {"doi": f"10.5555/{number}"})
        three = [
            record(number * 10 + n, identifiers=one)
            for n, one in enumerate((*ids, ids[0] | ids[1]))
        ]
        assert run(database, *(three[n] for n in order)).papers_total == number
        assert run(database, *three).changed == 0


@pytest.mark.parametrize("known", range(4))
def test_one_record_joins_many_papers_whether_they_came_before_or_with_it(
    database: SqlDatabase, known: int
) -> None:
    apart = [record(n, identifiers=one) for n, one in enumerate((ARXIV, DOI, PMID), start=1)]
    run(database, *apart[:known])
    both = record(9, identifiers={**ARXIV, **DOI, **PMID}, title="Paper 9")
    assert run(database, *apart[known:], both).papers_total == 1
    assert id_of(database, PMID) == id_of(database, DOI) == id_of(database, ARXIV)


def test_what_must_stay_apart_hinders_no_join_of_the_others(database: SqlDatabase) -> None:
    other = record(2, identifiers={**DOI, "arxiv": "2602.00002"})
    run(database, record(1), other, record(3, identifiers=PMID))
    run(database, record(9, identifiers={**ARXIV, **DOI, **PMID}, title="Paper 9"))
    assert id_of(database, PMID) == id_of(database, ARXIV) != id_of(database, DOI)


# --- frozen things -----------------------------------------------------------------------------


def readers(database: SqlDatabase, *names: str) -> list[Subscription]:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
    return seed_subscribers(database, trending, names)


def frozen(database: SqlDatabase, *papers: PaperId, cut: str = "0") -> Edition:
    with database.writing() as work:
        made = new_edition(work[ListStore].get("trending"), papers, cut=cut)
        nameless = tuple(replace(one, identifiers={}) for one in made.papers)
        return work[EditionStore].freeze(replace(made, papers=nameless))


def test_an_edition_keeps_its_texts_and_its_links_and_knows_the_paper_of_today(
    database: SqlDatabase, two: tuple[PaperId, PaperId]
) -> None:
    before = frozen(database, *two)
    run(database, BOTH)
    with database.reading() as work:
        after = work[EditionStore].get(before.id)
    assert [one.paper_id for one in after.papers] == [two[0], two[0]]
    head: SenderIdentity = sender_identity()
    one, other = (edition_content(edition, "T", head).papers for edition in (after, before))
    assert one == other
    assert {at: (paper.score, paper.parts) for at, paper in one.items()} == {
        at: (paper.score, paper.parts) for at, paper in other.items()
    }


@pytest.mark.accept("F07", part="joining")
@pytest.mark.parametrize("sent", [0, 1])
def test_whoever_was_sent_either_paper_is_never_sent_the_other(
    database: SqlDatabase, two: tuple[PaperId, PaperId], sent: int
) -> None:
    (ada,) = readers(database, "ada")
    plan(database, frozen(database, *two), [new_delivery(ada, (two[sent],))])
    with database.reading() as work:
        stale = work[SentPapers].already_sent([ada.subscriber_id])[ada.subscriber_id]
    assert stale == {two[sent]}
    run(database, BOTH)
    with database.reading() as work:
        memory = work[SentPapers].already_sent([ada.subscriber_id])[ada.subscriber_id]
        asked = work[SentPapers].already_sent([ada.subscriber_id], [two[1 - sent]])
    assert memory == set(two)
    assert asked[ada.subscriber_id] >= {two[1 - sent]}
    late = frozen(database, *two, cut="1")
    with pytest.raises(Conflict):  # chosen before the two became one
        plan(database, late, [_tomorrow(ada, two[1 - sent])])


def _tomorrow(person: Subscription, chosen: PaperId) -> NewDelivery:
    due_at = NOW + timedelta(days=40)
    return new_delivery(person, (chosen,), due_at=due_at, day=due_at.date())


# --- races -------------------------------------------------------------------------------------


def waits(engine: Engine) -> bool:
    """Whether anybody waits for a lock of another. (On SQLite nobody begins to.)"""
    if engine.dialect.name == "sqlite":
        return True
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql(asked).scalar_one())


@pytest.mark.postgres
def test_two_lists_that_plan_both_papers_at_once_send_one_of_them(
    database: SqlDatabase, two: tuple[PaperId, PaperId], engine: Engine
) -> None:
    (ada,) = readers(database, "ada")
    one, other = frozen(database, *two), frozen(database, *two, cut="1")
    run(database, BOTH)
    with ThreadPoolExecutor(1) as pool:
        with database.writing() as work:
            work[Ledger].plan(one.id, one.list_id, [new_delivery(ada, (two[0],))], shard(), now=NOW)
            late = pool.submit(plan, database, other, [_tomorrow(ada, two[1])])
            while not (late.done() or waits(engine)):
                pass
        with pytest.raises(Conflict):
            late.result()


@pytest.mark.postgres
def test_many_at_once_join_the_same_papers_once(database: SqlDatabase) -> None:
    for number in range(8):
        run(
            database,
            record(number, identifiers={"arxiv": f"2603.{number:05}"}),
            record(number + 50, identifiers={"doi": f"10.5555/{number}"}),
        )

    def read(feed: int) -> IngestReport:
        order = range(8) if feed % 2 else range(7, -1, -1)
        three = [
            record(
                number + 100 * feed,
                identifiers={"arxiv": f"2603.{number:05}", "doi": f"10.5555/{number}"},
                counts=(Count(signal=f"votes-{feed}", value=feed),),
            )
            for number in order
        ]
        return run(database, *three, feed=f"feed-{feed}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    with database.reading() as work:
        assert work[PaperStore].count() == 8
        owners = work[PaperStore].find(
            {("doi", f"10.5555/{n}") for n in range(8)}.union(
                ("arxiv", f"2603.{n:05}") for n in range(8)
            )
        )
    assert len(set(owners.values())) == 8


def test_a_count_for_a_paper_that_was_joined_meanwhile_goes_to_the_one_that_stays(
    database: SqlDatabase, two: tuple[PaperId, PaperId]
) -> None:
    older, _ = two
    with database.writing() as work:
        change = joined(*work[PaperStore].load(two, for_update=True).values())
        work[PaperStore].join(change, now=NOW)
    with database.writing() as work:
        assert work[PaperStore].find(DOI.items()) == {("doi", "10.5555/one"): older}
    votes = (Count(signal="mentions", value=7),)
    loose = LooseCount(kind="doi", value="10.5555/one", counts=votes, position=1)
    assert run(database, loose_counts=(loose,)).observations == 1
