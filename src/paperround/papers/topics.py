"""Validate topics, and match them in papers as whole words.

`fusion` is found in "sensor fusion" and not in "diffusion"; `protein folding` also in
"protein-folding". Case, accents, width and the kind of dash or space make no difference.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import counted_text, marked_forms
from paperround.papers.stems import fold_word

MOST_TOPICS = 50
LONGEST_TOPIC = 100

_BETWEEN = re.compile(r"[\s\u2010-\u2015-]+")
_CLUSTER = re.compile(r"[\s\u2010-\u2015-]+|.[\u0300-\u036f]*", re.DOTALL)
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


def folded(text: str) -> str:
    """`text` for comparison: compatibility forms resolved, case folded, without accents, one space
    between words."""
    return fold_word(_BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()))


_MOST_UNFOLDED = 8192
"""Texts in the cache: title, abstract and authors of more than a thousand papers, those of a
day's searches."""


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A text and its folded form: letter n of `text` comes from the grapheme `cluster[n]` of
    `written`, which begins at `starts[cluster[n]]`."""

    written: str
    text: str
    cluster: Sequence[int]
    starts: Sequence[int]

    def as_written(self, start: int, end: int) -> str:
        """The written text of letters `start` to `end` of the folded form."""
        if not self.starts:
            return self.text[start:end]
        return self.written[
            self.starts[self.cluster[start]] : self.starts[self.cluster[end - 1] + 1]
        ]


@lru_cache(maxsize=_MOST_UNFOLDED)
def unfolded(written: str) -> Unfolded:
    """A text to search and quote. If it folds differently as a whole than letter by letter, quotes
    are folded."""
    text = folded(written)
    if written.isascii() and len(text) == len(written):  # every letter folds to one
        letters = range(len(written) + 1)
        return Unfolded(written, text, letters, letters)
    starts, cluster, pieces = array("I"), array("I"), []
    for number, found in enumerate(_CLUSTER.finditer(written)):
        piece = folded(found[0])
        starts.append(found.start())
        cluster.extend([number] * len(piece))
        pieces.append(piece)
    if "".join(pieces) != text:
        return Unfolded(written, text, (), ())
    starts.append(len(written))
    return Unfolded(written, text, cluster, starts)


@lru_cache(maxsize=4096)
def whole_words(
    text: str, endings: tuple[str, ...] = (), *, starts: bool = False
) -> re.Pattern[str]:
    """A pattern for folded words as whole words; `starts` makes the last one a prefix, and
    `endings` are the possible endings of the last word. A script without spaces matches anywhere.
    """
    start = r"(?<!\w)" if is_spaced(text[:1]) else ""
    end = r"(?!\w)" if is_spaced(text[-1:]) else ""
    if starts:
        end = r"\w*"
    either = f"(?:{'|'.join(map(re.escape, endings))})" if endings else ""
    return re.compile(f"{start}{re.escape(text)}{either}{end}")


def is_spaced(text: str) -> bool:
    """Whether every letter is of a script with spaces between words."""
    if text.isascii():
        return True
    return not any(unicodedata.name(char, "").startswith(_UNSPACED) for char in text)


_TOPICS = marked_forms("%(num)s topic: use at most %(all)s", "%(num)s topics: use at most %(all)s")


def read_topics(written: Sequence[str]) -> tuple[str, ...]:
    """The topics cleaned and without duplicates, in their order.

    Raises InvalidInput (code `topics`) for too many or too long ones.
    """
    cleaned = (" ".join(one.split()) for one in written)
    topics = tuple(dict.fromkeys(topic for topic in cleaned if folded(topic).strip()))
    if len(topics) > MOST_TOPICS:
        text = counted_text(_TOPICS, len(topics), all=MOST_TOPICS)
        raise InvalidInput(text, code="topics")
    for topic in topics:
        if len(topic) > LONGEST_TOPIC or not topic.isprintable():
            raise invalid(
                "topics",
                "the topic %(given)s is longer than %(all)s characters or contains unprintable "
                "characters",
                given=topic[:40],
                all=LONGEST_TOPIC,
            )
    return topics
