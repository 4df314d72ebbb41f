"""One and many: the regular forms of English nouns, where a wrong guess does little harm."""

from functools import lru_cache

_SHORTEST = 3
_NO_PLURAL = ("ss", "us", "is", "as", "ics")
_OTHERS = frozenset("news aids sars mars lens goods".split())
"""Words that end like a plural, and that another word would be left of."""
_HISSING = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"


@lru_cache(maxsize=16384)
def forms(word: str) -> tuple[str, ...]:
    """A folded word, and its plural or, of a plural, its singular. Only English ones bend."""
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return (word,)
    one = _singular(word)
    return tuple(dict.fromkeys((word, one, _plural(one))))


def _singular(word: str) -> str:
    if word.endswith(_NO_PLURAL) or word in _OTHERS or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > _SHORTEST else word


def _plural(word: str) -> str:
    if word.endswith("ics"):
        return word
    if word.endswith("y") and word[-2] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(_HISSING) else f"{word}s"
