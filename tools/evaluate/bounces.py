"""`python -m tools.evaluate bounces`: the classification of returned emails, next to baselines.

hard_recall      the share of emails with a hard bounce whose address is detected as gone
provider_recall  the same, averaged over providers: an estimate for an unseen provider
false_stops      emails that would wrongly stop a subscriber on their own
likely_stops     emails that would wrongly stop a subscriber if two came on different days
unclassified     emails that were not understood and are kept for an operator to look at
raised           emails that raised an exception

The patterns in `bounces/patterns.py` are not fitted to these emails. So there is no test set of
held-out providers; the figures are shown by provider instead.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paperround.bounces.model import ReportKind
from paperround.bounces.reports import read_returned
from paperround.core.errors import InvalidInput
from paperround.delivery.model import Evidence
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Row, read_rows
from paperround.evaluate.report import Figure, Numbers, Report, mean_of

TASK = "bounces"

_STOPPING = frozenset({Evidence.GONE, Evidence.COMPLAINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An email with its labels. `hard` is None when it is not labelled."""

    raw: bytes
    kind: str
    hard: bool | None
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The result of a method for an email."""

    found: bool = False
    stops: bool = False
    likely: bool = False
    classified: bool = True
    raised: bool = False


_READING_FAILED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

Judge = Callable[[bytes], Judged]


def evaluate_bounces(messages: Path, labels: Path, baselines: Baselines) -> Report:
    """Classify every labelled email in `messages`, with our method and two simple ones.

    Raises InvalidInput when a file is missing or no email is labelled as a hard bounce.
    """
    mails = [_labelled(row, messages) for row in read_rows(labels)]
    if not any(mail.hard for mail in mails):
        raise InvalidInput(f"{labels} labels no email as a hard bounce")
    ours = [_ours(mail.raw) for mail in mails]
    others = {} if baselines is Baselines.NONE else _OTHERS
    recalls = _recalls(zip(mails, ours, strict=True))
    by_provider = (
        f"{name or 'unnamed'} {found}/{total}" for name, (found, total) in recalls.items()
    )
    return Report(
        task=TASK,
        metrics=_figures(mails, ours),
        baselines={
            name: {
                metric: figure.value
                for metric, figure in _figures(mails, [judge(mail.raw) for mail in mails]).items()
            }
            for name, judge in others.items()
        },
        notes=(
            f"{len(mails)} emails, {sum(bool(mail.hard) for mail in mails)} with a hard bounce",
            f"hard bounces found by provider: {', '.join(by_provider)}",
            "a stop is an email that alone would stop its reader; a likely stop takes two",
        ),
    )


def _labelled(row: Row, messages: Path) -> Labelled:
    name = str(row.get("file", ""))
    try:
        raw = (messages / name).read_bytes()
    except OSError as error:
        raise InvalidInput(f"{messages / name}: {error.strerror or error}") from error
    return Labelled(
        raw=raw,
        kind=str(row.get("kind", "")),
        hard=_hard(row),
        provider=str(row.get("engine") or ""),
    )


def _hard(row: Row) -> bool | None:
    """Whether any recipient has a hard bounce; False for emails that are not bounces."""
    expected = row.get("expected")
    if isinstance(expected, list) and expected:
        return any(bool(one.get("hard_bounce")) for one in expected if isinstance(one, Mapping))
    return None if row.get("kind") == "bounce" else False


def _ours(raw: bytes) -> Judged:
    try:
        returned = read_returned(raw)
    except _READING_FAILED:  # counted: no email should raise
        return Judged(classified=False, raised=True)
    return Judged(
        found=returned.evidence.is_hard,
        stops=returned.evidence in _STOPPING,
        likely=returned.evidence is Evidence.LIKELY_GONE,
        classified=returned.kind is not ReportKind.QUARANTINED,
    )


_FIRST_CODE = re.compile(rb"\b([45])\.\d{1,3}\.\d{1,3}\b")
_STATUS_FIELD = re.compile(rb"^status:\s*5\.1\.[1-6]\b", re.I | re.M)


def _first_code(raw: bytes) -> Judged:
    """Use the first enhanced status code in the email, as newsletter programs do."""
    match = _FIRST_CODE.search(raw)
    hard = match is not None and match[1] == b"5"
    return Judged(found=hard, stops=hard, classified=match is not None)


def _status_field(raw: bytes) -> Judged:
    """Check for a Status field of 5.1.1 to 5.1.6 in a delivery report."""
    hard = _STATUS_FIELD.search(raw) is not None
    return Judged(found=hard, stops=hard, classified=hard)


_OTHERS: Mapping[str, Judge] = {"first_code": _first_code, "status_field": _status_field}


def _figures(mails: Sequence[Labelled], judged: Sequence[Judged]) -> dict[str, Figure]:
    pairs = list(zip(mails, judged, strict=True))
    hard = [(mail, found) for mail, found in pairs if mail.hard]
    return {
        "hard_recall": mean_of(_numbers(found.found for _, found in hard)),
        "provider_recall": mean_of(
            np.array([found / total for found, total in _recalls(pairs).values()])
        ),
        "false_stops": _count(
            found.stops and mail.hard is False and mail.kind != "complaint" for mail, found in pairs
        ),
        "likely_stops": _count(found.likely and mail.hard is False for mail, found in pairs),
        "unclassified": _count(not found.classified for _, found in pairs),
        "raised": _count(found.raised for _, found in pairs),
    }


def _recalls(pairs: Iterable[tuple[Labelled, Judged]]) -> dict[str, tuple[int, int]]:
    """Return the detected and all hard bounces by provider."""
    recalls: dict[str, tuple[int, int]] = {}
    for mail, judged in pairs:
        if mail.hard:
            found, total = recalls.get(mail.provider, (0, 0))
            recalls[mail.provider] = (found + judged.found, total + 1)
    return dict(sorted(recalls.items()))


def _numbers(found: Iterable[bool]) -> Numbers:
    return np.array([float(one) for one in found])


def _count(found: Iterable[bool]) -> Figure:
    """Return the number of true values, with its bootstrap interval."""
    numbers = _numbers(found)
    mean = mean_of(numbers)
    size = len(numbers)
    return Figure(value=float(numbers.sum()), low=mean.low * size, high=mean.high * size)
