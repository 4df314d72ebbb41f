"""The languages of mails and pages, and which of them somebody reads."""

import re
from collections.abc import Mapping

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


class Text(str):
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


def _text(english: str, message: Message, params: Mapping[str, object]) -> Text:
    text = Text(english % {name: _in_english(name, it) for name, it in params.items()})
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
