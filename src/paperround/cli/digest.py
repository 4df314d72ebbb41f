"""`paperround digest`: preview, send, pause, cancel and resend digests, and show their status."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import editing
from paperround.cli.options import (
    AnyList,
    AsJson,
    Day,
    ListName,
    Now,
    Yes,
    actor,
    address_of,
    agree,
    day_option,
    runtime,
    switch,
    takes,
    where_mail_is_kept,
)
from paperround.cli.output import (
    counts,
    outline_lines,
    pick_fields,
    print_list,
    print_result,
    to_json,
)
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.editions.lists import DEFAULT_LIST, MANUAL_CUT

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.delivery.status import LateMails, Progress
    from paperround.digests.cancel import Cancelled
    from paperround.digests.publish import PublishReport
    from paperround.ops.status import ListStatus, PaceStatus

app = typer.Typer(help="Review, send, pause, cancel and resend digests.", no_args_is_help=True)
app.command("preview")(editing.preview)
app.command("hold")(editing.hold)
app.command("approve")(editing.approve)
app.command("drop")(editing.drop)
app.command("pin")(editing.pin)
app.command("note")(editing.note)
app.command("why")(editing.why)


@app.command()
def pause(list_name: AnyList = None, as_json: AsJson = False) -> None:
    """Stop sending digests until `digest resume`. Emails in flight are finished; confirmations are
    still sent."""
    from paperround.digests.cancel import pause as run

    context = runtime()
    names = run(context.database, list_name, now=context.clock.now(), by=actor())
    line = f"paused: {', '.join(names)}" if names else f"{NOTHING}: sending is paused already"
    print_result({"paused": names}, line, as_json=as_json)


@app.command()
def resume(
    list_name: AnyList = None,
    unsigned: Annotated[
        bool, switch("--unsigned", "Only allow unsigned email while the DKIM keys are missing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Resume paused lists and held digests. Digests are held after a clock jump, or if an older
    copy of the database may be in use. Digests more than 20 hours late are not sent."""
    from paperround.delivery.holds import allow_unsigned, release_digests
    from paperround.digests.cancel import resume as run
    from paperround.editions.store.lists import ListStore

    context = runtime()
    now = context.clock.now()
    if unsigned:
        changed = allow_unsigned(context.database, now=now, by=actor())
        print_result({"unsigned": changed}, UNSIGNED[changed], as_json=as_json)
        return
    lines: list[str] = []
    was_put_back = context.send_marks.resume(context.database, now=now, by=actor())
    if was_put_back is not None:
        lines.append(f"an older copy of the database may be in use; {was_put_back}")
    if release_digests(context.database, context.boot(), now=now, by=actor()):
        lines.append("the clock is accepted as right: digests are sent again")
    with context.database.reading() as work:
        was_restored = {one.name for one in work[ListStore].all() if one.is_held_by_restore}
    names = run(context.database, list_name, now=now, by=actor())
    lines.append(f"resumed: {', '.join(names)}" if names else f"{NOTHING}: nothing is paused")
    if was_restored.intersection(names):
        lines.append(FOR_THOSE_WITHOUT)
    print_result({"resumed": names}, lines, as_json=as_json)


NOTHING = "nothing to do"
FOR_THOSE_WITHOUT = (
    "who got no digest since the copy was made is unknown: `paperround digest missed "
    "--include-unknown --send` sends it again, also to those who have it"
)
UNSIGNED = {
    True: "email may be sent unsigned until a key signs it again",
    False: f"{NOTHING}: no signed email was sent, and none is held for lack of a key",
}


@app.command()
def cancel(
    list_name: ListName = DEFAULT_LIST,
    of_day: Annotated[date | None, day_option("The edition's date. Default: today.")] = None,
    cut: Annotated[
        str | None,
        takes(
            "--cut",
            "CUT",
            "0-3 or manual. Default: the newest edition, and those with unsent digests.",
        ),
    ] = None,
    reason: Annotated[
        str, takes("--reason", "TEXT", "Shown to readers on the edition's page.")
    ] = "",
    undo: Annotated[
        bool, switch("--undo", "Undo the cancellation, if nothing was planned instead.")
    ] = False,
    yes: Yes = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Stop sending an edition, and plan no more digests of it. What was sent cannot be recalled.

    `digest missed` shows who did not get it, and can send it to them.
    """
    from paperround.digests.cancel import cancel as run
    from paperround.digests.cancel import editions_to_cancel
    from paperround.digests.cancel import undo as undo_cancel
    from paperround.web.admin_deliveries import CancelledAnswer, RestoredAnswer

    context = runtime(now)
    moment = context.clock.now()
    if undo:
        restored = undo_cancel(
            context.database, list_name, day=of_day, cut=cut, now=moment, by=actor()
        )
        columns, none = "list date cut queued", f"{NOTHING}: no edition of that date is cancelled"
        shown = map(RestoredAnswer.of, restored)
        print_list("restored", shown, columns, none=none, as_json=as_json)
        return
    found = editions_to_cancel(context.database, list_name, day=of_day, cut=cut, now=moment)
    if found:
        agree(yes, "Cancel this?", lines=map(_prospect_line, found))
    ended = run(
        context.database, list_name, day=of_day, cut=cut, now=moment, by=actor(), reason=reason
    )
    columns = "list date cut skipped gone fresh"
    none = f"{NOTHING}: every edition of that date is cancelled already"
    print_list("cancelled", map(CancelledAnswer.of, ended), columns, none=none, as_json=as_json)


def _prospect_line(one: "Cancelled") -> str:
    return (
        f"{one.list_name}, {one.day} ({one.cut}): {counted(one.skipped, 'digest')} will "
        f"not be sent; {one.gone:,} {'was' if one.gone == 1 else 'were'} sent, or may have been"
    )


@app.command()
def missed(
    list_name: ListName = DEFAULT_LIST,
    of_day: Annotated[
        date | None,
        day_option(
            "The date of the digest in its reader's time zone. Default: today in the list's."
        ),
    ] = None,
    send: Annotated[
        bool, switch("--send", "Plan a replacement for each; `deliver` sends them.")
    ] = False,
    include_unknown: Annotated[
        bool,
        switch(
            "--include-unknown",
            "Include uncertain deliveries: some of these people HAVE the digest and get it twice.",
        ),
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Show who did not get the digest of a date, and why. With --send, send it now.

    A replacement has the same papers; nobody gets a second one of that date. People who have since
    unsubscribed, paused or been suppressed get none. To resend a digest to one reader, use
    `subscribers resend WHO --date`."""
    from paperround.digests.resend import missed as run
    from paperround.digests.resend import send_missed

    context = runtime(now)
    moment = context.clock.now()
    if send:
        context.settings.require_sender()
        found = send_missed(
            context.database,
            list_name,
            identity=context.identity,
            day=of_day,
            now=moment,
            include_unknown=include_unknown,
            personal_ranking=context.personal_ranking,
            by=actor(),
        )
    else:
        found = run(
            context.database, list_name, day=of_day, now=moment, include_unknown=include_unknown
        )
    value = to_json(
        {
            "list": found.list_name,
            "date": found.day,
            "missed": [
                {"state": state, "reason": reason, "count": count}
                for (state, reason), count in sorted(found.by_reason.items())
            ],
            **pick_fields(found, "replaced unknown barred sendable planned"),
        }
    )
    sends = f"`--send` plans {counted(found.sendable, 'replacement')}"
    lines = [*outline_lines(value), *([sends] if found.sendable and not send else [])]
    if not found.by_reason:
        lines.append("nobody was missed")
    print_result(value, lines, as_json=as_json)


@app.command()
def send(
    list_name: ListName = DEFAULT_LIST,
    of_day: Day = None,
    dry_run: Annotated[
        bool, switch("--dry-run", "Show what would be planned; write nothing.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Publish now and plan a digest for every active subscription. `deliver` sends them.

    It does not wait for the hold of the list, which is for scheduled editions."""
    from paperround.digests.publish import publish

    context = runtime(now)
    context.settings.require_sender()
    report = publish(
        database=context.database,
        ranker=context.ranker,
        identity=context.identity,
        list_name=list_name,
        day=of_day,
        cut=MANUAL_CUT,
        now=context.clock.now(),
        dry_run=dry_run,
        gist=context.gist,
        personal_ranking=context.personal_ranking,
        by=actor(),
    )
    edition = report.edition
    value = {
        "edition": {
            "list": edition.list_name,
            "date": edition.day,
            "cut": edition.cut,
            "papers": len(edition.papers),
        },
        "planned": report.planned.rows,
        "skipped": dict(sorted(report.planned.skipped.items())),
        "added": report.added,
        "skipped_hold_minutes": report.skipped_hold_minutes,
    }
    print_result(value, _publish_lines(report, dry_run=dry_run), as_json=as_json)


def _publish_lines(report: "PublishReport", *, dry_run: bool) -> Iterator[str]:
    edition, planned = report.edition, report.planned
    papers, verb = counted(len(edition.papers), "paper"), "would plan" if dry_run else "planned"
    yield f"this run {verb} the digest of {counted(report.added, 'person', 'people')}"
    without = sum(planned.skipped.values())
    mails = counted(planned.rows - without, "digest")
    yield f"{edition.list_name}, {edition.day} ({edition.cut}): {papers}, {mails} in all"
    if report.skipped_hold_minutes:
        minutes = counted(report.skipped_hold_minutes, "minute")
        yield f"  not held: the hold of {minutes} is for scheduled editions, not for `digest send`"
    if edition.empty_reason:
        yield f"  empty because: {edition.empty_reason}"
    if without:
        yield f"  no digest for {without:,}: {counts(planned.skipped)}"
    if report.added and not dry_run:
        yield "`paperround deliver` sends them; a running `paperround serve` does so by itself"


@app.command()
def status(list_name: AnyList = None, now: Now = None, as_json: AsJson = False) -> None:
    """Show what was planned, sent and refused. Also shows why some people got no digest."""
    from paperround.doctor.schedule_check import check_schedule
    from paperround.ops.status import status as run

    context = runtime(now)
    found = run(
        context.database, list_name, now=context.clock.now(), pacing=context.settings.pacing
    )
    returns = pick_fields(found.returns, "since tried bounced complained resting quarantined")
    value = to_json(
        {
            "last_tick_at": found.last_tick_at,
            "ticking": found.is_ticking,
            "notices": asdict(found.notices),
            "pace": pace_as_json(found.pace),
            "lists": [_list_as_json(one) for one in found.lists],
            "returns": {**returns, "did": found.returns.effects},
            "signups": pick_fields(found.requests, "waiting oldest_due refused dropped"),
        }
    )
    schedule = check_schedule(found.last_tick_at, now=context.clock.now())
    lines = [
        *([] if found.is_ticking else [f"{schedule.says}; {schedule.way_out}"]),
        *hold_lines(found.pace),
        *outline_lines(value),
    ]
    print_result(value, lines, as_json=as_json)


@app.command("test")
def try_mail(
    to: Annotated[str, takes("--to", "EMAIL", "The address to send it to.")],
    list_name: ListName = DEFAULT_LIST,
    as_json: AsJson = False,
) -> None:
    """Send today's digest to one address now. It is not counted. Fails if it is refused."""
    if not send_test(to, list_name=list_name, as_json=as_json):
        raise typer.Exit(1)


def send_test(to: str, *, list_name: str = DEFAULT_LIST, as_json: bool = False) -> bool:
    """Send a test message and print the result; return whether the relay accepted it."""
    from paperround.delivery.status import redact_addresses
    from paperround.self_service.preview import send_test as run

    address = address_of(to, "--to")
    context = runtime()
    now = context.clock.now()
    notice = run(context.post(), context.identity, address, list_name, now=now, by=actor())
    value = pick_fields(notice, "state reason message_id")
    value["reply"] = redact_addresses(notice.reply)
    value["holds"] = "edition" if "edition" in notice.payload else "words"
    words = "a short text (there is no edition)"
    what = "the newest edition" if value["holds"] == "edition" else words
    is_sent, reply = notice.state == "sent", value["reply"]
    end = "sent" if is_sent else f"not accepted ({value['reason']})"
    is_shown = not reply or (not is_sent and reply in value["reason"])
    lines = [f"test email with {what}: {end}{'' if is_shown else f': {reply}'}"]
    if is_sent and context.settings.keeps_mail:
        lines.append(f"  {where_mail_is_kept(context.settings)}")
    print_result(value, lines, as_json=as_json)
    return is_sent


def hold_lines(pace: "PaceStatus") -> Iterator[str]:
    """Yield a line for each reason why email is held, with what to do about it."""
    from paperround.delivery.holds import ALLOW, HELD, LACKS_KEYS
    from paperround.delivery.rate_limits import describe_unreached
    from paperround.delivery.restore_guard import WAS_PUT_BACK, WAY_OUT

    if pace.is_held:
        yield HELD
    if pace.lacks_keys:
        yield f"{LACKS_KEYS}; put the keys back, or {ALLOW}"
    if pace.was_put_back:
        yield f"{WAS_PUT_BACK}; {WAY_OUT}"
    if pace.unreached is not None:
        yield f"{describe_unreached(pace.unreached)}; {tried_again(pace.next_try)}"


def tried_again(at: datetime | None) -> str:
    """Return when email that waits is tried again."""
    when = "tried soon" if at is None else f"next tried at {format_instant(at)}"
    return f"email waits and is {when}"


def _list_as_json(one: "ListStatus") -> dict[str, Any]:
    paused_at = one.mailing_list.paused_at
    names = "cut cut_at frozen_at empty_reason cancelled_at"
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
            {
                "date": it.day,
                **pick_fields(it, names),
                "papers": it.paper_count,
                "mails": it.by_state,
            }
            for it in one.editions
        ],
        "reasons": [asdict(tally) for tally in one.reasons],
        "feeds": [pick_fields(feed, "name health reason") for feed in one.feeds],
        **one.of_plugins,
    }


def pace_as_json(pace: "PaceStatus") -> dict[str, Any]:
    """Return the rate limits and the reasons why email is held."""
    return {
        "allowed": pace.allowed or None,
        "relay_rests_until": pace.relay.rests_until,
        "relay_reason": pace.relay.reason or None,
        "unreached": pace.unreached,
        "next_try": pace.next_try,
        "resting": [],  # domains rested in earlier releases
        "today": None if pace.today is None else {"left": pace.today[0], "of": pace.today[1]},
        "held": pace.is_held,
        "lacks_keys": pace.lacks_keys,
        "put_back": pace.was_put_back,
    }


def progress_as_json(
    progress: "Progress", late: "LateMails | None", *, is_paused: bool = False
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
