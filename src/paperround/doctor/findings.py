"""The finding of a check: a level, a sentence, and how to fix it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from paperround.core.errors import PaperroundError
from paperround.delivery.system_mail_model import Alert


class Level(StrEnum):
    """`warn`: it works, but needs attention. `fail`: it does not work, or soon will not. `skipped`:
    there was nothing to check, or no way to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check. `lines` are for you to copy verbatim."""

    check: str
    level: Level
    says: str
    way_out: str = ""
    lines: tuple[str, ...] = ()


def ok(check: str, says: str) -> Finding:
    """Return a finding: it works."""
    return Finding(check=check, level=Level.OK, says=says)


def warn(check: str, says: str, way_out: str = "", *lines: str) -> Finding:
    """Return a finding: it works, but needs attention."""
    return Finding(check=check, level=Level.WARN, says=says, way_out=way_out, lines=lines)


def fail(check: str, says: str, way_out: str = "", *lines: str) -> Finding:
    """Return a finding: it does not work, or soon will not."""
    return Finding(check=check, level=Level.FAIL, says=says, way_out=way_out, lines=lines)


def skipped(check: str, says: str, way_out: str = "", *lines: str) -> Finding:
    """Return a finding: there was nothing to check, or no way to."""
    return Finding(check=check, level=Level.SKIPPED, says=says, way_out=way_out, lines=lines)


def run_check(check: str, look: Callable[[], Finding], way_out: str = "") -> Finding:
    """Return what `look` finds. A PaperroundError or OSError becomes a failure."""
    try:
        return look()
    except (PaperroundError, OSError) as error:
        return fail(check, str(error), way_out)


def findings_of(check: str, alerts: Iterable[Alert]) -> list[Finding]:
    """Return alerts as findings: a failure if the problem stops mail, else a warning."""
    return [
        (fail if one.stops_mail else warn)(check, one.subject, " ".join(one.lines))
        for one in alerts
    ]


def is_well(findings: list[Finding]) -> bool:
    """Return whether no check failed."""
    return all(one.level is not Level.FAIL for one in findings)
