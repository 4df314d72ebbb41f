"""The open licence that a copyright line grants for its article; one it only mentions is none."""

import re
from collections.abc import Iterator

_MOST = 5000
_NAMED = re.compile(
    r"https?://creativecommons\.org/(?:licenses/by(?:-nc)?(?:-nd|-sa)?|publicdomain/zero)/\d\.\d/?"
    r"|\bCC[ -]BY(?:-NC)?(?:-ND|-SA)?\b(?![ -]?(?:NC|ND|SA))|\bCC0\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r";\s+|[.!?]\s+(?=[\"'(\[©]*[A-Z])")
_GRANT = re.compile(r"\b(?:under|open[ -]access|licen[cs]ed?|published|free)\b", re.IGNORECASE)
_BARE = re.compile(r"[\W\d_]*(?:creative commons[\W_]*)?", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:not|no|nor|never|neither|without|exclusive|except|unless|if|preprint|pre-print"
    r"|manuscript|data|datasets?|code|software|figures?|images?|supplement\w*|appendix"
    r"|previous\w*|earlier|waiver)\b",
    re.IGNORECASE,
)
"""What makes a licence that follows in its sentence a denied one, or that of something else."""
_LATER = re.compile(
    r"\b(?:not apply|embargo|from \d|after \d|applies to|preprint|manuscript|(?<!indicate )if)\b",
    re.IGNORECASE,
)
"""What takes a licence back behind it; `indicate if changes were made` is one of its own terms."""
_RESERVED = re.compile(r"\ball rights reserved\b", re.IGNORECASE)


def granted(line: str) -> str | None:
    """The first Creative Commons licence a sentence of the line grants, None in any doubt.

    `Published under exclusive license; preprint was CC BY` grants none: to show too little is a
    smaller mistake than to show what somebody owns.
    """
    line = " ".join(line[:_MOST].split())
    if _RESERVED.search(line):
        return None
    return next((name for one in _SENTENCE_END.split(line) for name in _grants(one)), None)


def _grants(sentence: str) -> Iterator[str]:
    for match in _NAMED.finditer(sentence):
        before, after = sentence[: match.start()], sentence[match.end() :]
        says_so = _GRANT.search(before) or _BARE.fullmatch(before)
        if says_so and not _OTHER.search(before) and not _LATER.search(after):
            yield match[0]
