"""`python -m tools.evaluate search`: the NDCG of Paperround's search, next to BM25.

The normal ingest loads the papers into a temporary database, and each query runs as on the site: so
the evaluation measures the real index. The baselines, on the same papers and queries, are BM25 over
words, and BM25 over stems without stop words.
"""

import math
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.db.transactions import Database
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Row, read_rows
from paperround.evaluate.report import Figure, Numbers, Places, Report, compare, figure
from paperround.feeds.ingest import ingest
from paperround.papers.model import PaperId, ParsedBatch, Record
from paperround.papers.search import COMMON, Filters
from paperround.papers.search_service import search
from paperround.papers.stems import stem, words
from paperround.papers.store.papers import PaperStore
from paperround.ranking.relevance import by_relevance

METRIC = "ndcg_at_10"
DEPTH = 10
K1, B = 1.2, 0.75
SEED = 1
"""The seed for shuffling candidates: the order in the file may reveal the answers."""

_PREFIX = "evaluate:"
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper of the collection."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A query with the grades of its judged documents.

    `among` are the documents to search, None for all.
    """

    number: int
    text: str
    grades: Mapping[str, float]
    among: tuple[str, ...] | None = None

    @property
    def feed(self) -> str | None:
        """The feed that contains `among`, None for all documents."""
        return None if self.among is None else f"query-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents, the queries with a relevant document, and the number of other queries."""

    documents: Mapping[str, Document]
    queries: Sequence[Judgement]
    unjudged: int = 0


Finder = Callable[[Judgement], Sequence[str]]
"""A function that returns the ids of the best documents for a query, best first."""


def measure(queries: Path, documents: Path | None, *, baselines: Baselines) -> Report:
    """Evaluate one collection. Raises InvalidInput for invalid files."""
    collection = read_collection(queries, documents)
    with indexed(collection) as database:
        names = names_of_papers(database)

        def find(query: Judgement) -> Sequence[str]:
            page = search(
                database, by_relevance, query.text, filters=Filters(feed=query.feed), limit=DEPTH
            )
            return [names[hit.paper.id] for hit in page.hits]

        ours = gains_of(collection, find)
    others = {} if baselines is Baselines.NONE else _baselines(collection)
    theirs = {name: {METRIC: gains} for name, gains in others.items()}
    return compare("search", {METRIC: ours}, theirs, tuple(_notes(collection, ours, others)))


def _notes(collection: Collection, ours: Numbers, others: Mapping[str, Numbers]) -> Iterator[str]:
    yield (
        f"{len(collection.queries)} queries, {collection.unjudged} without a right answer left"
        f" out, {len(collection.documents)} documents"
    )
    for name, gains in others.items():
        ratio = _ratio(ours, gains)
        yield (
            f"ours / {name}: {ratio.value:.3f} (90 % interval {ratio.low:.3f} to {ratio.high:.3f})"
        )


def _ratio(ours: Numbers, theirs: Numbers) -> Figure:
    def statistic(places: Places) -> float:
        return float(ours[places].sum() / max(theirs[places].sum(), 1e-9))

    return figure(statistic, len(ours))


# --- the collection ------------------------------------------------------------------------------


def read_collection(queries: Path, documents: Path | None) -> Collection:
    """Read queries with grades of documents in another file, or with their own candidates.

    Raises InvalidInput when no query has a relevant document.
    """
    known = {one.id: one for one in map(_document, read_rows(documents))} if documents else {}
    shuffle = random.Random(SEED)  # noqa: S311 - the same order every time
    judged: list[Judgement] = []
    unjudged = 0
    for number, row in enumerate(read_rows(queries), start=1):
        one = _read_query(number, row, known, shuffle)
        if any(grade > 0 for grade in one.grades.values()):
            judged.append(one)
        else:
            unjudged += 1
    if not judged or not known:
        raise InvalidInput(f"{queries} has no query with a right answer, or --docs is missing")
    return Collection(documents=known, queries=judged, unjudged=unjudged)


def _read_query(
    number: int, row: Row, known: dict[str, Document], shuffle: random.Random
) -> Judgement:
    text, candidates = str(row.get("text", "")), row.get("candidates")
    if not isinstance(candidates, list):
        relevant = row.get("relevant")
        relevant = relevant if isinstance(relevant, dict) else {}
        grades = {str(document): _grade(grade) for document, grade in relevant.items()}
        return Judgement(number=number, text=text, grades=grades)
    rows = [one for one in candidates if isinstance(one, dict)]
    shuffle.shuffle(rows)
    found = [_document(one) for one in rows]
    for one in found:
        known.setdefault(one.id, one)
    grades = {one.id: _grade(it.get("clicked")) for one, it in zip(found, rows, strict=True)}
    return Judgement(number=number, text=text, grades=grades, among=tuple(grades))


def _grade(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _document(row: Row) -> Document:
    return Document(
        id=str(row.get("id", "")),
        title=str(row.get("title") or ""),
        abstract=str(row.get("summary") or row.get("abstract") or ""),
        authors=_names(row.get("authors")),
    )


def _names(authors: object) -> tuple[str, ...]:
    if isinstance(authors, list):
        return tuple(map(str, authors))
    return (authors,) if isinstance(authors, str) and authors else ()


# --- ours ----------------------------------------------------------------------------------------


@contextmanager
def indexed(collection: Collection) -> Iterator[Database]:
    """Yield a database with the documents; the candidates of a query are a feed."""
    from paperround.db.engine import create
    from paperround.db.migrate import upgrade
    from paperround.db.transactions import SqlDatabase

    with tempfile.TemporaryDirectory() as folder:
        engine = create(f"sqlite:///{folder}/search.db")
        upgrade(engine)
        database = SqlDatabase(engine)
        try:
            _fill(collection, database)
            yield database
        finally:
            database.close()


def _fill(collection: Collection, database: Database) -> None:
    everything = list(collection.documents.values())
    if all(one.among is None for one in collection.queries):
        _ingest(database, "collection", everything)
        return
    for one in collection.queries:
        _ingest(database, one.feed or "", [collection.documents[it] for it in one.among or ()])


def _ingest(database: Database, feed: str, documents: Iterable[Document]) -> None:
    ingest(
        ParsedBatch(records=tuple(map(_record, documents))),
        database=database,
        feed_name=feed,
        feed_kind="file",
        source=feed,
        captured_at=_AT,
        now=_AT,
    )


def _record(document: Document) -> Record:
    return Record(
        title=document.title.strip() or document.id,
        abstract=document.abstract,
        authors=document.authors,
        identifiers={"local": f"{_PREFIX}{document.id}"},
        fingerprint=document.id,
    )


def names_of_papers(database: Database) -> dict[PaperId, str]:
    """Return the document id of each paper."""
    with database.reading() as work:
        ids = range(1, work[PaperStore].count() + 1)
        papers = work[PaperStore].load([PaperId(one) for one in ids])
    return {id_: it.identifiers["local"].removeprefix(_PREFIX) for id_, it in papers.items()}


# --- others --------------------------------------------------------------------------------------


def _baselines(collection: Collection) -> dict[str, Numbers]:
    def stems(text: str) -> list[str]:
        return [stem(word) for word in words(text) if word not in COMMON]

    documents = collection.documents.values()
    return {
        "bm25": gains_of(collection, Bm25(documents, words).find),
        "bm25_stemmed": gains_of(collection, Bm25(documents, stems).find),
    }


@dataclass(slots=True)
class Bm25:
    """BM25 over title and abstract as one text (Robertson and Zaragoza, 2009, k1 1.2, b 0.75)."""

    documents: Iterable[Document]
    cut: Callable[[str], list[str]]
    _postings: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        bags = {one.id: Counter(self.cut(f"{one.title} {one.abstract}")) for one in self.documents}
        mean = sum(bag.total() for bag in bags.values()) / max(len(bags), 1) or 1.0
        self._count = len(bags)
        for id_, bag in bags.items():
            norm = K1 * (1 - B + B * bag.total() / mean)
            for word, times in bag.items():
                weight = times * (K1 + 1) / (times + norm)
                self._postings.setdefault(word, []).append((id_, weight))

    def find(self, query: Judgement) -> Sequence[str]:
        """Return the best documents for a query, by score and then by id."""
        scores: Counter[str] = Counter()
        for word in self.cut(query.text):
            postings = self._postings.get(word, [])
            rare = math.log1p((self._count - len(postings) + 0.5) / (len(postings) + 0.5))
            for id_, weight in postings:
                scores[id_] += rare * weight  # type: ignore[assignment]
        if query.among is not None:
            return sorted(query.among, key=lambda one: -scores[one])
        return sorted(scores, key=lambda one: (-scores[one], one))[:DEPTH]


# --- the measure ---------------------------------------------------------------------------------


def gains_of(collection: Collection, find: Finder) -> Numbers:
    """Return the NDCG of each query with the results of `find`."""
    return np.array([ndcg(whole(one, find(one)), one.grades) for one in collection.queries])


def whole(query: Judgement, found: Sequence[str]) -> Sequence[str]:
    """Return the found documents, followed by the other candidates in shuffled order."""
    return [*found, *(one for one in query.among or () if one not in found)]


def ndcg(order: Sequence[str], grades: Mapping[str, float]) -> float:
    """Return the normalised discounted cumulative gain of the first ten, from 0 to 1.

    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002.
    """
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    ideal = _discounted(best)
    return _discounted([max(grades.get(one, 0.0), 0.0) for one in order]) / ideal if ideal else 0.0


def _discounted(gains: Sequence[float]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:DEPTH], 1))
