"""The catalogues of translations: one gettext file a language, `translations/de.po`.

English is the language of the source, so it has none. A catalogue is read once in a process, when
somebody is first written to in its language; nothing has to be compiled before.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from paperround.domain.errors import Misconfigured
from paperround.domain.languages import ENGLISH
from paperround.paths import translations_dir


@cache
def translations(language: str) -> NullTranslations:
    """What `language`, one of ours, says. Raises Misconfigured when its catalogue is missing or
    broken."""
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(catalogue_path(language), language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogue_path(language: str) -> Path:
    """Where the catalogue of `language` stands."""
    return translations_dir() / f"{language}.po"


def read_catalogue(path: Path, language: str) -> Catalog:
    """The catalogue at `path`. Raises Misconfigured when it cannot be read."""
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language.replace("-", "_"), abort_invalid=True)
    except (OSError, PoFileError, ValueError) as error:
        raise Misconfigured(f"the translations in {path.name} cannot be read: {error}") from error
