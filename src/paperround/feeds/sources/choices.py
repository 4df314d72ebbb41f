"""Which values the settings of each source may have, for whoever writes a form for them.

The sources themselves refuse what is wrong; this only says what is right. A setting without values
is any text, as its example.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from paperround.feeds.formats.arxiv_feed import NEW, TYPES
from paperround.feeds.formats.hugging_face import PeriodKind
from paperround.feeds.sources.arxiv import BASES
from paperround.feeds.sources.arxiv_categories import categories, sets
from paperround.feeds.sources.arxiv_oai import DAYS as OAI_DAYS
from paperround.feeds.sources.arxiv_oai import FORMATS
from paperround.feeds.sources.base import DEFAULT_DAYS, MOST_DAYS
from paperround.plugins.biorxiv.record import SUBJECTS
from paperround.plugins.biorxiv.source import SERVERS
from paperround.plugins.crossref.source import EXAMPLE as CROSSREF_EXAMPLE
from paperround.plugins.openalex.source import DAYS as OPENALEX_DAYS
from paperround.plugins.openalex.source import EXAMPLE as OPENALEX_EXAMPLE
from paperround.plugins.semantic_scholar.source import DAYS as SEMANTIC_SCHOLAR_DAYS
from paperround.plugins.semantic_scholar.source import FIELDS

Values = Mapping[str, str]
"""Allowed values with a title each, empty where the value says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChoice:
    """What a setting may be: one of `values`, several of them with commas (`many`), a whole number
    from `low` to `high`, or any text such as `example`."""

    values: Callable[[], Values] = dict
    many: bool = False
    needed: bool = False
    default: str | None = None
    low: int | None = None
    high: int | None = None
    example: str | None = None


def _plain(names: tuple[str, ...]) -> Callable[[], Values]:
    return lambda: dict.fromkeys(names, "")


def _days(default: int = DEFAULT_DAYS, *, low: int = 0) -> SettingChoice:
    return SettingChoice(default=str(default), low=low, high=MOST_DAYS)


CHOICES: Mapping[str, Mapping[str, SettingChoice]] = MappingProxyType(
    {
        "hf-daily": {
            "days": _days(),
            "period": SettingChoice(values=_plain(tuple(PeriodKind)), default=PeriodKind.DAY.value),
        },
        "arxiv": {
            "categories": SettingChoice(
                values=lambda: {one.name: one.title for one in categories().values()},
                many=True,
                needed=True,
            ),
            "via": SettingChoice(values=_plain(tuple(BASES)), default="rss"),
            "include": SettingChoice(values=_plain(TYPES), many=True, default=",".join(NEW)),
            "days": _days(),
        },
        "arxiv-oai": {
            "sets": SettingChoice(
                values=lambda: dict.fromkeys(sorted(sets()), ""), many=True, needed=True
            ),
            "format": SettingChoice(values=_plain(FORMATS), default=FORMATS[0]),
            "days": _days(OAI_DAYS),
        },
        "biorxiv": {
            "server": SettingChoice(values=_plain(SERVERS), many=True, default=SERVERS[0]),
            "categories": SettingChoice(values=_plain(tuple(sorted(SUBJECTS))), many=True),
            "days": _days(),
        },
        "openalex": {
            "filter": SettingChoice(example=OPENALEX_EXAMPLE),
            "search": SettingChoice(example="graph neural network"),
            "days": _days(OPENALEX_DAYS),
        },
        "crossref": {
            "filter": SettingChoice(example=CROSSREF_EXAMPLE),
            "query": SettingChoice(example="graph neural network"),
            "days": _days(),
        },
        "semantic-scholar": {
            "query": SettingChoice(needed=True, example='"graph neural network" | transformer'),
            "fields": SettingChoice(values=_plain(FIELDS), many=True),
            "days": _days(SEMANTIC_SCHOLAR_DAYS),
        },
        "pubmed": {
            "query": SettingChoice(needed=True, example="asthma AND review[pt]"),
            "days": _days(low=1),
        },
        "feed": {},
    }
)
NEEDS_URL = frozenset({"feed"})
"""Kinds without an address of their own."""


def choice_of(kind: str, setting: str) -> SettingChoice:
    """What the setting may be."""
    return CHOICES.get(kind, {}).get(setting, SettingChoice())
