"""Split text into words and stem them: `ranked`, `ranks` and `ranking` are one word to a search.

The stemmer is M. F. Porter's (An algorithm for suffix stripping, Program 14(3), 1980), with the two
changes of his later version (`logi`, `bli`), like that of SQLite's search index.
"""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]+")
_ENGLISH = re.compile("[a-z]+")
_SHORTEST = 3

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize",
    "bli": "ble", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize",
    "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive", "fulness": "ful",
    "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble", "logi": "log",
}  # fmt: skip
_STEP_3 = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_STEP_4 = (
    "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
).split()  # fmt: skip


_ENDS_2, _ENDS_3, _ENDS_4 = (
    re.compile(f"(?:{'|'.join(sorted(step, key=len, reverse=True))})$")
    for step in (_STEP_2, _STEP_3, _STEP_4)
)
_MEASURE = re.compile(r"^c*(?:v+c+){1}")
_MORE_THAN_ONE = re.compile(r"^c*(?:v+c+){2}")


def fold_word(text: str) -> str:
    """`text` for comparison: lower case, without accents, compatibility forms resolved."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", apart))


def words(text: str) -> list[str]:
    """The folded words of `text`, in order."""
    return _WORD.findall(fold_word(text))


def stems(text: str) -> list[str]:
    """The stems of the words of `text`, in order."""
    return [stem(word) for word in words(text)]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a folded word. A short or non-English word stays as it is."""
    if len(word) < _SHORTEST or not _ENGLISH.fullmatch(word):
        return word
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    word = _without_past(word)
    if word.endswith("y") and "v" in _shape(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _ENDS_2, _STEP_2)
    word = _replaced(word, _ENDS_3, _STEP_3)
    return _without_e(_without_suffix(word))


def _shape(word: str) -> str:
    """The word in letters v (vowel) and c (consonant); y after a consonant is a vowel."""
    shape = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if is_vowel else "c"
    return shape


def _has_measure(word: str) -> bool:
    return _MEASURE.match(_shape(word)) is not None


def _without_past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _has_measure(word[:-3]) else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word and "v" in _shape(rest):
            return _restored(rest)
    return word


def _restored(word: str) -> str:
    """A word without its `ed` or `ing`, with the final letter restored."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if len(word) > 1 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
        return word[:-1]
    is_short = re.fullmatch(r"c*v+c+", _shape(word)) is not None and _ends_short(word)
    return word + "e" if is_short else word


def _ends_short(word: str) -> bool:
    """Whether it ends in consonant, vowel, consonant, the last not w, x or y."""
    return _shape(word).endswith("cvc") and word[-1] not in "wxy"


def _replaced(word: str, ends: re.Pattern[str], replacements: dict[str, str]) -> str:
    found = ends.search(word)
    if found is None or not _has_measure(word[: found.start()]):
        return word
    return word[: found.start()] + replacements[found[0]]


def _without_suffix(word: str) -> str:
    found = _ENDS_4.search(word)
    if found is None:
        return word
    rest = word[: found.start()]
    if found[0] == "ion" and not rest.endswith(("s", "t")):
        return word
    return rest if _MORE_THAN_ONE.match(_shape(rest)) else word


def _without_e(word: str) -> str:
    if word.endswith("e"):
        rest = word[:-1]
        is_long = _MORE_THAN_ONE.match(_shape(rest)) is not None
        if is_long or (_has_measure(rest) and not _ends_short(rest)):
            word = rest
    if word.endswith("ll") and _MORE_THAN_ONE.match(_shape(word)):
        word = word[:-1]
    return word
