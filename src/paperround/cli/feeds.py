"""`paperround feeds`: sources that are read by themselves."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import (
    AsJson,
    counts,
    print_json,
    read_file,
    runtime,
    say,
    usage,
)
from paperround.domain.errors import InvalidInput, NotFound, PaperroundError
from paperround.domain.times import format_instant

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import LiveFeed
    from paperround.jobs.feeds import PollReport
    from paperround.wiring import Runtime

app = typer.Typer(help="Sources of papers that are read by themselves.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The feed's name.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Another address than the source's own."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A setting, such as categories=cs.LG,cs.CL. Repeatable."
    ),
]
Show = Annotated[
    str | None,
    typer.Option(
        "--show", metavar="HOW", help="How much of an abstract is shown: full, gist or link."
    ),
]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every feed: how it is doing, why, and when it is read next."""
    from paperround.jobs.feed_admin import live_feeds

    feeds = live_feeds(runtime().newsroom)
    if as_json:
        print_json({"feeds": [as_listed(feed) for feed in feeds]})
        return
    for feed in feeds:
        say(f"{feed.name:20} {feed.kind:10} {feed.health.value:8} {feed.reason}")
    say(f"{len(feeds)} feeds" if feeds else "no feeds yet: paperround feeds add --preset ml")


@app.command()
def add(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="hf-daily, arxiv, arxiv-oai, biorxiv, openalex, crossref, semantic-scholar, "
            "pubmed or feed.",
        ),
    ] = None,
    url: Url = None,
    settings: Set = None,
    show: Show = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="FIELD", help="ml, cs, bio, physics or math."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add the feed NAME, or all feeds of a preset. They are read at the next tick."""
    from paperround.jobs.feed_admin import create_feed, show_of

    if (preset is None) == (name is None or kind is None):
        raise typer.BadParameter("give NAME and --kind, or --preset alone")
    if preset is not None:
        if name or kind or url or settings or show:
            raise typer.BadParameter("stands alone", param_hint="--preset")
        _add_preset(preset, as_json)
        return
    with usage("--show"):
        shown = show_of(show)
    from paperround.domain.feeds import NewFeed

    feed = NewFeed(name=name or "", kind=kind or "", url=url, settings=_set(settings), show=shown)
    home = runtime()
    made = create_feed(home.newsroom, feed, now=home.clock.now())
    _print_feed(made, "added", as_json)


def _add_preset(preset: str, as_json: bool) -> None:
    from paperround.domain.presets import PRESETS
    from paperround.jobs.feed_admin import create_feed

    if preset not in PRESETS:
        raise typer.BadParameter(f"use one of {', '.join(PRESETS)}", param_hint="--preset")
    home = runtime()
    with home.database.reading() as work:
        missing = [feed for feed in PRESETS[preset] if work.feeds.find(feed.name) is None]
    made = [create_feed(home.newsroom, feed, now=home.clock.now()) for feed in missing]
    if as_json:
        print_json({"added": [feed.name for feed in made]})
        return
    for feed in made:
        say(f"added {feed.name}")
    if not made:
        say("nothing to add: they are all there already")


@app.command()
def edit(
    name: Name,
    rename: Annotated[str | None, typer.Option("--rename", metavar="NAME")] = None,
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
    from paperround.jobs.feed_admin import show_of, update_feed
    from paperround.jobs.feeds import settings_of

    home = runtime()
    feed = find_feed(home, name)
    changed = settings_of(feed)
    kept = {key: value for key, value in feed.settings.items() if key not in (unset or [])}
    changed = replace(changed, settings={**kept, **_set(settings)}, name=rename or name)
    if url is not None or own_url:
        changed = replace(changed, url=None if own_url else url)
    if show is not None:
        with usage("--show"):
            changed = replace(changed, show=show_of(None if show == "default" else show))
    if enabled is not None:
        changed = replace(changed, enabled=enabled)
    made = update_feed(home.newsroom, feed.id, changed, now=home.clock.now())
    _print_feed(made, "changed", as_json)


@app.command()
def remove(name: Name) -> None:
    """Forget a feed with its runs and rejects. Its papers stay."""
    from paperround.jobs.feed_admin import delete_feed

    home = runtime()
    delete_feed(home.newsroom, find_feed(home, name).id)
    say(f"removed {name}; its papers stay")


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
        say(f"{len(reports)} read" if reports else "no feed is due")
    if any(report.error for report in reports):
        raise typer.Exit(1)


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Read the first page of each; nothing is stored.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the feed NAME, or all: their settings, how they are doing, and with --live whether
    they can be read now. Fails when something is wrong."""
    from paperround.jobs.feed_admin import live_feeds

    home = runtime()
    feeds = live_feeds(home.newsroom) if name is None else [find_feed(home, name)]
    found = {feed.name: _trouble(home, feed, home.clock.now() if live else None) for feed in feeds}
    if as_json:
        print_json({"feeds": [{"name": one, "trouble": found[one]} for one in found]})
    else:
        for one, trouble in found.items():
            say(f"{one}: {trouble or 'fine'}")
    if any(found.values()):
        raise typer.Exit(1)


def _trouble(home: "Runtime", feed: "LiveFeed", now: datetime | None) -> str | None:
    """What is wrong with a feed; it is asked for a page when `now` is given."""
    from paperround.jobs.feed_admin import check_feed, preview_feed
    from paperround.jobs.feeds import settings_of

    try:
        check_feed(home.sources, settings_of(feed))
        if now is not None:
            preview_feed(home.newsroom, settings_of(feed), now=now)
    except PaperroundError as error:
        return str(error)
    is_well = now is not None or feed.health not in {"failed", "stale"}
    return None if is_well else f"{feed.health.value}: {feed.reason}"


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: AsJson = False) -> None:
    """Add the feeds of an export, and change those whose name is known."""
    from paperround.jobs.feed_admin import import_feeds

    home = runtime()
    done = import_feeds(home.newsroom, read_file(file), now=home.clock.now())
    names = {"new": done.new, "changed": done.changed, "unchanged": done.unchanged}
    if as_json:
        rejects = [{"reason": one.reason, "detail": one.detail} for one in done.rejects]
        print_json({**{how: list(which) for how, which in names.items()}, "rejects": rejects})
    else:
        say(f"{file.name}: {counts({how: len(which) for how, which in names.items()})}")
        for one in done.rejects:
            say(f"  feed {one.position} rejected: {one.detail}")


@app.command()
def export() -> None:
    """Print every feed as JSON, for `feeds import`."""
    from paperround.jobs.feed_admin import export_feeds

    print_json(export_feeds(runtime().newsroom))


def find_feed(home: "Runtime", name: str) -> "LiveFeed":
    """The feed called `name`; raises NotFound that names those there are."""
    from paperround.jobs.feed_admin import live_feeds

    feeds = {feed.name: feed for feed in live_feeds(home.newsroom)}
    if name not in feeds:
        known = f"there are {', '.join(feeds)}" if feeds else "add one: paperround feeds add"
        raise NotFound(f"there is no feed called {name}: {known}")
    return feeds[name]


def _set(pairs: list[str] | None) -> dict[str, str]:
    """The settings that `name=value` arguments make."""
    with usage("--set"):
        return dict(_pair(text) for text in pairs or ())


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"{text!r:.80} is not name=value, such as categories=cs.LG")
    return name, value


def _print_feed(feed: "LiveFeed", done: str, as_json: bool) -> None:
    if as_json:
        print_json({"feed": as_listed(feed)})
    else:
        say(f"{done} {feed.name}: {feed.kind}, {feed.health.value}")


def as_listed(feed: "LiveFeed") -> dict[str, Any]:
    """A feed as `feeds list --json` has it."""
    from paperround.jobs.feed_admin import feed_as_json
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
    papers = {"new": report.new, "changed": report.changed, "unchanged": report.unchanged}
    return f"{report.feed}: {report.health.value}, {report.reason} ({counts(papers)})"
