"""The admin page of the ranking: the order of a list with the parts of each score, as its newest
edition froze it, or of now or another day; the same with other weights, and what those would have
changed in the last month.

Ranking a list of thousands of papers takes a second, so the page opens with the newest edition.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from fastapi import Query, Response

from paperround.core.errors import InvalidInput
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.model import Edition, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Paper, PaperId
from paperround.ranking.rank import ListRanking, rank_list
from paperround.ranking.trial import WeightsTrial, try_weights
from paperround.web.admin.forms import DayFilter, ListFilter, parse_day
from paperround.web.admin.session import Visit, operator_router

router = operator_router()

SHOWN = 40
"""Papers on the page."""


@router.get("/ranking")
def show_ranking(
    visit: Visit,
    list_name: ListFilter = DEFAULT_LIST,
    day: DayFilter = "",
    weights: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Show the order of the newest edition, or with a `date`, even an empty one, that of a day or
    of now. With `weights`, such as `votes=2`, show the order with them, the rank of each paper
    without them, and what they would have changed in the last month. Stores nothing."""

    def rank(changed: str) -> ListRanking:
        ranker = visit.app.ranker_with(changed) if changed else visit.app.ranker
        of_day = parse_day(day)
        return rank_list(
            database=visit.database, ranker=ranker, list_name=list_name, day=of_day, now=visit.now
        )

    is_opened = not {"date", "weights"} & visit.request.query_params.keys()
    with visit.database.reading() as work:
        lists = [one.name for one in work[ListStore].all()]
        list_id = work[ListStore].get(list_name).id
        edition = (
            work[EditionStore].newest(list_id, by=visit.now, with_held=True) if is_opened else None
        )
    if edition is not None and edition.papers:
        shown = [(one, one.score, one.parts) for one in edition.papers[:SHOWN]]
        return _page(visit, list_name, lists, edition=edition, papers=shown)
    error, ranked, before = None, None, dict[PaperId, int]()
    trial: WeightsTrial | None = None
    unfit: InvalidInput | None = None
    try:
        ranked = rank(weights)
        if weights:
            usual = rank("").ranking.items
            before = {one.paper.id: place for place, one in enumerate(usual, start=1)}
    except InvalidInput as problem:
        is_day = ranked is None and not weights
        error = InvalidInput(problem.text, code="date" if is_day else "weights")
    if weights and error is None:
        try:
            trial = try_weights(visit.database, list_name, weights, now=visit.now)
        except InvalidInput as problem:  # they work for today, not for the past
            unfit = problem
    items = ranked.ranking.items if ranked else ()
    return _page(
        visit,
        list_name,
        lists,
        date=day,
        weights=weights,
        ranked=ranked,
        papers=[(one.paper, one.score, one.parts) for one in items[:SHOWN]],
        before=before,
        trial=trial,
        unfit=unfit,
        error=error,
    )


def _page(
    visit: Visit,
    list_name: str,
    lists: Sequence[str],
    *,
    papers: Sequence[tuple[Paper | EditionPaper, float, Mapping[str, float]]],
    edition: Edition | None = None,
    ranked: ListRanking | None = None,
    before: Mapping[PaperId, int] = MappingProxyType({}),
    trial: WeightsTrial | None = None,
    unfit: InvalidInput | None = None,
    date: str = "",
    weights: str = "",
    error: InvalidInput | None = None,
) -> Response:
    return visit.page(
        "ranking.html",
        asked={"list": list_name, "date": date, "weights": weights},
        lists=lists,
        papers=papers,
        edition=edition,
        ranked=ranked,
        before=before,
        trial=trial,
        unfit=unfit,
        error=error,
    )
