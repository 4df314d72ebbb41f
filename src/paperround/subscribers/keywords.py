"""The search language for new papers: a query either matches a paper or does not.

    graph attention        both words; each also in its plural (or singular)
    "graph attention"      the phrase; a compound such as zero-shot is a phrase, too
    retriev*               every word with this beginning
    graph AND cost         both, as without AND; +graph means the same
    graph OR "knowledge base"        one of the two; AND binds tighter than OR
    graph NOT survey   graph -survey          the first without the second
    (graph OR tree) AND title:survey
    title:  abstract:  author:  category: or cat:     only in that field; also before parentheses

The search page ranks by relevance and may fall back on some of the words; a digest has no second
page, so all words must occur. Case, accents, width and the kind of dash make no difference. Any
syntax error is reported with its character position.
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
    "“%(term)s:” at character %(at)s works only on the search page: a digest is made from new "
    "papers"
)
_ELSEWHERE = {
    "feed": marked(
        "“feed:” at character %(at)s works only on the search page: a digest is made from the "
        "feeds of its list"
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
    def plain_words(self) -> tuple[str, ...]:
        """The folded words of a query that needs them all, wherever they are; else empty."""
        parts = self.root.parts if isinstance(self.root, AllOf) else (self.root,)
        words = [one for one in parts if isinstance(one, AnyWords)]
        is_plain = all(one.place is None and not one.is_quoted for one in words)
        return tuple(one.text for one in words) if is_plain and len(words) == len(parts) else ()

    @property
    def wanted(self) -> str:
        """The words to match, as written and joined by blanks, without excluded words and
        authors."""
        whole, found = unfolded(self.text), []
        for one in _required_words(self.root):
            if one.place is not QueryPlace.AUTHOR:
                at = whole.text.find(one.text)
                found.append(one.text if at < 0 else whole.as_written(at, at + len(one.text)))
        return " ".join(found)


def _required_words(node: Node) -> Iterator[AnyWords]:
    match node:
        case AnyWords():
            yield node
        case AllOf() | Either():
            for part in node.parts:
                yield from _required_words(part)


@lru_cache(maxsize=4096)
def read_keywords(text: str) -> Keywords:
    """Parse `text`. Raises InvalidInput (code `keywords`) with the reason and the position."""
    if len(text) > LONGEST_KEYWORDS:
        raise _unfit(
            "%(some)s characters: use at most %(all)s", some=len(text), all=LONGEST_KEYWORDS
        )
    tokens = list(_tokens(text.translate(_PLAIN_MARKS)))
    terms = sum(token.is_term for token in tokens)
    if not terms:
        raise _unfit("it has no words to look for")
    if terms > MOST_TERMS:
        raise _unfit("%(some)s words and phrases: use at most %(all)s", some=terms, all=MOST_TERMS)
    root = _Parser(tokens).parse()
    if not _requires_a_term(root):
        raise _unfit("it only says what to leave out: add something to look for")
    if _matches_filler(root):
        raise _unfit("nearly every paper has that: add a more specific word, or put it in quotes")
    return Keywords(text=text, root=root, terms=terms)


def _unfit(message: str, **params: object) -> InvalidInput:
    return invalid("keywords", message, **params)


def _requires_a_term(node: Node) -> bool:
    """Return whether every match contains something that was searched for."""
    match node:
        case Without():
            return False
        case AllOf():
            return any(map(_requires_a_term, node.parts))
        case Either():
            return all(map(_requires_a_term, node.parts))
    return True


def _matches_filler(node: Node) -> bool:
    """Return whether filler words are enough to match."""
    match node:
        case AllOf():
            return all(
                _matches_filler(part) for part in node.parts if not isinstance(part, Without)
            )
        case Either():
            return any(map(_matches_filler, node.parts))
    return _is_common(node)


# --- tokens ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """`kind` is `(`, `)`, AND, OR, NOT, `word` or `phrase`; `at` counts characters from 1."""

    kind: str
    at: int
    text: str = ""
    sign: str = ""
    name: str = ""

    @property
    def is_term(self) -> bool:
        return self.kind in ("word", "phrase")

    @property
    def starts_operand(self) -> bool:
        """Whether a term or a group may begin with this token."""
        return self.is_term or self.kind in ("(", "NOT")


def _tokens(text: str) -> Iterator[_Token]:
    for piece in _TOKEN.finditer(text):
        token = _token(piece)
        if token.kind != "word" or any(map(str.isalnum, token.text)):
            yield token


def _token(piece: re.Match[str]) -> _Token:
    at, name = piece.end("gap") + 1, (piece["name"] or "").lower()
    sign = "" if not piece["sign"] else "+" if piece["sign"] == "+" else "-"
    text = piece["phrase"] or piece["word"] or ""
    if piece["quote"]:
        raise _unfit("the quote at character %(at)s is not closed", at=at)
    if piece["phrase"] is not None and not any(map(str.isalnum, text)):
        raise _unfit("the quotes at character %(at)s contain no words", at=at)
    kind = piece["open"] or piece["close"] or ("word" if piece["phrase"] is None else "phrase")
    if kind == "word":
        if text.lower() in _PREFIXES:
            raise _unfit(
                "“%(term)s” at character %(at)s needs a word right after it", term=text, at=at
            )
        is_bare = not (sign or name)
        if is_bare and text in ("AND", "OR", "NOT"):
            return _Token(kind=text, at=at)
        if is_bare and text in ("or", "not"):
            raise _unfit(
                "“%(term)s” at character %(at)s: write %(name)s in capitals, or put words "
                "that belong together in quotes",
                term=text,
                at=at,
                name=text.upper(),
            )
    return _Token(kind=kind, at=at, text=text, sign=sign, name=name)


# --- grammar -----------------------------------------------------------------------------------


class _Parser:
    """A recursive descent parser; each level of parentheses or NOT adds one to the depth."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = self._depth = 0
        self._name = ""

    def parse(self) -> Node:
        node = self._parse_or()
        token = self._peek()
        if token is not None:
            raise _unfit(
                "the closing parenthesis at character %(at)s has no opening one", at=token.at
            )
        return node

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _accept(self, kind: str) -> bool:
        token = self._peek()
        found = token is not None and token.kind == kind
        self._next += found
        return found

    def _parse_or(self) -> Node:
        parts = [self._parse_and()]
        while self._accept("OR"):
            parts.append(self._parse_and())
        return parts[0] if len(parts) == 1 else Either(parts=tuple(parts))

    def _parse_and(self) -> Node:
        parts = [self._parse_operand()]
        while self._accept("AND") or ((token := self._peek()) and token.starts_operand):
            parts.append(self._parse_operand())
        telling = [part for part in parts if not _is_common(part)]
        kept = telling if any(map(_requires_a_term, telling)) else parts
        return kept[0] if len(kept) == 1 else AllOf(parts=tuple(kept))

    def _parse_operand(self) -> Node:
        token = self._peek()
        if token is None or not token.starts_operand:
            at = max(self._next - 1, 0)  # what comes before it, if anything does
            raise _unfit(
                "“%(term)s” at character %(at)s needs something to look for next to it",
                term=self._tokens[at].kind,
                at=self._tokens[at].at,
            )
        self._next += 1
        if token.is_term:
            node = _parse_term(token, token.name or self._name)
        elif self._depth == DEEPEST:
            raise _unfit(
                "more than %(all)s levels deep at character %(at)s", all=DEEPEST, at=token.at
            )
        else:
            self._depth += 1
            node = self._parse_operand() if token.kind == "NOT" else self._parse_group(token)
            self._depth -= 1
        return Without(part=node) if token.sign == "-" or token.kind == "NOT" else node

    def _parse_group(self, token: _Token) -> Node:
        outer, self._name = self._name, token.name or self._name
        node = self._parse_or()
        self._name = outer
        if not self._accept(")"):
            raise _unfit("the parenthesis at character %(at)s is not closed", at=token.at)
        return node


def _is_common(node: Node) -> bool:
    if not isinstance(node, AnyWords) or node.place or node.is_quoted or node.starts:
        return False
    return node.text in COMMON


def _parse_term(token: _Token, name: str) -> Node:
    if name in _ELSEWHERE:
        raise _unfit(_ELSEWHERE[name], at=token.at, term=name)
    if name in _CATEGORY:
        return InCategory(name=" ".join(token.text.split()).casefold())
    starts = token.kind == "word" and token.text.endswith("*")
    place = QueryPlace(name) if name else None
    text = folded(token.text.rstrip("*") if starts else token.text.replace("*", " "))
    text = " ".join(text.strip(_OUTER_MARKS).split())
    if starts and len(text) < _SHORTEST_START:
        raise _unfit("the * at character %(at)s needs at least two letters before it", at=token.at)
    return AnyWords(
        text=text,
        place=place,
        starts=starts,
        bends=not starts and place is not QueryPlace.AUTHOR,
        is_quoted=token.kind == "phrase",
    )
