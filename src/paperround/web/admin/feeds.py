"""Admin pages of feeds: all of them, the runs and rejects of one, and the form of its settings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Response

from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import POLL
from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.languages import marked
from paperround.feeds.due import change_feed, create_feed, delete_feed, feed_settings, request_run
from paperround.feeds.model import FeedRun, LiveFeed, NewFeed, Setting
from paperround.feeds.preview import FeedPreview, preview_feed
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, Show
from paperround.web.admin.forms import FormFields, require_sure, unknown_action
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.paging import RowNumber

router = operator_router()

PATH = "/admin/feeds"
RUNS = 10
"""The number of runs, and of rejects, on the page of a feed."""

PREVIEWED = 10
"""Papers in a preview."""

_SETTING = "settings."


@router.get("/feeds")
def list_feeds(visit: Visit) -> Response:
    """Show every feed with its health."""
    with visit.database.reading() as work:
        store = work[FeedStore]
        found = [
            with_imports(feed, store.runs(feed.id, before=None, limit=RUNS))
            if feed.is_imported
            else feed
            for feed in store.all()
        ]
    return visit.page("feeds.html", feeds=found, kinds=list(visit.app.sources))


def with_imports(feed: LiveFeed, runs: Sequence[FeedRun]) -> LiveFeed:
    """Return a feed of imported papers with the times of its latest `runs`. It was created by the
    first import, whose run may be deleted."""
    first = feed.created_at
    return replace(
        feed,
        last_good_at=next((one.started_at for one in runs if one.state == "done"), first),
        last_news_at=next((one.started_at for one in runs if one.counts.get("new")), first),
    )


# --- a new feed ----------------------------------------------------------------------------------


@router.get("/feeds/new")
def show_new(visit: Visit, kind: str = "") -> Response:
    """Show the form of a new feed of a kind."""
    if kind not in visit.app.sources:
        return back_to(PATH)
    return _form_page(visit, NewFeed(name="", kind=kind))


@router.post("/feeds/new")
def save_new(visit: Visit, form: FormFields) -> Response:
    """Preview a feed, or create it."""
    feed = NewFeed(name="", kind=form.get("kind", ""))
    try:
        feed = _described(feed, form)
        if form.get("action") == "preview":
            found = preview_feed(visit.app.feed_context, feed, now=visit.now)
            return _form_page(visit, feed, preview=found)
        created = create_feed(visit.app.feed_context, feed, now=visit.now, by=visit.by)
    except InvalidInput as error:
        return _form_page(visit, feed, error=error)
    except FetchFailed as error:
        return _form_page(visit, feed, error=InvalidInput(str(error), code="read"))
    visit.app.queue.put(POLL)
    return back_to(f"{PATH}/{created.id}")


# --- one feed ------------------------------------------------------------------------------------


@router.get("/feeds/{feed_id}")
def show_feed(visit: Visit, feed_id: RowNumber) -> Response:
    """Show a feed: its health, its runs, its rejects and its settings."""
    return _feed_page(visit, feed_id)


def _feed_page(
    visit: Visit,
    number: int,
    *,
    described: NewFeed | None = None,
    error: InvalidInput | None = None,
) -> Response:
    with visit.database.reading() as work:
        feed = work[FeedStore].get(FeedId(number))
        runs = work[FeedStore].runs(feed.id, before=None, limit=RUNS)
        rejects = work[FeedStore].rejects(feed.id, before=None, limit=RUNS)
    return visit.page(
        "feed.html",
        feed=with_imports(feed, runs) if feed.is_imported else feed,
        is_polled=feed.kind in visit.app.sources,
        runs=runs,
        rejects=rejects,
        described=described or feed_settings(feed),
        error=error,
        **_choices(visit.app, feed),
    )


@router.post("/feeds/{number}")
def act(visit: Visit, number: RowNumber, form: FormFields) -> Response:
    """Save the settings of a feed, request a poll, or delete it."""
    context, feed_id, action = visit.app.feed_context, FeedId(number), form.get("action")
    try:
        if action == "run":
            request_run(context, feed_id, now=visit.now, by=visit.by)
            visit.app.queue.put(POLL)
        elif action == "delete":
            require_sure(form)
            delete_feed(context, feed_id, now=visit.now, by=visit.by)
            return back_to(PATH)
        elif action == "save":
            change_feed(
                context, feed_id, lambda feed: _described(feed, form), now=visit.now, by=visit.by
            )
        else:
            raise unknown_action()
    except InvalidInput as error:
        with visit.database.reading() as work:
            feed = feed_settings(work[FeedStore].get(feed_id))
        shown = _described(feed, form, lenient=True) if action == "save" else feed
        return _feed_page(visit, number, described=shown, error=error)
    return back_to(f"{PATH}/{number}")


# --- forms ---------------------------------------------------------------------------------------


def _described(feed: NewFeed, form: Mapping[str, str], *, lenient: bool = False) -> NewFeed:
    """Return `feed` with the fields of a form; an empty setting is left to its default.

    Raises InvalidInput for an unknown choice of `show`, unless `lenient`.
    """
    shown = form.get("show", "")
    if shown and shown not in [*Show]:
        if not lenient:
            raise InvalidInput(marked("Unknown option."), code="show")
        shown = ""
    return replace(
        feed,
        name=form.get("name", ""),
        url=form.get("url") or None,
        settings={
            name.removeprefix(_SETTING): value
            for name, value in form.items()
            if name.startswith(_SETTING) and value
        },
        show=Show(shown) if shown else None,
        enabled="enabled" in form,
    )


def _choices(app: AppContext, feed: NewFeed) -> dict[str, Any]:
    """Return the choices in the form of a feed: the settings of its kind and those it has, and
    whether it needs an address."""
    known: dict[str, Setting] = {}
    source = app.sources.get(feed.kind)
    if source is not None:
        known |= source.settings
    known |= {name: Setting("") for name in feed.settings if name not in known}
    return {
        "known": known,
        "shows": [one.value for one in Show],
        "needs_url": source is not None and source.needs_url,
    }


def _form_page(
    visit: Visit,
    feed: NewFeed,
    *,
    error: InvalidInput | None = None,
    preview: FeedPreview | None = None,
) -> Response:
    return visit.page(
        "feed_new.html",
        described=feed,
        error=error,
        preview=preview,
        previewed=PREVIEWED,
        **_choices(visit.app, feed),
    )
