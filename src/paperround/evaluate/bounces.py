"""`evaluate bounces`: what is made of mails that came back, beside what others would make of them.

hard_recall      of the mails with a hard bounce, the share whose address is found to be gone
provider_recall  the same, averaged over providers: what to expect of one that nobody has seen
false_stops      mails that would stop a reader by themselves, and should stop nobody
likely_stops     mails that would, two of them on different days, and should not
unclassified     mails that could not be understood and are kept for a person to look at
raised           mails that could not be read at all

Nothing is fitted to the mails: the words are tables in `bounces/patterns.py`. So no provider is
left out; the figures are told by provider instead.
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
from paperround.evaluate.methods import Baselines
from paperround.evaluate.papers import Row, read_rows
from paperround.evaluate.report import Figure, Numbers, Report, mean_of

TASK = "bounces"

_STOPPING = frozenset({Evidence.GONE, Evidence.COMPLAINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A mail with what is known of it. `hard` is None where nobody says."""

    raw: bytes
    kind: str
    hard: bool | None
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a method makes of a mail."""

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
    """Read every labelled mail in `messages`, ours beside two simple ways.

    Raises InvalidInput when a file is missing or nothing is labelled as a hard bounce.
    """
    mails = [_labelled(row, messages) for row in read_rows(labels)]
    if not any(mail.hard for mail in mails):
        raise InvalidInput(f"{labels} labels no mail as a hard bounce")
    ours = [_ours(mail.raw) for mail in mails]
    others = {} if baselines is Baselines.NONE else _OTHERS
    recalls = _recalls(zip(mails, ours, strict=True))
    told = (f"{name or 'unnamed'} {some}/{all_}" for name, (some, all_) in recalls.items())
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
            f"{len(mails)} mails, {sum(bool(mail.hard) for mail in mails)} with a hard bounce",
            f"hard bounces found by provider: {', '.join(told)}",
            "stops count where a mail alone would stop its reader; a likely one takes two",
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
    """Whether any recipient bounced for good; False too for a kind of mail that is no bounce."""
    expected = row.get("expected")
    if isinstance(expected, list) and expected:
        return any(bool(one.get("hard_bounce")) for one in expected if isinstance(one, Mapping))
    return None if row.get("kind") == "bounce" else False


def _ours(raw: bytes) -> Judged:
    try:
        returned = read_returned(raw)
    except _READING_FAILED:  # counted: no mail may be able to do this
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
    """As newsletter programs do: the first enhanced code in the mail decides."""
    match = _FIRST_CODE.search(raw)
    hard = match is not None and match[1] == b"5"
    return Judged(found=hard, stops=hard, classified=match is not None)


def _status_field(raw: bytes) -> Judged:
    """The status field of a delivery report says 5.1.1 or one of its kin."""
    hard = _STATUS_FIELD.search(raw) is not None
    return Judged(found=hard, stops=hard, classified=hard)


_OTHERS: Mapping[str, Judge] = {"first_code": _first_code, "status_field": _status_field}


def _figures(mails: Sequence[Labelled], judged: Sequence[Judged]) -> dict[str, Figure]:
    pairs = list(zip(mails, judged, strict=True))
    hard = [(mail, found) for mail, found in pairs if mail.hard]
    return {
        "hard_recall": mean_of(_numbers(found.found for _, found in hard)),
        "provider_recall": mean_of(
            np.array([found / all_ for found, all_ in _recalls(pairs).values()])
        ),
        "false_stops": _count(_is_false(*pair) for pair in pairs),
        "likely_stops": _count(found.likely and mail.hard is False for mail, found in pairs),
        "unclassified": _count(not found.classified for _, found in pairs),
        "raised": _count(found.raised for _, found in pairs),
    }


def _recalls(pairs: Iterable[tuple[Labelled, Judged]]) -> dict[str, tuple[int, int]]:
    """Of each provider with a hard bounce: how many were found, of how many."""
    found: dict[str, tuple[int, int]] = {}
    for mail, judged in pairs:
        if mail.hard:
            some, all_ = found.get(mail.provider, (0, 0))
            found[mail.provider] = (some + judged.found, all_ + 1)
    return dict(sorted(found.items()))


def _is_false(mail: Labelled, found: Judged) -> bool:
    return found.stops and mail.hard is False and mail.kind != "complaint"


def _numbers(found: Iterable[bool]) -> Numbers:
    return np.array([float(one) for one in found])


def _count(found: Iterable[bool]) -> Figure:
    """How many, with its interval over mails drawn again."""
    numbers = _numbers(found)
    mean = mean_of(numbers)
    size = len(numbers)
    return Figure(value=float(numbers.sum()), low=mean.low * size, high=mean.high * size)
