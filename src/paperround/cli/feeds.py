"""`paperround feeds`: manage the feeds that are read automatically."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import feed_lists
from paperround.cli.feed_lists import (
    NO_FEEDS,
    FeedName,
    Limit,
    Preset,
    Set,
    Show,
    Url,
    find_feed,
    preset_feeds,
    settings_in,
    show_of,
    warn_of_refusal,
)
from paperround.cli.options import (
    AsJson,
    Rename,
    Yes,
    actor,
    agree,
    read_file,
    runtime,
    switch,
    takes,
)
from paperround.cli.output import counts, print_list, print_result
from paperround.core.errors import InvalidInput

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.feeds.model import NewFeed

_NONE_DUE = "no feed is due: `paperround feeds run NAME` reads one now"

app = typer.Typer(help="The feeds that papers come from.", no_args_is_help=True)
app.command("check")(feed_lists.check)
app.command("kinds")(feed_lists.kinds)
app.command("presets")(feed_lists.presets)
app.command("categories")(feed_lists.categories)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every feed: its health, when it is polled next, and why."""
    from paperround.feeds.due import live_feeds
    from paperround.web.models import FeedAnswer

    feeds = map(FeedAnswer.of, live_feeds(runtime().feed_context))
    print_list("feeds", feeds, "name kind health next_at reason", none=NO_FEEDS, as_json=as_json)


@app.command()
def add(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    kind: Annotated[str | None, takes("--kind", "KIND", "A kind from `feeds kinds`.")] = None,
    url: Url = None,
    settings: Set = None,
    show_as: Show = None,
    preset: Preset = None,
    dry_run: Annotated[bool, switch("--dry-run", "Preview its papers; store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add the feed NAME, or all feeds of a preset. They are polled at the next tick."""
    from paperround.feeds.model import NewFeed
    from paperround.feeds.preview import preview_feed

    if (preset is None) == (name is None or kind is None):
        raise typer.BadParameter(
            "give NAME and --kind, or --preset alone; RSS, Atom and JSON Feed are --kind feed"
        )
    if preset is not None:
        if name or kind or url or settings or show_as or dry_run:
            raise typer.BadParameter(
                "a preset cannot be combined with other options", param_hint="--preset"
            )
        _add_preset(preset, as_json)
        return
    shown = None if show_as is None else show_of(show_as)
    given = settings_in(settings)
    feed = NewFeed(name=name or "", kind=kind or "", url=url, settings=given, show=shown)
    if not dry_run:
        _add(feed, as_json)
        return
    context = runtime(creates=True)
    seen = preview_feed(context.feed_context, feed, now=context.clock.now())
    feed_lists.show_preview(feed.name, seen, as_json=as_json)


def _add(feed: "NewFeed", as_json: bool) -> None:
    from paperround.feeds.due import create_feed
    from paperround.web.models import FeedAnswer

    context = runtime(creates=True)
    feed_answer = FeedAnswer.of(
        create_feed(context.feed_context, feed, now=context.clock.now(), by=actor())
    )
    line = f"added {feed_answer.name}: {feed_answer.kind}, {feed_answer.health}"
    print_result({"feed": feed_answer}, line, as_json=as_json)
    warn_of_refusal(context, feed.url)


def _add_preset(preset: str, as_json: bool) -> None:
    from paperround.feeds.due import create_feed
    from paperround.feeds.store.feeds import FeedStore

    preset_list = preset_feeds(preset)
    context = runtime(creates=True)
    with context.database.reading() as work:
        missing = [feed for feed in preset_list if work[FeedStore].find(feed.name) is None]
    for feed in missing:
        create_feed(context.feed_context, feed, now=context.clock.now(), by=actor())
    added = [feed.name for feed in missing]
    lines = [f"added {name}" for name in added]
    none = "nothing to add: all of them exist already"
    print_result({"added": added}, lines or none, as_json=as_json)


@app.command()
def edit(
    name: FeedName,
    rename: Rename = None,
    url: Url = None,
    own_url: Annotated[bool, switch("--own-url", "Use the source's own address again.")] = False,
    settings: Set = None,
    unset: Annotated[list[str] | None, takes("--unset", "NAME", "Remove a setting.")] = None,
    show_as: Annotated[str | None, takes("--show", "HOW", "full, gist, link, or default.")] = None,
    enabled: Annotated[
        bool | None, switch("--resume/--pause", "Poll it again, or stop polling it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a feed. With a new address it is polled at the next tick."""
    from paperround.feeds.due import change_feed
    from paperround.feeds.model import NewFeed
    from paperround.web.models import FeedAnswer

    if url is not None and own_url:
        raise typer.BadParameter("give an address or --own-url, not both", param_hint="--url")
    given: dict[str, Any] = {"name": rename, "url": url, "enabled": enabled}
    given = {field: value for field, value in given.items() if value is not None}
    if own_url:
        given["url"] = None
    if show_as is not None:
        given["show"] = None if show_as == "default" else show_of(show_as)
    changed, removed = settings_in(settings), unset or []
    if not (given or changed or removed):
        raise typer.BadParameter("say what to change: --set, --url, --show, --pause, --rename")
    if conflicts := [one for one in removed if one in changed]:
        raise typer.BadParameter(f"{conflicts[0]:.60} is also set", param_hint="--unset")

    def change(feed: NewFeed) -> NewFeed:
        return replace(feed, **given, settings=_merge_settings(feed.settings, changed, removed))

    context = runtime()
    feed_id = find_feed(context, name).id
    feed_answer = FeedAnswer.of(
        change_feed(context.feed_context, feed_id, change, now=context.clock.now(), by=actor())
    )
    line = f"changed {feed_answer.name}: {feed_answer.kind}, {feed_answer.health}"
    print_result({"feed": feed_answer}, line, as_json=as_json)
    warn_of_refusal(context, url)


def _merge_settings(
    settings: Mapping[str, str], changed: Mapping[str, str], removed: list[str]
) -> dict[str, str]:
    """Return `settings` without those in `removed`, and with those in `changed`."""
    for name in removed:
        if name not in settings:
            known = f"it has {', '.join(settings)}" if settings else "it has none"
            raise InvalidInput(f"the feed has no setting {name!r:.60}: {known}", code="settings")
    return {**{key: settings[key] for key in settings if key not in removed}, **changed}


@app.command()
def remove(name: FeedName, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a feed with its runs and rejects. Its papers are kept."""
    from paperround.feeds.due import delete_feed

    context = runtime()
    feed_id = find_feed(context, name).id
    agree(yes, f"Delete the feed {name} with its runs and rejects? Its papers are kept.")
    delete_feed(context.feed_context, feed_id, now=context.clock.now(), by=actor())
    print_result({"removed": name}, f"removed {name}; its papers are kept", as_json=as_json)


@app.command()
def run(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None, as_json: AsJson = False
) -> None:
    """Poll the feed NAME now, or every feed that is due. Fails if one of them cannot be read."""
    from paperround.feeds.due import poll_due, run_now
    from paperround.web.models import PollAnswer

    context = runtime()
    now = context.clock.now()
    if name is None:
        reports = poll_due(context.feed_context, now=now)
    else:
        feed_id = find_feed(context, name).id
        reports = [run_now(context.feed_context, feed_id, now=now, by=actor())]
    polls = [PollAnswer.of(report) for report in reports]
    columns = "feed health new changed unchanged reason"
    print_list("polls", polls, columns, none=_NONE_DUE, as_json=as_json)
    if any(poll.error for poll in polls):
        raise typer.Exit(1)


@app.command()
def runs(name: FeedName, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show the polls of a feed and their results."""
    from paperround.feeds.store.feeds import FeedStore
    from paperround.web.models import RunAnswer

    context = runtime()
    feed = find_feed(context, name, with_files=True)
    with context.database.reading() as work:
        found = [
            RunAnswer.of(one) for one in work[FeedStore].runs(feed.id, before=None, limit=limit)
        ]
    none = f"{name} has not been polled yet: paperround feeds run {name}"
    print_list("runs", found, "started_at state counts error", none=none, as_json=as_json)


@app.command()
def rejects(name: FeedName, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show the rejected entries of a feed, and why. Files have feeds too, such as file:jsonl."""
    from paperround.feeds.store.feeds import FeedStore
    from paperround.web.models import RejectAnswer

    context = runtime()
    feed = find_feed(context, name, with_files=True)
    with context.database.reading() as work:
        kept = work[FeedStore].rejects(feed.id, before=None, limit=limit)
    found, none = map(RejectAnswer.of, kept), f"no entry of {name} was rejected"
    print_list("rejects", found, "created_at reason position detail", none=none, as_json=as_json)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: AsJson = False) -> None:
    """Add the feeds of an export or an OPML file. Feeds with a known name are changed."""
    from paperround.feeds.files import import_feeds
    from paperround.web.models import ImportAnswer

    context = runtime(creates=True)
    done = import_feeds(context.feed_context, read_file(file), now=context.clock.now(), by=actor())
    answer = ImportAnswer.of(done)
    numbers = {"new": len(answer.new), "changed": len(answer.changed)}
    numbers |= {"unchanged": len(answer.unchanged), "rejected": len(answer.rejects)}
    said = counts(numbers) if any(numbers.values()) else "the file contains no feeds"
    rejects = [f"  feed {one.position} rejected: {one.detail}" for one in answer.rejects]
    print_result(answer, [f"{file.name}: {said}", *rejects], as_json=as_json)


@app.command()
def export(
    file_format: Annotated[
        str, takes("--format", "FORMAT", "json, or opml for feed readers.")
    ] = "json",
    as_json: AsJson = False,
) -> None:
    """Print every feed, for `feeds import`."""
    from paperround.feeds.files import export_feeds, iter_feeds
    from paperround.feeds.opml import write_opml

    if file_format not in {"json", "opml"}:
        raise typer.BadParameter("use json or opml", param_hint="--format")
    feed_context = runtime().feed_context
    if as_json or file_format == "json":
        sys.stdout.writelines([*export_feeds(feed_context), "\n"])
    else:
        sys.stdout.writelines(write_opml(iter_feeds(feed_context)))
