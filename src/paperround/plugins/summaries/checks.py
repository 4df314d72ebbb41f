"""Decide which papers a language model may summarise, and check its answers.

The model gets a title and an abstract and can only answer. We show an answer only if it adds
nothing: no number, no address, hardly a word. Otherwise, and until there is an answer, we show the
gist.
"""

import re
import unicodedata
from dataclasses import dataclass

from paperround.papers.gist import LONGEST_ONE
from paperround.papers.model import Paper, Show

MARK = "Machine-made: "
"""A prefix, so that shortening cannot remove it."""

_LONGEST_ABSTRACT = 6000
"""Characters; a longer text is not an abstract, and costs as much as several."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_NUMBER_WORD = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|twice|thrice|double[sd]?|"
    r"triple[sd]?|hal(?:f|ve[sd]?)|twofold|tenfold)\b"
)
_ADDRESS = re.compile(
    r"://|\bwww\.|@|\b[\w-]+\.(?:[a-z]{2,24}/|(?:com|org|net|io|ai|app|dev|info|co|me|xyz|top|ru|cn|"
    r"de|edu|gov|ly|gg|sh|to)\b)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[<>{}\[\]`|*#\\]")
_PROMPT_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instructions?|prompts?|rules?|above|previous)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b"
    r"|\byou (?:are|must|should|will) (?:now |an? |only )"
    r"|\b(?:respond|reply|answer|output|write|say) (?:only |exactly )?(?:with|the following|that)\b"
    r"|\bas an? (?:ai|language model|assistant)\b|\b(?:dear|attention|note to) "
    r"(?:ai|llm|reviewer|assistant|language model)s?\b|<\|?\w+\|?>",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{5,}")
_ROOT = 5  # the first letters of two forms of a word are equal: "improves", "improvement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The model that answers, by name, and the language: a name such as `German`, empty for the
    language of the abstract."""

    model: str
    language: str = ""


def is_askable(paper: Paper) -> bool:
    """Whether a model may summarise the paper: its source lets us show the full abstract, and the
    text contains no prompt injection."""
    text = f"{paper.title}\n{paper.abstract}"
    is_open = paper.show is Show.FULL and not paper.withdrawn
    return (
        is_open and 0 < len(paper.abstract) <= _LONGEST_ABSTRACT and not has_prompt_injection(text)
    )


def has_prompt_injection(text: str) -> bool:
    """Whether a text contains instructions to a language model."""
    return _PROMPT_INJECTION.search(text) is not None


def checked(answer: str, title: str, abstract: str, wording: Wording) -> str | None:
    """The answer on one line, or None if it must not be shown.

    It must be plain text of 20 characters to 240 with its mark, without addresses, markup or
    numbers that are not in title or abstract. Unless it is in another language, three in five of
    its longer words must be in them too.
    """
    text = " ".join(unicodedata.normalize("NFC", answer).split()).strip("\"“”' ")
    source = f"{title}\n{abstract}"
    if not 20 <= len(text) <= LONGEST_ONE - len(MARK) or not text.isprintable():
        return None
    if _ADDRESS.search(text) or _MARKUP.search(text) or has_prompt_injection(text):
        return None
    if not _numbers(text) <= _numbers(source):
        return None
    roots = _roots(text)
    is_grounded = bool(roots) and len(roots & _roots(source)) >= 0.6 * len(roots)
    return text if wording.language or is_grounded else None


def marked(text: str) -> str:
    """The text with the mark "Machine-made"."""
    return MARK + text


def _numbers(text: str) -> set[str]:
    """Numbers in digits, and number words as written; `1,234` is `1234`, and `2,5` is `2.5`."""
    folded = unicodedata.normalize("NFKC", text)
    digits = {
        one.replace(",", "" if _GROUPED.fullmatch(one) else ".") for one in _NUMBER.findall(folded)
    }
    return digits | set(_NUMBER_WORD.findall(folded.casefold()))


def _roots(text: str) -> set[str]:
    return {word[:_ROOT] for word in _WORD.findall(text.casefold())}
