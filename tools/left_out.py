"""Measure the gain of search on queries that were not used to choose its balance.

    python -m tools.left_out QUERIES [DOCUMENTS]

Many times, half of the queries are left out at random, and the balance that is best on the other
half is measured on them.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from paperround.db.transactions import Database
from paperround.evaluate.report import Numbers, Places
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import Filters, Query, SearchResult
from paperround.papers.search_service import search
from paperround.papers.stems import words
from paperround.ranking.relevance import Balance, Read, in_order, read_for
from tools.evaluate.search import (
    DEPTH,
    SEED,
    Bm25,
    Collection,
    Judgement,
    gains_of,
    indexed,
    names_of_papers,
    ndcg,
    read_collection,
    whole,
)

HALVES = 500
"""How often half of the queries are left out: with a single drawing the figure varies by a
tenth."""
BALANCES = tuple(
    Balance(title=title, pairs=pairs, neighbours=neighbours)
    for title, pairs, neighbours in product(
        (1.0, 2.0, 4.0, 8.0), (0.0, 0.5, 1.0, 2.0), (0.0, 0.25, 0.5)
    )
)
"""The balances to choose from, including the one in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The gains of one collection: with each balance, shape (balances, queries), and of bare BM25,
    shape (queries,)."""

    ours: Numbers
    bare: Numbers

    def ratio(self, balance: int) -> float:
        """Return our gain divided by that of bare BM25, over all queries."""
        return float(self.ours[balance].sum() / max(self.bare.sum(), 1e-9))

    def among(self, queries: Places) -> "Tried":
        """Return the gains of the queries at these places only."""
        return Tried(ours=self.ours[:, queries], bare=self.bare[queries])


def tried(collection: Collection, database: Database) -> Tried:
    """Return the gains of each of `BALANCES`. The papers of a query are read once for all."""
    names = names_of_papers(database)
    orders = [_orders(database, asked) for asked in collection.queries]
    gains = [
        [ndcg(whole(asked, [names[one] for one in order]), asked.grades) for order in of_query]
        for asked, of_query in zip(collection.queries, orders, strict=True)
    ]
    bare = gains_of(collection, Bm25(collection.documents.values(), words).find)
    return Tried(ours=np.array(gains).T, bare=bare)


def _orders(database: Database, asked: Judgement) -> Iterator[Sequence[PaperId]]:
    """Yield the best papers for a query with each balance."""
    kept: list[Read] = []

    def keep(query: Query, papers: Sequence[Paper], found: SearchResult) -> list[PaperId]:
        kept.append(read_for(query, papers, found))
        return list(kept[0].papers)

    page = search(database, keep, asked.text, filters=Filters(feed=asked.feed), limit=DEPTH)
    shown = [hit.paper.id for hit in page.hits]
    for balance in BALANCES:
        ordered = in_order(kept[0], balance) if kept else []
        yield [*ordered, *(one for one in shown if one not in ordered)]


def left_out_halves(gains: Tried, *, halves: int = HALVES, seed: int = SEED) -> Numbers:
    """Return our ratio to bare BM25 on random halves of the queries, with the balance that was best
    on the other half; shape (halves,)."""
    draw, count = np.random.default_rng(seed), len(gains.bare)
    ratios = []
    for _ in range(halves):
        order = draw.permutation(count)
        chosen_on, left_out = gains.among(order[: count // 2]), gains.among(order[count // 2 :])
        ratios.append(left_out.ratio(_best([chosen_on])))
    return np.array(ratios)


def left_out_collections(gains: Mapping[str, Tried]) -> Mapping[str, float]:
    """Return our ratio on each collection, with the balance that was best on the others."""
    return {
        name: here.ratio(_best([other for other in gains.values() if other is not here]))
        for name, here in gains.items()
    }


def _best(gains: Sequence[Tried]) -> int:
    balances = range(len(gains[0].ours))
    return max(balances, key=lambda one: math.fsum(each.ratio(one) for each in gains))


def told_apart(gains: Tried) -> Iterator[str]:
    """Yield the figures as a line."""
    of_halves = left_out_halves(gains)
    low = np.quantile(of_halves, 0.25)
    yield (
        f"ours / bm25 on queries left out, {HALVES} halves: {of_halves.mean():.3f} on average,"
        f" {low:.3f} or less in a quarter of them"
    )


def main(queries: Path, documents: Path | None = None) -> None:
    """Print the figures."""
    collection = read_collection(queries, documents)
    with indexed(collection) as database:
        sys.stdout.writelines(f"{line}\n" for line in told_apart(tried(collection, database)))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
