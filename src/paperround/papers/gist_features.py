"""Split an abstract into sentences, and compute their named features with the learned weights.

A sentence ends at a full stop, question or exclamation mark (with closing quotes and brackets) if
white space and a possible start of a sentence follow. After an abbreviation or an initial it ends
only before a word that usually starts one, such as `We` or `However`: `et al. We propose` is two
sentences, `et al. Nature` is one.

A feature is a habit of authors: words that announce their own work or results, and the usual
places in an abstract. One that does not apply is left out; all lie between 0 and 1.
"""

import re
from collections.abc import Mapping, Sequence, Set
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
    "Therefore|Such|Using|By|As|At|On|With|Unlike|Extensive|Experiments?|Experimental|Results?|Code|"
    "Yet|But|And|Both|Recent|Recently|Existing|There|Based|When|If|Through|Under|From|Despite|Compared|"
    "Empirically|Notably|Importantly|Instead|Consequently|Motivated|Inspired|Prior|After|Before|Since|"
    "Given|Overall|Together"
)
_END = re.compile(
    r"[.!?](?<![.!?]{2})[.!?]*+[\"'”’)\]}»]*+(?:\s++"
    r"(?=[\"'“‘«(\[{]{0,2}(?:[^\Wa-z_]|\$|\\|[a-z]{1,5}[A-Z]|we [a-z])"
    r"|\((?:[ivx]{1,4}|[a-e])\) [A-Z])"
    r"|(?<=[A-Za-z]{2}[A-Za-z)][.!?])(?=(?:" + _OPENING + r")[ ,:]))"
)  # a name such as iFoo starts a sentence too, and so does `We` after a missing space
OPENS = re.compile(r"[\"“‘(\[]?(?:" + _OPENING + r")\b")
_ABBREVIATIONS = frozenset(
    ("e.g. i.e. al. vs. cf. etc. viz. fig. figs. eq. eqs. sec. secs. tab. ref. refs. no. nos. vol. "
     "pp. ch. chap. thm. def. prop. approx. resp. dr. prof. mr. mrs. ms. st. jr. w.r.t. a.k.a. "
     "s.t. ca. u.s. u.k. e.u. inc. ltd. corp. dept. univ. spp. sp. subsp. var. ssp. jan. feb. apr. "
     "aug. sep. sept. oct. nov. dec.").split()
)  # fmt: skip
_INITIAL = re.compile(r"(?:^|[\s(\[.]|\.-)[A-Z]\.$")
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
    return is_short_form and OPENS.match(after) is None


Features = Mapping[str, float]

LONG = 320  # characters of a sentence of full length
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")
_CLASSES = {
    "our": "our ours",
    "show": "show shows showing demonstrate demonstrates demonstrating find finds reveal reveals "
    "observe prove proves validate confirm confirms indicate indicates suggest suggests establish",
    "experiment": "experiment experiments experimental experimentally evaluation evaluations "
    "empirical empirically results extensive quantitative",
    "better": "outperform outperforms outperforming outperformed surpass surpasses surpassing "
    "exceed exceeds improve improves improved improvement improvements improving achieve achieves "
    "achieved achieving superior better best gain gains margin boost boosts boosting reduce "
    "reduces reducing faster",
    "degree": "significantly substantially consistently favorably comparable competitive "
    "effectiveness accurate high-quality",
    "rivals": "state-of-the-art sota baseline baselines compared",
    "method": "method approach framework model algorithm architecture network pipeline",
    "than": "than",
    "on": "on",
    "allow": "enables enabling enable allows allowing allow",
    "problem": "challenge challenges challenging remain remains suffer suffers limited limitation "
    "limitations difficult difficulty crucial important essential fundamental lack lacks fail "
    "fails hard expensive due costly",
    "have": "has have had",
    "also": "also further furthermore moreover additionally besides finally lastly",
    "code": "github code release released publicly webpage website http https",
}
_CLASS_OF = {word: name for name, words in _CLASSES.items() for word in words.split()}
_WE = r"\b(?:we|this (?:paper|work|article|study))\b"
_PHRASES = {
    "we": re.compile(_WE),
    "we propose": re.compile(
        _WE + r"(?:,? [\w'-]+){0,3} (?:propose|introduce|present|develop|devise|design)[ds]?\b"
    ),
    "we show": re.compile(
        _WE + rf"(?:,? [\w'-]+){{0,3}} (?:{_CLASSES['show'].replace(' ', '|')})\b"
    ),
    "this paper": re.compile(r"\bthis (?:paper|work|article|study)\b|\bhere,? we\b"),
    "by doing": re.compile(r"\bby \w+ing\b"),
    "opens with our": re.compile(r"^our\b"),
    "figure": re.compile(r"\d(?:\.\d+)?\s?(?:\\?%|×|x\b|\$?\\times|points?\b|times\b|fps\b|db\b)"),
}


def features_of(sentences: Sequence[Sentence]) -> tuple[Features, ...]:
    """The features of each sentence of one abstract, in order."""
    found = [_word_features(sentence.text) for sentence in sentences]
    for at, features in enumerate(found):
        place = at / (len(found) - 1) if len(found) > 1 else 0.5
        features["place"], features["middle"] = place, 4 * place * (1 - place)
    # An abstract turns from the background to the authors' own work once.
    _mark_around(found, {"we", "our"}, "ours")
    _mark_around(found, {"we propose"}, "the proposal")
    for one in found:
        is_result = "better" in one or "show" in one or "rivals" in one
        if is_result and ("our" in one or "experiment" in one or "we show" in one):
            one["first result"] = 1.0
            break
    return tuple(found)


def is_background(features: Features) -> bool:
    """Whether a sentence is in the first half, before the authors speak of their own work."""
    return "before ours" in features and features["place"] < 0.5


def _word_features(text: str) -> dict[str, float]:
    text = text.lower()
    features = {name: 1.0 for word in _WORD.findall(text) if (name := _CLASS_OF.get(word))}
    features.update((name, 1.0) for name, phrase in _PHRASES.items() if phrase.search(text))
    features["length"] = min(len(text), LONG) / LONG
    return features


def _mark_around(found: list[dict[str, float]], names: Set[str], what: str) -> None:
    """Mark the first sentence that has one of the features `names`, those before it and the one
    after it."""
    first = next((at for at, one in enumerate(found) if not names.isdisjoint(one)), None)
    if first is not None:
        for at, one in enumerate(found[: first + 2]):
            where = "before" if at < first else "at" if at == first else "after"
            one[f"{where} {what}"] = 1.0


Weights = Mapping[str, tuple[float, float]]
"""By feature, its weights in the sums of an idea and of a result."""

# Learned by `python -m tools.gist_fit` (see `docs/gist.md`), which prints these lines.
WEIGHTS: Weights = {
    "length": (3.76, 1.71), "place": (0.0, 3.71), "at ours": (2.0, 0.0),
    "opens with our": (0.1, 1.26), "this paper": (1.19, 0.0), "by doing": (1.03, 1.02),
    "method": (0.67, 0.0), "than": (1.56, 0.35), "middle": (3.98, -0.96),
    "after ours": (1.36, -0.72), "our": (-0.61, 1.42), "allow": (-0.66, 1.74),
    "better": (-0.8, 0.76), "degree": (-0.3, 1.97), "figure": (-0.21, 1.85),
    "rivals": (-1.52, 1.27), "on": (-0.05, 0.73), "at the proposal": (0.48, -1.81),
    "after the proposal": (0.81, -0.05), "first result": (-0.7, 1.35),
    "before ours": (-1.36, -1.38), "before the proposal": (0.0, -2.04), "also": (-0.83, -0.82),
    "problem": (-1.87, 0.0), "have": (-2.05, -1.03), "code": (-1.22, -1.92),
}  # fmt: skip
