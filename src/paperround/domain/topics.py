"""Topics: words a reader gave, found in a paper as whole words.

`fusion` is found in "sensor fusion" and not in "diffusion"; `protein folding` also in
"protein-folding". Case, width and the kind of dash or space make no difference.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from paperround.domain.errors import InvalidInput

MOST_TOPICS = 50
LONGEST_TOPIC = 100

_BETWEEN = re.compile(r"[\s\u2010-\u2015-]+")


@dataclass(frozen=True, slots=True)
class Topics:
    """A reader's topics, ready to be looked for."""

    names: tuple[str, ...]

    def found_in(self, *texts: str) -> str | None:
        """The first of the topics, as its reader wrote it, that one of `texts` holds."""
        if not self.names:
            return None
        folded = "\n".join(map(fold, texts))
        return next((name for name in self.names if _pattern(name).search(folded)), None)

    def named_among(self, authors: Sequence[str]) -> str | None:
        """The first of `authors` whose whole name is one of the topics."""
        if not self.names:
            return None
        wanted = {fold(name).strip() for name in self.names}
        return next((author for author in authors if fold(author).strip() in wanted), None)


def fold(text: str) -> str:
    """`text` for comparing: compatibility forms resolved, case folded, one space between words."""
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=4096)
def _pattern(topic: str) -> re.Pattern[str]:
    """The topic as whole words. A script that writes no spaces has no words to be whole."""
    words = re.escape(fold(topic).strip())
    start = r"(?<!\w)" if _is_spaced(topic[:1]) else ""
    end = r"(?!\w)" if _is_spaced(topic[-1:]) else ""
    return re.compile(f"{start}{words}{end}")


def _is_spaced(char: str) -> bool:
    name = unicodedata.name(char, "")
    return not name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))


def read_topics(written: Sequence[str]) -> tuple[str, ...]:
    """The topics somebody gave, cleaned, each once, in their order.

    Raises InvalidInput (code `topics`) for too many or too long ones.
    """
    cleaned = (" ".join(one.split()) for one in written)
    topics = tuple(dict.fromkeys(topic for topic in cleaned if fold(topic).strip()))
    if len(topics) > MOST_TOPICS:
        raise InvalidInput(f"{len(topics)} topics: {MOST_TOPICS} are enough", code="topics")
    for topic in topics:
        if len(topic) > LONGEST_TOPIC or not topic.isprintable():
            raise InvalidInput(
                f"the topic {topic[:40]!r} is longer than {LONGEST_TOPIC} characters or holds "
                "characters that cannot be printed",
                code="topics",
            )
    return topics
