"""What a feed can be: kinds with their settings, presets, categories of arXiv and bioRxiv. A look
at one before it is added, and a check of those that stand. And what commands for feeds share:
arguments, and finding a feed by its name."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, runtime, usage
from paperround.cli.output import (
    paragraph,
    print_json,
    print_result,
    say,
    table,
    table_lines,
    terminal_width,
)
from paperround.core.errors import InvalidInput, NotFound, PaperroundError
from paperround.core.reasons import counted
from paperround.feeds.model import LiveFeed, NewFeed, feed_as_json
from paperround.feeds.presets import PRESETS

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.feeds.preview import FeedPreview
    from paperround.web.models import PreviewAnswer

FEW = 12
"""Values of a setting that are printed; more have a command of their own."""


def kinds(as_json: AsJson = False) -> None:
    """Show the kinds of feeds, and what each can be told."""
    from paperround.feeds.sources.registry import SOURCES
    from paperround.web.models import KindAnswer

    # As the admin API has them, with the bare values of each setting.
    found = [KindAnswer.of(source).model_dump(mode="json") for source in SOURCES.values()]
    for setting in (one for kind in found for one in kind["settings"]):
        setting["values"] = [one["value"] for one in setting["values"]]
    lines = (line for kind in found for line in _kind_lines(kind))
    print_result({"kinds": found}, lines, as_json=as_json)


def _kind_lines(kind: dict[str, Any]) -> Iterator[str]:
    width = terminal_width()
    yield f"{kind['kind']}{': needs --url' if kind['needs_url'] else ''}"
    for one in kind["settings"]:
        yield from paragraph(f"{one['name']}: {one['says']}", width, indent=2)
        if 0 < len(one["values"]) <= FEW:
            yield from paragraph(", ".join(one["values"]), width, indent=4)


def presets(as_json: AsJson = False) -> None:
    """Show the presets and the feeds of each."""
    value = {name: [feed_as_json(one) for one in feeds] for name, feeds in PRESETS.items()}
    rows = [(name, "; ".join(map(_in_short, feeds))) for name, feeds in PRESETS.items()]
    print_result({"presets": value}, table(rows, terminal_width()), as_json=as_json)


def _in_short(feed: "NewFeed") -> str:
    said = ", ".join(feed.settings.values()) or feed.kind
    return f"{feed.name} ({', '.join(one.strip() for one in said.split(','))})"


def categories(
    pattern: Annotated[
        str, typer.Argument(metavar="[PATTERN]", help="Only those with this in name or title.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show arXiv's categories and bioRxiv's subjects. Those of medRxiv, too."""
    from paperround.feeds.sources.arxiv_categories import matching
    from paperround.feeds.sources.registry import SOURCES

    arxiv = [{"name": one.name, "title": one.title} for one in matching(pattern)]
    choices = SOURCES["biorxiv"].choices if "biorxiv" in SOURCES else {}
    known = choices["categories"].values() if choices else ()
    subjects = sorted(one for one in known if pattern.casefold() in one)
    rows = [(one["name"], one["title"]) for one in arxiv]
    rows += [("bioRxiv, medRxiv", subject) for subject in subjects]
    lines = table(rows, terminal_width()) if rows else "none: try a part of a name, such as cs."
    print_result({"arxiv": arxiv, "biorxiv": subjects}, lines, as_json=as_json)


def show_preview(name: str, seen: "FeedPreview", *, as_json: bool) -> None:
    """Show what a feed would bring."""
    from paperround.web.models import PreviewAnswer

    answer = PreviewAnswer.of(seen, most=None)
    print_result(answer, _preview_lines(name, answer), as_json=as_json)


def _preview_lines(name: str, seen: "PreviewAnswer") -> Iterator[str]:
    from paperround.web.models import MOST_PREVIEWED

    yield (
        f"{name}: {counted(seen.papers_total, 'paper')} ({seen.new_total:,} new, "
        f"{seen.known_total:,} known), {counted(seen.rejects_total, 'reject')}, "
        f"{'more pages' if seen.has_more else 'no further page'}; "
        f"{counted(seen.bytes, 'byte')} in {seen.seconds:.1f} s"
    )
    value = seen.model_dump(mode="json")
    if papers := value["papers"][:MOST_PREVIEWED]:
        yield from table_lines(papers, "becomes identifiers listed_on show title")
    if rejects := value["rejects"][:MOST_PREVIEWED]:
        yield from table_lines(rejects, "position reason detail")


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


def checks(home: "AppContext", name: str | None, *, live: bool) -> Iterator[Checked]:
    """One after the other: each is told before the next service is asked."""
    from paperround.feeds.due import live_feeds

    feeds = live_feeds(home.newsroom) if name is None else [find_feed(home, name)]
    yield from (_asked(home, feed) if live else _standing(home, feed) for feed in feeds)


def _standing(home: "AppContext", feed: "LiveFeed") -> Checked:
    """What is known without asking anybody."""
    from paperround.feeds.due import check_feed, settings_of

    try:
        check_feed(home.sources, settings_of(feed))
    except PaperroundError as error:
        return Checked(name=feed.name, trouble=str(error))
    is_well = feed.health not in {"failed", "stale"} and feed.gone_at is None
    is_well &= feed.progress.alarm is None or not feed.enabled  # the reason holds the alarm, too
    return Checked(
        name=feed.name, trouble=None if is_well else f"{feed.health.value}: {feed.reason}"
    )


def _asked(home: "AppContext", feed: "LiveFeed") -> Checked:
    from paperround.feeds.due import settings_of
    from paperround.feeds.preview import preview_feed

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
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=500, help="How many, the newest first.")
]
Preset = Annotated[
    str | None,
    typer.Option("--preset", metavar="FIELD", help="One of those `feeds presets` shows: ml."),
]

NO_FEEDS = "no feeds yet: paperround feeds add --preset ml"
"""Printed instead of an empty list of feeds."""

MOST_NAMED = 12
"""Feeds that are named to whoever asks for one there is not."""


def preset_feeds(preset: str) -> "Sequence[NewFeed]":
    """The feeds of a preset; an unknown one is wrong usage."""
    if preset not in PRESETS:
        raise typer.BadParameter(f"use one of {', '.join(PRESETS)}", param_hint="--preset")
    return PRESETS[preset]


def find_feed(home: "AppContext", name: str) -> "LiveFeed":
    """The feed called `name`; raises NotFound that names those there are, or some of them."""
    from paperround.feeds.due import live_feeds

    return _named(name, live_feeds(home.newsroom))


def find_any_feed(home: "AppContext", name: str) -> "LiveFeed":
    """As `find_feed`, also one that files were read into."""
    from paperround.feeds.due import every_feed

    with home.database.reading() as work:
        return _named(name, every_feed(work))


def _named(name: str, feeds: "Iterable[LiveFeed]") -> "LiveFeed":
    known = {feed.name: feed for feed in feeds}
    if name not in known:
        raise NotFound(f"there is no feed called {name}: {_instead(name, list(known))}")
    return known[name]


def _instead(name: str, known: list[str]) -> str:
    """What to write, short however many feeds there are."""
    if not known:
        return "add one: paperround feeds add"
    if len(known) <= MOST_NAMED:
        return f"there are {', '.join(known)}"
    near = get_close_matches(name, known)
    all_of_them = "paperround feeds list shows all"
    return f"did you mean {', '.join(near)}? {all_of_them}" if near else all_of_them


def settings_in(pairs: list[str] | None) -> dict[str, str]:
    """The settings that `name=value` arguments make; one given twice may mean either."""
    named: list[tuple[str, str]] = []
    with usage("--set"):
        for text in pairs or ():
            name, equals, value = text.partition("=")
            if not equals or not name:
                raise InvalidInput(f"{text!r:.80} is not name=value, such as categories=cs.LG")
            named.append((name, value))
        times = Counter(name for name, _ in named)
        if twice := [name for name in times if times[name] > 1]:
            raise InvalidInput(f"{twice[0]:.60} is given twice")
    return dict(named)
