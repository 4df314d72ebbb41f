"""Spelling help: the word that was probably meant by one that no paper has."""

from collections.abc import Iterable, Sequence

from paperround.domain.search import COMMON
from paperround.domain.stems import words

SHORTEST, LONGEST = 4, 30
"""Letters of a word that is worth a guess."""
_LONG = 7
"""From this length on a word may have two slips."""


def title_words(titles: Iterable[str]) -> set[str]:
    """The words of titles that spelling help should know."""
    known: set[str] = set()
    known.update(*map(words, titles))
    return {one for one in known - COMMON if is_guessable(one)}


def is_guessable(word: str) -> bool:
    """Whether `word` is made of letters alone, and of enough of them."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def nearest(word: str, known: Sequence[str]) -> list[str]:
    """Those of `known` that are the fewest slips away from `word`, none that are too many."""
    most = 2 if len(word) >= _LONG else 1
    slips = {one: distance(word, one, most) for one in known if one != word}
    least = min(slips.values(), default=most + 1)
    return sorted(one for one, far in slips.items() if far == least <= most)


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be put in, left out, changed or swapped with their neighbour to make
    `other` of `one`; `most + 1` where it is more than `most`.

    The restricted distance of Damerau and Levenshtein, by Wagner and Fischer's table of 1974.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        older, before, row = before, row, [number]
        for place, theirs in enumerate(other, start=1):
            cost = min(before[place], row[-1]) + 1
            cost = min(cost, before[place - 1] + (letter != theirs))
            is_swap = number > 1 and place > 1 and _is_swap(one, other, number, place)
            row.append(min(cost, older[place - 2] + 1) if is_swap else cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _is_swap(one: str, other: str, number: int, place: int) -> bool:
    return one[number - 1] == other[place - 2] and one[number - 2] == other[place - 1]
