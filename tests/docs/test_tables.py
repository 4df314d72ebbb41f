"""Tables of the documentation that list what there is list all of it, and nothing else."""

import re
from collections.abc import Iterable

import pytest

from paperround.access.model import Scope
from paperround.core.jobs import QueueName
from paperround.core.languages import LANGUAGES
from paperround.core.plugins import plugins
from paperround.editions.lists import ListLook, ListSettings
from paperround.feeds.formats.registry import READERS
from paperround.feeds.model import AlarmKind, FeedHealth
from paperround.feeds.presets import PRESETS
from paperround.papers.model import Show
from paperround.plugins.once.config import _Table as OnceFile
from paperround.subscribers.import_files import COLUMNS
from tests.docs.pages import ROOT, text_of


def first_column(page: str, heading: str) -> list[str]:
    """The code in the first column of the table of a page whose first heading is this."""
    table = re.search(
        rf"^\| {re.escape(heading)} \|.*\n\|[-|: ]+\|\n((?:\|.*\n)+)", text_of(page), re.M
    )
    assert table is not None, f"{page} has no table of {heading}"
    cells = [row.split("|")[1] for row in table[1].splitlines()]
    return [
        re.sub(r"^\[+|\]+$", "", one) for cell in cells for one in re.findall(r"`([^`]+)`", cell)
    ]


@pytest.mark.accept("F50", part="tables")
@pytest.mark.parametrize(
    ("page", "heading", "known"),
    [
        ("docs/api.md", "scope", Scope),
        ("docs/feeds.md", "field", PRESETS),
        ("docs/feeds.md", "health", FeedHealth),
        ("docs/feeds.md", "the feed has", AlarmKind),
        ("docs/feeds.md", "`--show`", Show),
        ("docs/feeds.md", "service", plugins("enrichers")),
        ("docs/formats.md", "format", READERS),
        ("docs/formats.md", "column", COLUMNS),
        ("docs/many-machines.md", "queue", QueueName),
        ("docs/once.md", "key", OnceFile.model_fields),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_table_lists_what_there_is(page: str, heading: str, known: Iterable[str]) -> None:
    assert sorted(first_column(page, heading)) == sorted(map(str, known))


@pytest.mark.accept("Q19", mutant="a-language-that-no-page-lists")
def test_the_page_on_languages_says_of_each_whether_a_native_speaker_has_read_it() -> None:
    assert first_column("docs/languages.md", "tag") == [*LANGUAGES]


def test_the_table_of_a_lists_fields_has_them_all() -> None:
    listed = {one for one in first_column("docs/lists.md", "field (`--option`)") if "--" not in one}
    fields = {"name", *ListSettings.__dataclass_fields__, *ListLook.__dataclass_fields__}
    assert listed == fields - {"look"}


NOT_BY_NAME = {"all other checks": "what is skipped when the settings are wrong"}


@pytest.mark.accept("C5", part="every check is documented")
def test_the_table_of_the_doctors_checks_has_them_all() -> None:
    folders = [
        ROOT / "src/paperround" / one
        for one in ("doctor", "plugins/doctor_checks", "plugins/channels")
    ]
    source = "".join(file.read_text() for one in folders for file in sorted(one.glob("*.py")))
    found = set(re.findall(r'\b(?:ok|warn|fail|skipped)\(\s*"([a-z -]+)"', source))
    listed = set(first_column("docs/doctor.md", "check"))
    assert found - NOT_BY_NAME.keys() <= listed
    assert [one for one in listed - found if f'{one.split()[-1]}"' not in source] == []
