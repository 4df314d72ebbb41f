"""`paperround digest status` and `digest test`: show the status of digests, send a test message."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AnyList, AsJson, ListName, Now, runtime, usage
from paperround.cli.output import outline_lines, pick_fields, print_result, to_json
from paperround.cli.subscribers import show_history
from paperround.delivery.status import LateMails, Progress
from paperround.editions.lists import DEFAULT_LIST

if TYPE_CHECKING:
    from paperround.ops.status import ListStatus, PaceStatus


def status(
    list_name: AnyList = None,
    subscriber: Annotated[
        str | None,
        typer.Option("--subscriber", metavar="EMAIL", help="This person's mails instead."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Show what was planned, sent and refused, and why some people got no mail."""
    from paperround.ops.status import status as run

    context = runtime(now)
    if subscriber is not None:
        show_history(context, context.addresses.read(subscriber), as_json=as_json)
        return
    found = run(
        context.database, list_name, now=context.clock.now(), pacing=context.settings.pacing
    )
    returns = pick_fields(found.returns, "since tried bounced complained resting quarantined")
    value = to_json(
        {
            "last_tick_at": found.last_tick_at,
            "notices": asdict(found.notices),
            "pace": pace_as_json(found.pace),
            "lists": [_list_as_json(one) for one in found.lists],
            "returns": {**returns, "did": found.returns.effects},
            "signups": pick_fields(found.requests, "waiting oldest_due refused dropped"),
        }
    )
    never = "nothing looked at what is due yet: start `paperround serve`, or tick every minute"
    lines = [
        *([] if found.last_tick_at else [never]),
        *hold_lines(found.pace),
        *outline_lines(value),
    ]
    print_result(value, lines, as_json=as_json)


def try_mail(
    to: Annotated[str, typer.Option("--to", metavar="EMAIL", help="Where to send it.")],
    list_name: ListName = DEFAULT_LIST,
    as_json: AsJson = False,
) -> None:
    """Send today's digest to one address, now. Counts for nothing; fails when it is refused."""
    context = runtime()
    with usage("--to"):
        address = context.addresses.read(to)
    if not send_test(address.written, list_name=list_name, as_json=as_json):
        raise typer.Exit(1)


def send_test(to: str, *, list_name: str = DEFAULT_LIST, as_json: bool = False) -> bool:
    """Send a test message and print the result; return whether the relay accepted it."""
    from paperround.delivery.status_text import redact_addresses
    from paperround.self_service.preview import send_test as run

    context = runtime()
    address = context.addresses.read(to)
    notice = run(context.post(), context.identity, address, list_name, now=context.clock.now())
    value = pick_fields(notice, "state reason message_id")
    value["reply"] = redact_addresses(notice.reply)
    value["holds"] = "edition" if "edition" in notice.payload else "words"
    words = "a few words (there is no edition)"
    what = "the newest edition" if value["holds"] == "edition" else words
    is_sent, reply, relay = notice.state == "sent", value["reply"], context.settings.relay
    end = "sent" if is_sent else f"not accepted ({value['reason']})"
    is_shown = not reply or (not is_sent and reply in value["reason"])
    lines = [f"test mail with {what}: {end}{'' if is_shown else f': {reply}'}"]
    if is_sent and relay.startswith("outbox:"):
        lines.append(f"  it is kept in {relay.removeprefix('outbox:')}")
    print_result(value, lines, as_json=as_json)
    return is_sent


def hold_lines(pace: "PaceStatus") -> Iterator[str]:
    """Yield a line for each reason why mail is held, with the way out."""
    from paperround.delivery.holds import ALLOW, LACKS_KEYS
    from paperround.delivery.rate_limits import UNREACHED
    from paperround.delivery.restore_guard import WAS_PUT_BACK, WAY_OUT

    if pace.is_held:
        yield "digests are HELD: the clock leapt forward; `paperround digest resume` if it is right"
    if pace.lacks_keys:
        yield f"{LACKS_KEYS}; put the keys back, or {ALLOW}"
    if pace.was_put_back:
        yield f"{WAS_PUT_BACK}; {WAY_OUT}"
    if pace.unreached is not None:
        yield f"{UNREACHED}: {pace.unreached}; mail waits and is tried again"


def _list_as_json(one: "ListStatus") -> dict[str, Any]:
    paused_at = one.mailing_list.paused_at
    names = "cut cut_at frozen_at papers empty_reason cancelled_at"
    return {
        "list": one.mailing_list.name,
        "zone": one.mailing_list.zone,
        "subscribers": one.subscribers,
        "paused_at": paused_at,
        "next_cut_at": one.next_cut_at,
        "due_within_24h": one.due_soon,
        "mails": one.backlog.by_state,
        **progress_as_json(one.progress, one.late, is_paused=paused_at is not None),
        "oldest_due_at": one.backlog.oldest_due,
        "last_sent_at": one.last_sent_at,
        "editions": [
            {"date": it.day, **pick_fields(it, names), "mails": it.by_state} for it in one.editions
        ],
        "reasons": [asdict(tally) for tally in one.reasons],
        "feeds": [pick_fields(feed, "name health reason") for feed in one.feeds],
        "channels": [
            {**pick_fields(it, "name state"), "kind": it.hook.kind, "reason": it.stopped_why}
            for it in one.channels
        ],
    }


def pace_as_json(pace: "PaceStatus") -> dict[str, Any]:
    """Return the rate limits and the reasons why mail is held."""
    return {
        "allowed": pace.allowed or None,
        "relay_rests_until": pace.relay.rests_until,
        "relay_reason": pace.relay.reason or None,
        "unreached": pace.unreached,
        "resting": [],  # domains rested in earlier releases
        "today": None if pace.today is None else {"left": pace.today[0], "of": pace.today[1]},
        "held": pace.is_held,
        "lacks_keys": pace.lacks_keys,
        "put_back": pace.was_put_back,
    }


def progress_as_json(
    progress: Progress, late: LateMails | None, *, is_paused: bool = False
) -> dict[str, Any]:
    """Return how many digests wait and how long they will take, null if unknown."""
    seconds = None if is_paused else progress.seconds_to_go
    return {
        "waiting_now": progress.waiting,
        "per_second": round(progress.per_second, 2) if progress.left else None,
        "measured_over_seconds": round(progress.over.total_seconds()),
        "seconds_to_go": None if seconds is None else round(seconds),
        "late": late
        and {
            "count": late.count,
            "least_minutes": round(late.least.total_seconds() / 60),
            "most_minutes": round(late.most.total_seconds() / 60),
            "because": late.because or None,
        },
    }
