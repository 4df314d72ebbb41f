"""Summaries that a machine wrote: of what it is asked, and what of its answers may be shown.

A machine is told nothing but a title and an abstract, may do nothing but answer, and its answer is
shown only when it holds nothing that was not there: no number, no address, hardly a word. Otherwise
the sentence chosen from the abstract stands, as it does wherever there is no answer yet.
"""

import re
import unicodedata
from dataclasses import dataclass

from paperround.papers.gist import LONGEST
from paperround.papers.model import Paper, Show

MARK = "Machine-made: "
"""Stands in front, where no shortening takes it away."""

_LONGEST_ABSTRACT = 6000
"""Characters; a longer text is no abstract, and costs as much as several."""

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
_TO_A_MACHINE = re.compile(
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
_ROOT = 5  # characters that two forms of a word share: "improves", "improvement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a machine is to answer. `language` is a name, as `German`; empty: that of the abstract.
    `model` is the machine's own name, of which the answer depends too."""

    model: str
    language: str = ""


def is_askable(paper: Paper) -> bool:
    """Whether a machine may be told of the paper: its source lets us show the abstract in full, and
    nothing in it speaks to a machine."""
    text = f"{paper.title}\n{paper.abstract}"
    is_open = paper.show is Show.FULL and not paper.withdrawn
    return is_open and 0 < len(paper.abstract) <= _LONGEST_ABSTRACT and not speaks_to_machine(text)


def speaks_to_machine(text: str) -> bool:
    """Whether a text holds what is meant for a machine that reads it, not for people."""
    return _TO_A_MACHINE.search(text) is not None


def checked(answer: str, title: str, abstract: str, wording: Wording) -> str | None:
    """The answer on one line, or None when it may not be shown.

    It may if it is one or two sentences' worth of plain text (20 to 320 characters with its mark),
    holds no address and no markup, no number that is not in title or abstract, and, unless it is
    in another language, has three in five of its longer words from them.
    """
    text = " ".join(unicodedata.normalize("NFC", answer).split()).strip("\"“”' ")
    source = f"{title}\n{abstract}"
    if not 20 <= len(text) <= LONGEST - len(MARK) or not text.isprintable():
        return None
    if _ADDRESS.search(text) or _MARKUP.search(text) or speaks_to_machine(text):
        return None
    if not _numbers(text) <= _numbers(source):
        return None
    said = _roots(text)
    is_grounded = bool(said) and len(said & _roots(source)) >= 0.6 * len(said)
    return text if wording.language or is_grounded else None


def marked(text: str) -> str:
    """The text as it is shown, with the mark that a machine made it."""
    return MARK + text


def _numbers(text: str) -> set[str]:
    """Numbers in digits, and in words as they stand; `1,234` is `1234`, and `2,5` is `2.5`."""
    folded = unicodedata.normalize("NFKC", text)
    digits = {
        one.replace(",", "" if _GROUPED.fullmatch(one) else ".") for one in _NUMBER.findall(folded)
    }
    return digits | set(_NUMBER_WORD.findall(folded.casefold()))


def _roots(text: str) -> set[str]:
    return {word[:_ROOT] for word in _WORD.findall(text.casefold())}
