"""Papers by the place they had in the editions of a list, each once."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from paperround.domain.editions import EditionPaper


class Order(StrEnum):
    """Which place of a paper counts, and how papers are put in order by it.

    `arrived`  its first place; those that came last stand first
    `ranked`   the place with its highest score; the highest scores stand first
    """

    ARRIVED = "arrived"
    RANKED = "ranked"


class ListedBy(StrEnum):
    """How papers that were listed are put in order.

    `time`   those that were listed last stand first
    `votes`  those with the most votes now
    `score`  those with the highest score they had in an edition
    """

    TIME = "time"
    VOTES = "votes"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """Where one paper stood in one standing edition of a list."""

    list_name: str
    list_title: str
    day: date
    cut: str
    cut_at: datetime
    paper: EditionPaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A paper as it stood in one edition, and when that edition was frozen."""

    day: date
    cut: str
    frozen_at: datetime
    paper: EditionPaper
