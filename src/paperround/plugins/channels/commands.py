"""`paperround channels`: post a list to Slack, Discord, Telegram or a webhook."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from paperround.cli.options import (
    AsJson,
    Frequency,
    Hour,
    Interests,
    ListName,
    Now,
    Rename,
    Timezone,
    Topics,
    actor,
    argument,
    runtime,
    switch,
    takes,
    usage,
)
from paperround.cli.output import print_list, print_result
from paperround.cli.people import mail_as_json
from paperround.editions.lists import DEFAULT_LIST
from paperround.plugins.channels.model import Channel, ChannelKind, ChannelSettings

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.plugins.channels.admin import ChannelAdmin

app = typer.Typer(help="Post lists to Slack, Discord, Telegram and webhooks.", no_args_is_help=True)

STDIN = "-"

ChannelName = Annotated[str, argument("NAME", "A channel from `channels list`.")]
Size = Annotated[int | None, typer.Option(help="Papers in a post. Default: the list's.")]
Floor = Annotated[float | None, typer.Option(help="The minimum score of a paper.")]
Chat = Annotated[str | None, takes("--chat", "CHAT", "For Telegram: @name or the chat's number.")]
Key = Annotated[
    str | None,
    takes(
        "--key",
        "KEY",
        "For a webhook: its Standard Webhooks key (whsec_...), or - to read it from standard "
        "input. Default: a new key is created and shown.",
    ),
]


@app.command()
def add(
    kind: Annotated[ChannelKind, argument("KIND", ", ".join(ChannelKind))],
    hook: Annotated[
        str | None,
        argument(
            "HOOK",
            "The address to post to; for telegram, the bot's token. It is a secret: leave it "
            "out to be asked for it, or to read it from standard input.",
        ),
    ] = None,
    list_name: ListName = DEFAULT_LIST,
    name: Annotated[
        str | None, typer.Option(help="What to call it. Default: the list and the kind.")
    ] = None,
    chat: Chat = None,
    key: Key = None,
    timezone: Timezone = None,
    hour: Hour = None,
    frequency: Frequency = None,
    size: Size = None,
    floor: Floor = None,
    topics: Topics = None,
    interest: Interests = None,
    at_once: Annotated[
        bool, switch("--at-once", "Post the newest edition now, not at the channel's next hour.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Post a list to a channel. It is posted once a day at its hour, or as --frequency says.

    Topics and interests choose its papers, as they do for a reader. `channels test` tries it.
    """
    context = runtime(now)
    settings = _settings(
        name=name,
        hook=secret_of(hook, f"Hook of {kind}"),
        chat=chat,
        key=secret_of(key, "Key") if key else None,
        timezone=timezone,
        hour=hour,
        frequency=frequency,
        size=size,
        floor=floor,
        topics=topics,
        interests=interest,
    )
    with usage(hook="HOOK", interests="--interest"):
        channel = channel_admin(context).add(kind, list_name, settings, at_once=at_once)
    made = channel.hook.key if not key else ""
    when = "at the next tick" if at_once else "at its hour"
    lines = [f"{channel.name}: {list_name} is posted to {channel.hook.shown} from now on, {when}"]
    lines += _key_lines(made)
    lines.append(f"  try it: paperround channels test {channel.name}")
    print_result({**_as_json(channel), **({"key": made} if made else {})}, lines, as_json=as_json)


def _key_lines(made: str) -> list[str]:
    """Return the lines that show a new key, the only time it is shown."""
    once = "  keep it now, it is not shown again; docs/channels.md explains how posts are verified"
    return [f"  its key: {made}", once] if made else []


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every channel: its address, masked, and whether it works."""
    from paperround.plugins.channels.store import ChannelStore

    with runtime().database.reading() as work:
        found = map(_as_json, work[ChannelStore].all())
    columns = "name kind list state due_at hook stopped_why"
    none = "no channels: `paperround channels add slack` adds one"
    print_list("channels", found, columns, none=none, as_json=as_json)


@app.command()
def edit(
    name: ChannelName,
    rename: Rename = None,
    name_before: Annotated[str | None, typer.Option("--name", hidden=True)] = None,
    hook: Annotated[
        str | None,
        takes("--hook", "HOOK", "A new address or token, or - to read it from standard input."),
    ] = None,
    chat: Chat = None,
    key: Key = None,
    new_key: Annotated[
        bool, switch("--new-key", "For a webhook: create a new key and show it.")
    ] = False,
    timezone: Timezone = None,
    hour: Hour = None,
    frequency: Frequency = None,
    size: Size = None,
    floor: Floor = None,
    topics: Topics = None,
    interest: Interests = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Change a channel; options that are not given stay. A new hook restarts a stopped channel."""
    from paperround.plugins.channels.admin import new_key as made_key

    if key and new_key:
        raise typer.BadParameter("goes without --key", param_hint="--new-key")
    context = runtime(now)
    channel = find_channel(context, name)
    settings = _settings(
        name=rename or name_before,
        hook=secret_of(hook, f"Hook of {channel.hook.kind}") if hook else None,
        chat=chat,
        key=made_key() if new_key else secret_of(key, "Key") if key else None,
        timezone=timezone,
        hour=hour,
        frequency=frequency,
        size=size,
        floor=floor,
        topics=topics,
        interests=interest,
    )
    with usage(hook="HOOK", interests="--interest"):
        changed = channel_admin(context).change(channel.id, settings)
    made = changed.hook.key if new_key else ""
    lines = [f"{changed.name}: changed ({changed.state})", *_key_lines(made)]
    print_result({**_as_json(changed), **({"key": made} if made else {})}, lines, as_json=as_json)


@app.command("test")
def try_out(name: ChannelName, as_json: AsJson = False) -> None:
    """Post a test message now and show the result. It is not counted."""
    from paperround.plugins.channels.resource import TrialAnswer

    context = runtime()
    outcome = channel_admin(context).test(find_channel(context, name).id)
    verdict = outcome.verdict
    is_sent = verdict.state == "sent"
    line = f"{name}: {'posted' if is_sent else f'not posted: {verdict.reason}'}"
    print_result(TrialAnswer.of(outcome), line, as_json=as_json)
    if not is_sent:
        raise typer.Exit(1)


@app.command()
def pause(name: ChannelName, now: Now = None, as_json: AsJson = False) -> None:
    """Post nothing there until it is resumed."""
    context = runtime(now)
    done = channel_admin(context).pause(find_channel(context, name).id)
    line = f"{name}: {'paused' if done else 'was paused already'}"
    print_result({"name": name, "paused": done}, line, as_json=as_json)


@app.command()
def resume(name: ChannelName, now: Now = None, as_json: AsJson = False) -> None:
    """Resume a paused channel. Also restarts one that was stopped because its hook was gone."""
    context = runtime(now)
    done = channel_admin(context).resume(find_channel(context, name).id)
    line = f"{name}: {'resumed' if done else 'was neither paused nor stopped'}"
    print_result({"name": name, "resumed": done}, line, as_json=as_json)


@app.command()
def remove(name: ChannelName, now: Now = None, as_json: AsJson = False) -> None:
    """Delete a channel with its secrets. The history of its posts stays in the ledger."""
    context = runtime(now)
    channel_admin(context).remove(find_channel(context, name).id)
    print_result({"removed": name}, f"{name}: removed", as_json=as_json)


@app.command()
def history(name: ChannelName, as_json: AsJson = False) -> None:
    """Show the posts to one channel, newest first. Each has its papers, attempts and responses."""
    from paperround.ops.status import history_of

    context = runtime()
    channel = find_channel(context, name)
    past = history_of(context.database, channel.id)
    posts = [
        {**mail_as_json(mail, titles), "taken": mail.taken}
        for mail, titles in zip(past.mails, past.titles, strict=True)
    ]
    lines = None if posts else "no posts were planned for it"
    print_result({**_as_json(channel), "posts": posts}, lines, as_json=as_json)


def _as_json(channel: Channel) -> dict[str, Any]:
    from paperround.plugins.channels.resource import ChannelAnswer

    return ChannelAnswer.of(channel).model_dump(mode="json")


def secret_of(given: str | None, what: str) -> str:
    """Return `given`, or read standard input: arguments show in process lists and shell history."""
    if given is not None and given != STDIN:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True)).strip()
    return sys.stdin.readline().strip()


def _settings(
    *, topics: str | None, interests: list[str] | None, **options: Any
) -> ChannelSettings:
    """Return the settings that were given, by name."""
    options |= {"topics": topics and topics.split(";"), "interests": interests or None}
    given = {name: value for name, value in options.items() if value is not None}
    return cast("ChannelSettings", given)


def channel_admin(context: "AppContext") -> "ChannelAdmin":
    """Return the service that changes channels."""
    from paperround.plugins.channels.admin import channel_admin as admin_of

    return admin_of(context, by=actor())


def find_channel(context: "AppContext", name: str) -> Channel:
    """Return the channel called `name`; raises NotFound, which lists the others."""
    from paperround.plugins.channels.store import ChannelStore

    with context.database.reading() as work:
        return work[ChannelStore].find(name)
