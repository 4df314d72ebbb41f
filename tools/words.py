"""Extract the texts to translate from templates and code, and check the catalogues against them.

    templates, code ─► messages ─► `translations/paperround.pot` ─► one catalogue a language

`python -m tools.words` (`./run words`) writes all of them; it keeps existing translations and drops
texts that are no longer used. `faults` lists what is missing or wrong in a catalogue.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from paperround.core.i18n.locale import read_catalogue
from paperround.core.languages import ENGLISH, LANGUAGES

TEMPLATE = "paperround.pot"
OTHERS = tuple(language for language in LANGUAGES if language != ENGLISH)
"""The languages that have a catalogue."""

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "marked": None,
    "marked_forms": (1, 2),
    "invalid": (2,),
    "_unfit": None,
}
_READERS = {".html": "jinja2", ".txt": "jinja2", ".phrases": "jinja2", ".py": "python"}
_OPTIONS = {
    "extensions": "jinja2.ext.i18n",
    "trimmed": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
    "encoding": "utf-8",
}
_FOLDERS = ("templates", "src")
_COLUMNS = 98
_PLACE = re.compile(r"%(?:\((\w+)\)s|(.?))")
_TAG = re.compile(r"</?[a-z][^>]*>")
_HEADER = "# The words of Paperround in {name}. How they are kept: docs/languages.md"
_UNSTABLE = re.compile(
    rb'^"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Generated-By|Language-Team'
    rb"|Report-Msgid-Bugs-To|Project-Id-Version)[^\n]*\n",
    re.MULTILINE,
)


def messages(root: Path) -> Catalog:
    """Return the texts of the clone at `root`, in the order of its files."""
    found = Catalog(charset="utf-8", header_comment=_HEADER.format(name=LANGUAGES[ENGLISH]))
    found.fuzzy = False
    for path in _files(root):
        place = path.relative_to(root).as_posix()
        with path.open("rb") as file:
            said = extract(_READERS[path.suffix], file, keywords=_KEYWORDS, options=_OPTIONS)
            for _, text, _, _ in said:
                found.add(text, locations=[(place, 0)])
    return found


def _files(root: Path) -> Iterator[Path]:
    for folder in _FOLDERS:
        paths = sorted((root / folder).rglob("*"))
        yield from (path for path in paths if path.suffix in _READERS and path.is_file())


def renewed(path: Path, language: str, template: Catalog) -> Catalog:
    """Return the catalogue of `language` at `path`, empty if there is none, updated to the texts of
    `template`."""
    header = _HEADER.format(name=LANGUAGES[language])
    locale = language.replace("-", "_")
    known = read_catalogue(path, language) if path.exists() else Catalog(locale=locale)
    known.header_comment, known.fuzzy = header, False
    known.update(template, no_fuzzy_matching=True, update_header_comment=False)
    return known


def written(catalogue: Catalog) -> bytes:
    """Return the content of a catalogue's file, without dates and line numbers, so that it only
    changes if a text does."""
    content = BytesIO()
    write_po(content, catalogue, width=_COLUMNS, include_lineno=False, ignore_obsolete=True)
    return _UNSTABLE.sub(b"", content.getvalue())


def faults(catalogue: Catalog, template: Catalog) -> list[str]:
    """Return what is missing or wrong in a catalogue, one line each."""
    said = {_key(one): one for one in catalogue if one.id}
    wanted = {_key(one): one for one in template if one.id}
    return [
        *(f"not translated: {key}" for key in wanted if key not in said),
        *(f"said by nobody: {key}" for key in said if key not in wanted),
        *(
            f"{fault}: {key}"
            for key in wanted
            if key in said
            for fault in _faults_of(said[key], catalogue.num_plurals)
        ),
    ]


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _faults_of(message: Message, plurals: int) -> Iterator[str]:
    forms, english = _forms(message.string), _forms(message.id)
    if not forms or not all(forms):
        yield "not translated"
        return
    if message.fuzzy:
        yield "not sure"
    if len(english) > 1 and len(forms) != plurals:
        yield f"not in {plurals} plural forms"
    for form in forms:
        yield from _differences(english, form, optional={"num"} if len(english) > 1 else set())


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _differences(english: tuple[str, ...], form: str, optional: set[str]) -> Iterator[str]:
    """Yield differences in placeholders and tags between a form and the English ones."""
    wanted = set().union(*map(_places, english))
    if _places(form) - wanted or wanted - _places(form) - optional:
        yield "other places than in English"
    if not any(_tags(form) == _tags(one) for one in english):
        yield "other tags than in English"
    if form.strip() != form:
        yield "blanks around it"


def _places(text: str) -> set[str]:
    """Return the names of the placeholders, and stray per cent signs, which would break them."""
    found = {name or f"%{other}" for name, other in _PLACE.findall(text)}
    return found - {"%%"}


def _tags(text: str) -> Counter[str]:
    return Counter(_TAG.findall(text))


def main(root: Path) -> int:
    """Write all of them. Return 1 when one is incomplete, after printing what it lacks."""
    folder = root / "translations"
    template = messages(root)
    (folder / TEMPLATE).write_bytes(written(template))
    found = []
    for language in OTHERS:
        path = folder / f"{language}.po"
        catalogue = renewed(path, language, template)
        path.write_bytes(written(catalogue))
        found += [f"{path.name}: {fault}" for fault in faults(catalogue, template)]
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
