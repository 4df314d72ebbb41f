"""The search index, on every database: what it finds, and that whatever writes papers keeps it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete

from paperround.db import migrate
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.merge import PaperJoin, merged
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import Filters, Term, parse_query
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex
from tests.builders import NOW, listing, paper, write
from tests.sample_database import record

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)

TEXTS = (
    ("Dense retrieval at low cost", "Passages are found by vectors.", ("Ada Ring",)),
    ("Sparse retrieval", "Words weigh more than dense vectors; costs are low.", ("Bo Stone",)),
    ("Leaves of plants", "They retrieve light. Nothing is dense here.", ("Dense O'Neil",)),
    ("Réseaux denses", "Gradients vanish.", ("Zoë Erdős",)),
)


def keep(database: Database, *papers: Paper) -> tuple[PaperId, ...]:
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
    return tuple(real[one.id] for one in papers)


@pytest.fixture
def papers(database: Database) -> tuple[PaperId, ...]:
    """The papers of TEXTS."""
    made = (
        paper(number, title=title, abstract=abstract, authors=authors)
        for number, (title, abstract, authors) in enumerate(TEXTS, start=1)
    )
    return keep(database, *made)


def find(
    database: Database,
    text: str,
    filters: Filters = Filters(),  # noqa: B008 - a frozen value
) -> tuple[PaperId, ...]:
    with database.reading() as work:
        found = work[SearchIndex].find(parse_query(text, filters), limit=50)
    assert found.total == len(found.best)
    return found.best


FOUND_BY_BOTH: list[tuple[str, set[int]]] = [
    ("dense", {1, 2, 3, 4}),
    ("RETRIEVING", {1, 2, 3}),
    ('"dense retrieval"', {1}),
    ('"retrieval dense"', set()),
    ('"of plants"', {3}),
    ("gradi*", {4}),
    ("gradi", set()),
    ("reseaux", {4}),
    ("Réseaux", {4}),
    ("erdos", {4}),
    ("+dense +vectors", {1, 2}),
    ("dense -retrieval", {4}),
    ("+dense plants -nothing", {1, 2, 4}),
    ("title:dense", {1, 4}),
    ("author:dense", {3}),
    ("author:o'neil", {3}),
    ('title:"low cost"', {1}),
    ("abstract:retr* -sparse", {3}),
    ("absent", set()),
    ("+absent dense", set()),
    ("", set()),
]


@pytest.mark.accept("F16", part="index")
def test_both_engines_find_the_same(database: Database, papers: tuple[PaperId, ...]) -> None:
    found = {
        text: {papers.index(one) + 1 for one in find(database, text)} for text, _ in FOUND_BY_BOTH
    }
    assert found == dict(FOUND_BY_BOTH)


def test_the_title_counts_most_and_the_authors_least(
    database: Database, papers: tuple[PaperId, ...]
) -> None:
    found = find(database, "dense")
    assert set(found[:2]) == {papers[0], papers[3]}
    assert set(find(database, "costs")[:1]) == {papers[0]}


def test_a_rare_word_tells_more_than_a_common_one(database: Database) -> None:
    plain = [
        paper(n, title="A thing", abstract="words that are in common use") for n in range(2, 9)
    ]
    rare = paper(1, title="A thing", abstract="words that are a mere oddity")
    ids = keep(database, *plain, rare)
    assert find(database, "common oddity")[0] == ids[-1]


def test_terms_are_counted_by_papers(database: Database, papers: tuple[PaperId, ...]) -> None:
    dense, phrase = Term(words=("dense",)), Term(words=("dense", "retrieval"))
    with database.reading() as work:
        assert work[SearchIndex].document_frequencies([dense, phrase]) == {
            dense: len(papers),
            phrase: 1,
        }


@pytest.mark.accept("F16", part="filters")
def test_filters_leave_out_papers(database: Database) -> None:
    old = NOW - timedelta(days=40)
    ids = keep(
        database,
        paper(1, categories=("cs.LG", "stat.ML")),
        paper(2, categories=("cs.LGX", "q-bio"), counts_from=old),
        paper(3, categories=()),
        paper(4, categories=(), counts_from=MIDNIGHT),
    )
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("it's", "hf", now=NOW)
        work[PaperStore].list_papers(feed.id, [listing(ids[2])], now=NOW)
    today = NOW.date()
    for filters, expected in (
        (Filters(category="cs.lg"), [ids[0]]),
        (Filters(category="cs"), [ids[0], ids[1]]),
        (Filters(category="c"), []),
        (Filters(category="' OR 1=1 --"), []),
        (Filters(after=today), [ids[0], ids[2]]),
        (Filters(before=today), [ids[1], ids[3]]),
        (Filters(after=old.date(), before=old.date() + timedelta(days=1)), [ids[1]]),
        (Filters(before=MIDNIGHT.date()), [ids[1]]),
        (Filters(after=MIDNIGHT.date()), [ids[0], ids[2], ids[3]]),
        (Filters(after=date.max), []),
        (Filters(feed="it's"), [ids[2]]),
        (Filters(feed="other"), []),
    ):
        assert sorted(find(database, "things", filters)) == expected, filters


TYPED = [
    "'", '"', "''''", "\\", "%", "a\0b", "a' OR '1'='1", "x'); DROP TABLE papers; --",
    "NEAR(a b, 3)", "a AND", "AND", "NOT NOT", "(((", "a:b:c", "title:", "^a", "a^2", "*", "**",
    "{title} : x", "- -", "+", "dense:*", "& | !", "<->", "dense:A", "a <2> b", "\ud800 x",
    "語 ｄｅｎｓｅ ﷽ 🦔", "category:\0", "feed:'", "after:9999-12-31", "before:0001-01-01",
    "a " * 5000, '"' + "a " * 5000, "-" * 5000, " ".join(f"w{n}*" for n in range(500)),
]  # fmt: skip


@pytest.mark.accept("F16", part="hostile queries")
def test_whatever_is_typed_is_answered_and_changes_nothing(
    database: Database, papers: tuple[PaperId, ...]
) -> None:
    for text in TYPED:
        assert set(find(database, f"{text} plants")) <= set(papers), text
        find(database, text)
        assert find(database, "plants") == (papers[2],), text


def test_a_changed_text_is_found_by_its_new_words_alone(
    database: Database, papers: tuple[PaperId, ...]
) -> None:
    with database.writing() as work:
        changed = paper(1, id=papers[0], title="Bright stars", abstract="", authors=("Cy Gnus",))
        work[PaperStore].save([write(changed, text_changed=True)], now=NOW)
    assert find(database, "stars") == find(database, "gnus") == (papers[0],)
    assert find(database, '"low cost"') == ()


@pytest.mark.accept("F41", part="fuller authors")
def test_an_author_whom_a_second_source_adds_is_found(database: Database) -> None:
    [one] = keep(database, paper(1, authors=("Ada Ring",)))
    with database.writing() as work:
        known = work[PaperStore].load([one])[one]
        fuller = record(1, authors=("Ada Ring", "Bo Stone"))
        change = merged(known, fuller, same_feed=False, now=NOW)
        assert change is not None
        work[PaperStore].save([change], now=NOW)
    assert find(database, 'author:"Bo Stone"') == (one,)


def test_a_paper_that_is_gone_is_not_found(
    database: Database, engine: Engine, papers: tuple[PaperId, ...]
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(db.identifiers).where(db.identifiers.c.paper_id == papers[2]))
        connection.execute(delete(db.papers).where(db.papers.c.id == papers[2]))
    assert find(database, "plants") == ()


def test_a_paper_that_was_joined_is_found_once(
    database: Database, papers: tuple[PaperId, ...]
) -> None:
    with database.writing() as work:
        stays = work[PaperStore].load([papers[0]])[papers[0]]
        one = PaperJoin(
            paper=stays,
            gone=papers[1],
        )
        work[PaperStore].join(one, now=NOW)
    assert find(database, "retrieval") == (papers[0], papers[2])


def test_an_index_whose_upkeep_was_lost_gets_it_back(
    database: Database, engine: Engine, papers: tuple[PaperId, ...]
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("only SQLite drops triggers with a table that is copied to change it")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER papers_search_update")
    migrate.upgrade(engine)
    with database.writing() as work:
        changed = paper(1, id=papers[0], title="Bright stars")
        work[PaperStore].save([write(changed, text_changed=True)], now=NOW)
    assert find(database, "stars") == (papers[0],)


def test_words_of_titles_are_remembered_once(
    database: Database, papers: tuple[PaperId, ...]
) -> None:
    keep(database, paper(9, title="Dense retrieval again"))
    with database.reading() as work:
        assert sorted(work[SearchIndex].words_like("retreival")) == ["reseaux", "retrieval"]
        assert work[SearchIndex].words_like("") == work[SearchIndex].words_like("zzzz") == []
