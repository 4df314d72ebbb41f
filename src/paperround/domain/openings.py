"""What a sentence can lose from its head when it stands alone: list markers and connectives."""

import re

_MARKER = re.compile(
    r"(?:\((?:[ivx]{1,4}|\d{1,2}|[a-e])\)|(?:[ivx]{1,4}|\d{1,2})\)|\d{1,2}\.)\s+"
    r"(?:[A-Z][\w-]*(?: [\w-]+){0,4}: )?"
)
_LIST_OPENING = re.compile(r"\(|\w{1,4}[.)]|First")
_CONNECTIVE = re.compile(
    r"(?:First|Second|Third|Fourth|Firstly|Secondly|Thirdly|Next|Then|Finally|Lastly|Besides|"
    r"Moreover|Furthermore|Additionally|Specifically|Consequently|Hence|Thus|Therefore|"
    r"Taken together|As a result|In addition|In contrast|Instead|However|To (?:this|that) end|"
    r"To (?:address|tackle|overcome|solve|resolve|mitigate|alleviate|bridge|fill|close|remedy|meet)"
    r" (?:this|these|that|those|the|such)(?: [\w-]+){0,3}), "
)
_GOES_ON = re.compile(
    r"\((?:[ivx]{1,4}|\d{1,2}|[b-e])\)\s|\s\d{1,2}\)\s|"
    r"(?<!\d )(?<!\bper )(?<!\ba )\b(?:second|third|then|finally)(?:ly)?,? ",
    re.IGNORECASE,
)  # the list that the opening begins is in the same sentence; a second may be a time
_CLAUSE = re.compile(
    r"(?!(?:and|or|but|nor|yet|which|that|who|whose)\b)(?:[a-z]+(?:-[a-z]+)*[ ,]|[A-Z](?!\.))"
)  # a name such as iFoo must not become IFoo


def standing_alone(sentence: str) -> str:
    """`sentence` without the list marker and connectives it opens with, if a clause follows."""
    rest = sentence
    while opening := _MARKER.match(rest) or _CONNECTIVE.match(rest):
        rest = rest[opening.end() :]
    is_list = _LIST_OPENING.match(sentence) and _GOES_ON.search(rest)
    if rest == sentence or is_list or not _CLAUSE.match(rest):
        return sentence
    return rest[0].upper() + rest[1:]
