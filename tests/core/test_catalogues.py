"""Every language says everything, with the places of the English and all of its plural forms."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from paperround.core.errors import Misconfigured
from paperround.core.i18n import locale
from paperround.core.i18n.locale import catalogue_path, read_catalogue, translations
from paperround.core.languages import ENGLISH, LANGUAGES
from paperround.delivery.status import (
    DIGEST,
    WHY_NO_MAIL,
    WHY_THIN,
    email_kind_name,
    state_text,
)
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions import archive
from paperround.editions.model import DeliveryState
from paperround.editions.source_pages import ALARMS, BY_HAND, GONE, HEALTH
from paperround.papers.formatting import paper_links
from paperround.ranking.formula import _PARTS
from paperround.web.errors import BROKEN, ERRORS, NOT_HERE, NOWHERE
from paperround.web.preferences_form import FREQUENCIES
from paperround.web.signup import NO_DIGEST
from paperround.web.templates import _SIGNALS
from tests.core.unmarked import unmarked
from tools.words import OTHERS, TEMPLATE, faults, main, messages, renewed, written

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "templates"
TEMPLATES = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FOLDER.rglob("*")
    if path.suffix in (".html", ".txt", ".phrases") and "static" not in path.parts
)
EVERY = pytest.mark.parametrize("language", OTHERS)


@pytest.fixture(scope="module")
def said() -> Catalog:
    return messages(ROOT)


# --- the catalogues ----------------------------------------------------------------------------


@EVERY
@pytest.mark.accept("F26", part="words")
def test_a_catalogue_says_everything(said: Catalog, language: str) -> None:
    found = faults(read_catalogue(catalogue_path(language), language), said)
    assert found == [], "translate what is missing, then run ./run words"


@pytest.mark.slow
@EVERY
def test_a_catalogue_is_as_the_command_writes_it(said: Catalog, language: str) -> None:
    path = catalogue_path(language)
    assert path.read_bytes() == written(renewed(path, language, said)), "run ./run words"


def test_the_template_of_catalogues_is_as_the_command_writes_it(said: Catalog) -> None:
    assert (ROOT / "translations" / TEMPLATE).read_bytes() == written(said), "run ./run words"


def test_there_is_a_catalogue_for_every_language_and_no_other() -> None:
    files = {path.stem for path in (ROOT / "translations").glob("*.po")}
    assert files == set(LANGUAGES) - {ENGLISH}


@pytest.mark.slow
def test_the_command_keeps_what_is_translated_and_names_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("templates", "translations", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    assert main(tmp_path) == 0
    page = tmp_path / "templates" / "web" / "erased.html"
    page.write_text(page.read_text(encoding="utf-8") + '{{ _("Farewell.") }}', encoding="utf-8")
    assert main(tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{language}.po: not translated: Farewell." for language in OTHERS
    ]
    kept = (tmp_path / "translations" / "fr.po").read_text(encoding="utf-8")
    assert 'msgid "Farewell."\nmsgstr ""' in kept
    assert "Se désabonner" in kept


@pytest.mark.parametrize(
    ("english", "german", "fault"),
    [
        ("Sent by %(operator)s", "", "not translated"),
        ("Sent by %(operator)s", "Gesendet", "other places"),
        ("Sent by %(operator)s", "Gesendet von %(Betreiber)s", "other places"),
        ("Sent by %(operator)s", "100 % von %(operator)s", "other places"),
        ("Sent by %(operator)s", "Von %(operator)s ", "blanks around it"),
        ("Only <b>now</b>", "Nur jetzt", "other tags"),
        (("%(num)s paper", "%(num)s papers"), ("%(num)s Paper",), "plural forms"),
        (("%(num)s paper", "%(num)s papers"), ("%(num)s Paper", ""), "not translated"),
        (("%(num)s paper", "%(num)s papers"), ("ein Paper", "%(nun)s Papers"), "other places"),
    ],
)
def test_a_fault_of_a_translation_is_found(
    english: str | tuple[str, str], german: str | tuple[str, ...], fault: str
) -> None:
    template, made = Catalog(), Catalog(locale="de")
    template.add(english)
    made.add(english, german)
    assert any(fault in one for one in faults(made, template))


def test_what_nobody_says_any_more_is_found() -> None:
    made = Catalog(locale="de")
    made.add("Gone", "Fort")
    assert faults(made, Catalog()) == ["said by nobody: Gone"]


def test_a_catalogue_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    broken = tmp_path / "de.po"
    broken.write_text('msgid "a"\nmsgstr "b"\nwhatever\n', encoding="utf-8")
    for path in (broken, tmp_path / "missing.po"):
        with pytest.raises(Misconfigured, match=path.name):
            read_catalogue(path, "de")


def test_english_needs_no_catalogue() -> None:
    assert translations(ENGLISH).gettext("Unsubscribe") == "Unsubscribe"


# --- the templates -----------------------------------------------------------------------------


@pytest.mark.accept("F26", part="words")
def test_what_a_template_shows_is_marked() -> None:
    said = {name: unmarked((FOLDER / name).read_text(encoding="utf-8"), name) for name in TEMPLATES}
    assert {name: found for name, found in said.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Read on</p>", ["Read on"]),
        ('<p>{{ _("Read on") }} {% trans %}Now{% endtrans %}</p>', []),
        ('<img alt="A picture">', ["A picture"]),
        ('<input placeholder="name@example.org" name="email">', []),
        ('<p>{{ link("Read on", url) }}</p>', ["Read on"]),
        ('<p>{{ link(_("Read on"), url) }}</p>', []),
        ('{% set text = "Read on" %}{{ text }}', ["Read on"]),
        ('<p>{{ "Read on" if a else b }}</p>', ["Read on"]),
        ("<style>p { color: red }</style><p>{{ x }}</p>", []),
        ('{% import "mail/parts.html" as parts %}{{ parts.line(x) }}', []),
        ('<meta name="description" content="All of it">', ["All of it"]),
        ("<h1>Paperround</h1>", []),
        ("<details{% if a %} open{% endif %}><summary>More</summary></details>", ["More"]),
        ('<dt translate="no">graph attention</dt><dd>both words</dd>', ["both words"]),
        ('<p lang="en">Thank you to arXiv.</p><p>Thank you</p>', ["Thank you"]),
        ('<input placeholder="Ada Lovelace">', []),
        ('<p>{% trans name=link("Read on") %}By {{ name }}{% endtrans %}</p>', ["Read on"]),
    ],
)
def test_a_word_that_is_not_marked_is_found(source: str, words: list[str]) -> None:
    assert unmarked(source, "page.html") == words


def test_a_line_of_a_text_that_is_not_marked_is_found() -> None:
    assert unmarked('{{ x }}\nRead on: {{ _("there") }}\n', "mail.txt") == ["Read on: \x01"]


# --- what code says ----------------------------------------------------------------------------


def test_words_that_code_chooses_are_in_the_catalogues(said: Catalog) -> None:
    kinds = ("abstract", "pdf", "code", "project", "discussion")
    somewhere = Linked({kind: f"https://example.org/{kind}" for kind in kinds})
    of_arxiv = Linked({"abstract": "https://arxiv.org/abs/2601.00001"})
    words = {label for one in (somewhere, of_arxiv) for label, _ in paper_links(one)}
    words |= {
        *FREQUENCIES.values(),
        *WHY_NO_MAIL.values(),
        NO_DIGEST,
        *WHY_THIN.values(),
    }
    words |= {state_text(state, "") for state in DeliveryState}
    words |= {*map(email_kind_name, SystemMailKind), email_kind_name(DIGEST)}
    words |= {email_kind_name(""), *HEALTH.values(), *ALARMS.values(), GONE, BY_HAND}
    words |= {title for _, title in ERRORS.values()}
    words |= {NOWHERE, NOT_HERE, BROKEN, *archive.WORDS.values()}
    words |= {archive.quiet_reason_text(None)}
    assert sorted(one for one in words if one not in said) == []
    parts = {name.replace("_", " ") for names, _, _ in _PARTS for name in names}
    assert parts <= set(locale.PARTS)


def test_the_vocabulary_has_every_noun_that_is_counted_and_no_other() -> None:
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in TEMPLATES]
    shown = {noun for text in texts for noun in re.findall(r"""counted\(["']([^"']+)""", text)}
    files = (file for name in ("labels", "facts") for file in (ROOT / "src").rglob(f"{name}.py"))
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    said = set(re.findall(r'locale\.counted\(.*"([a-z ]+)"\)', code))
    assert "paper" in shown
    assert "vote" in said
    assert shown | said | set(_SIGNALS.values()) == set(locale.COUNTED)


@dataclass(frozen=True)
class Linked:
    links: Mapping[str, str]
