"""Holding digests when the clock leapt forward, until it is right again or somebody says go.

A tick remembers when this machine was started by its clock. A step of more than 36 hours between
two ticks of one running is no pause of ours. Believed, it would give up a day's digests as missed
and send the next day's a day early; so nothing is planned and no digest leaves. A machine that was
off, or asleep, is told from that: then digests go on by themselves.
"""

from datetime import datetime

from paperround.domain.notices import Alert
from paperround.domain.times import Boot, format_instant, has_leapt
from paperround.jobs.transactions import write
from paperround.store.unit_of_work import Database, UnitOfWork

HOLD = "hold"
CLOCK = "clock"
HELD = "digests are held: the clock leapt forward; if it is right, `paperround digest resume`"


def watch(database: Database, boot: Boot | None, *, now: datetime) -> bool:
    """Whether digests are held, having looked at the clock. Where nothing is known of the machine
    only what was found before counts."""

    def look(work: UnitOfWork) -> bool:
        if boot is None:
            return is_held(work)
        known = work.slots.last_beat(_name(boot))
        if has_leapt(known, boot.started(now)):
            work.slots.take(HOLD, CLOCK, now=now)
            return True
        if known is not None:
            work.slots.give_back(HOLD, CLOCK)
        work.slots.beat(_name(boot), now=boot.started(now))
        return is_held(work)

    return write(database, look)


def is_held(work: UnitOfWork) -> bool:
    """Whether digests are held."""
    return work.slots.taken_at(HOLD, CLOCK) is not None


def is_suspect(work: UnitOfWork, boot: Boot | None, *, now: datetime) -> bool:
    """Whether digests are held, or would be if something ticked now."""
    if boot is None:
        return is_held(work)
    return is_held(work) or has_leapt(work.slots.last_beat(_name(boot)), boot.started(now))


def let_go(database: Database, boot: Boot | None, *, now: datetime) -> bool:
    """The clock is right, somebody says: go on. False when nothing was held."""

    def go_on(work: UnitOfWork) -> bool:
        if boot is not None:
            work.slots.beat(_name(boot), now=boot.started(now))
        return work.slots.give_back(HOLD, CLOCK)

    return write(database, go_on)


def leapt(work: UnitOfWork, *, now: datetime) -> list[Alert]:
    """The alert while digests are held."""
    since = work.slots.taken_at(HOLD, CLOCK)
    if since is None:
        return []
    return [
        Alert(
            key=f"clock/{format_instant(since)}",
            subject="Digests are held: this machine's clock leapt forward",
            lines=(
                f"It says {format_instant(now)}. By how long this machine runs that is wrong.",
                "Set it right, and digests go on by themselves.",
                "If it is right, say so: `paperround digest resume`.",
            ),
            stops_mail=True,
        )
    ]


def _name(boot: Boot) -> str:
    return f"boot/{boot.name}"
