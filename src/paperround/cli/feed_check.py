"""`paperround feeds check`: settings and health of feeds, and how their services answer today."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.feed_options import NO_FEEDS, find_feed
from paperround.cli.options import AsJson, runtime
from paperround.cli.output import print_json, say
from paperround.domain.errors import PaperroundError
from paperround.domain.feeds import LiveFeed
from paperround.domain.text import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.wiring import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: `trouble` is what is wrong; the numbers are those of the answer, None
    when none was asked for."""

    name: str
    trouble: str | None = None
    papers: int | None = None
    rejects: int | None = None
    bytes: int | None = None
    seconds: float | None = None


def check(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the services now; nothing is stored.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check one feed or all: settings and health; with --live each is asked for a page. Fails when
    something is wrong."""
    home = runtime()
    results: list[Checked] = []
    for one in checks(home, name, live=live):
        results.append(one)
        if not as_json:
            _tell(one)
    if as_json:
        print_json({"feeds": [asdict(one) for one in results]})
    elif not results:
        say(NO_FEEDS)
    if any(one.trouble for one in results):
        raise typer.Exit(1)


def checks(home: "Runtime", name: str | None, *, live: bool) -> Iterator[Checked]:
    """One after the other: each is told before the next service is asked."""
    from paperround.jobs.feeds import live_feeds

    feeds = live_feeds(home.newsroom) if name is None else [find_feed(home, name)]
    yield from (_asked(home, feed) if live else _standing(home, feed) for feed in feeds)


def _standing(home: "Runtime", feed: "LiveFeed") -> Checked:
    """What is known without asking anybody."""
    from paperround.jobs.feeds import check_feed, settings_of

    try:
        check_feed(home.sources, settings_of(feed))
    except PaperroundError as error:
        return Checked(name=feed.name, trouble=str(error))
    is_well = feed.health not in {"failed", "stale"} and feed.gone_at is None
    is_well &= feed.progress.alarm is None or not feed.enabled  # the reason holds the alarm, too
    return Checked(
        name=feed.name, trouble=None if is_well else f"{feed.health.value}: {feed.reason}"
    )


def _asked(home: "Runtime", feed: "LiveFeed") -> Checked:
    from paperround.jobs.feed_preview import preview_feed
    from paperround.jobs.feeds import settings_of

    try:
        seen = preview_feed(home.newsroom, settings_of(feed), now=home.clock.now())
    except PaperroundError as error:
        return Checked(name=feed.name, trouble=str(error))
    rejects = len(seen.rejects)
    return Checked(
        name=feed.name,
        trouble="no entry could be used" if rejects and not seen.papers else None,
        papers=len(seen.papers),
        rejects=rejects,
        bytes=seen.size,
        seconds=round(seen.seconds, 3),
    )


def _tell(one: Checked) -> None:
    numbers = ""
    if one.papers is not None and one.rejects is not None:
        papers, rejects = counted(one.papers, "paper"), counted(one.rejects, "reject")
        numbers = f" ({papers}, {rejects}, {counted(one.bytes or 0, 'byte')}"
        numbers += f" in {one.seconds:.1f} s)"
    say(f"{one.name}: {one.trouble or 'fine'}{numbers}")
