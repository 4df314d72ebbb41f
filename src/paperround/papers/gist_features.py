"""Split an abstract into sentences, and compute their named features with the learned weights.

A sentence ends at a full stop, question or exclamation mark (with closing quotes and brackets) if
white space and a possible start of a sentence follow. After an abbreviation or an initial it ends
only before a word that usually starts one, such as `We` or `However`: `et al. We propose` is two
sentences, `et al. Nature` is one.

A feature is a habit of authors: words that announce their own work or results, openings of a
sentence that only continues, usual places in an abstract. A feature that does not apply is left
out; most others are 1.0, and all lie between 0 and 1.
"""

import re
from collections.abc import Mapping, Sequence
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

LONG = 320
"""A sentence of this many characters has full length."""
_SHORT = 100  # a shorter sentence usually names something without describing it

_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d")
_FIGURE = re.compile(
    r"\d(?:\.\d+)?\s?(?:\\?%|×|x\b|\$?\\times|points?\b|times\b|fps\b|db\b)", re.IGNORECASE
)  # 12 %, 2.5x, 30 fps

_PROPOSE = frozenset(
    ("propose proposes proposed introduce introduces introduced present presents presented develop "
     "develops developed devise devises devised design designs designed").split()
)  # fmt: skip
_SHOW = frozenset(
    ("show shows showing demonstrate demonstrates demonstrating find finds reveal reveals observe "
     "prove proves validate confirm confirms indicate indicates suggest suggests establish").split()
)  # fmt: skip
_STUDY = frozenset(
    ("study studies investigate explore examine address tackle focus analyze analyse aim consider "
     "seek").split()
)  # fmt: skip
_NAMES_OF_A_STUDY = frozenset({"paper", "work", "article", "study"})
_VERB_REACH = 4  # words after "we" searched for its verb: "we then empirically show"

_CLASSES = {
    "our": "our ours",
    "show": " ".join(_SHOW),
    "experiment": "experiment experiments experimental experimentally evaluation evaluations "
    "empirical empirically results extensive quantitative",
    "better": "outperform outperforms outperforming outperformed surpass surpasses surpassing "
    "exceed exceeds improve improves improved improvement improvements improving achieve achieves "
    "achieved achieving superior better best gain gains margin boost boosts boosting reduce "
    "reduces reducing faster",
    "degree": "significantly substantially consistently favorably comparable competitive "
    "effectiveness accurate high-quality",
    "rivals": "state-of-the-art sota baseline baselines compared",
    "on": "on",
    "method": "method approach framework model algorithm architecture network pipeline",
    "means": "leverage leverages leveraging using utilize utilizes utilizing exploit exploits "
    "exploiting combine combines combining learn learns train integrate integrates incorporate "
    "incorporates employ employs jointly via through formulate based",
    "contrast": "rather instead unlike contrast",
    "gain": "without thereby thus simultaneously both while",
    "allow": "enables enabling enable allows allowing allow",
    "insight": "insight insights observation observe idea intuition contribution",
    "than": "than",
    "problem": "challenge challenges challenging remain remains suffer suffers limited limitation "
    "limitations difficult difficulty crucial important essential fundamental lack lacks fail "
    "fails hard expensive due costly",
    "have": "has have had",
    "also": "also further furthermore moreover additionally besides finally lastly",
    "future": "will future hope aim aims need may could potential research community applications",
    "code": "github code release released publicly webpage website http https",
}
_OPENINGS = {
    "opens with our": "our",
    "opens with a turn": "however despite although while unfortunately nevertheless yet but recent "
    "recently existing previous prior most many current traditional",
    "opens with detail": "specifically first second third firstly secondly then",
}


def _by_word(classes: Mapping[str, str]) -> Mapping[str, str]:
    return {word: name for name, words in classes.items() for word in words.split()}


_CLASS_OF = _by_word(_CLASSES)
_OPENING_OF = _by_word(_OPENINGS)


def features_of(sentences: Sequence[Sentence]) -> tuple[Features, ...]:
    """The features of each sentence of one abstract, in order."""
    found = [_word_features(sentence.text) for sentence in sentences]
    for at, features in enumerate(found):
        place = at / (len(found) - 1) if len(found) > 1 else 0.5
        features["place"], features["middle"] = place, 4 * place * (1 - place)
        if at < 2:
            features[("first", "second")[at]] = 1.0
    # An abstract turns from the background to the authors' own work once.
    _mark_first(found, ("we", "our"), "first of ours", "before ours", "after ours")
    proposal = ("first proposal", "before the proposal", "after the proposal")
    _mark_first(found, ("we propose",), *proposal)
    for one in found:
        is_result = "better" in one or "show" in one or "rivals" in one
        if is_result and ("our" in one or "experiment" in one or "we show" in one):
            one["first result"] = 1.0
            break
    closing = next((one for one in reversed(found) if "code" not in one), None)
    if closing is not None:
        closing["closing"] = 1.0
    return tuple(found)


def is_background(features: Features) -> bool:
    """Whether a sentence of the first half stands before the authors speak of their own work."""
    return "before ours" in features and features["place"] < 0.5


def _word_features(text: str) -> dict[str, float]:
    words = _WORD.findall(text.lower())
    features = {name: 1.0 for word in words if (name := _CLASS_OF.get(word))}
    if words and (opening := _OPENING_OF.get(words[0])):
        features[opening] = 1.0
    for at, word in enumerate(words):
        following = words[at + 1 : at + 1 + _VERB_REACH]
        features.update(dict.fromkeys(_announcements(word, following), 1.0))
    if _FIGURE.search(text):
        features["figure"] = 1.0
    features["length"] = min(len(text), LONG) / LONG
    if len(text) < _SHORT:
        features["shortness"] = 1 - len(text) / _SHORT
    return features


def _announcements(word: str, following: Sequence[str]) -> Sequence[str]:
    """The features that a word has together with the words after it."""
    after = following[0] if following else ""
    match word:
        case "here":
            return ["this paper"] if after == "we" else []
        case "by":
            return ["by doing"] if after.endswith("ing") else []
        case "this" if after in _NAMES_OF_A_STUDY:
            names = ["this paper", "we"]
        case "we":
            names = ["we"]
        case _:
            return []
    if not _PROPOSE.isdisjoint(following):
        names.append("we propose")
    if not _SHOW.isdisjoint(following):
        names.append("we show")
    if not _STUDY.isdisjoint(following):
        names.append("we study")
    return names


def _mark_first(
    found: list[dict[str, float]], names: Sequence[str], first: str, before: str, after: str
) -> None:
    """Mark the first sentence that has one of the features `names`, those before it and the one
    after it."""
    at = next((at for at, one in enumerate(found) if not one.keys().isdisjoint(names)), None)
    if at is None:
        return
    found[at][first] = 1.0
    for one in found[:at]:
        one[before] = 1.0
    for one in found[at + 1 : at + 2]:
        one[after] = 1.0


Weights = Mapping[str, tuple[float, float]]
"""By feature, its weights in the sums of an idea and of a result."""

# Learned by `python -m tools.gist_fit` (see `docs/gist.md`), which prints these lines.

WEIGHTS: Weights = {
    "length": (3.32, 1.51),
    "place": (0.0, 3.4),
    "first of ours": (1.92, 0.0),
    "opens with our": (0.26, 1.31),
    "this paper": (1.2, 0.0),
    "we propose": (0.57, 0.0),
    "by doing": (0.99, 1.01),
    "means": (0.56, 0.0),
    "method": (0.69, 0.0),
    "contrast": (0.51, 0.76),
    "than": (1.67, 0.37),
    "middle": (2.93, -0.82),
    "after ours": (1.32, -0.66),
    "insight": (0.23, -1.22),
    "closing": (-1.78, 0.09),
    "our": (-0.61, 1.34),
    "allow": (-0.59, 1.7),
    "gain": (-0.29, 0.4),
    "experiment": (-0.56, 0.26),
    "better": (-0.67, 0.79),
    "degree": (-0.18, 1.87),
    "figure": (0.0, 1.82),
    "rivals": (-1.38, 1.13),
    "on": (-0.24, 0.57),
    "first proposal": (-0.02, -1.66),
    "after the proposal": (0.72, -0.14),
    "first result": (-0.56, 1.18),
    "shortness": (-1.05, -1.03),
    "first": (-1.18, 0.0),
    "second": (-0.2, -1.02),
    "before ours": (-1.28, -1.28),
    "before the proposal": (0.0, -1.98),
    "opens with a turn": (-0.89, -0.53),
    "opens with detail": (0.0, -0.73),
    "we study": (0.0, -0.24),
    "also": (-0.83, -0.86),
    "problem": (-1.64, 0.0),
    "have": (-1.96, -0.96),
    "future": (-0.22, -0.69),
    "code": (-1.11, -1.57),
}
