"""Look up arXiv's archives and categories, from its page "Category Taxonomy".

`arxiv_categories.csv` beside this module has one per line: the name (`cs.LG`, `hep-th`), the group
of its archive (the first part of an OAI-PMH set), and the title. An archive with categories (`cs`)
means all of them. Add a line when arXiv adds a category; until then a feed of the kind `feed` can
read its announcements.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from urllib.parse import quote_plus

from paperround.feeds.model import PublicAddress

_MOST_MATCHES = 3
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category of arXiv, or an archive of several. `name` is unique, `title` is not."""

    name: str
    group: str
    title: str

    @property
    def archive(self) -> str:
        """The part before the dot, or the name of an archive."""
        return self.name.partition(".")[0]

    @property
    def subject(self) -> str:
        """The part after the dot; empty for an archive."""
        return self.name.partition(".")[2]


@cache
def categories() -> Mapping[str, Category]:
    """Return every archive and category by name, in arXiv's order."""
    text = resources.files(__package__).joinpath("arxiv_categories.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["name"]: Category(**row) for row in rows}


def similar_categories(wrong: str) -> tuple[str, ...]:
    """Return the categories most similar to `wrong`, possibly none.

    Matches the name in another case, the title, and the same subject of another archive, with those
    sharing its title (`cs.ML`: stat.ML is Machine Learning, and so is cs.LG), else the spelling.
    """
    query = wrong[:_LONGEST].casefold().strip()
    subject = query.partition(".")[2] or None
    known = categories().values()
    titles = {
        one.title
        for one in known
        if query in (one.name.casefold(), one.title.casefold()) or subject == one.subject.casefold()
    }
    if found := [one.name for one in known if one.title in titles]:
        return tuple(found[:_MOST_MATCHES])
    lowered = {one.name.casefold(): one.name for one in known}
    return tuple(lowered[one] for one in get_close_matches(query, lowered, n=_MOST_MATCHES))


def hint(wrong: str) -> str:
    """Return what to write instead of `wrong`, as the end of a sentence."""
    found = ", ".join(similar_categories(wrong))
    return f"did you mean {found}?" if found else "`paperround feeds categories` lists them"


def matching(pattern: str) -> list[Category]:
    """Return the categories whose name or title contains `pattern`, in arXiv's order."""
    query = pattern.casefold()
    return [one for one in categories().values() if query in f"{one.name} {one.title}".casefold()]


def announcements_of(categories: Sequence[str]) -> PublicAddress:
    """Where arXiv announces the new papers of these categories."""
    if not categories:
        return PublicAddress(page="https://arxiv.org/")
    return PublicAddress(
        feed=f"https://rss.arxiv.org/atom/{'+'.join(map(quote_plus, categories))}",
        page=f"https://arxiv.org/list/{quote_plus(categories[0])}/new",
    )
