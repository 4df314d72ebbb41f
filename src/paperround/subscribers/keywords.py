"""The search language for new papers: a query either matches a paper or does not.

    graph attention        both words; each also in its plural (or singular)
    "graph attention"      the phrase; a compound such as zero-shot is a phrase, too
    retriev*               every word that starts so
    graph AND cost         both, as without AND; +graph means the same
    graph OR "knowledge base"        one of the two; AND binds tighter than OR
    graph NOT survey   graph -survey          the first without the second
    (graph OR tree) AND title:survey
    title:  abstract:  author:  category: or cat:     only in that field; also before parentheses

The search page ranks by relevance and so matches any of the words; a digest has no second page, so
all words must occur. Case, accents, width and the kind of dash make no difference. Any syntax error
is reported with its character position.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.papers.search import COMMON, QueryPlace
from paperround.papers.topics import folded, unfolded

LONGEST_KEYWORDS = 300
MOST_TERMS = 40
DEEPEST = 10
"""Levels of parentheses and NOT."""

_SHORTEST_START = 2
_CATEGORY = frozenset({"category", "cat"})
_OF_PAPERS = marked(
    "at character %(at)s, %(term)s: is for the search page: a digest is made from new papers"
)
_ELSEWHERE = {
    "feed": marked(
        "at character %(at)s, feed: is for the search page: a digest is made from the feeds of its "
        "list"
    ),
    "after": _OF_PAPERS,
    "before": _OF_PAPERS,
}
_PREFIXES = frozenset(
    f"{name}:" for name in ("title", "abstract", "author", *_CATEGORY, *_ELSEWHERE)
)
_PLAIN_MARKS = str.maketrans("“”„‟″＂«»（）", '""""""""()')
_OUTER_MARKS = " ,;:.!?'`‘’"
_TOKEN = re.compile(
    r"""(?P<gap>\s*)(?P<sign>[+\-\u2013\u2212](?=[^\s)+\-]))?
        (?:(?P<name>title|abstract|author|category|cat|feed|after|before):(?=[^\s)]))?
        (?:(?P<open>\()|(?P<close>\))|"(?P<phrase>[^"]*)"|(?P<quote>")|(?P<word>[^\s"()]+))""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyWords:
    """Folded words side by side, in one field of a paper or in any.

    `starts` makes the last word a prefix; `bends` lets it match its plural or singular.
    `is_quoted`: written as a phrase.
    """

    text: str
    place: QueryPlace | None = None
    starts: bool = False
    bends: bool = False
    is_quoted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InCategory:
    """Matches papers of a category (in lower case) or of one within it."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Matches if all parts match."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """Matches if any part matches."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """Matches if the part does not."""

    part: "Node"


Node = AnyWords | InCategory | AllOf | Either | Without


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """A parsed query. `terms` is its number of words and phrases."""

    text: str
    root: Node
    terms: int

    @property
    def is_plain(self) -> bool:
        """Whether the query is nothing but words side by side, in no particular field."""
        return isinstance(self.root, AnyWords) and self.root.place is None

    @property
    def wanted(self) -> str:
        """The words to match, as written and joined by blanks, without excluded words and
        authors."""
        whole, said = unfolded(self.text), []
        for one in _wanted(self.root):
            if one.place is not QueryPlace.AUTHOR:
                at = whole.text.find(one.text)
                said.append(one.text if at < 0 else whole.as_written(at, at + len(one.text)))
        return " ".join(said)


def _wanted(node: Node) -> Iterator[AnyWords]:
    match node:
        case AnyWords():
            yield node
        case AllOf() | Either():
            for part in node.parts:
                yield from _wanted(part)


@lru_cache(maxsize=4096)
def read_keywords(text: str) -> Keywords:
    """Parse `text`. Raises InvalidInput (code `keywords`) with the reason and the position."""
    if len(text) > LONGEST_KEYWORDS:
        raise _unfit("%(some)s characters: %(all)s at most", some=len(text), all=LONGEST_KEYWORDS)
    tokens = list(_tokens(text.translate(_PLAIN_MARKS)))
    terms = sum(token.is_term for token in tokens)
    if not terms:
        raise _unfit("it names no word to look for")
    if terms > MOST_TERMS:
        raise _unfit("%(some)s words and phrases: %(all)s at most", some=terms, all=MOST_TERMS)
    root = _Parser(tokens).whole()
    if not _asks(root):
        raise _unfit("it only says what to leave out: name something to look for as well")
    if _finds_all(root):
        raise _unfit("nearly every paper has that: add a word that tells, or put it in quotes")
    return Keywords(text=text, root=root, terms=terms)


def _unfit(message: str, **params: object) -> InvalidInput:
    return invalid("keywords", message, **params)


def _asks(node: Node) -> bool:
    """Return whether every match contains something that was searched for."""
    match node:
        case Without():
            return False
        case AllOf():
            return any(map(_asks, node.parts))
        case Either():
            return all(map(_asks, node.parts))
    return True


def _finds_all(node: Node) -> bool:
    """Return whether filler words are enough to match."""
    match node:
        case AllOf():
            return all(_finds_all(part) for part in node.parts if not isinstance(part, Without))
        case Either():
            return any(map(_finds_all, node.parts))
    return _is_common(node)


# --- tokens ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """`kind` is `(`, `)`, AND, OR, NOT, `word` or `phrase`; `at` counts characters from 1."""

    kind: str
    at: int
    said: str = ""
    sign: str = ""
    name: str = ""

    @property
    def is_term(self) -> bool:
        return self.kind in ("word", "phrase")

    @property
    def begins(self) -> bool:
        """Whether a term or a group may begin with this token."""
        return self.is_term or self.kind in ("(", "NOT")


def _tokens(text: str) -> Iterator[_Token]:
    for piece in _TOKEN.finditer(text):
        token = _token(piece)
        if token.kind != "word" or any(map(str.isalnum, token.said)):
            yield token


def _token(piece: re.Match[str]) -> _Token:
    at, name = piece.end("gap") + 1, (piece["name"] or "").lower()
    sign = "" if not piece["sign"] else "+" if piece["sign"] == "+" else "-"
    said = piece["phrase"] or piece["word"] or ""
    if piece["quote"]:
        raise _unfit("a quote opens at character %(at)s and is not closed", at=at)
    if piece["phrase"] is not None and not any(map(str.isalnum, said)):
        raise _unfit("the quotes at character %(at)s hold no word", at=at)
    kind = piece["open"] or piece["close"] or ("word" if piece["phrase"] is None else "phrase")
    if kind == "word":
        if said.lower() in _PREFIXES:
            raise _unfit(
                "“%(term)s” at character %(at)s needs a word right behind it", term=said, at=at
            )
        is_bare = not (sign or name)
        if is_bare and said in ("AND", "OR", "NOT"):
            return _Token(kind=said, at=at)
        if is_bare and said in ("or", "not"):
            raise _unfit(
                "“%(term)s” at character %(at)s: write %(name)s in capitals, or put words "
                "that belong together in quotes",
                term=said,
                at=at,
                name=said.upper(),
            )
    return _Token(kind=kind, at=at, said=said, sign=sign, name=name)


# --- grammar -----------------------------------------------------------------------------------


class _Parser:
    """A recursive descent parser; each level of parentheses or NOT adds one to the depth."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = self._depth = 0
        self._name = ""

    def whole(self) -> Node:
        node = self._either()
        token = self._look()
        if token is not None:
            raise _unfit(
                "a parenthesis closes at character %(at)s that was not opened", at=token.at
            )
        return node

    def _look(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _took(self, kind: str) -> bool:
        token = self._look()
        found = token is not None and token.kind == kind
        self._next += found
        return found

    def _either(self) -> Node:
        parts = [self._every()]
        while self._took("OR"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Either(parts=tuple(parts))

    def _every(self) -> Node:
        parts = [self._one()]
        while self._took("AND") or ((token := self._look()) and token.begins):
            parts.append(self._one())
        telling = [part for part in parts if not _is_common(part)]
        kept = telling if any(map(_asks, telling)) else parts
        return kept[0] if len(kept) == 1 else AllOf(parts=tuple(kept))

    def _one(self) -> Node:
        token = self._look()
        if token is None or not token.begins:
            raise self._missing(token)
        self._next += 1
        if token.is_term:
            node = _term(token, token.name or self._name)
        elif self._depth == DEEPEST:
            raise _unfit(
                "more than %(all)s levels deep at character %(at)s", all=DEEPEST, at=token.at
            )
        else:
            self._depth += 1
            node = self._one() if token.kind == "NOT" else self._group(token)
            self._depth -= 1
        return Without(part=node) if token.sign == "-" or token.kind == "NOT" else node

    def _group(self, token: _Token) -> Node:
        outer, self._name = self._name, token.name or self._name
        node = self._either()
        self._name = outer
        if not self._took(")"):
            raise _unfit("a parenthesis opens at character %(at)s and is not closed", at=token.at)
        return node

    def _missing(self, token: _Token | None) -> InvalidInput:
        """Return the error for a missing term or group."""
        before = self._tokens[self._next - 1] if self._next else None
        if before is not None and before.kind == "NOT":
            return _unfit("NOT at character %(at)s needs something to leave out", at=before.at)
        if before is not None and before.kind == "(":
            return _unfit("the parentheses at character %(at)s hold nothing", at=before.at)
        joint = before or token
        if joint is not None and joint.kind in ("AND", "OR"):
            return _unfit(
                "%(term)s at character %(at)s needs something on both sides",
                term=joint.kind,
                at=joint.at,
            )
        at = 1 if token is None else token.at
        return _unfit("a parenthesis closes at character %(at)s that was not opened", at=at)


def _is_common(node: Node) -> bool:
    if not isinstance(node, AnyWords) or node.place or node.is_quoted or node.starts:
        return False
    return node.text in COMMON


def _term(token: _Token, name: str) -> Node:
    if name in _ELSEWHERE:
        raise _unfit(_ELSEWHERE[name], at=token.at, term=name)
    if name in _CATEGORY:
        return InCategory(name=" ".join(token.said.split()).casefold())
    starts = token.kind == "word" and token.said.endswith("*")
    place = QueryPlace(name) if name else None
    text = folded(token.said.rstrip("*") if starts else token.said.replace("*", " "))
    text = " ".join(text.strip(_OUTER_MARKS).split())
    if starts and len(text) < _SHORTEST_START:
        raise _unfit("a beginning needs two letters before its * at character %(at)s", at=token.at)
    return AnyWords(
        text=text,
        place=place,
        starts=starts,
        bends=not starts and place is not QueryPlace.AUTHOR,
        is_quoted=token.kind == "phrase",
    )
