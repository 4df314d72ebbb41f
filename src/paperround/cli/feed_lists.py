"""What a feed can be: kinds with their settings, presets, categories of arXiv and bioRxiv; and a
look at one before it is added."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, print_json, say
from paperround.cli.tables import paragraph, table, terminal_width
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import NewFeed
    from paperround.jobs.feed_preview import FeedPreview, PreviewedPaper
    from paperround.sources.choices import Choice

SHOWN = 20
"""Papers, and rejects, that a preview prints."""

FEW = 12
"""Values of a setting that are printed; more have a command of their own."""


def kinds(as_json: AsJson = False) -> None:
    """Show the kinds of feeds, and what each can be told."""
    from paperround.sources.choices import NEEDS_URL, choice_of
    from paperround.sources.live import SOURCES

    if as_json:
        print_json({"kinds": [_as_kind(kind) for kind in SOURCES]})
        return
    width = terminal_width()
    for kind, source in SOURCES.items():
        say(f"{kind}{': needs --url' if kind in NEEDS_URL else ''}")
        for name, says in source.settings.items():
            few = list(choice_of(kind, name).values())
            lines = [*paragraph(f"{name}: {says}", width, indent=2)]
            if 0 < len(few) <= FEW:
                lines += paragraph(", ".join(few), width, indent=4)
            say("\n".join(lines))


def _as_kind(kind: str) -> dict[str, Any]:
    from paperround.sources.choices import NEEDS_URL, choice_of
    from paperround.sources.live import SOURCES

    return {
        "kind": kind,
        "needs_url": kind in NEEDS_URL,
        "settings": [
            {"name": name, "says": says, **_as_choice(choice_of(kind, name))}
            for name, says in SOURCES[kind].settings.items()
        ],
    }


def _as_choice(choice: "Choice") -> dict[str, Any]:
    return {
        "needed": choice.needed,
        "many": choice.many,
        "default": choice.default,
        "low": choice.low,
        "high": choice.high,
        "example": choice.example,
        "values": list(choice.values()),
    }


def presets(as_json: AsJson = False) -> None:
    """Show the presets and the feeds of each."""
    from paperround.domain.feed_files import feed_as_json
    from paperround.domain.presets import PRESETS

    if as_json:
        print_json(
            {"presets": {name: [feed_as_json(one) for one in PRESETS[name]] for name in PRESETS}}
        )
        return
    rows = [(name, "; ".join(map(_in_short, feeds))) for name, feeds in PRESETS.items()]
    for line in table(rows, terminal_width()):
        say(line)


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
    from paperround.sources.arxiv_categories import matching
    from paperround.sources.biorxiv_subjects import SUBJECTS

    found = matching(pattern)
    subjects = sorted(one for one in SUBJECTS if pattern.casefold() in one)
    if as_json:
        arxiv = [{"name": one.name, "title": one.title} for one in found]
        print_json({"arxiv": arxiv, "biorxiv": subjects})
        return
    for one in found:
        say(f"{one.name:20} {one.title}")
    for subject in subjects:
        say(f"{'bioRxiv, medRxiv':20} {subject}")
    if not found and not subjects:
        say("none: try a part of a name, such as cs. or learning")


def print_preview(name: str, seen: "FeedPreview", *, as_json: bool) -> None:
    """What a feed would bring."""
    from paperround.jobs.feed_preview import Fate

    if as_json:
        print_json(_as_preview(seen))
        return
    say(
        f"{name}: {counted(len(seen.papers), 'paper')} ({seen.count(Fate.NEW):,} new, "
        f"{seen.count(Fate.KNOWN):,} known), {counted(len(seen.rejects), 'reject')}, "
        f"{'more pages' if seen.next else 'no further page'}; "
        f"{counted(seen.size, 'byte')} in {seen.seconds:.1f} s"
    )
    _print_some(map(_told, seen.papers), len(seen.papers))
    _print_some(
        (f"rejected {one.position}: {one.detail}" for one in seen.rejects), len(seen.rejects)
    )


def _print_some(lines: Iterable[str], total: int) -> None:
    width = terminal_width()
    for line, _ in zip(lines, range(SHOWN), strict=False):
        for part in paragraph(line, width, indent=2):
            say(part)
    if total > SHOWN:
        say(f"  and {total - SHOWN:,} more")


def _told(paper: "PreviewedPaper") -> str:
    named = next(iter(paper.identifiers.values()), "")
    first = f", {paper.authors[0]}{' et al.' if len(paper.authors) > 1 else ''}"
    day = f" ({paper.listed_on})" if paper.listed_on else ""
    by = first if paper.authors else ""
    return f"{paper.becomes.value:8} {named}  {paper.title}{by}{day} [{paper.show.value}]"


def _as_preview(seen: "FeedPreview") -> dict[str, Any]:
    from paperround.jobs.feed_preview import Fate

    papers = [
        {
            "title": one.title,
            "identifiers": dict(one.identifiers),
            "authors": list(one.authors),
            "listed_on": str(one.listed_on) if one.listed_on else None,
            "show": one.show.value,
            "becomes": one.becomes.value,
        }
        for one in seen.papers
    ]
    rejects = [
        {"reason": one.reason, "detail": one.detail, "position": one.position}
        for one in seen.rejects
    ]
    return {
        "papers": papers,
        "rejects": rejects,
        "papers_total": len(papers),
        "new_total": seen.count(Fate.NEW),
        "known_total": seen.count(Fate.KNOWN),
        "rejects_total": len(rejects),
        "has_more": seen.next is not None,
        "url": seen.url,
        "bytes": seen.size,
        "seconds": round(seen.seconds, 3),
    }
