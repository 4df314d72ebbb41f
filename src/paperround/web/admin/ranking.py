"""The admin page of the ranking: the order of a list with the parts of each score, as its newest
edition froze it, or of now or another day; the same with other weights, and what those would have
changed in the last month.

Ranking a list of thousands of papers takes a second, so the page opens with the newest edition.
"""

from typing import Annotated, Any

from fastapi import Query, Response

from paperround.core.errors import InvalidInput
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
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
        shown: dict[str, Any] = {"lists": [one.name for one in work[ListStore].all()]}
        list_id = work[ListStore].get(list_name).id
        edition = (
            work[EditionStore].newest(list_id, by=visit.now, with_held=True) if is_opened else None
        )
    shown |= {"asked": {"list": list_name, "date": day, "weights": weights}, "edition": edition}
    if edition is not None and edition.papers:
        papers = [(one, one.score, one.parts) for one in edition.papers[:SHOWN]]
        return visit.page("ranking.html", papers=papers, trial=None, unfit=None, before={}, **shown)
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
    return visit.page(
        "ranking.html",
        papers=[(one.paper, one.score, one.parts) for one in items[:SHOWN]],
        ranked=ranked,
        before=before,
        trial=trial,
        unfit=unfit,
        error=error,
        **shown,
    )
