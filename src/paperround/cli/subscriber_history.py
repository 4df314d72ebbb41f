"""`paperround subscribers history`: every mail to one person, and what the server said."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.bounces import event_as_json, event_line
from paperround.cli.options import AsJson, print_json, runtime, say, usage
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.status import MailRecord
    from paperround.jobs.status import History


def history(
    email: Annotated[str, typer.Argument(metavar="EMAIL")], as_json: AsJson = False
) -> None:
    """Show the mails written to one person, newest first: papers, tries, the server's words, and
    what came back."""
    from paperround.jobs.status import history as run

    home = runtime()
    with usage("EMAIL"):
        address = home.addresses.read(email)
    past = run(home.database, address)
    if as_json:
        print_json(_as_json(past))
    else:
        _tell(past)


def _tell(past: "History") -> None:
    say(f"{past.subscriber.address}: {past.subscriber.state.value}")
    for name, subscription in past.subscriptions.items():
        say(f"  {name}: {subscription.state.value}")
    for mail, titles in zip(past.mails, past.titles, strict=True):
        tell_mail(mail, titles)
        for event in past.returned:
            if event.mail == mail.name:
                say(f"    came back: {event_line(event)}")
    shown = {mail.name for mail in past.mails}
    for event in past.returned:
        if event.mail not in shown:
            say(f"came back: {event_line(event)}")
    if not past.mails:
        say("no mail was ever written to them")


def tell_mail(mail: "MailRecord", titles: Sequence[str]) -> None:
    """Show one mail, or post, of a history."""
    what = f"{mail.list_name} {mail.kind} of {mail.local_date}" if mail.list_name else mail.kind
    sent = f" {format_instant(mail.sent_at)}" if mail.sent_at else ""
    reason = f": {mail.reason}" if mail.reason else ""
    say(f"{format_instant(mail.due_at)}  {what}: {mail.state.value}{sent}{reason}")
    if mail.reply or mail.code:
        said = " ".join(str(part) for part in (mail.code, mail.reply) if part)
        say(f"    the server said: {said}")
    if mail.taken and mail.state != "sent":
        say(f"    part of it is there: {counted(mail.taken, 'message')} had been posted")
    say(f"    tries: {mail.attempts}, Message-ID: {mail.message_id}")
    for number, title in enumerate(titles, start=1):
        say(f"    {number}. {title}")


def _as_json(past: "History") -> dict[str, Any]:
    return {
        "subscriber": past.subscriber.address,
        "state": past.subscriber.state.value,
        "subscriptions": {name: one.state.value for name, one in past.subscriptions.items()},
        "mails": [
            {"name": mail.name, **mail_as_json(mail, titles)}
            for mail, titles in zip(past.mails, past.titles, strict=True)
        ],
        "returned": [event_as_json(event) for event in past.returned],
    }


def mail_as_json(mail: "MailRecord", titles: Sequence[str]) -> dict[str, Any]:
    """One mail, or post, of a history as JSON."""
    return {
        "kind": mail.kind,
        "list": mail.list_name,
        "date": mail.local_date and mail.local_date.isoformat(),
        "state": mail.state.value,
        "reason": mail.reason,
        "due_at": format_instant(mail.due_at),
        "sent_at": _instant(mail.sent_at),
        "attempts": mail.attempts,
        "code": mail.code,
        "reply": mail.reply,
        "message_id": mail.message_id,
        "papers": list(titles),
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)
