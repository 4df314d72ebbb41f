"""In which language a title or an abstract is written, so that a page can say so.

Feeds hardly ever tell. The script tells most of the foreign ones; of those in Latin letters the
little words do. Whoever reads a page aloud needs it, and a wrong guess does more harm than none: a
text is English, as nearly all are, unless it speaks clearly for another language.
"""

import re
from functools import lru_cache

from paperround.domain.languages import ENGLISH

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
_CLEARLY = 2
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
        return best if found[best] >= found[ENGLISH] + _CLEARLY else ENGLISH
    if counts["ja"] and main == "zh":
        return "ja"
    if main == "ar" and _PERSIAN.search(text):
        return "fa"
    if main == "ru" and _UKRAINIAN.search(text):
        return "uk"
    return main
