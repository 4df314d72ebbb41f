"""Search the full-text index of each database engine.

Every word that reaches an index is quoted and consists of letters and digits, so search text cannot
inject operators.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

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

from paperround.core.times import midnight_utc
from paperround.db.dialect import insert_new
from paperround.db.driver import insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.papers.model import PaperId
from paperround.papers.search import (
    WEIGHTS,
    Filters,
    Query,
    QueryPlace,
    SearchResult,
    Term,
    narrowed,
    rarity,
)

MOST_SCORED = 24
"""The index scores only the rarest terms of a query, which bounds the cost of a long text;
`ranking.relevance` uses all terms for the best papers."""

MOST_PARTIAL = 200
"""The most papers found by any one of the words, if too few have more of them."""

_LENGTH_RANGE = 2
"""The most letters a suggestion may be longer or shorter than the word."""

_SATURATION = 0.3
"""On PostgreSQL, the rank at which a term has half its maximal effect."""

_LEAST = 0.01
"""The least weight of a term, for one that every paper has."""

_COLUMNS = {
    QueryPlace.TITLE: "title",
    QueryPlace.ABSTRACT: "abstract",
    QueryPlace.AUTHOR: "authors",
}
_LETTERS = {QueryPlace.TITLE: "A", QueryPlace.ABSTRACT: "B", QueryPlace.AUTHOR: "C"}
_LEXEMES: ColumnElement[Any] = literal_column("papers.search")
_UNPACKED: ColumnElement[Any] = literal_column("unpacked.lexemes")


class SearchIndex(Store):
    """The full-text index over titles, abstracts and authors; writes of papers update it."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._index: _Sqlite | _Postgres = (
            _Postgres() if self._connection.dialect.name == "postgresql" else _Sqlite()
        )

    def find(
        self, query: Query, *, limit: int, upto: PaperId | None = None, fewest: int = 0
    ) -> SearchResult:
        """The best `limit` papers for a query, and the number of papers with each term. Ignores
        papers after `upto`.

        With `fewest`, papers must have all terms; if fewer do, enough of the rarest terms; if these
        are too few as well, the best `MOST_PARTIAL` with any term are found.
        """
        frequencies = self.document_frequencies(query.wanted, upto=upto)
        indexed = upto or self._newest()
        known = [term for term in query.wanted if frequencies[term]]
        if not known or not all(frequencies[term] for term in query.required):
            return SearchResult(best=(), total=0, papers=frequencies, indexed=indexed)
        scored = sorted(known, key=lambda term: frequencies[term])[:MOST_SCORED]
        weights = {term: max(rarity(frequencies[term], indexed), _LEAST) for term in scored}
        conditions = (
            *self._until(upto),
            *_conditions(self._connection, query.filters, self._index.id),
        )
        order = (*self._index.order(list(weights.items())), self._index.id)

        def matching(sets: Collection[Sequence[Term]]) -> ColumnElement[bool]:
            return and_(
                self._index.matches(literal(_expression(self._index, query, sets))), *conditions
            )

        def result(sets: Collection[Sequence[Term]], total: int | None) -> SearchResult:
            best = select(self._index.id).select_from(*self._index.weighed).where(matching(sets))
            most = MOST_PARTIAL if total is None else limit
            found = self._connection.execute(best.order_by(*order).limit(most)).scalars().all()
            return SearchResult(
                best=tuple(PaperId(one) for one in found[:limit]),
                total=len(found) if total is None else total,
                papers=frequencies,
                indexed=indexed,
            )

        def count(sets: Collection[Sequence[Term]]) -> int:
            counted = select(func.count()).select_from(self._index.source).where(matching(sets))
            total: int = self._connection.execute(counted).scalar_one()
            return total

        any_term = [(term,) for term in scored]
        choices = () if query.is_either or not fewest else tuple(narrowed(weights))
        for sets in choices:
            if (total := count(sets)) >= fewest:
                return result(sets, total)
        return result(any_term, None if choices else count(any_term))

    def newest(
        self, filters: Filters, *, limit: int, most: int, upto: PaperId | None = None
    ) -> SearchResult:
        """The `limit` newest papers that pass the filters. The total stops at `most`."""
        own = db.papers.c
        narrow = _paper_conditions(self._connection, filters, db.papers)
        of_feed = _conditions(self._connection, Filters(feed=filters.feed), own.id)
        until = () if upto is None else (own.id <= upto,)
        matching = select(own.id).where(*of_feed, *narrow, *until)
        best = matching.order_by(own.counts_from.desc(), own.id.desc()).limit(limit)
        counted = select(func.count()).select_from(matching.limit(most).subquery())
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

    def document_frequencies(
        self, terms: Collection[Term], *, upto: PaperId | None = None
    ) -> dict[Term, int]:
        """The document frequency of each term, up to the paper `upto`."""
        self._index.prepare(self._connection)
        words = bindparam("words", type_=Text())
        counted = (
            select(func.count())
            .select_from(self._index.source)
            .where(self._index.matches(words), *self._until(upto))
        )
        return {
            term: self._connection.execute(counted, {"words": self._index.quote(term)}).scalar_one()
            for term in terms
        }

    def words_like(self, word: str) -> list[str]:
        """Words of titles with the first letter of `word` and about the same length."""
        length = func.length(db.search_words.c.word)
        start, end = word[:1], chr(ord(word[:1] or " ") + 1)
        found = self._connection.execute(
            select(db.search_words.c.word).where(
                db.search_words.c.word >= start,
                db.search_words.c.word < end,
                length.between(len(word) - _LENGTH_RANGE, len(word) + _LENGTH_RANGE),
            )
        )
        return list(found.scalars())


def matches_query(
    connection: Connection, query: Query, paper: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """The conditions that the paper with the id `paper` has all terms of a query, or any of them if
    the query contains OR."""
    index = _Postgres() if connection.dialect.name == "postgresql" else _Sqlite()
    conditions = _conditions(connection, query.filters, paper)

    def found(expression: str) -> ColumnElement[bool]:
        words = index.matches(literal(expression))
        named = select(index.id).select_from(index.source).where(words)
        return paper.in_(named.correlate(None))

    if query.wanted:
        each = [(term,) for term in query.wanted]
        sets = each if query.is_either else [query.wanted]
        conditions.append(found(_expression(index, query, sets)))
    elif query.excluded:
        any_of = index.operators[1].join(map(index.quote, query.excluded))
        conditions.append(~found(any_of))
    return conditions


def remember_words(connection: Connection, known: Iterable[str]) -> None:
    """Store words of titles, sorted so that two writers cannot deadlock."""
    rows = [{"word": word} for word in sorted(set(known))]
    insert_many(connection, insert_new(connection, db.search_words), rows)


def _expression(
    index: "_Sqlite | _Postgres", query: Query, sets: Collection[Sequence[Term]]
) -> str:
    """The query in the language of the index: all terms of one of `sets`, and what is required."""
    both, either, but_not = index.operators
    any_of = either.join(f"({both.join(map(index.quote, terms))})" for terms in sets)
    wanted = both.join([*map(index.quote, query.required), f"({any_of})"])
    if not query.excluded:
        return wanted
    excluded = either.join(map(index.quote, query.excluded))
    return f"({wanted}){but_not}({excluded})"


def _conditions(
    connection: Connection, filters: Filters, paper: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """The conditions on the row of `papers` with the id `paper`."""
    joined = select(db.joined_papers.c.paper_id).where(db.joined_papers.c.paper_id == paper)
    conditions = [~joined.exists()]
    if filters.feed is not None:
        listed = (
            select(db.listings.c.paper_id)
            .join_from(db.listings, db.feeds)
            .where(db.listings.c.paper_id == paper, db.feeds.c.name == filters.feed)
        )
        conditions.append(listed.exists())
    row = db.papers.alias("row")
    if of_paper := _paper_conditions(connection, filters, row):
        conditions.append(exists().where(row.c.id == paper, *of_paper))
    return conditions


def _paper_conditions(
    connection: Connection, filters: Filters, row: FromClause
) -> list[ColumnElement[bool]]:
    """The conditions on the columns of `row`, which is the table of papers or an alias of it."""
    conditions: list[ColumnElement[bool]] = []
    if filters.after is not None:
        conditions.append(row.c.counts_from >= midnight_utc(filters.after))
    if filters.before is not None:
        conditions.append(row.c.counts_from < midnight_utc(filters.before))
    if filters.category is not None:
        conditions.append(_is_of_category(connection, row, filters.category.lower()))
    return conditions


def categories_of(connection: Connection, row: FromClause) -> ColumnElement[str]:
    """The categories of a paper as a set of rows."""
    if connection.dialect.name == "postgresql":
        each = func.json_array_elements_text(row.c.categories).table_valued("value")
    else:
        each = func.json_each(row.c.categories).table_valued("value")
    return cast(each.c.value, Text())


def _is_of_category(connection: Connection, row: FromClause, wanted: str) -> ColumnElement[bool]:
    """Whether the paper has the category or a subcategory: `cs` includes `cs.LG`."""
    name = func.lower(categories_of(connection, row))
    start = func.substr(name, 1, len(wanted) + 1)
    return exists().where((name == wanted) | (start == f"{wanted}."))


class _Sqlite:
    """FTS5, ordered by BM25 with a weight per field."""

    source = table("papers_search", column("rowid", Integer()))
    weighed: tuple[FromClause, ...] = (source,)
    id = source.c.rowid
    operators = (" AND ", " OR ", " NOT ")

    def prepare(self, _connection: Connection) -> None:
        """Nothing to do: SQLite always uses the index."""

    def matches(self, words: ColumnElement[Any]) -> ColumnElement[bool]:
        found: ColumnElement[bool] = literal_column("papers_search").op(
            "MATCH", is_comparison=True
        )(words)
        return found

    def order(self, _weights: Sequence[tuple[Term, float]]) -> list[ColumnElement[Any]]:
        numbers = ", ".join(str(WEIGHTS[place]) for place in QueryPlace)
        return [literal_column(f"bm25(papers_search, {numbers})", Double())]

    def quote(self, term: Term) -> str:
        words = " + ".join(f'"{word}"' for word in term.words) + (" *" if term.starts else "")
        return f"{_COLUMNS[term.place]} : ({words})" if term.place else f"({words})"


class _Postgres:
    """A column of lexemes, ordered by the `ts_rank` of each term weighted by its rarity.

    Lexemes are stored compressed, outside the row (TOAST), and decompressing them is most of the
    cost of a search. Unnesting an array of one element decompresses them once per paper instead of
    once per term.
    """

    source = db.papers
    _unpacked = func.unnest(literal_column("ARRAY[papers.search]"))
    weighed: tuple[FromClause, ...] = (
        source,
        _unpacked.table_valued("lexemes", joins_implicitly=True).render_derived(name="unpacked"),
    )
    id = db.papers.c.id
    operators = (" & ", " | ", " & !")

    def prepare(self, connection: Connection) -> None:
        """Force this transaction to use the index: for a common word the planner would read the
        whole table, by itself or to merge it with another one, since it ignores the cost of
        decompression."""
        names = ("enable_seqscan", "enable_mergejoin")
        connection.execute(select(*(func.set_config(name, "off", True) for name in names)))

    def matches(self, words: ColumnElement[Any]) -> ColumnElement[bool]:
        found: ColumnElement[bool] = _LEXEMES.op("@@", is_comparison=True)(self._query(words))
        return found

    def order(self, weights: Sequence[tuple[Term, float]]) -> list[ColumnElement[Any]]:
        """Order by the sum of weight * r / (r + s), descending. Sorting by weight / (r + s),
        ascending, is equivalent and computes each rank r once."""
        most = max(WEIGHTS.values())
        shares = ", ".join(str(WEIGHTS[place] / most) for place in reversed(QueryPlace))
        fields: ColumnElement[Any] = literal_column(f"'{{0, {shares}}}'::real[]")
        missing: ColumnElement[Any] = literal(0.0, Double())
        for term, weight in weights:
            rank = func.ts_rank(fields, _UNPACKED, self._query(self.quote(term)))
            missing = missing + literal(weight, Double()) / (rank + _SATURATION)
        return [missing]

    def _query(self, words: ColumnElement[Any] | str) -> ColumnElement[Any]:
        return func.to_tsquery(literal_column("'paperround'::regconfig"), words)

    def quote(self, term: Term) -> str:
        place = _LETTERS[term.place] if term.place else ""
        ends = [place] * (len(term.words) - 1) + [place + ("*" if term.starts else "")]
        each = (
            f"'{word}'" + (f":{end}" if end else "")
            for word, end in zip(term.words, ends, strict=True)
        )
        return f"({' <-> '.join(each)})"


def index_new(connection: Connection, first: int, last: int) -> None:
    """Add the papers from id `first` to `last` to the index. (PostgreSQL updates its own.)"""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "INSERT INTO papers_search (rowid, title, abstract, authors)"
            " SELECT id, title, abstract, authors FROM papers WHERE id BETWEEN ? AND ?",
            (first, last),
        )
