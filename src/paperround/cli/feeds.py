"""`paperround feeds`: sources that are read by themselves."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from paperround.cli import feed_lists
from paperround.cli.feed_lists import (
    NO_FEEDS,
    Limit,
    Name,
    Preset,
    Set,
    Show,
    Url,
    find_any_feed,
    find_feed,
    preset_feeds,
    settings_in,
)
from paperround.cli.options import AsJson, Rename, Yes, agree, read_file, runtime, usage
from paperround.cli.output import counts, print_list, print_result
from paperround.core.errors import FetchFailed, FetchRefused, InvalidInput, NameNotFound
from paperround.feeds.model import FeedState, NewFeed, PollProgress

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
from paperround.feeds.store.feeds import FeedStore

app = typer.Typer(help="Sources of papers that are read by themselves.", no_args_is_help=True)
app.command("check")(feed_lists.check)
app.command("kinds")(feed_lists.kinds)
app.command("presets")(feed_lists.presets)
app.command("categories")(feed_lists.categories)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every feed: health, when it is read next, why."""
    from paperround.feeds.due import live_feeds
    from paperround.web.models import FeedAnswer

    feeds = map(FeedAnswer.of, live_feeds(runtime().newsroom))
    print_list("feeds", feeds, "name kind health next_at reason", none=NO_FEEDS, as_json=as_json)


@app.command()
def add(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="One of those `feeds kinds` shows."),
    ] = None,
    url: Url = None,
    settings: Set = None,
    show_as: Show = None,
    preset: Preset = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would bring; nothing is stored.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add the feed NAME, or all feeds of a preset. They are read at the next tick."""
    from paperround.feeds.files import show_of
    from paperround.feeds.preview import preview_feed

    if (preset is None) == (name is None or kind is None):
        raise typer.BadParameter("give NAME and --kind, or --preset alone")
    if preset is not None:
        if name or kind or url or settings or show_as or dry_run:
            raise typer.BadParameter(
                "a preset says all of its feeds: give it alone", param_hint="--preset"
            )
        _add_preset(preset, as_json)
        return
    with usage("--show"):
        shown = show_of(show_as)
    given = settings_in(settings)
    feed = NewFeed(name=name or "", kind=kind or "", url=url, settings=given, show=shown)
    if not dry_run:
        _add(feed, as_json)
        return
    home = runtime(creates=True)
    seen = preview_feed(home.newsroom, feed, now=home.clock.now())
    feed_lists.show_preview(feed.name, seen, as_json=as_json)


def _add(feed: "NewFeed", as_json: bool) -> None:
    from paperround.feeds.due import create_feed
    from paperround.web.models import FeedAnswer

    home = runtime(creates=True)
    made = FeedAnswer.of(create_feed(home.newsroom, feed, now=home.clock.now()))
    problem = unreachable(home, [feed])
    lines = [f"added {made.name}: {made.kind}, {made.health}", *_warning(problem)]
    print_result({"feed": made, "unreachable": problem}, lines, as_json=as_json)


def _warning(problem: str | None) -> list[str]:
    """What keeps an added feed from being read now."""
    if not problem:
        return []
    again = "  it is asked again by itself; `paperround feeds check --live` asks now"
    return [f"  but it cannot be read now: {problem}", again]


def _add_preset(preset: str, as_json: bool) -> None:
    from paperround.feeds.due import create_feed

    wanted = preset_feeds(preset)
    home = runtime(creates=True)
    with home.database.reading() as work:
        missing = [feed for feed in wanted if work[FeedStore].find(feed.name) is None]
    for feed in missing:
        create_feed(home.newsroom, feed, now=home.clock.now())
    problem, added = unreachable(home, missing), [feed.name for feed in missing]
    lines = [*(f"added {name}" for name in added), *_warning(problem)]
    value = {"added": added, "unreachable": problem}
    print_result(value, lines or "nothing to add: they are all there already", as_json=as_json)


@app.command()
def edit(
    name: Name,
    rename: Rename = None,
    url: Url = None,
    own_url: Annotated[
        bool, typer.Option("--own-url", help="Back to the source's own address.")
    ] = False,
    settings: Set = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="NAME", help="Forget a setting.")
    ] = None,
    show_as: Annotated[
        str | None,
        typer.Option("--show", metavar="HOW", help="full, gist, link, or default."),
    ] = None,
    enabled: Annotated[
        bool | None, typer.Option("--resume/--pause", help="Read it again, or read it no more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a feed. One that is pointed somewhere else is read anew at the next tick."""
    from paperround.feeds.due import change_feed
    from paperround.feeds.files import show_of
    from paperround.web.models import FeedAnswer

    if url is not None and own_url:
        raise typer.BadParameter("give an address or --own-url, not both", param_hint="--url")
    given: dict[str, Any] = {"name": rename, "url": url, "enabled": enabled}
    given = {field: value for field, value in given.items() if value is not None}
    if own_url:
        given["url"] = None
    if show_as is not None:
        with usage("--show"):
            given["show"] = show_of(None if show_as == "default" else show_as)
    put, gone = settings_in(settings), unset or []
    if not (given or put or gone):
        raise typer.BadParameter("say what to change: --set, --url, --show, --pause, --rename")
    if both := [one for one in gone if one in put]:
        raise typer.BadParameter(f"{both[0]:.60} is set, too", param_hint="--unset")

    def change(feed: "NewFeed") -> "NewFeed":
        return replace(feed, **given, settings=_with(feed.settings, put, gone))

    home = runtime()
    number = find_feed(home, name).id
    made = FeedAnswer.of(change_feed(home.newsroom, number, change, now=home.clock.now()))
    line = f"changed {made.name}: {made.kind}, {made.health}"
    print_result({"feed": made}, line, as_json=as_json)


def _with(settings: Mapping[str, str], put: Mapping[str, str], gone: list[str]) -> dict[str, str]:
    """The settings without those in `gone`, and with those in `put`."""
    for name in gone:
        if name not in settings:
            known = f"it has {', '.join(settings)}" if settings else "it has none"
            raise InvalidInput(f"the feed has no setting {name!r:.60}: {known}", code="settings")
    return {**{key: settings[key] for key in settings if key not in gone}, **put}


@app.command()
def remove(name: Name, yes: Yes = False, as_json: AsJson = False) -> None:
    """Forget a feed with its runs and rejects. Its papers stay."""
    from paperround.feeds.due import delete_feed

    home = runtime()
    number = find_feed(home, name).id
    agree(yes, f"Forget the feed {name}, with its runs and rejects? Its papers stay.")
    delete_feed(home.newsroom, number)
    print_result({"removed": name}, f"removed {name}; its papers stay", as_json=as_json)


@app.command()
def run(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None, as_json: AsJson = False
) -> None:
    """Read the feed NAME now, or every feed that is due. Fails when one of them could not be."""
    from paperround.feeds.due import poll_due, run_now
    from paperround.web.models import PollAnswer

    home = runtime()
    now = home.clock.now()
    if name is None:
        reports = poll_due(home.newsroom, now=now)
    else:
        reports = [run_now(home.newsroom, find_feed(home, name).id, now=now)]
    polls = [PollAnswer.of(report) for report in reports]
    columns = "feed health new changed unchanged reason"
    print_list("polls", polls, columns, none="no feed is due", as_json=as_json)
    if any(poll.error for poll in polls):
        raise typer.Exit(1)


@app.command()
def runs(name: Name, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show when a feed was read, and what came of it."""
    from paperround.web.models import RunAnswer

    home = runtime()
    feed = find_any_feed(home, name)
    with home.database.reading() as work:
        found = [
            RunAnswer.of(one) for one in work[FeedStore].runs(feed.id, before=None, limit=limit)
        ]
    none = f"{name} was not read yet: paperround feeds run {name}"
    print_list("runs", found, "started_at state counts error", none=none, as_json=as_json)


@app.command()
def rejects(name: Name, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show what of a feed could not be used, and why. Files have feeds, too: file:jsonl."""
    from paperround.web.models import RejectAnswer

    home = runtime()
    feed = find_any_feed(home, name)
    with home.database.reading() as work:
        kept = work[FeedStore].rejects(feed.id, before=None, limit=limit)
    found, none = map(RejectAnswer.of, kept), f"nothing of {name} was rejected"
    print_list("rejects", found, "created_at reason position detail", none=none, as_json=as_json)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: AsJson = False) -> None:
    """Add the feeds of an export or of an OPML file. The file may be of any feed reader; feeds
    whose name is known are changed."""
    from paperround.feeds.files import import_feeds
    from paperround.feeds.opml import read_opml
    from paperround.web.models import ImportAnswer

    home = runtime(creates=True)
    done = import_feeds(home.newsroom, read_file(file), now=home.clock.now(), opml=read_opml)
    answer = ImportAnswer.of(done)
    numbers = {"new": len(answer.new), "changed": len(answer.changed)}
    numbers |= {"unchanged": len(answer.unchanged), "rejected": len(answer.rejects)}
    said = counts(numbers) if any(numbers.values()) else "there is no feed in it"
    rejects = [f"  feed {one.position} rejected: {one.detail}" for one in answer.rejects]
    print_result(answer, [f"{file.name}: {said}", *rejects], as_json=as_json)


@app.command()
def export(
    file_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="json, or opml for feed readers.")
    ] = "json",
    as_json: AsJson = False,
) -> None:
    """Print every feed, for `feeds import`."""
    from paperround.feeds.files import export_feeds, exported_feeds
    from paperround.feeds.opml import write_opml

    if file_format not in {"json", "opml"}:
        raise typer.BadParameter("use json or opml", param_hint="--format")
    newsroom = runtime().newsroom
    if as_json or file_format == "json":
        sys.stdout.writelines([*export_feeds(newsroom), "\n"])
    else:
        sys.stdout.writelines(write_opml(exported_feeds(newsroom)))


SECONDS = 4.0
"""How long one service may take to be connected to."""


def unreachable(home: "AppContext", feeds: "Iterable[NewFeed]") -> str | None:
    """Why a service of `feeds` cannot be reached, and what to look at; None when all can. They are
    connected to, and asked nothing."""
    client = home.client_for(*home.settings.open_places)
    asked = {}
    for feed in feeds:
        state = FeedState(url=feed.url, settings=feed.settings, progress=PollProgress())
        url = home.sources[feed.kind].plan(state, home.clock.now()).url
        asked[urlsplit(url).netloc] = url
    try:
        for url in asked.values():
            client.reach(url, seconds=SECONDS)
    except FetchFailed as error:
        return f"{error}{_way_out(error)}"
    return None


def _way_out(error: FetchFailed) -> str:
    from urllib.request import getproxies  # as slow to load as the rest of the commands

    if isinstance(error, FetchRefused):
        return ""  # it names its own
    if any(name in getproxies() for name in ("http", "https", "all")):
        return ": this machine uses a proxy, and Paperround asks each service directly"
    if isinstance(error, NameNotFound):
        return ": does this machine have a network, and does its DNS answer?"
    return ": a firewall may block it, or the service is down"
