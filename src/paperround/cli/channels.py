"""`paperround channels`: Slack, Discord, Telegram and webhooks that a list is posted to."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.channel_options import (
    STDIN,
    Floor,
    Hour,
    HowOften,
    Interests,
    Name,
    Size,
    Timezone,
    Topics,
    named,
    row_of,
    secret_of,
    told_by_field,
)
from paperround.cli.options import (
    AsJson,
    ListName,
    Now,
    Rename,
    print_json,
    runtime,
    say,
    tell,
)
from paperround.cli.subscriber_history import mail_as_json, tell_mail
from paperround.cli.tables import table, terminal_width, until
from paperround.domain.channels import ChannelKind
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.channels import Channel
    from paperround.jobs.channels import Standing

app = typer.Typer(
    help="Slack, Discord, Telegram and webhooks that a list is posted to.", no_args_is_help=True
)

Chat = Annotated[
    str | None, typer.Option(metavar="CHAT", help="Of telegram: @name or the chat's number.")
]
Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Of webhook: its key of Standard Webhooks (whsec_...), - to read it. Default: one is "
        "made and shown.",
    ),
]

NONE = "no channels: `paperround channels add slack` adds one"


@app.command()
def add(
    kind: Annotated[ChannelKind, typer.Argument(metavar="KIND", help=", ".join(ChannelKind))],
    hook: Annotated[
        str | None,
        typer.Argument(
            metavar="HOOK",
            help="The address to post to; of telegram the bot's token. It is a secret: leave it "
            "out, and it is asked for or read from standard input.",
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
    frequency: HowOften = None,
    size: Size = None,
    floor: Floor = None,
    topics: Topics = None,
    interest: Interests = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Post the newest edition now, not at the next hour.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Post a list to a channel, once a day at its hour or as --frequency says.

    Topics and interests choose its papers, as they do for a reader. `channels test` tries it.
    """
    from paperround.domain.subscribers import Preferences
    from paperround.jobs.channels import Order, add_channel, read_interests, wish_fields

    home = runtime(now)
    with told_by_field():
        row = row_of(timezone=timezone, hour=hour, frequency=frequency, topics=topics)
        fields: dict[str, Any] = wish_fields(row, size=size, floor=floor)
        order = Order(
            kind=kind,
            hook=secret_of(hook, f"Hook of {kind}"),
            list_name=list_name,
            name=name or "",
            chat=chat or "",
            key=secret_of(key, "Key") if key == STDIN else key or "",
            wish=Preferences(**fields),
            interests=read_interests(interest or ()),
            at_once=at_once,
        )
        channel = add_channel(
            home.database,
            home.post_office,
            order,
            opened=home.settings.open_places,
            now=home.clock.now(),
        )
    made = channel.hook.key if not key else ""
    if as_json:
        print_json({**_as_json(channel), **({"key": made} if made else {})})
        return
    when = "at the next tick" if at_once else "at its hour"
    say(f"{channel.name}: {list_name} is posted to {channel.hook.shown} from now on, {when}")
    if made:
        say(f"  its key: {made}")
        say("  keep it now, it is not shown again; docs/channels.md tells how posts are verified")
    say(f"  try it: paperround channels test {channel.name}")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every channel: where it leads, masked, and whether it works."""
    from paperround.jobs.channels import all_standings

    home = runtime()
    found, now = all_standings(home.database), home.clock.now()
    if as_json:
        print_json({"channels": [_standing_as_json(one) for one in found]})
        return
    for line in table([_row(one, now) for one in found], terminal_width()) if found else ():
        say(line)
    say(counted(len(found), "channel") if found else NONE)


def _row(one: "Standing", now: datetime) -> tuple[str, ...]:
    """Name, kind, list, state, when it is posted to next, where it leads or why not."""
    channel = one.channel
    last = channel.hook.shown
    match channel.state:
        case "stopped":
            last = f"{channel.stopped_why}; `channels edit {channel.name} --hook -`"
        case "paused":
            last = f"until `channels resume {channel.name}`"
    due = until(one.due_at, now) if channel.state == "active" else ""
    return (channel.name, channel.hook.kind, channel.list_name, channel.state, due, last)


@app.command()
def edit(
    name: Name,
    rename: Rename = None,
    name_before: Annotated[str | None, typer.Option("--name", hidden=True)] = None,
    hook: Annotated[
        str | None,
        typer.Option(metavar="HOOK", help="Another address or token; - to read it."),
    ] = None,
    chat: Chat = None,
    key: Key = None,
    new_key: Annotated[
        bool,
        typer.Option(
            "--new-key",
            help="Of webhook: make another key and show it. The old one signs, too, for a day.",
        ),
    ] = False,
    timezone: Timezone = None,
    hour: Hour = None,
    frequency: HowOften = None,
    size: Size = None,
    floor: Floor = None,
    topics: Topics = None,
    interest: Interests = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given of a channel. A new hook lets one that was stopped go on."""
    from paperround.jobs.channels import Changes, change_channel, read_interests, wish_fields
    from paperround.jobs.channels import new_key as made_key

    if key and new_key:
        raise typer.BadParameter("goes without --key", param_hint="--new-key")
    home = runtime(now)
    channel = named(home, name)
    given_key = secret_of(key, "Key") if key == STDIN else key
    with told_by_field():
        row = row_of(timezone=timezone, hour=hour, frequency=frequency, topics=topics)
        changes = Changes(
            name=rename or name_before,
            hook=secret_of(hook, f"Hook of {channel.hook.kind}") if hook else None,
            chat=chat,
            key=made_key() if new_key else given_key,
            wish=wish_fields(row, size=size, floor=floor),
            interests=read_interests(interest) if interest else None,
        )
        changed = change_channel(
            home.database,
            home.post_office,
            channel.id,
            changes,
            opened=home.settings.open_places,
            now=home.clock.now(),
        )
    hook_now = changed.channel.hook
    made = hook_now.key if new_key else ""
    old = hook_now.old_keys[-1] if hook_now.old_keys and (new_key or key) else None
    if as_json:
        until = None if old is None else format_instant(old.until)
        shown = {"key": made, "old_key_until": until} if made else {}
        print_json({**_standing_as_json(changed), **shown})
        return
    say(f"{changed.channel.name}: changed ({changed.channel.state})")
    if made:
        say(f"  its key: {made}")
        say("  keep it now, it is not shown again")
    if old is not None:
        say(f"  posts are signed with the old key, too, until {format_instant(old.until)}")


@app.command("test")
def try_out(name: Name, as_json: AsJson = False) -> None:
    """Post a few words there now and say what came of it. Counts for nothing."""
    from paperround.jobs.channels import try_channel

    home = runtime()
    outcome = try_channel(
        home.database,
        home.post_office,
        named(home, name).id,
        domain=home.identity.domain,
        now=home.clock.now(),
    )
    is_sent = outcome.state == "sent"
    if as_json:
        print_json(
            {
                "state": outcome.state.value,
                "reason": outcome.reason,
                "code": outcome.code,
                "reply": outcome.said,
            }
        )
    else:
        say(f"{name}: {'posted' if is_sent else f'not posted: {outcome.reason}'}")
    if not is_sent:
        raise typer.Exit(1)


@app.command()
def pause(name: Name, now: Now = None, as_json: AsJson = False) -> None:
    """Post nothing there until it is resumed."""
    from paperround.jobs.channels import pause_channel

    home = runtime(now)
    done = pause_channel(home.database, named(home, name).id, now=home.clock.now())
    line = f"{name}: {'paused' if done else 'was paused already'}"
    tell({"name": name, "paused": done}, line, as_json=as_json)


@app.command()
def resume(name: Name, now: Now = None, as_json: AsJson = False) -> None:
    """Let a channel go on that was paused, or stopped because its hook was gone."""
    from paperround.jobs.channels import resume_channel

    home = runtime(now)
    done = resume_channel(home.database, named(home, name).id, now=home.clock.now())
    line = f"{name}: {'goes on' if done else 'was neither paused nor stopped'}"
    tell({"name": name, "resumed": done}, line, as_json=as_json)


@app.command()
def remove(name: Name, now: Now = None, as_json: AsJson = False) -> None:
    """Forget a channel with its secrets. What became of its posts stays in the ledger."""
    from paperround.jobs.channels import remove_channel

    home = runtime(now)
    remove_channel(home.database, named(home, name).id, now=home.clock.now())
    tell({"removed": name}, f"{name}: removed", as_json=as_json)


@app.command()
def history(name: Name, as_json: AsJson = False) -> None:
    """Show the posts to one channel, newest first: papers, tries, and what was answered."""
    from paperround.jobs.status import history_of

    home = runtime()
    channel = named(home, name)
    past = history_of(home.database, channel.id)
    posts = list(zip(past.mails, past.titles, strict=True))
    if as_json:
        told = [{**mail_as_json(*one), "taken": one[0].taken} for one in posts]
        print_json({**_as_json(channel), "posts": told})
        return
    say(f"{channel.name} ({channel.hook.kind}, {channel.list_name}): {channel.state}")
    for one in posts:
        tell_mail(*one)
    if not posts:
        say("nothing was ever planned for it")


def _as_json(channel: "Channel") -> dict[str, Any]:
    instants = {"paused_at": channel.paused_at, "stopped_at": channel.stopped_at}
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.hook.kind.value,
        "list": channel.list_name,
        "hook": channel.hook.shown,
        "state": channel.state,
        **{what: None if at is None else format_instant(at) for what, at in instants.items()},
        "stopped_why": channel.stopped_why,
    }


def _standing_as_json(one: "Standing") -> dict[str, Any]:
    wish = one.wish
    weekday = f":{wish.weekday}" if wish.weekday else ""
    return {
        **_as_json(one.channel),
        "timezone": wish.timezone,
        "hour": wish.hour,
        "frequency": f"{wish.frequency.value}{weekday}",
        "size": wish.size,
        "floor": wish.floor,
        "topics": list(wish.topics),
        "interests": [str(interest) for interest in one.interests],
        "due_at": None if one.due_at is None else format_instant(one.due_at),
    }
