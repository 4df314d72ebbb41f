"""arXiv's archives and categories, as its page "Category Taxonomy" names them.

`arxiv_categories.csv` beside this module holds one a line: its name (`cs.LG`, `hep-th`), the group
its archive belongs to (the first part of an OAI-PMH set), and its title. An archive with categories
(`cs`) stands for all of them. Add a line when arXiv adds a category; until then its announcements
can be read by a feed of the kind `feed`.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from types import MappingProxyType
from urllib.parse import quote_plus

from paperround.feeds.model import PublicAddress

_MOST_NEAR = 3
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category of arXiv, or an archive of several: `name` is unique, `title` is not."""

    name: str
    group: str
    title: str

    @property
    def archive(self) -> str:
        """The part before the dot: an archive is its own."""
        return self.name.partition(".")[0]

    @property
    def subject(self) -> str:
        """The part behind the dot, empty for an archive."""
        return self.name.partition(".")[2]


@cache
def categories() -> Mapping[str, Category]:
    """Every archive and category by its name, in arXiv's order."""
    text = resources.files(__package__).joinpath("arxiv_categories.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({row["name"]: Category(**row) for row in rows})


@cache
def sets() -> frozenset[str]:
    """Every set of arXiv's OAI-PMH: `cs`, `physics:hep-th`, `cs:cs:LG`."""
    return frozenset(name for one in categories().values() for name in _sets_of(one))


def _sets_of(one: Category) -> list[str]:
    names = [one.group, f"{one.group}:{one.archive}"]
    return [*names, f"{names[1]}:{one.subject}"] if one.subject else names


def near(wrong: str) -> tuple[str, ...]:
    """The categories somebody may have meant, the likeliest first; none for what resembles none.

    A name in other letters, else a title, else the same subject of another archive with those that
    share its title (`cs.ML`: stat.ML is Machine Learning, and so is cs.LG), else what is spelt
    alike.
    """
    asked = wrong[:_LONGEST].casefold().strip()
    every = categories().values()
    for found in (
        [one.name for one in every if one.name.casefold() == asked],
        [one.name for one in every if one.title.casefold() == asked],
        _of_subject(asked),
    ):
        if found:
            return tuple(found[:_MOST_NEAR])
    lowered = {one.name.casefold(): one.name for one in every}
    return tuple(lowered[one] for one in get_close_matches(asked, lowered, n=_MOST_NEAR))


def _of_subject(asked: str) -> list[str]:
    """The subject of `asked` elsewhere, those of its own archive first."""
    archive, _, subject = asked.partition(".")
    if not subject:
        return []
    every = categories().values()
    titles = {one.title for one in every if one.subject.casefold() == subject}
    found = [one for one in every if one.title in titles]
    return [one.name for one in sorted(found, key=lambda one: one.archive != archive)]


def hint(wrong: str) -> str:
    """What to write instead of `wrong`, as the end of a sentence."""
    found = near(wrong)
    if not found:
        return "`paperround feeds categories` lists them"
    return f"did you mean {', '.join(found)}?"


def matching(pattern: str) -> list[Category]:
    """Those whose name or title holds `pattern`, in arXiv's order; all of them for none."""
    asked = pattern.casefold()
    return [one for one in categories().values() if asked in f"{one.name} {one.title}".casefold()]


def announcements_of(categories: Sequence[str]) -> PublicAddress:
    """Where arXiv announces the new papers of these categories."""
    if not categories:
        return PublicAddress(page="https://arxiv.org/")
    return PublicAddress(
        feed=f"https://rss.arxiv.org/atom/{'+'.join(map(quote_plus, categories))}",
        page=f"https://arxiv.org/list/{quote_plus(categories[0])}/new",
    )
