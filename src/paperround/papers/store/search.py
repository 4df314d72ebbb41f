"""Finding papers by words: each engine's own index, asked for terms that were read before.

Every word that reaches an index is letters and digits within quotes, so nothing that somebody
typed has a meaning there but as a word.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    select,
    table,
)

from paperround.db.bulk import insert_many
from paperround.db.dialect import insert_new
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.papers.model import PaperId
from paperround.papers.search import WEIGHTS, Filters, Query, QueryPlace, SearchResult, Term, rarity

MOST_SCORED = 24
"""Terms that order the papers, the rarest of a query. It bounds what a long text costs: of the
best papers all terms are looked at, see `ranking.relevance`."""

_SPREAD = 2
"""How many letters a word that was meant may be longer or shorter than the one that was typed."""


_SATURATION = 0.3
"""On PostgreSQL: the rank by which a term has brought half of what it can bring."""

_LEAST = 0.01
"""What a term counts for that every paper has: those that have nothing else are still in order."""

_COLUMNS = {
    QueryPlace.TITLE: "title",
    QueryPlace.ABSTRACT: "abstract",
    QueryPlace.AUTHOR: "authors",
}
_LETTERS = {QueryPlace.TITLE: "A", QueryPlace.ABSTRACT: "B", QueryPlace.AUTHOR: "C"}
_LEXEMES: ColumnElement[Any] = literal_column("papers.search")
_UNPACKED: ColumnElement[Any] = literal_column("unpacked.lexemes")


class _Words(NamedTuple):
    """How an index says that terms stand together, or do not."""

    both: str
    either: str
    but_not: str


class SearchIndex(Store):
    """The index over titles, abstracts and authors, kept current by what writes papers."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._index: _Sqlite | _Postgres = (
            _Postgres() if self._connection.dialect.name == "postgresql" else _Sqlite()
        )

    def find(self, query: Query, *, limit: int, upto: PaperId | None = None) -> SearchResult:
        """The best `limit` papers for a query, and in how many papers each of its terms stands.
        Of those that came after the paper `upto` nothing is known, whatever it is asked."""
        spread = self.spread(query.wanted, upto=upto)
        indexed = upto or self._newest()
        known = [term for term in query.wanted if spread[term]]
        if not known or not all(spread[term] for term in query.required):
            return SearchResult(best=(), total=0, papers=spread, indexed=indexed)
        scored = sorted(known, key=lambda term: spread[term])[:MOST_SCORED]
        words = _expression(self._index, query, scored)
        fitting = and_(
            self._index.matches(literal(words)),
            *self._until(upto),
            *_conditions(self._connection, query.filters, self._index.id),
        )
        weights = [(term, max(rarity(spread[term], indexed), _LEAST)) for term in scored]
        order = (*self._index.order(weights), self._index.id)
        best = select(self._index.id).select_from(*self._index.weighed).where(fitting)
        counted = select(func.count()).select_from(self._index.source).where(fitting)
        found = self._connection.execute(best.order_by(*order).limit(limit)).scalars()
        return SearchResult(
            best=tuple(PaperId(one) for one in found),
            total=self._connection.execute(counted).scalar_one(),
            papers=spread,
            indexed=indexed,
        )

    def newest(
        self, filters: Filters, *, limit: int, most: int, upto: PaperId | None = None
    ) -> SearchResult:
        """The `limit` papers that pass the filters and count as new last, the last first. It counts
        no further than `most`."""
        own = db.papers.c
        narrow = [one(db.papers) for one in _of_paper(self._connection, filters)]
        of_feed = _conditions(self._connection, Filters(feed=filters.feed), own.id)
        until = () if upto is None else (own.id <= upto,)
        fitting = select(own.id).where(*of_feed, *narrow, *until)
        best = fitting.order_by(own.counts_from.desc(), own.id.desc()).limit(limit)
        counted = select(func.count()).select_from(fitting.limit(most).subquery())
        return SearchResult(
            best=tuple(PaperId(one) for one in self._connection.execute(best).scalars()),
            total=self._connection.execute(counted).scalar_one(),
            papers={},
            indexed=upto or self._newest(),
        )

    def _newest(self) -> int:
        highest = select(func.coalesce(func.max(db.papers.c.id), 0))
        newest: int = self._connection.execute(highest).scalar_one()
        return newest

    def _until(self, upto: PaperId | None) -> Sequence[ColumnElement[bool]]:
        return () if upto is None else (self._index.id <= upto,)

    def spread(self, terms: Collection[Term], *, upto: PaperId | None = None) -> dict[Term, int]:
        """In how many papers each term stands, up to the paper `upto`."""
        self._index.prepare(self._connection)
        said = bindparam("said", type_=Text())
        counted = (
            select(func.count())
            .select_from(self._index.source)
            .where(self._index.matches(said), *self._until(upto))
        )
        return {
            term: self._connection.execute(counted, {"said": self._index.say(term)}).scalar_one()
            for term in terms
        }

    def words_like(self, word: str) -> list[str]:
        """Words of titles that begin as `word` does and are about as long."""
        length = func.length(db.search_words.c.word)
        start, end = word[:1], chr(ord(word[:1] or " ") + 1)
        found = self._connection.execute(
            select(db.search_words.c.word).where(
                db.search_words.c.word >= start,
                db.search_words.c.word < end,
                length.between(len(word) - _SPREAD, len(word) + _SPREAD),
            )
        )
        return list(found.scalars())


def remember_words(connection: Connection, known: Iterable[str]) -> None:
    """Keep words of titles; one that is known stays. In one order, so that two never deadlock."""
    rows = [{"word": word} for word in sorted(set(known))]
    insert_many(connection, insert_new(connection, db.search_words), rows)


def _expression(index: "_Sqlite | _Postgres", query: Query, scored: Sequence[Term]) -> str:
    """The whole query in the words of the index."""
    words = index.words
    musts = [index.say(term) for term in query.required]
    any_of = words.either.join(index.say(term) for term in scored)
    said = words.both.join([*musts, f"({any_of})"])
    if not query.excluded:
        return said
    return f"({said}){words.but_not}({words.either.join(map(index.say, query.excluded))})"


def _conditions(
    connection: Connection, filters: Filters, paper: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """What must be true of the row of `papers` with the id `paper`."""
    joined = select(db.joined_papers.c.paper_id).where(db.joined_papers.c.paper_id == paper)
    conditions = [~joined.exists()]
    if filters.feed is not None:
        listed = (
            select(db.listings.c.paper_id)
            .join_from(db.listings, db.feeds)
            .where(db.listings.c.paper_id == paper, db.feeds.c.name == filters.feed)
        )
        conditions.append(listed.exists())
    of_paper = list(_of_paper(connection, filters))
    if of_paper:
        row = db.papers.alias("row")
        conditions.append(exists().where(row.c.id == paper, *(one(row) for one in of_paper)))
    return conditions


def _of_paper(
    connection: Connection, filters: Filters
) -> Iterator[Callable[[FromClause], ColumnElement[bool]]]:
    if filters.after is not None:
        start = _start_of(filters.after)
        yield lambda row: row.c.counts_from >= start
    if filters.before is not None:
        end = _start_of(filters.before)
        yield lambda row: row.c.counts_from < end
    if filters.category is not None:
        wanted = filters.category.lower()
        yield lambda row: _is_of_category(connection, row, wanted)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def categories_of(connection: Connection, row: FromClause) -> ColumnElement[str]:
    """Each of the categories of a paper, as a table of their own."""
    if connection.dialect.name == "postgresql":
        each = func.json_array_elements_text(row.c.categories).table_valued("value")
    else:
        each = func.json_each(row.c.categories).table_valued("value")
    return cast(each.c.value, Text())


def _is_of_category(connection: Connection, row: FromClause, wanted: str) -> ColumnElement[bool]:
    """Of the category itself, or one within it: `cs` has `cs.LG`."""
    name = func.lower(categories_of(connection, row))
    start = func.substr(name, 1, len(wanted) + 1)
    return exists().where((name == wanted) | (start == f"{wanted}."))


class _Sqlite:
    """FTS5, which orders by BM25 with a weight a field."""

    source = table("papers_search", column("rowid", Integer()))
    weighed: tuple[FromClause, ...] = (source,)
    id = source.c.rowid
    words = _Words(both=" AND ", either=" OR ", but_not=" NOT ")

    def prepare(self, _connection: Connection) -> None:
        """Nothing to do: this index is never passed by."""

    def matches(self, said: ColumnElement[Any]) -> ColumnElement[bool]:
        found: ColumnElement[bool] = literal_column("papers_search").op(
            "MATCH", is_comparison=True
        )(said)
        return found

    def order(self, _weights: Sequence[tuple[Term, float]]) -> list[ColumnElement[Any]]:
        numbers = ", ".join(str(WEIGHTS[place]) for place in QueryPlace)
        return [literal_column(f"bm25(papers_search, {numbers})", Double())]

    def say(self, term: Term) -> str:
        said = " + ".join(f'"{word}"' for word in term.words) + (" *" if term.starts else "")
        return f"{_COLUMNS[term.place]} : ({said})" if term.place else f"({said})"


class _Postgres:
    """A column of lexemes, ordered by `ts_rank` of each term, weighted by how rare the term is.

    Lexemes are stored packed and apart from their row, and to unpack them is most of what a search
    costs. An array holds them unpacked, so that happens once for a paper and not for each term.
    """

    source = db.papers
    _unpacked = func.unnest(literal_column("ARRAY[papers.search]"))
    weighed: tuple[FromClause, ...] = (
        source,
        _unpacked.table_valued("lexemes", joins_implicitly=True).render_derived(name="unpacked"),
    )
    id = db.papers.c.id
    words = _Words(both=" & ", either=" | ", but_not=" & !")

    def prepare(self, connection: Connection) -> None:
        """Have this transaction ask the index: for a common word the planner would read the whole
        table instead, since it does not know what unpacking costs."""
        connection.execute(select(func.set_config("enable_seqscan", "off", True)))

    def matches(self, said: ColumnElement[Any]) -> ColumnElement[bool]:
        found: ColumnElement[bool] = _LEXEMES.op("@@", is_comparison=True)(self._query(said))
        return found

    def order(self, weights: Sequence[tuple[Term, float]]) -> list[ColumnElement[Any]]:
        """By the sum of weight * r / (r + s): what each term is short of its weight, smallest sum
        first, which asks for each r once. The part of it that never changes is left out."""
        most = max(WEIGHTS.values())
        shares = ", ".join(str(WEIGHTS[place] / most) for place in reversed(QueryPlace))
        fields: ColumnElement[Any] = literal_column(f"'{{0, {shares}}}'::real[]")
        missing: ColumnElement[Any] = literal(0.0, Double())
        for term, weight in weights:
            much = func.ts_rank(fields, _UNPACKED, self._query(self.say(term)))
            missing = missing + literal(weight, Double()) / (much + _SATURATION)
        return [missing]

    def _query(self, said: ColumnElement[Any] | str) -> ColumnElement[Any]:
        return func.to_tsquery(literal_column("'paperround'::regconfig"), said)

    def say(self, term: Term) -> str:
        place = _LETTERS[term.place] if term.place else ""
        ends = [place] * (len(term.words) - 1) + [place + ("*" if term.starts else "")]
        each = (
            f"'{word}'" + (f":{end}" if end else "")
            for word, end in zip(term.words, ends, strict=True)
        )
        return f"({' <-> '.join(each)})"


def index_new(connection: Connection, first: int, last: int) -> None:
    """Put the new papers with these ids and all between them into the index. (PostgreSQL's keeps
    itself.)"""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_INDEX_NEW, (first, last))


_INDEX_NEW = (
    "INSERT INTO papers_search (rowid, title, abstract, authors)"
    " SELECT id, title, abstract, authors FROM papers WHERE id BETWEEN ? AND ?"
)
