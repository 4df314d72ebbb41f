"""What `digest status` says of the pace."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from paperround.domain.pacing_words import duration_in_words, per_second_in_words
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from datetime import datetime

    from paperround.domain.status import LateMails, Progress
    from paperround.jobs.pace_status import PaceStatus

MOST_NAMED = 5


def pace_lines(pace: "PaceStatus") -> Iterator[str]:
    """How the way out stands; nothing where there is nothing to say."""
    from paperround.jobs.put_back import WAS_PUT_BACK, WAY_OUT
    from paperround.jobs.signing import ALLOW, LACKS_KEYS
    from paperround.jobs.unreached import UNREACHED

    if pace.is_held:
        yield "digests are HELD: the clock leapt forward; `paperround digest resume` if it is right"
    if pace.lacks_keys:
        yield f"{LACKS_KEYS}; put the keys back, or {ALLOW}"
    if pace.was_put_back:
        yield f"{WAS_PUT_BACK}; {WAY_OUT}"
    if pace.allowed:
        yield f"the relay allows {pace.allowed}"
    if pace.relay.is_probing:
        until = pace.relay.rests_until
        rests = f"rests until {format_instant(until)}" if until else "is tried with one mail"
        yield f"the relay {rests}: {pace.relay.reason}"
    if pace.unreached is not None:
        yield f"{UNREACHED}: {pace.unreached}; mail waits and is tried again"
    if pace.resting:
        names = [
            f"{name} until {format_instant(flow.rests_until)} ({flow.reason})"
            for name, flow in sorted(pace.resting.items())
            if flow.rests_until is not None
        ]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        domains = counted(len(names), "domain")
        yield f"{domains} at rest: {', '.join(names[:MOST_NAMED])}{more}"
    if pace.today is not None:
        left, allowance = pace.today
        yield f"a new domain warms up: out today {left:,} of {counted(allowance, 'mail')}"


def progress_line(progress: "Progress", *, is_paused: bool = False) -> str | None:
    """How many wait and how long they take, as far as the record says; None when none wait."""
    if not progress.waiting:
        return None
    if is_paused:
        return f"waiting now: {progress.waiting:,}, until sending is resumed"
    seconds = progress.seconds_to_go
    if seconds is None:
        lately = duration_in_words(progress.over)
        return (
            f"waiting now: {progress.waiting:,}; none left in the last {lately}, so nobody can say "
            "how long they take"
        )
    length = duration_in_words(timedelta(seconds=seconds))
    pace = per_second_in_words(progress.per_second)
    return f"waiting now: {progress.waiting:,}, about {length} at {pace}"


def late_line(late: "LateMails") -> str:
    """Which came late, and why where it is known."""
    least, most = (round(one.total_seconds() / 60) for one in (late.least, late.most))
    span = f"{least} to {most} minutes" if least < most else counted(most, "minute")
    because = f" because {late.because}" if late.because else ""
    return f"{counted(late.count, 'reader')} got theirs {span} late{because}"


def pace_as_json(pace: "PaceStatus") -> dict[str, Any]:
    """The same for programs."""
    relay = pace.relay
    return {
        "allowed": pace.allowed or None,
        "relay_rests_until": _instant(relay.rests_until),
        "relay_reason": relay.reason or None,
        "unreached": pace.unreached,
        "resting": [
            {"domain": name, "until": _instant(flow.rests_until), "reason": flow.reason}
            for name, flow in sorted(pace.resting.items())
        ],
        "today": None if pace.today is None else {"left": pace.today[0], "of": pace.today[1]},
        "held": pace.is_held,
        "lacks_keys": pace.lacks_keys,
        "put_back": pace.was_put_back,
    }


def progress_as_json(
    progress: "Progress", late: "LateMails | None", *, is_paused: bool = False
) -> dict[str, Any]:
    """The same for programs; what is not known is null."""
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


def _instant(moment: "datetime | None") -> str | None:
    return None if moment is None else format_instant(moment)
