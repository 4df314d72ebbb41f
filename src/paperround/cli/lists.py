"""`paperround lists`: create, edit, archive and restore the lists that people subscribe to."""

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import (
    AsJson,
    Now,
    Yes,
    actor,
    agree,
    argument,
    runtime,
    switch,
    takes,
    usage,
)
from paperround.cli.output import outline_lines, print_list, print_result, to_json

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.editions.lists import MailingList

app = typer.Typer(
    help="""The lists that people subscribe to. Each has its own digest.

    `digest pause --list NAME` stops the sending of one, and `digest hold` lets you review its
    editions before they are sent.""",
    no_args_is_help=True,
)

Name = Annotated[str, argument("NAME", "The name of the list.")]
Private = Annotated[
    bool | None,
    switch("--private/--public", "Whether only links in its emails open its archive."),
]

Text, Texts, Number = str | None, list[str] | None, int | None
FIELDS: Mapping[str, tuple[Any, str, str]] = {
    "title": (Text, "TEXT", "Its title in emails and pages."),
    "description": (Text, "TEXT", "What it is about."),
    "feed": (Texts, "FEED", "Only papers of this feed, not of all. Repeatable."),
    "category": (Texts, "NAME", "Only this category, such as cs.LG. Repeatable."),
    "search": (Text, "TEXT", "Only papers that this search finds, as on the search page."),
    "cut": (Texts, "HH:MM", "When editions are made, 1 to 4 a day."),
    "zone": (Text, "ZONE", "The time zone of cuts and hour, such as Europe/Berlin."),
    "hour": (Number, "N", "When digests go out, 0 to 23, unless readers choose."),
    "size": (Number, "N", "Papers in a digest, 1 to 50."),
    "edition_size": (Number, "N", "Papers an edition shows, up to 200."),
    "days": (Number, "N", "How many days after its listing a paper may appear."),
    "frequency": (Texts, "HOW", "Offer daily, weekdays, weekly, monthly. Repeatable."),
    "language": (Texts, "TAG", "Offer this language, not all. Repeatable."),
    "from_name": (Text, "TEXT", "The name before the sender's address."),
    "colour": (Text, "#RRGGBB", "The colour of links."),
    "logo": (Text, "URL", "A picture above the papers."),
    "reply_to": (Text, "ADDRESS", "Where replies go."),
    "intro": (Text, "TEXT", "A line above the papers."),
    "footer": (Text, "TEXT", "A line below the papers."),
    "signup": (Text, "WHO", "Who may sign up: open, closed, or domains (--domain)."),
    "domain": (Texts, "DOMAIN", "Only addresses at this domain may sign up. Repeatable."),
}
"""The options of the other fields of a list: the type, the placeholder, and what the help says."""

ALL = ("feeds", "categories", "frequencies", "languages")
"""Fields for which empty means all."""
LOOK = ("from_name", "colour", "logo_url", "reply_to", "intro", "footer")
OPTIONS = {
    "feeds": "--feed",
    "categories": "--category",
    "cuts": "--cut",
    "default_hour": "--hour",
    "candidate_days": "--days",
    "frequencies": "--frequency",
    "languages": "--language",
    "logo_url": "--logo",
    "domains": "--domain",
    "name": "NAME",
}
"""The options of fields that have another name."""
HINTS = {
    "edition_size": "--edition-size",
    "from_name": "--from-name",
    "reply_to": "--reply-to",
    **OPTIONS,
}
"""The option that a message about a field names."""


def _with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of a list; they arrive as its `**options`."""
    name, *others, _ = signature(command).parameters.values()
    options = [
        Parameter(
            field,
            Parameter.POSITIONAL_OR_KEYWORD,
            default=None,
            annotation=Annotated[type_, takes(f"--{field.replace('_', '-')}", *told)],
        )
        for field, (type_, *told) in FIELDS.items()
    ]
    vars(command)["__signature__"] = Signature([name, *options, *others])
    return command


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every list, archived ones too."""
    from paperround.editions.manage_lists import feed_names
    from paperround.editions.store.lists import ListStore
    from paperround.web.list_models import ListDetails

    with runtime().database.reading() as work:
        names = feed_names(work)
        found = [ListDetails.shown(one, names) for one in work[ListStore].all()]
    print_list(
        "lists",
        found,
        "name signup private paused_at archived_at title",
        none="no lists",
        as_json=as_json,
    )


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one list with all its settings."""
    from paperround.editions.store.lists import ListStore

    context = runtime()
    with context.database.reading() as work:
        found = work[ListStore].get(name)
    _print(context, found, None, as_json=as_json)


@app.command()
@_with_fields
def add(
    name: Name, private: Private = None, now: Now = None, as_json: AsJson = False, **options: Any
) -> None:
    """Create the list NAME. A name has lowercase letters, digits and hyphens, and never
    changes."""
    given = _given(options | {"private": private})
    from paperround.editions.manage_lists import create_list

    context = runtime(now, creates=True)
    given.setdefault("zone", context.settings.timezone)
    with usage(**HINTS):
        made = create_list(context.database, name, given, by=actor(), now=context.clock.now())
    lines = [f"created {made.name}: {made.title}", *_next_steps(context, made)]
    _print(context, made, lines, as_json=as_json)


@app.command()
@_with_fields
def edit(
    name: Name,
    private: Private = None,
    unset: Annotated[
        list[str] | None,
        takes("--unset", "OPTION", "Reset a field to its default, such as search."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
    **options: Any,
) -> None:
    """Change a list. Repeatable options replace what was there; frozen editions do not change."""
    given = _given(options | {"private": private})
    from paperround.editions.manage_lists import edit_list

    for one in unset or []:
        _unset(given, one)
    if not given:
        raise typer.BadParameter("say what to change, such as --title, or --unset search")
    context = runtime(now)
    with usage(**HINTS):
        changed = edit_list(context.database, name, given, by=actor(), now=context.clock.now())
    line = f"changed {changed.name}: {changed.title}; this applies from the next edition on"
    _print(context, changed, [line], as_json=as_json)


@app.command()
def archive(name: Name, yes: Yes = False, now: Now = None, as_json: AsJson = False) -> None:
    """Archive a list: no sign-ups, no editions, no digests. Its archive and its readers are kept.
    To stop it for a while, use `digest pause --list NAME`."""
    from paperround.editions.manage_lists import archive_list
    from paperround.editions.store.lists import ListStore

    context = runtime(now)
    with context.database.reading() as work:
        work[ListStore].get(name)
    agree(yes, f"Archive {name}? Its readers get nothing until it is restored.")
    done = archive_list(context.database, name, by=actor(), now=context.clock.now())
    _print(context, done, [f"archived {name}; `lists restore {name}` undoes it"], as_json=as_json)


@app.command()
def restore(name: Name, now: Now = None, as_json: AsJson = False) -> None:
    """Restore an archived list."""
    from paperround.editions.manage_lists import restore_list

    context = runtime(now)
    done = restore_list(context.database, name, by=actor(), now=context.clock.now())
    _print(
        context,
        done,
        [f"{name} is restored: digests are sent at each reader's hour"],
        as_json=as_json,
    )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that options were given for. A domain alone means `--signup domains`."""
    flags = {
        option.removeprefix("--").replace("-", "_"): field for field, option in OPTIONS.items()
    }
    del flags["NAME"]
    given = {
        flags.get(option, option): tuple(value) if isinstance(value, list) else value
        for option, value in options.items()
        if value not in (None, [])
    }
    if "domains" in given:
        given.setdefault("signup", "domains")
    if "signup" in given:
        given["signup"] = _policy(str(given["signup"]))
    look = {field: given.pop(field) for field in LOOK if field in given}
    return {**given, "look": look} if look else given


def _policy(text: str) -> object:
    from paperround.editions.lists import SignupPolicy

    if text not in set(SignupPolicy):
        raise typer.BadParameter("say open, closed or domains", param_hint="--signup")
    return SignupPolicy(text)


def _unset(given: dict[str, Any], option: str) -> None:
    """Add the default of the field of an option to the changes. Raises BadParameter."""
    from dataclasses import fields

    from paperround.editions.lists import ListLook, ListSettings

    option = option.removeprefix("--").replace("-", "_")
    flags = {flag.removeprefix("--").replace("-", "_"): field for field, flag in OPTIONS.items()}
    name = flags.get(option, option)
    defaults = {one.name: getattr(ListSettings(title=""), one.name) for one in fields(ListSettings)}
    if name in LOOK:
        given.setdefault("look", {})[name] = getattr(ListLook(), name)
    elif name == "title" or name not in defaults:
        known = sorted({OPTIONS.get(one, one).removeprefix("--") for one in (*defaults, *LOOK)})
        known = [one for one in known if one not in ("title", "look")]
        raise typer.BadParameter(f"use one of {', '.join(known)}", param_hint="--unset")
    elif name == "look":
        given["look"] = None
    else:
        given[name] = defaults[name]


def _next_steps(context: "AppContext", made: "MailingList") -> Iterator[str]:
    """Yield what comes next for a new list."""
    from paperround.feeds.store.feeds import FeedStore

    with context.database.reading() as work:
        has_feeds = bool(work[FeedStore].all())
    yield (
        "its first edition is made once papers are read, usually within a minute of `serve`"
        if has_feeds
        else "there is no feed yet: `paperround feeds presets` shows some, `feeds add` adds one"
    )
    if made.takes_signups:
        site = context.settings.public_url.rstrip("/")
        yield f"people sign up at {site}/subscribe?list={made.name}"
    else:
        yield f"nobody can sign up: `paperround subscribers add --list {made.name}` adds readers"


def _print(
    context: "AppContext", one: "MailingList", lines: list[str] | None, *, as_json: bool
) -> None:
    from paperround.editions.manage_lists import feed_names
    from paperround.web.list_models import ListDetails

    with context.database.reading() as work:
        details = ListDetails.shown(one, feed_names(work))
    if lines is None:
        shown = to_json(details)
        lines = list(outline_lines({**shown, **{name: shown[name] or "all" for name in ALL}}))
    print_result({"list": details}, lines, as_json=as_json)
