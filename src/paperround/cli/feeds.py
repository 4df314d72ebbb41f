"""`paperround feeds`: sources that are read by themselves."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import feed_check, feed_history, feed_lists
from paperround.cli.feed_options import NO_FEEDS, Name, Set, Show, Url, find_feed, settings_in
from paperround.cli.feed_reach import unreachable
from paperround.cli.options import (
    AsJson,
    Rename,
    Yes,
    agree,
    counts,
    print_json,
    read_file,
    runtime,
    say,
    tell,
    usage,
)
from paperround.cli.tables import table, terminal_width, until
from paperround.domain.errors import InvalidInput
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import LiveFeed, NewFeed
    from paperround.jobs.poll import PollReport

app = typer.Typer(help="Sources of papers that are read by themselves.", no_args_is_help=True)
app.command("check")(feed_check.check)
app.command("runs")(feed_history.runs)
app.command("rejects")(feed_history.rejects)
app.command("kinds")(feed_lists.kinds)
app.command("presets")(feed_lists.presets)
app.command("categories")(feed_lists.categories)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every feed: health, when it is read next, why."""
    from paperround.jobs.feed_admin import live_feeds

    home = runtime()
    feeds, now = live_feeds(home.newsroom), home.clock.now()
    if as_json:
        print_json({"feeds": [as_listed(feed) for feed in feeds]})
        return
    for line in table([_row(feed, now) for feed in feeds], terminal_width()) if feeds else ():
        say(line)
    say(counted(len(feeds), "feed") if feeds else NO_FEEDS)


def _row(feed: "LiveFeed", now: datetime) -> tuple[str, ...]:
    """Name, kind, health, when it is read next, why."""
    if not feed.enabled:
        return (
            feed.name,
            feed.kind,
            feed.health.value,
            "",
            f"until `feeds edit {feed.name} --resume`",
        )
    return feed.name, feed.kind, feed.health.value, until(feed.next_at, now), feed.reason


@app.command()
def add(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="One of those `feeds kinds` shows."),
    ] = None,
    url: Url = None,
    settings: Set = None,
    show: Show = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="FIELD", help="One of those `feeds presets` shows: ml."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would bring; nothing is stored.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add the feed NAME, or all feeds of a preset. They are read at the next tick."""
    from paperround.domain.feeds import NewFeed
    from paperround.jobs.feed_files import show_of

    if (preset is None) == (name is None or kind is None):
        raise typer.BadParameter("give NAME and --kind, or --preset alone")
    if preset is not None:
        if name or kind or url or settings or show or dry_run:
            raise typer.BadParameter(
                "a preset says all of its feeds: give it alone", param_hint="--preset"
            )
        _add_preset(preset, as_json)
        return
    with usage("--show"):
        shown = show_of(show)
    given = settings_in(settings)
    feed = NewFeed(name=name or "", kind=kind or "", url=url, settings=given, show=shown)
    if dry_run:
        _preview(feed, as_json)
        return
    _add(feed, as_json)


def _add(feed: "NewFeed", as_json: bool) -> None:
    from paperround.jobs.feed_admin import create_feed

    home = runtime(creates=True)
    made = create_feed(home.newsroom, feed, now=home.clock.now())
    problem = unreachable(home, [feed])
    if as_json:
        print_json({"feed": as_listed(made), "unreachable": problem})
        return
    _print_feed(made, "added", as_json)
    _warn(problem)


def _warn(problem: str | None) -> None:
    """What keeps an added feed from being read now."""
    if problem:
        say(f"  but it cannot be read now: {problem}")
        say("  it is asked again by itself; `paperround feeds check --live` asks now")


def _preview(feed: "NewFeed", as_json: bool) -> None:
    from paperround.jobs.feed_preview import preview_feed

    home = runtime(creates=True)
    seen = preview_feed(home.newsroom, feed, now=home.clock.now())
    feed_lists.print_preview(feed.name, seen, as_json=as_json)


def _add_preset(preset: str, as_json: bool) -> None:
    from paperround.domain.presets import PRESETS
    from paperround.jobs.feed_admin import create_feed

    if preset not in PRESETS:
        raise typer.BadParameter(f"use one of {', '.join(PRESETS)}", param_hint="--preset")
    home = runtime(creates=True)
    with home.database.reading() as work:
        missing = [feed for feed in PRESETS[preset] if work.feeds.find(feed.name) is None]
    made = [create_feed(home.newsroom, feed, now=home.clock.now()) for feed in missing]
    problem = unreachable(home, missing)
    if as_json:
        print_json({"added": [feed.name for feed in made], "unreachable": problem})
        return
    for feed in made:
        say(f"added {feed.name}")
    _warn(problem)
    if not made:
        say("nothing to add: they are all there already")


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
    show: Annotated[
        str | None,
        typer.Option("--show", metavar="HOW", help="full, gist, link, or default."),
    ] = None,
    enabled: Annotated[
        bool | None, typer.Option("--resume/--pause", help="Read it again, or read it no more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a feed. One that is pointed somewhere else is read anew at the next tick."""
    from paperround.jobs.feed_admin import change_feed
    from paperround.jobs.feed_files import show_of

    if url is not None and own_url:
        raise typer.BadParameter("give an address or --own-url, not both", param_hint="--url")
    given: dict[str, Any] = {}
    if rename is not None:
        given["name"] = rename
    if url is not None or own_url:
        given["url"] = url
    if show is not None:
        with usage("--show"):
            given["show"] = show_of(None if show == "default" else show)
    if enabled is not None:
        given["enabled"] = enabled
    put, gone = settings_in(settings), unset or []
    if not (given or put or gone):
        raise typer.BadParameter("say what to change: --set, --url, --show, --pause, --rename")
    if both := [one for one in gone if one in put]:
        raise typer.BadParameter(f"{both[0]:.60} is set, too", param_hint="--unset")

    def change(feed: "NewFeed") -> "NewFeed":
        return replace(feed, **given, settings=_with(feed.settings, put, gone))

    home = runtime()
    number = find_feed(home, name).id
    made = change_feed(home.newsroom, number, change, now=home.clock.now())
    _print_feed(made, "changed", as_json)


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
    from paperround.jobs.feed_admin import delete_feed

    home = runtime()
    number = find_feed(home, name).id
    agree(yes, f"Forget the feed {name}, with its runs and rejects? Its papers stay.")
    delete_feed(home.newsroom, number)
    tell({"removed": name}, f"removed {name}; its papers stay", as_json=as_json)


@app.command()
def run(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None, as_json: AsJson = False
) -> None:
    """Read the feed NAME now, or every feed that is due. Fails when one of them could not be."""
    from paperround.jobs.feeds import poll_due, run_now

    home = runtime()
    now = home.clock.now()
    if name is None:
        reports = poll_due(home.newsroom, now=now)
    else:
        reports = [run_now(home.newsroom, find_feed(home, name).id, now=now)]
    if as_json:
        print_json({"polls": [_as_polled(report) for report in reports]})
    else:
        for report in reports:
            say(_told(report))
        say(_in_all(reports) if reports else "no feed is due")
    if any(report.error for report in reports):
        raise typer.Exit(1)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: AsJson = False) -> None:
    """Add the feeds of an export or of an OPML file. The file may be of any feed reader; feeds
    whose name is known are changed."""
    from paperround.jobs.feed_files import import_feeds
    from paperround.sources.opml import read_opml

    home = runtime(creates=True)
    done = import_feeds(home.newsroom, read_file(file), now=home.clock.now(), opml=read_opml)
    names = {"new": done.new, "changed": done.changed, "unchanged": done.unchanged}
    if as_json:
        rejects = [
            {"reason": one.reason, "detail": one.detail, "position": one.position}
            for one in done.rejects
        ]
        print_json({**{how: list(which) for how, which in names.items()}, "rejects": rejects})
    else:
        numbers = {
            **{how: len(which) for how, which in names.items()},
            "rejected": len(done.rejects),
        }
        say(
            f"{file.name}: {counts(numbers) if any(numbers.values()) else 'there is no feed in it'}"
        )
        for one in done.rejects:
            say(f"  feed {one.position} rejected: {one.detail}")


@app.command()
def export(
    file_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="json, or opml for feed readers.")
    ] = "json",
    as_json: AsJson = False,
) -> None:
    """Print every feed, for `feeds import`."""
    from paperround.jobs.feed_files import export_feeds, exported_feeds

    if file_format not in {"json", "opml"}:
        raise typer.BadParameter("use json or opml", param_hint="--format")
    newsroom = runtime().newsroom
    if as_json or file_format == "json":
        sys.stdout.writelines(export_feeds(newsroom))
        sys.stdout.write("\n")
        return
    from paperround.sources.opml import write_opml

    sys.stdout.writelines(write_opml(exported_feeds(newsroom)))


def _print_feed(feed: "LiveFeed", done: str, as_json: bool) -> None:
    if as_json:
        print_json({"feed": as_listed(feed)})
    else:
        say(f"{done} {feed.name}: {feed.kind}, {feed.health.value}")


def as_listed(feed: "LiveFeed") -> dict[str, Any]:
    """A feed as `feeds list --json` has it."""
    from paperround.domain.feed_files import feed_as_json
    from paperround.jobs.feeds import settings_of

    moments = {
        "next_at": feed.next_at,
        "expects_at": feed.expects_at,
        "last_good_at": feed.last_good_at,
        "last_news_at": feed.last_news_at,
    }
    return {
        **feed_as_json(settings_of(feed)),
        "health": feed.health.value,
        "reason": feed.reason,
        "failures": feed.failures,
        **{name: moment and format_instant(moment) for name, moment in moments.items()},
    }


def _as_polled(report: "PollReport") -> dict[str, Any]:
    return {
        "feed": report.feed,
        "health": report.health.value,
        "reason": report.reason,
        "records": report.records,
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "observations": report.observations,
        "rejects": [{"reason": why, "count": n} for why, n in sorted(report.rejects.items())],
        "next_at": format_instant(report.next_at),
        "error": report.error,
    }


def _told(report: "PollReport") -> str:
    """One line; what the reason says already is not said again."""
    papers = {"new": report.new, "changed": report.changed, "unchanged": report.unchanged}
    more = {name: n for name, n in papers.items() if f"{n:,} {name}" not in report.reason}
    stored = f" ({counts(more)})" if any(more.values()) else ""
    return f"{report.feed}: {report.health.value}, {report.reason}{stored}"


def _in_all(reports: Sequence["PollReport"]) -> str:
    failed = sum(report.error is not None for report in reports)
    put_off = sum(report.put_off for report in reports)
    read = len(reports) - failed - put_off
    return counts({"read": read, "failed": failed, "put off": put_off})
