"""Which values the settings of each source may have, for whoever writes a form for them.

The sources themselves refuse what is wrong; this only says what is right. A setting that is missing
here is any text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from paperround.sources.arxiv_categories import categories, sets
from paperround.sources.arxiv_feed import NEW, TYPES
from paperround.sources.arxiv_live import BASES
from paperround.sources.arxiv_oai import DAYS as OAI_DAYS
from paperround.sources.arxiv_oai import FORMATS
from paperround.sources.biorxiv_live import SERVERS
from paperround.sources.biorxiv_subjects import SUBJECTS
from paperround.sources.polling import DEFAULT_DAYS, MOST_DAYS

Values = Mapping[str, str]
"""Allowed values with a title each, empty where the value says it."""


def _none() -> Values:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a setting may be: one of `values`, several of them with commas (`many`), or a whole
    number from `low` to `high`."""

    values: Callable[[], Values] = _none
    many: bool = False
    needed: bool = False
    default: str | None = None
    low: int | None = None
    high: int | None = None


def _plain(names: tuple[str, ...]) -> Callable[[], Values]:
    return lambda: dict.fromkeys(names, "")


def _categories() -> Values:
    return {one.name: one.title for one in categories().values()}


def _sets() -> Values:
    return dict.fromkeys(sorted(sets()), "")


def _subjects() -> Values:
    return dict.fromkeys(sorted(SUBJECTS), "")


def _days(default: str) -> Choice:
    return Choice(default=default, low=0, high=MOST_DAYS)


CHOICES: Mapping[str, Mapping[str, Choice]] = MappingProxyType(
    {
        "hf-daily": {"days": _days(str(DEFAULT_DAYS))},
        "arxiv": {
            "categories": Choice(values=_categories, many=True, needed=True),
            "via": Choice(values=_plain(tuple(BASES)), default="rss"),
            "include": Choice(values=_plain(TYPES), many=True, default=",".join(NEW)),
            "days": _days(str(DEFAULT_DAYS)),
        },
        "arxiv-oai": {
            "sets": Choice(values=_sets, many=True, needed=True),
            "format": Choice(values=_plain(FORMATS), default=FORMATS[0]),
            "days": _days(OAI_DAYS),
        },
        "biorxiv": {
            "server": Choice(values=_plain(SERVERS), many=True, default=SERVERS[0]),
            "categories": Choice(values=_subjects, many=True),
            "days": _days(str(DEFAULT_DAYS)),
        },
    }
)
NEEDS_URL = frozenset({"feed"})
"""Kinds without an address of their own."""


def choice_of(kind: str, setting: str) -> Choice:
    """What the setting may be."""
    return CHOICES.get(kind, {}).get(setting, Choice())
