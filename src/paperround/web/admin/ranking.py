"""The admin page of the ranking: today's order of a list with the parts of each score, the same
with other weights, and what those would have changed in the last month."""

from typing import Annotated

from fastapi import Query, Request, Response

from paperround.core.errors import InvalidInput
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
from paperround.ranking.rank import ListRanking, rank_list
from paperround.ranking.trial import WeightsTrial, try_weights
from paperround.web.admin.forms import DayFilter, ListFilter, parse_day
from paperround.web.admin.session import admin_page, operator_router
from paperround.web.context import App, Now

router = operator_router()

SHOWN = 40
"""Papers on the page."""


@router.get("/ranking")
def show_ranking(
    app: App,
    now: Now,
    request: Request,
    list_name: ListFilter = DEFAULT_LIST,
    day: DayFilter = "",
    weights: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Show the order of a day. With `weights`, such as `votes=2`, show the order with them, the
    rank of each paper without them, and what they would have changed in the last month. Stores
    nothing."""

    def rank(changed: str) -> ListRanking:
        ranker = app.ranker_with(changed) if changed else app.ranker
        of_day = parse_day(day)
        return rank_list(
            database=app.database, ranker=ranker, list_name=list_name, day=of_day, now=now
        )

    with app.database.reading() as work:
        lists = [one.name for one in work[ListStore].all()]
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
            trial = try_weights(app.database, list_name, weights, now=now)
        except InvalidInput as problem:  # they work for today, not for the past
            unfit = problem
    return admin_page(
        request,
        "ranking.html",
        status=422 if error else 200,
        ranked=ranked,
        shown=SHOWN,
        before=before,
        trial=trial,
        unfit=unfit,
        asked={"list": list_name, "date": day, "weights": weights},
        lists=lists,
        error=error,
    )
