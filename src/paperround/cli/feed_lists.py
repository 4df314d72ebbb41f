"""Show kinds of feeds, presets and categories, preview and check feeds; and the arguments and
look-ups that commands for feeds share."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, argument, runtime, switch, takes, usage
from paperround.cli.output import (
    fold,
    print_json,
    print_result,
    say,
    table,
    table_lines,
    terminal_width,
)
from paperround.core.errors import (
    FetchFailed,
    FetchRefused,
    InvalidInput,
    NotFound,
    PaperroundError,
)
from paperround.core.reasons import counted

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.feeds.model import LiveFeed, NewFeed, Setting
    from paperround.feeds.preview import FeedPreview
    from paperround.papers import model as papers
    from paperround.web.models import PreviewAnswer

MOST_VALUES = 12
"""Most values of a setting that are printed; longer lists have a command of their own."""


def kinds(as_json: AsJson = False) -> None:
    """Show the kinds of feeds and the settings of each."""
    from paperround.feeds.sources.registry import SOURCES

    found = [
        {
            "kind": source.kind,
            "needs_url": source.needs_url,
            "interval_seconds": round(source.interval.total_seconds()),
            "settings": [_setting(name, one) for name, one in source.settings.items()],
        }
        for source in SOURCES.values()
    ]
    lines = (line for kind in found for line in _kind_lines(kind))
    print_result({"kinds": found}, lines, as_json=as_json)


def _setting(name: str, setting: "Setting") -> dict[str, Any]:
    fields = asdict(setting)
    says = fields.pop("help")
    return {"name": name, "says": says, **fields, "values": list(setting.values())}


def _kind_lines(kind: dict[str, Any]) -> Iterator[str]:
    width = terminal_width()
    yield f"{kind['kind']}{': needs --url' if kind['needs_url'] else ''}"
    for one in kind["settings"]:
        yield from fold("  ", f"{one['name']}: {one['says']}", width, indent=4)
        if 0 < len(one["values"]) <= MOST_VALUES:
            yield from fold("    ", ", ".join(one["values"]), width, indent=6)


def presets(as_json: AsJson = False) -> None:
    """Show the presets and the feeds of each."""
    from paperround.feeds.presets import PRESETS

    value = {name: [asdict(one) for one in feeds] for name, feeds in PRESETS.items()}
    rows = [(name, "; ".join(map(_summary, feeds))) for name, feeds in PRESETS.items()]
    print_result({"presets": value}, table(rows, terminal_width()), as_json=as_json)


def _summary(feed: "NewFeed") -> str:
    values = ", ".join(feed.settings.values()) or feed.kind
    return f"{feed.name} ({', '.join(one.strip() for one in values.split(','))})"


def categories(
    pattern: Annotated[
        str, argument("[PATTERN]", "Only those with this in their name or title.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show the categories of arXiv, bioRxiv and medRxiv."""
    from paperround.feeds.sources.arxiv_categories import matching
    from paperround.feeds.sources.registry import SOURCES

    arxiv = [{"name": one.name, "title": one.title} for one in matching(pattern)]
    known = SOURCES["biorxiv"].settings["categories"].values() if "biorxiv" in SOURCES else ()
    subjects = sorted(one for one in known if pattern.casefold() in one)
    rows = [(one["name"], one["title"]) for one in arxiv]
    rows += [("bioRxiv, medRxiv", subject) for subject in subjects]
    lines = table(rows, terminal_width()) if rows else "none: try a part of a name, such as cs."
    print_result({"arxiv": arxiv, "biorxiv": subjects}, lines, as_json=as_json)


def show_preview(name: str, preview: "FeedPreview", *, as_json: bool) -> None:
    """Print what a feed would bring."""
    from paperround.web.models import PreviewAnswer

    answer = PreviewAnswer.of(preview, most=None)
    print_result(answer, _preview_lines(name, answer), as_json=as_json)


def _preview_lines(name: str, preview: "PreviewAnswer") -> Iterator[str]:
    from paperround.web.models import MOST_PREVIEWED

    yield (
        f"{name}: {counted(preview.papers_total, 'paper')} ({preview.new_total:,} new, "
        f"{preview.known_total:,} known), {counted(preview.rejects_total, 'reject')}, "
        f"{'more pages' if preview.has_more else 'no further page'}; "
        f"{counted(preview.bytes, 'byte')} in {preview.seconds:.1f} s"
    )
    value = preview.model_dump(mode="json")
    if papers := value["papers"][:MOST_PREVIEWED]:
        yield from table_lines(papers, "becomes identifiers listed_on show title")
    if rejects := value["rejects"][:MOST_PREVIEWED]:
        yield from table_lines(rejects, "position reason detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCheck:
    """The result of a check: `trouble` is None if all is well, numbers are None unless fetched."""

    name: str
    trouble: str | None = None
    papers: int | None = None
    rejects: int | None = None
    bytes: int | None = None
    seconds: float | None = None


def check(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    live: Annotated[bool, switch("--live", "Query the sources now; store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the settings and health of one feed, or of all. With --live, also read a page of each.
    Fails if something is wrong."""
    context = runtime()
    results: list[FeedCheck] = []
    for one in checks(context, name, live=live):
        results.append(one)
        if not as_json:
            _print_check(one)
    if as_json:
        print_json({"feeds": [asdict(one) for one in results]})
    elif not results:
        say(NO_FEEDS)
    if any(one.trouble for one in results):
        raise typer.Exit(1)


def checks(context: "AppContext", name: str | None, *, live: bool) -> Iterator[FeedCheck]:
    """Check feeds one by one, so that each result shows before the next request."""
    from paperround.feeds.due import live_feeds

    feeds = live_feeds(context.feed_context) if name is None else [find_feed(context, name)]
    yield from (
        _check_live(context, feed) if live else _check_stored(context, feed) for feed in feeds
    )


def _check_stored(context: "AppContext", feed: "LiveFeed") -> FeedCheck:
    """Check settings and health, without a request."""
    from paperround.feeds.due import check_feed, feed_settings

    try:
        check_feed(context.sources, feed_settings(feed))
    except PaperroundError as error:
        return FeedCheck(name=feed.name, trouble=str(error))
    is_well = feed.health not in {"failed", "stale"} and feed.gone_at is None
    is_well &= feed.progress.alarm is None or not feed.enabled  # the reason includes the alarm
    return FeedCheck(
        name=feed.name, trouble=None if is_well else f"{feed.health.value}: {feed.reason}"
    )


def _check_live(context: "AppContext", feed: "LiveFeed") -> FeedCheck:
    from paperround.feeds.due import feed_settings
    from paperround.feeds.preview import preview_feed

    try:
        preview = preview_feed(context.feed_context, feed_settings(feed), now=context.clock.now())
    except PaperroundError as error:
        return FeedCheck(name=feed.name, trouble=str(error))
    rejects = len(preview.rejects)
    return FeedCheck(
        name=feed.name,
        trouble="no entry could be used" if rejects and not preview.papers else None,
        papers=len(preview.papers),
        rejects=rejects,
        bytes=len(preview.page.body),
        seconds=round(preview.seconds, 3),
    )


def _print_check(one: FeedCheck) -> None:
    numbers = ""
    if one.papers is not None and one.rejects is not None:
        papers, rejects = counted(one.papers, "paper"), counted(one.rejects, "reject")
        numbers = f" ({papers}, {rejects}, {counted(one.bytes or 0, 'byte')}"
        numbers += f" in {one.seconds:.1f} s)"
    say(f"{one.name}: {one.trouble or 'fine'}{numbers}")


FeedName = Annotated[str, argument("NAME", "The feed's name.")]
Url = Annotated[
    str | None,
    takes("--url", "URL", "An address to use instead of the source's own; --kind feed needs one."),
]
Set = Annotated[
    list[str] | None,
    takes("--set", "NAME=VALUE", "A setting, such as categories=cs.LG,cs.CL. Repeatable."),
]
Show = Annotated[
    str | None, takes("--show", "HOW", "How much of an abstract is shown: full, gist or link.")
]
Limit = Annotated[int, takes("--limit", "N", "How many, newest first.", min=1, max=500)]
Preset = Annotated[
    str | None, takes("--preset", "FIELD", "A preset from `feeds presets`, such as ml.")
]

NO_FEEDS = "no feeds yet: paperround feeds add --preset ml"
"""Printed instead of an empty list of feeds."""

_LOOKUP_SECONDS = 3

MOST_NAMED = 12
"""Most feeds that are named when you ask for an unknown one."""


def preset_feeds(preset: str) -> "Sequence[NewFeed]":
    """Return the feeds of a preset; raises BadParameter for an unknown one."""
    from paperround.feeds.presets import PRESETS

    if preset not in PRESETS:
        raise typer.BadParameter(f"use one of {', '.join(PRESETS)}", param_hint="--preset")
    return PRESETS[preset]


def find_feed(context: "AppContext", name: str, *, with_files: bool = False) -> "LiveFeed":
    """Return the feed called `name`; raises NotFound, which suggests others. Includes the feeds of
    ingested files `with_files`."""
    from paperround.feeds.store.feeds import FeedStore

    with context.database.reading() as work:
        feeds = [
            feed for feed in work[FeedStore].all() if with_files or feed.kind in context.sources
        ]
    known = {feed.name: feed for feed in feeds}
    if name not in known:
        raise NotFound(f"there is no feed called {name}: {_suggestion(name, list(known))}")
    return known[name]


def _suggestion(name: str, known: list[str]) -> str:
    """Suggest names; short however many feeds there are."""
    if not known:
        return "add one: paperround feeds add"
    if len(known) <= MOST_NAMED:
        return f"there are {', '.join(known)}"
    near = get_close_matches(name, known)
    all_of_them = "paperround feeds list shows all"
    return f"did you mean {', '.join(near)}? {all_of_them}" if near else all_of_them


def warn_of_refusal(context: "AppContext", url: str | None) -> None:
    """Say on standard error if `url` will not be fetched. A name that cannot be resolved now is
    accepted: every poll resolves it again."""
    if url is None:
        return
    try:
        context.client_for(*context.settings.open_places).require_open(url, seconds=_LOOKUP_SECONDS)
    except FetchRefused as error:
        typer.echo(f"paperround: this feed cannot be read: {error}", err=True)
    except FetchFailed:
        return


def show_of(text: str) -> "papers.Show":
    """Return how much of an abstract is shown; raises BadParameter."""
    from paperround.papers import model as papers

    if text not in set(papers.Show):
        raise typer.BadParameter("show is full, gist or link", param_hint="--show")
    return papers.Show(text)


def settings_in(pairs: list[str] | None) -> dict[str, str]:
    """Parse `name=value` arguments; a repeated name is ambiguous and raises BadParameter."""
    named: list[tuple[str, str]] = []
    with usage("--set"):
        for text in pairs or ():
            name, equals, value = text.partition("=")
            if not equals or not name:
                raise InvalidInput(f"{text!r:.80} is not name=value, such as categories=cs.LG")
            named.append((name, value))
        occurrences = Counter(name for name, _ in named)
        if repeated := [name for name in occurrences if occurrences[name] > 1]:
            raise InvalidInput(f"{repeated[0]:.60} is given twice")
    return dict(named)
