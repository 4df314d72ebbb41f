"""Split an abstract into sentences.

A sentence ends at a full stop, question or exclamation mark (with closing quotes and brackets) if
white space and a possible start of a sentence follow. After an abbreviation or an initial it ends
only before a word that usually starts one, such as `We` or `However`: `et al. We propose` is two
sentences, `et al. Nature` is one.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters `start` to `end` of a text, stripped of white space."""

    text: str
    start: int
    end: int


_OPENING = (
    "We|Our|Ours|In|This|These|Those|That|The|It|Its|They|Their|However|Here|To|For|While|Although|"
    "Moreover|Furthermore|Additionally|Specifically|Finally|First|Second|Third|Then|Thus|Hence|"
    "Therefore|Such|Using|By|As|At|On|With|Unlike|Extensive|Experiments?|Experimental|Results?|"
    "Code|Yet|But|And|Both|Recent|Recently|Existing|There|Based|When|If|Through|Under|From|Despite|"
    "Compared|Empirically|Notably|Importantly|Instead|Consequently|Motivated|Inspired|Prior|After|"
    "Before|Since|Given|Overall|Together"
)
_END = re.compile(
    r"[.!?](?<![.!?]{2})[.!?]*+[\"'”’)\]}»]*+(?:\s++"
    r"(?=[\"'“‘«(\[{]{0,2}(?:[^\Wa-z_]|\$|\\|[a-z]{1,5}[A-Z])|\((?:[ivx]{1,4}|[a-e])\) [A-Z])"
    r"|(?<=[A-Za-z]{3}[.!?])(?=(?:" + _OPENING + r")[ ,:]))"
)  # a name such as iFoo starts a sentence too, and so does `We` after a missing space
_OPENS = re.compile(r"[\"“‘(\[]?(?:" + _OPENING + r")\b")
_ABBREVIATIONS = frozenset(
    ("e.g. i.e. al. vs. cf. etc. viz. fig. figs. eq. eqs. sec. secs. tab. ref. refs. no. nos. vol. "
     "pp. ch. chap. thm. def. prop. approx. resp. dr. prof. mr. mrs. ms. st. jr. w.r.t. a.k.a. "
     "s.t. ca. u.s. u.k. e.u. inc. ltd. corp. dept. univ. spp. sp. subsp. var. ssp. jan. feb. apr. "
     "aug. sep. sept. oct. nov. dec.").split()
)  # fmt: skip
_INITIAL = re.compile(r"(?:^|[\s(\[.-])[A-Z]\.$")
_FAR = 20  # characters of the longest opening
_MARKER = re.compile(r"[(\[]?(?:\d{1,2}|[ivx]{1,4}|[a-hA-H])[.)\]]{1,2}")


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of `text` in order, with only white space between them."""
    found: list[Sentence] = []
    start = 0
    for end in (*(match.end() for match in _END.finditer(text)), len(text)):
        piece = text[start:end].strip()
        is_last = end == len(text)
        if piece and (is_last or not _goes_on(piece, text[end : end + _FAR])):
            start = text.index(piece, start)
            found.append(Sentence(piece, start, start + len(piece)))
            start = end
    return tuple(found)


def _goes_on(piece: str, after: str) -> bool:
    """Whether the sentence goes on after the full stop that ends `piece`."""
    if _MARKER.fullmatch(piece):
        return True
    word = piece.rsplit(None, 1)[-1].lstrip("([{\"“‘'").casefold()
    is_short_form = word in _ABBREVIATIONS or _INITIAL.search(piece) is not None
    return is_short_form and _OPENS.match(after) is None
