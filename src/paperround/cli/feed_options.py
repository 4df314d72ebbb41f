"""What the commands for feeds share: arguments, and finding a feed by its name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import usage
from paperround.domain.errors import InvalidInput, NotFound
from paperround.domain.feeds import LiveFeed, NewFeed
from paperround.domain.presets import PRESETS

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.wiring import Runtime

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


def find_feed(home: "Runtime", name: str) -> "LiveFeed":
    """The feed called `name`; raises NotFound that names those there are, or some of them."""
    from paperround.jobs.feeds import live_feeds

    return _named(name, live_feeds(home.newsroom))


def find_any_feed(home: "Runtime", name: str) -> "LiveFeed":
    """As `find_feed`, also one that files were read into."""
    from paperround.jobs.feeds import every_feed

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
