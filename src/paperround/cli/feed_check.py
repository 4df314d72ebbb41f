"""`paperround feeds check`: settings and health of feeds, and how their services answer today."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.feed_options import NO_FEEDS, find_feed
from paperround.cli.options import AsJson, runtime
from paperround.cli.output import print_json, say
from paperround.domain.errors import PaperroundError
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import LiveFeed, NewFeed
    from paperround.jobs.feed_preview import Look
    from paperround.wiring import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: `trouble` is what is wrong, `differences` what a service answers
    otherwise than it did; the numbers are those of the answer, None when none was asked for."""

    name: str
    trouble: str | None = None
    differences: tuple[str, ...] = ()
    papers: int | None = None
    rejects: int | None = None
    bytes: int | None = None
    seconds: float | None = None


def check(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the services now; nothing is stored.")
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="With --live: a service itself, or `all`."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check one feed or all: settings, health, answers. With --live each is asked for a page, and
    what its service answers otherwise than it did is named; without any feeds, or with --kind, the
    services are asked for something small. Fails when something is wrong."""
    if kind is not None and (name is not None or not live):
        raise typer.BadParameter("use it with --live and without NAME", param_hint="--kind")
    home = runtime()
    results: list[Checked] = []
    for one in checks(home, name, kind, live=live):
        results.append(one)
        if not as_json:
            _tell(one)
    if as_json:
        print_json({"feeds": [asdict(one) for one in results]})
    elif not results:
        say(NO_FEEDS)
    if any(one.trouble for one in results):
        raise typer.Exit(1)


def checks(home: "Runtime", name: str | None, kind: str | None, *, live: bool) -> Iterator[Checked]:
    """One after the other: each is told before the next service is asked."""
    from paperround.jobs.feed_admin import live_feeds
    from paperround.jobs.feeds import settings_of

    feeds = live_feeds(home.newsroom) if name is None else [find_feed(home, name)]
    if not live:
        yield from (_standing(home, feed) for feed in feeds)
        return
    asked = [settings_of(feed) for feed in feeds] if kind is None else []
    for feed in asked or _services(kind or "all"):
        yield _asked(home, feed, home.clock.now())


def _services(kind: str) -> list["NewFeed"]:
    """A small feed for each shape that the answers of a service may have, of those that one feed
    may get one after the other for the first."""
    from paperround.domain.feeds import NewFeed
    from paperround.sources.shapes import shapes

    known = list(dict.fromkeys(one.kind for one in shapes()))
    if kind not in {"all", *known}:
        raise typer.BadParameter(f"use all, {', '.join(known)}", param_hint="--kind")
    asked: list[NewFeed] = []
    for one in shapes():
        feed = NewFeed(name=one.name, kind=one.kind, settings={**one.when, **one.ask})
        is_told = any((feed.kind, feed.settings) == (told.kind, told.settings) for told in asked)
        if kind in {"all", one.kind} and not is_told:
            asked.append(feed)
    return asked


def _standing(home: "Runtime", feed: "LiveFeed") -> Checked:
    """What is known without asking anybody."""
    from paperround.jobs.feed_admin import check_feed
    from paperround.jobs.feeds import settings_of

    try:
        check_feed(home.sources, settings_of(feed))
    except PaperroundError as error:
        return Checked(name=feed.name, trouble=str(error))
    is_well = feed.health not in {"failed", "stale"} and feed.gone_at is None
    is_well &= feed.progress.alarm is None or not feed.enabled  # the reason holds the alarm, too
    return Checked(
        name=feed.name, trouble=None if is_well else f"{feed.health.value}: {feed.reason}"
    )


def _asked(home: "Runtime", feed: "NewFeed", now: datetime) -> Checked:
    from paperround.jobs.feed_preview import MOST_PAGES, look_at

    try:
        return _compared(feed, look_at(home.newsroom, feed, now=now, pages=MOST_PAGES))
    except PaperroundError as error:
        return Checked(name=feed.name, trouble=str(error))


def _compared(feed: "NewFeed", seen: "Look") -> Checked:
    """A change breaks a feed only where it costs papers: a mirror may look otherwise."""
    from paperround.sources.shapes import shape_of
    from paperround.sources.shapes.compare import differences

    shape = shape_of(feed.kind, feed.settings, seen.page.body)
    found = differences(shape, seen.page.body) if shape is not None else ()
    records, rejects = len(seen.batch.records), len(seen.batch.rejects)
    broken = next((str(one) for one in found if one.breaks and rejects >= records), None)
    return Checked(
        name=feed.name,
        trouble=str(seen.error) if seen.error else broken,
        differences=tuple(map(str, found)),
        papers=records,
        rejects=rejects,
        bytes=len(seen.page.body),
        seconds=round(seen.seconds, 3),
    )


def _tell(one: Checked) -> None:
    numbers = ""
    if one.papers is not None and one.rejects is not None:
        papers, rejects = counted(one.papers, "paper"), counted(one.rejects, "reject")
        numbers = f" ({papers}, {rejects}, {counted(one.bytes or 0, 'byte')}"
        numbers += f" in {one.seconds:.1f} s)"
    say(f"{one.name}: {one.trouble or 'fine'}{numbers}")
    for difference in one.differences:
        say(f"{one.name}: {difference}")
