"""What a check found: a word, one sentence, and the way out."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from paperround.core.errors import PaperroundError


class Level(StrEnum):
    """`warn`: it works, and somebody should look. `fail`: something does not work, or soon will
    not. `skipped`: there was nothing to look at, or no way to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check. `lines` are to be copied as they are."""

    check: str
    level: Level
    says: str
    way_out: str = ""
    lines: tuple[str, ...] = ()


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check=check, level=Level.OK, says=says)


def warn(check: str, says: str, way_out: str = "", *lines: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(check=check, level=Level.WARN, says=says, way_out=way_out, lines=lines)


def fail(check: str, says: str, way_out: str = "", *lines: str) -> Finding:
    """It does not work, or soon will not."""
    return Finding(check=check, level=Level.FAIL, says=says, way_out=way_out, lines=lines)


def skipped(check: str, says: str, way_out: str = "", *lines: str) -> Finding:
    """There was nothing to look at, or no way to."""
    return Finding(check=check, level=Level.SKIPPED, says=says, way_out=way_out, lines=lines)


def tried(check: str, look: Callable[[], Finding], way_out: str = "") -> Finding:
    """What `look` found; an error of ours or of the system is what it found, too."""
    try:
        return look()
    except (PaperroundError, OSError) as error:
        return fail(check, str(error), way_out)


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing failed."""
    return all(one.level is not Level.FAIL for one in findings)
