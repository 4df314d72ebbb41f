"""The languages of mails and pages, who reads which, and in which one a text is written."""

import re
from collections.abc import Mapping
from functools import lru_cache

ENGLISH = "en"
PARAMETER = "lang"
"""What the address of a page calls the language that it asks for."""

LANGUAGES: Mapping[str, str] = {
    ENGLISH: "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "zh-Hans": "简体中文",
}
"""The languages there are, by their tags (BCP 47), with the names that their readers call them."""

_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
"""Whoever writes Chinese so has asked for another script than ours."""
_MOST_RANGES = 20
_RANGE = re.compile(
    r"\s*(?P<tag>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*"
    r"(?:;\s*[qQ]\s*=\s*(?P<weight>[01](?:\.[0-9]{0,3})?)\s*)?"
)
"""One range of Accept-Language (RFC 9110, 12.5.4)."""


Message = str | tuple[str, str]
"""English with places such as `%(name)s`; of what is counted, the forms for one and for several."""


class TranslatableText(str):
    """English text that keeps its message and its parameters, so that a page can translate it."""

    message: Message
    params: Mapping[str, object]


def marked(text: str, /, **params: object) -> str:
    """`text` for the catalogues, with `params` in its places. `given` is what somebody typed: it is
    quoted."""
    return _text(text, text, params) if params else text


def marked_forms(one: str, several: str) -> tuple[str, str]:
    """The forms for one and for several of what `%(num)s` counts, for the catalogues."""
    return one, several


def counted_text(forms: tuple[str, str], num: int, /, **params: object) -> str:
    """The form for `num`, with `params` in its places."""
    return _text(forms[num != 1], forms, {"num": num, **params})


def _text(english: str, message: Message, params: Mapping[str, object]) -> TranslatableText:
    text = TranslatableText(english % {name: _in_english(name, it) for name, it in params.items()})
    text.message, text.params = message, params
    return text


def _in_english(name: str, value: object) -> str:
    if name == "given":
        return repr(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def nearest(tag: str) -> str | None:
    """The language of ours that whoever names `tag` reads; None where there is none."""
    first, *others = tag.strip().replace("_", "-").casefold().split("-")
    if first == "zh":
        return None if _TRADITIONAL.intersection(others) else "zh-Hans"
    return first if first in LANGUAGES else None


def spoken(tag: str | None) -> str:
    """The language that somebody is written to in who asked for `tag`: English where ours are all
    foreign to them, or they asked for none."""
    return (nearest(tag) if tag else None) or ENGLISH


def asking(url: str, language: str) -> str:
    """The address of a page of ours that is to be in `language`, one of ours: English is not asked
    for, so that most addresses are the plain ones."""
    if language == ENGLISH or not url:
        return url
    return f"{url}{'&' if '?' in url else '?'}{PARAMETER}={language}"


def accepted(header: str) -> str | None:
    """The language of ours that an Accept-Language `header` likes best, the first of equals; None
    where it names none of them. A part that cannot be read is passed over."""
    best, most = None, 0.0
    for part in header.split(",")[:_MOST_RANGES]:
        found = _RANGE.fullmatch(part)
        language = found and nearest(found["tag"])
        weight = float(found["weight"] or 1) if found else 0.0
        if language and weight > most:
            best, most = language, weight
    return best


# In which language a title or an abstract is written, so that a page can say so.
#
# Feeds hardly ever tell. The script tells most of the foreign ones; of those in Latin letters the
# little words do. Whoever reads a page aloud needs it, and a wrong guess does more harm than none:
# a text is English, as nearly all are, unless it speaks clearly for another language.

_SCRIPTS = {
    "ja": "\u3040-\u30ff",
    "ko": "\u1100-\u11ff\uac00-\ud7a3",
    "zh": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ffff",
    "ar": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "he": "\u0590-\u05ff",
    "ru": "\u0400-\u04ff",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "hi": "\u0900-\u097f",
    "th": "\u0e00-\u0e7f",
    "": "A-Za-z\u00c0-\u024f",
}
"""Letters of a script, by the language that most of what is written in it is in; none for Latin."""
_LETTERS = {language: re.compile(f"[{letters}]") for language, letters in _SCRIPTS.items()}
_PERSIAN = re.compile("[\u067e\u0686\u0698\u06af\u06a9\u06cc]")
_UKRAINIAN = re.compile("[\u0404\u0454\u0406\u0456\u0407\u0457\u0490\u0491]")
_A_LETTER_COUNTS = {"zh": 3, "ja": 3, "ko": 2}
"""One of these says as much as so many Latin ones."""

_LITTLE_WORDS = {
    ENGLISH: "the of for and with in to a an from by on is are we via as at using without how",
    "de": "der die das und ein eine einer im mit von für zur zum des den dem bei auf über wie ist",
    "fr": "le la les des du une et dans pour sur avec par aux au est d l un entre sans vers chez",
    "es": "el la los las del una y en para con por un al sobre entre sin desde como hacia",
    "it": "il lo gli della delle dei nel nella per con una uno di e un tra sulla dal",
    "pt": "o os as do da dos das em uma para com por um no na e sobre entre sem",
    "nl": "de het een van voor met en op naar bij uit door aan",
}
_LITTLE = {language: frozenset(words.split()) for language, words in _LITTLE_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=4096)
def written_in(text: str) -> str:
    """The tag (BCP 47) of the language that `text` is most likely written in."""
    counts = {
        language: len(letters.findall(text)) * _A_LETTER_COUNTS.get(language, 1)
        for language, letters in _LETTERS.items()
    }
    main = max(counts, key=lambda language: counts[language])
    if not counts[main] or not main:
        words = [word.casefold() for word in _WORD.findall(text)]
        found = {tag: sum(word in little for word in words) for tag, little in _LITTLE.items()}
        best = max(found, key=lambda tag: found[tag])
        is_clear = found[best] >= found[ENGLISH] + 2
        return best if is_clear else ENGLISH
    if counts["ja"] and main == "zh":
        return "ja"
    if main == "ar" and _PERSIAN.search(text):
        return "fa"
    if main == "ru" and _UKRAINIAN.search(text):
        return "uk"
    return main
