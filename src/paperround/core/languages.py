"""Languages of emails and pages, language negotiation, and language detection."""

import re
from collections.abc import Mapping
from functools import lru_cache

ENGLISH = "en"
PARAMETER = "lang"
"""The query parameter that selects the language of a page."""

LANGUAGES: Mapping[str, str] = {
    ENGLISH: "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "zh-Hans": "简体中文",
}
"""The supported languages: BCP 47 tag to the language's own name."""

_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
"""Subtags that mean traditional Chinese, which is not supported."""
_MAX_RANGES = 20
_RANGE = re.compile(
    r"\s*(?P<tag>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*"
    r"(?:;\s*[qQ]\s*=\s*(?P<weight>[01](?:\.[0-9]{0,3})?)\s*)?"
)
"""One range of Accept-Language (RFC 9110, 12.5.4)."""


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Message = str | tuple[str, str]
"""English with placeholders such as `%(name)s`; for plurals the forms for one and for several."""


class TranslatableText(str):
    """English text that keeps its message and its parameters, so that a page can translate it."""

    message: Message
    params: Mapping[str, object]


def marked(text: str, /, **params: object) -> str:
    """Mark `text` for translation, and fill its placeholders with `params`.

    The parameter `given` is user input: it is quoted. `weekday` is the number of a weekday, from 0
    for Monday.
    """
    return _text(text, text, params) if params else text


def marked_forms(one: str, several: str) -> tuple[str, str]:
    """Mark a plural for translation; `%(num)s` is the number."""
    return one, several


def counted_text(forms: tuple[str, str], num: int, /, **params: object) -> str:
    """Return the form for `num`, with its placeholders filled."""
    return _text(forms[num != 1], forms, {"num": num, **params})


def _text(english: str, message: Message, params: Mapping[str, object]) -> TranslatableText:
    text = TranslatableText(english % {name: _in_english(name, it) for name, it in params.items()})
    text.message, text.params = message, params
    return text


def _in_english(name: str, value: object) -> str:
    if name == "given":
        return repr(value)
    if name == "weekday" and isinstance(value, int):
        return _WEEKDAYS[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def nearest(tag: str) -> str | None:
    """Return the supported language for `tag`, None when there is none."""
    first, *others = tag.strip().replace("_", "-").casefold().split("-")
    if first == "zh":
        return None if _TRADITIONAL.intersection(others) else "zh-Hans"
    return first if first in LANGUAGES else None


def spoken_or_english(tag: str | None) -> str:
    """Return the supported language for `tag`, English when there is none or `tag` is empty."""
    return (nearest(tag) if tag else None) or ENGLISH


def asking(url: str, language: str) -> str:
    """Return `url` with the parameter for `language`; unchanged for English."""
    if language == ENGLISH or not url:
        return url
    return f"{url}{'&' if '?' in url else '?'}{PARAMETER}={language}"


def accepted(header: str) -> str | None:
    """Return the supported language with the highest weight in an Accept-Language `header`.

    The first of equal weights wins; invalid parts are skipped. None when no language is supported.
    """
    best, best_weight = None, 0.0
    for part in header.split(",")[:_MAX_RANGES]:
        match = _RANGE.fullmatch(part)
        language = match and nearest(match["tag"])
        weight = float(match["weight"] or 1) if match else 0.0
        if language and weight > best_weight:
            best, best_weight = language, weight
    return best


# Detect the language of a title or an abstract, for the `lang` attribute that screen readers use.
#
# Feeds rarely give the language. The script identifies most non-Latin languages, stop words the
# Latin ones. A wrong guess is worse than none: the default is English, which nearly all texts are.

_LETTERS = {
    "ja": "[\u3040-\u30ff]",
    "ko": "[\u1100-\u11ff\uac00-\ud7a3]",
    "zh": "[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ffff]",
    "ar": "[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]",
    "he": "[\u0590-\u05ff]",
    "ru": "[\u0400-\u04ff]",
    "el": "[\u0370-\u03ff\u1f00-\u1fff]",
    "hi": "[\u0900-\u097f]",
    "th": "[\u0e00-\u0e7f]",
    "": "[A-Za-z\u00c0-\u024f]",
}
"""Matches a letter of a script, by the language most written in it; empty for Latin. Compiled when
needed: every command loads this module."""
_PERSIAN = "[\u067e\u0686\u0698\u06af\u06a9\u06cc]"
_UKRAINIAN = "[\u0404\u0454\u0406\u0456\u0407\u0457\u0490\u0491]"
_LETTER_WEIGHTS = {"zh": 3, "ja": 3, "ko": 2}
"""How many Latin letters one letter counts for."""

_STOP_WORD_LISTS = {
    ENGLISH: "the of for and with in to a an from by on is are we via as at using without how",
    "de": "der die das und ein eine einer im mit von für zur zum des den dem bei auf über wie ist",
    "fr": "le la les des du une et dans pour sur avec par aux au est d l un entre sans vers chez",
    "es": "el la los las del una y en para con por un al sobre entre sin desde como hacia",
    "it": "il lo gli della delle dei nel nella per con una uno di e un tra sulla dal",
    "pt": "o os as do da dos das em uma para com por um no na e sobre entre sem",
    "nl": "de het een van voor met en op naar bij uit door aan",
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _STOP_WORD_LISTS.items()}
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=4096)
def written_in(text: str) -> str:
    """Return the BCP 47 tag of the language that `text` is most likely written in."""
    counts = {
        language: len(re.findall(letters, text)) * _LETTER_WEIGHTS.get(language, 1)
        for language, letters in _LETTERS.items()
    }
    main = max(counts, key=lambda language: counts[language])
    if not counts[main] or not main:
        words = [word.casefold() for word in _WORD.findall(text)]
        hits = {tag: sum(word in stop for word in words) for tag, stop in _STOP_WORDS.items()}
        best = max(hits, key=lambda tag: hits[tag])
        return best if hits[best] >= hits[ENGLISH] + 2 else ENGLISH
    if counts["ja"] and main == "zh":
        return "ja"
    if main == "ar" and re.search(_PERSIAN, text):
        return "fa"
    if main == "ru" and re.search(_UKRAINIAN, text):
        return "uk"
    return main
