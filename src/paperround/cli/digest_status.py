"""`paperround digest status` and `digest test`: how things stand, and whether mail arrives."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, ListName, Now, counts, print_json, runtime, say, usage
from paperround.cli.pace_lines import (
    late_line,
    pace_as_json,
    pace_lines,
    progress_as_json,
    progress_line,
)
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.channels import Channel
    from paperround.domain.deliveries import DeliveryState
    from paperround.domain.requests import RequestTally
    from paperround.domain.returns import ReturnTally
    from paperround.domain.status import EditionTally, MailRecord, ReasonTally
    from paperround.jobs.status import History, ListStatus, Status

WITHOUT_MAIL = ("skipped", "expired")


def status(
    list_name: Annotated[
        str | None,
        typer.Option("--list", metavar="LIST", help="One list only. Default: all of them."),
    ] = None,
    subscriber: Annotated[
        str | None,
        typer.Option("--subscriber", metavar="EMAIL", help="This person's mails instead."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Show what was planned, sent and refused, and why some people got no mail."""
    from paperround.jobs.status import history
    from paperround.jobs.status import status as run

    home = runtime(now)
    if subscriber is not None:
        past = history(home.database, home.addresses.read(subscriber))
        if as_json:
            print_json(_history_as_json(past))
        else:
            _tell_history(past)
        return
    found = run(home.database, list_name, now=home.clock.now(), pacing=home.settings.pacing)
    if as_json:
        print_json(_as_json(found))
    else:
        _tell(found)


def try_mail(
    to: Annotated[str, typer.Option("--to", metavar="EMAIL", help="Where to send it.")],
    list_name: ListName = DEFAULT_LIST,
    as_json: AsJson = False,
) -> None:
    """Send today's digest to one address, now. Counts for nothing; fails when it is refused."""
    home = runtime()
    with usage("--to"):
        address = home.addresses.read(to)
    if not send_test(address.written, list_name=list_name, as_json=as_json):
        raise typer.Exit(1)


def send_test(to: str, *, list_name: str = DEFAULT_LIST, as_json: bool = False) -> bool:
    """Send a test mail and say what came of it; whether the relay took it."""
    from paperround.jobs.status import without_addresses
    from paperround.jobs.test_mail import send_test as run

    home = runtime()
    address = home.addresses.read(to)
    notice = run(home.post(), home.identity, address, list_name, now=home.clock.now())
    holds = "edition" if "edition" in notice.payload else "words"
    reply = without_addresses(notice.reply)
    if as_json:
        print_json(
            {
                "state": notice.state.value,
                "reason": notice.reason,
                "reply": reply,
                "holds": holds,
                "message_id": notice.message_id,
            }
        )
    else:
        what = "the newest edition" if holds == "edition" else "a few words (there is no edition)"
        is_sent = notice.state == "sent"
        end = "sent" if is_sent else f"not accepted ({notice.reason})"
        is_told = not reply or (not is_sent and reply in notice.reason)
        say(f"test mail with {what}: {end}{'' if is_told else f': {reply}'}")
        if is_sent and home.settings.relay.startswith("outbox:"):
            say(f"  it is kept in {home.settings.relay.removeprefix('outbox:')}")
    return notice.state == "sent"


# --- one list after another --------------------------------------------------------------------


def _tell(found: "Status") -> None:
    last = _moment(found.last_tick_at, "never: start `paperround serve`, or tick every minute")
    say(f"last tick: {last}")
    say(f"other mails (confirmations and such): {counts(asdict(found.notices))}")
    for line in pace_lines(found.pace):
        say(line)
    say(f"came back in 7 days: {_returns(found.returns)}")
    say(f"sign-ups: {_requests(found.requests)}")
    for one in found.lists:
        say()
        for line in _list_lines(one, found.pace.unreached):
            say(line)


def _returns(tally: "ReturnTally") -> str:
    numbers = {
        "bounced": tally.bounced,
        "complaints": tally.complained,
        "resting": tally.resting,
        "in quarantine": tally.quarantined,
    }
    shares = f"bounces {tally.bounce_rate:.2%}, complaints {tally.complaint_rate:.2%}"
    warning = f"; TOO MANY {tally.too_many.upper()}" if tally.too_many else ""
    if not any(numbers.values()):
        return f"none of {counted(tally.tried, 'digest')}"
    return f"{counts(numbers)} (of {counted(tally.tried, 'digest')}: {shares}{warning})"


def _requests(tally: "RequestTally") -> str:
    refused = {f"by {limit}": count for limit, count in tally.refused.items() if count}
    dropped = {f"by {why}": count for why, count in tally.dropped.items() if count}
    parts = [f"{tally.waiting:,} {'waits' if tally.waiting == 1 else 'wait'} to be looked at"]
    parts += [f"refused in 24 hours: {counts(refused)}"] if refused else []
    parts += [f"dropped in 24 hours: {counts(dropped)}"] if dropped else []
    return "; ".join(parts)


def _list_lines(one: "ListStatus", unreached: str | None) -> Iterator[str]:
    mailing_list, backlog = one.mailing_list, one.backlog
    yield f"{mailing_list.name}: {counted(one.subscribers, 'subscriber')}, zone {mailing_list.zone}"
    if mailing_list.paused_at is not None:
        since = format_instant(mailing_list.paused_at)
        yield f"  PAUSED since {since}: `paperround digest resume` lets it go on"
    for tally in one.editions:
        yield f"  {_edition_line(tally)}"
    if not one.editions:
        yield "  no edition yet: the first one waits for the first papers"
    yield f"  next cut: {format_instant(one.next_cut_at)}"
    yield f"  due within 24 hours: {one.due_soon:,}"
    if backlog.oldest_due is not None:
        yield f"  oldest that waits: due {format_instant(backlog.oldest_due)}"
    is_paused = mailing_list.paused_at is not None
    if (line := progress_line(one.progress, is_paused=is_paused)) is not None:
        yield f"  {line}"
    if one.late is not None:
        yield f"  {late_line(one.late)}"
    yield f"  last sent: {_moment(one.last_sent_at, 'never')}"
    yield from _reason_lines(one, unreached)
    yield from map(_channel_line, one.channels)
    yield from (f"  feed {feed.name}: {feed.health.value}, {feed.reason}" for feed in one.feeds)


def _channel_line(channel: "Channel") -> str:
    state = channel.state
    if channel.stopped_at is not None:
        state = f"STOPPED since {format_instant(channel.stopped_at)}: {channel.stopped_why}"
    return f"  channel {channel.name} ({channel.hook.kind}): {state}"


def _edition_line(tally: "EditionTally") -> str:
    papers = counted(tally.papers, "paper")
    if tally.empty_reason:
        papers = f"no papers ({tally.empty_reason})"
    if tally.cancelled_at is not None:
        papers = f"CANCELLED {format_instant(tally.cancelled_at)}, {papers}"
    frozen = format_instant(tally.frozen_at)
    mails = counts({_IN_WORDS.get(name, name): n for name, n in _states(tally.by_state).items()})
    return f"edition {tally.day} cut {tally.cut}: {papers}, frozen {frozen}; mails: {mails}"


_IN_WORDS = {"claimed": "taken up", "in_data": "on their way"}
"""What a person reads in place of a state's own name."""


def _reason_lines(one: "ListStatus", unreached: str | None) -> Iterator[str]:
    from paperround.jobs.unreached import UNREACHED

    without = [tally for tally in one.reasons if tally.state in WITHOUT_MAIL]
    refused = [tally for tally in one.reasons if tally.state not in WITHOUT_MAIL]
    if without:
        numbers = Counter[str]()
        for tally in without:
            numbers[tally.reason] += tally.count
        yield f"  no mail today: {counts(numbers)}"
    for tally in refused:
        is_told = not tally.reply or tally.reply in tally.reason
        reply = "" if is_told else f" ({tally.reply})"
        reason = UNREACHED if tally.reason == unreached else tally.reason
        yield f"  {tally.count:,} {tally.state.value}: {reason}{reply}"


def _states(by_state: "Mapping[DeliveryState, int]") -> dict[str, int]:
    from paperround.domain.deliveries import DeliveryState

    return {state.value: by_state[state] for state in DeliveryState if state in by_state}


def _moment(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else format_instant(moment)


def _as_json(found: "Status") -> dict[str, Any]:
    return {
        "last_tick_at": _instant(found.last_tick_at),
        "notices": asdict(found.notices),
        "pace": pace_as_json(found.pace),
        "lists": [_list_as_json(one) for one in found.lists],
        "returns": {
            "since": format_instant(found.returns.since),
            "tried": found.returns.tried,
            "bounced": found.returns.bounced,
            "complained": found.returns.complained,
            "resting": found.returns.resting,
            "quarantined": found.returns.quarantined,
            "did": dict(found.returns.effects),
        },
        "signups": _requests_as_json(found.requests),
    }


def _requests_as_json(tally: "RequestTally") -> dict[str, Any]:
    return {
        "waiting": tally.waiting,
        "oldest_due": _instant(tally.oldest_due),
        "refused": dict(tally.refused),
        "dropped": dict(tally.dropped),
    }


def _list_as_json(one: "ListStatus") -> dict[str, Any]:
    return {
        "list": one.mailing_list.name,
        "zone": one.mailing_list.zone,
        "subscribers": one.subscribers,
        "paused_at": _instant(one.mailing_list.paused_at),
        "next_cut_at": format_instant(one.next_cut_at),
        "due_within_24h": one.due_soon,
        "mails": _states(one.backlog.by_state),
        **progress_as_json(
            one.progress, one.late, is_paused=one.mailing_list.paused_at is not None
        ),
        "oldest_due_at": _instant(one.backlog.oldest_due),
        "last_sent_at": _instant(one.last_sent_at),
        "editions": [_edition_as_json(tally) for tally in one.editions],
        "reasons": [_reason_as_json(tally) for tally in one.reasons],
        "feeds": [
            {"name": feed.name, "health": feed.health.value, "reason": feed.reason}
            for feed in one.feeds
        ],
        "channels": [
            {
                "name": channel.name,
                "kind": channel.hook.kind.value,
                "state": channel.state,
                "reason": channel.stopped_why,
            }
            for channel in one.channels
        ],
    }


def _edition_as_json(tally: "EditionTally") -> dict[str, Any]:
    return {
        "date": tally.day.isoformat(),
        "cut": tally.cut,
        "cut_at": format_instant(tally.cut_at),
        "frozen_at": format_instant(tally.frozen_at),
        "papers": tally.papers,
        "empty_reason": tally.empty_reason,
        "cancelled_at": _instant(tally.cancelled_at),
        "mails": _states(tally.by_state),
    }


def _reason_as_json(tally: "ReasonTally") -> dict[str, Any]:
    return {
        "state": tally.state.value,
        "reason": tally.reason,
        "count": tally.count,
        "code": tally.code,
        "reply": tally.reply,
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)


# --- one person --------------------------------------------------------------------------------


def _tell_history(past: "History") -> None:
    say(f"{past.subscriber.address}: {past.subscriber.state.value}")
    for name, subscription in past.subscriptions.items():
        say(f"  {name}: {subscription.state.value}")
    for mail, titles in zip(past.mails, past.titles, strict=True):
        say(_mail_line(mail))
        for title in titles:
            say(f"    {title}")
    if not past.mails:
        say("no mail was ever written to them")


def _mail_line(mail: "MailRecord") -> str:
    what = f"{mail.list_name} {mail.kind} of {mail.local_date}" if mail.list_name else mail.kind
    at = f"sent {format_instant(mail.sent_at)}" if mail.sent_at else mail.state.value
    said = ", ".join(part for part in (mail.reason, mail.reply) if part)
    return f"{format_instant(mail.due_at)}  {what}: {at}{f' ({said})' if said else ''}"


def _history_as_json(past: "History") -> dict[str, Any]:
    return {
        "subscriber": past.subscriber.address,
        "state": past.subscriber.state.value,
        "subscriptions": {name: one.state.value for name, one in past.subscriptions.items()},
        "mails": [
            {
                "kind": mail.kind,
                "list": mail.list_name,
                "date": mail.local_date and mail.local_date.isoformat(),
                "state": mail.state.value,
                "reason": mail.reason,
                "due_at": format_instant(mail.due_at),
                "sent_at": _instant(mail.sent_at),
                "code": mail.code,
                "reply": mail.reply,
                "papers": list(titles),
            }
            for mail, titles in zip(past.mails, past.titles, strict=True)
        ],
    }
