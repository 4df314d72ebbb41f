"""Locales: translations from gettext catalogues; numbers, dates and lists from CLDR.

A text without a translation is shown in English, and so is one whose translation has an unknown
placeholder: a translator's mistake must not stop an email.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel import Locale as BabelLocale
from babel.dates import format_date, format_interval, format_skeleton, get_day_names
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal
from babel.units import format_unit

from paperround.core.errors import Misconfigured
from paperround.core.languages import ENGLISH, marked, marked_forms, spoken_or_english
from paperround.core.paths import data_path
from paperround.core.times import zone_of

_LOCALES = {ENGLISH: "en_GB"}
"""British English puts the day before the month, like the other languages."""
_LONG_DATES = {ENGLISH: "EEEE d MMMM y"}
"""Formats that replace CLDR's full format."""
_UNSPACED = frozenset({"zh-Hans"})
_DAYS_FROM = 3
"""The shortest time span, in days, that is shown in days instead of hours."""
_CACHE_SIZE = 4096


def is_language(tag: str) -> bool:
    """Whether CLDR knows the language of a tag, such as `pt-BR`; there need be no catalogue."""
    first, *_ = tag.replace("_", "-").casefold().split("-")
    return first in BabelLocale.parse(ENGLISH).languages


class Locale:
    """A supported language; get one from `locale_for`.

    `gap` separates two sentences, `comma` the items of a list without a conjunction.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.babel = BabelLocale.parse(_LOCALES.get(language, language.replace("-", "_")))
        self.direction: str = self.babel.text_direction
        self.gap = "" if language in _UNSPACED else " "
        self.comma = str(self.babel.list_patterns["standard"]["middle"].format("", ""))
        self.is_english = language == ENGLISH
        self._translations = translations(language)
        self._decimal: str = self.babel.number_symbols["latn"]["decimal"]
        cached = lru_cache(maxsize=_CACHE_SIZE)
        self.long_date = cached(self._long_date)
        self.short_date = cached(self._short_date)
        self.counted = cached(self._counted)
        self.number = cached(self._number)

    # --- texts ---------------------------------------------------------------------------------

    def gettext(self, text: str, /, **values: object) -> str:
        """Translate `text`, and fill its placeholders `%(name)s`; integers are grouped."""
        return self._fill(self._translations.gettext(text) if text else text, text, values)

    def ngettext(self, one: str, several: str, number: int, /, **values: object) -> str:
        """Translate the plural form for `number`, which is `%(num)s` in the texts."""
        english = one if number == 1 else several
        translated = self._translations.ngettext(one, several, number)
        return self._fill(translated, english, {"num": number, **values})

    def word(self, english: str) -> str:
        """Translate a text without placeholders; return unknown texts unchanged."""
        return self._translations.gettext(english) if english else english

    def _fill(self, translated: str, english: str, values: dict[str, object]) -> str:
        written = {
            name: value if type(value) is str else self.written(value)
            for name, value in values.items()
        }
        for text in (translated, english):
            try:
                return text % written
            except (KeyError, TypeError, ValueError):
                continue
        return english

    def written(self, value: object) -> object:
        """Return a value as it appears in a text: integers are grouped, others are unchanged."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return self.number(value) if is_whole else value

    # --- numbers -------------------------------------------------------------------------------

    def _number(self, number: int) -> str:
        return str(format_decimal(number, locale=self.babel))

    def _counted(self, number: int, noun: str) -> str:
        """Return `1 paper` or `12 papers`, translated; nouns not in COUNTED get an s."""
        one, several = COUNTED.get(noun) or (f"%(num)s {noun}", f"%(num)s {noun}s")
        return self.ngettext(one, several, number)

    def decimal(self, written: str) -> str:
        """Replace the decimal point by this language's separator."""
        return written.replace(".", self._decimal)

    def span(self, life: timedelta) -> str:
        """Return `15 minutes`, `48 hours` or `7 days`: whole days from the third on."""
        minutes = int(life.total_seconds()) // 60
        if minutes < 60:
            return str(format_unit(minutes, "duration-minute", locale=self.babel))
        hours = minutes // 60
        in_days = hours >= 24 * _DAYS_FROM
        unit = "duration-day" if in_days else "duration-hour"
        return str(format_unit(hours // 24 if in_days else hours, unit, locale=self.babel))

    def duration(self, seconds: int) -> str:
        """Return `90 seconds`, `2 minutes` or `48 hours`: minutes from the second one on."""
        if seconds < 120:
            return str(format_unit(seconds, "duration-second", locale=self.babel))
        return self.span(timedelta(seconds=seconds))

    # --- dates ---------------------------------------------------------------------------------

    def _long_date(self, day: date) -> str:
        """Return `Friday 30 January 2026`."""
        return format_date(day, _LONG_DATES.get(self.language, "full"), self.babel)

    def weekday_date(self, day: date) -> str:
        """Return `Friday 30 January`."""
        return str(format_skeleton("MMMMEEEEd", day, locale=self.babel))

    def _short_date(self, day: date) -> str:
        """Return `Fri 30 Jan`."""
        return str(format_skeleton("MMMEd", day, locale=self.babel))

    def plain_date(self, day: date) -> str:
        """Return `2 March 2026`."""
        return format_date(day, "long", self.babel)

    def month(self, day: date) -> str:
        """Return `March 2026`."""
        return str(format_skeleton("yMMMM", day, locale=self.babel))

    def day_and_month(self, day: date) -> str:
        """Return `30 Jan`."""
        return str(format_skeleton("MMMd", day, locale=self.babel))

    def days(self, first: date, last: date) -> str:
        """Return `17–23 Nov`."""
        return str(format_interval(first, last, "MMMd", locale=self.babel)).replace("\u2009", "")

    def weekday(self, number: int, width: Literal["wide", "narrow"] = "wide") -> str:
        """Return the name of a weekday, or its letter; Monday is 0."""
        return str(get_day_names(width, "stand-alone", self.babel)[number])

    def instant(self, moment: datetime, zone: str = "UTC") -> str:
        """Return `Fri 30 Jan 07:05 (Europe/Berlin)`."""
        local = moment.astimezone(zone_of(zone))
        day, time = self.short_date(local.date()), local.strftime("%H:%M")
        return self.gettext("%(date)s %(time)s (%(zone)s)", date=day, time=time, zone=zone)

    # --- lists ---------------------------------------------------------------------------------

    def listed(self, items: Sequence[str]) -> str:
        """Return `A, B and C`."""
        return format_list(items, locale=self.babel) if len(items) > 1 else "".join(items)

    def row(self, items: Sequence[str]) -> str:
        """Return `A, B, C`: a list without a conjunction."""
        return self.comma.join(items)

    def quoted(self, text: str) -> str:
        """Return `text` in quotation marks."""
        return self.gettext("“%(text)s”", text=text)


_cached_locale = cache(Locale)


def locale_for(tag: str = ENGLISH) -> Locale:
    """Return the locale of the supported language for `tag`, or the English one."""
    return _cached_locale(spoken_or_english(tag))


# The translation catalogues: one gettext file per language, `translations/de.po`.
#
# English is the source language, so it has none. A catalogue is read once per process, on first
# use; it needs no compilation.


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations of a supported language.

    Raises Misconfigured when its catalogue is missing or invalid.
    """
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(catalogue_path(language), language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogue_path(language: str) -> Path:
    """Return the path of the catalogue of `language`."""
    return data_path("translations") / f"{language}.po"


def read_catalogue(path: Path, language: str) -> Catalog:
    """Read the catalogue at `path`. Raises Misconfigured when it is missing or invalid."""
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language.replace("-", "_"), abort_invalid=True)
    except (OSError, PoFileError, ValueError) as error:
        raise Misconfigured(f"the translations in {path.name} cannot be read: {error}") from error


COUNTED: Mapping[str, tuple[str, str]] = {
    "paper": marked_forms("%(num)s paper", "%(num)s papers"),
    "more paper": marked_forms("%(num)s more paper", "%(num)s more papers"),
    "vote": marked_forms("%(num)s vote", "%(num)s votes"),
    "comment": marked_forms("%(num)s comment", "%(num)s comments"),
    "star on GitHub": marked_forms("%(num)s star on GitHub", "%(num)s stars on GitHub"),
    "star": marked_forms("%(num)s star", "%(num)s stars"),
    "citation": marked_forms("%(num)s citation", "%(num)s citations"),
    "mention": marked_forms("%(num)s mention", "%(num)s mentions"),
    "subscriber": marked_forms("%(num)s subscriber", "%(num)s subscribers"),
    "digest": marked_forms("%(num)s digest", "%(num)s digests"),
    "day": marked_forms("%(num)s day", "%(num)s days"),
    "paper rated good": marked_forms("%(num)s paper rated good", "%(num)s papers rated good"),
    "paper rated bad": marked_forms("%(num)s rated bad", "%(num)s rated bad"),
    "rating": marked_forms("%(num)s rating", "%(num)s ratings"),
    "new line": marked_forms("%(num)s new line", "%(num)s new lines"),
    "work": marked_forms("%(num)s work", "%(num)s works"),
}
"""Plural forms, by English noun."""

LIST_TITLES = (marked("Trending papers"),)
"""Default titles of lists."""

PARTS = (
    marked("votes"),
    marked("votes expected"),
    marked("growth"),
    marked("source"),
    marked("prior"),
    marked("prior text"),
    marked("prior authors"),
    marked("prior submitter"),
    marked("prior organization"),
    marked("prior links"),
    marked("prior age"),
    marked("recency"),
    marked("comments"),
    marked("stars"),
    marked("mentions"),
    marked("citations"),
    marked("topics"),
    marked("text"),
    marked("colleagues"),
    marked("submitter cap"),
    marked("topic cap"),
)
"""The names of the parts of a score, as readers see them."""
