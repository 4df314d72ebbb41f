"""What the commands for feeds share: arguments, and finding a feed by its name."""

from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import usage
from paperround.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import LiveFeed
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


def find_feed(home: "Runtime", name: str) -> "LiveFeed":
    """The feed called `name`; raises NotFound that names those there are."""
    from paperround.jobs.feed_admin import live_feeds

    feeds = {feed.name: feed for feed in live_feeds(home.newsroom)}
    if name not in feeds:
        known = f"there are {', '.join(feeds)}" if feeds else "add one: paperround feeds add"
        raise NotFound(f"there is no feed called {name}: {known}")
    return feeds[name]


def settings_in(pairs: list[str] | None) -> dict[str, str]:
    """The settings that `name=value` arguments make."""
    with usage("--set"):
        return dict(_pair(text) for text in pairs or ())


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"{text!r:.80} is not name=value, such as categories=cs.LG")
    return name, value
