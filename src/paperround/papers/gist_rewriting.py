r"""Rewrite one sentence of an abstract so that it stands alone, without changing what it claims.

Words at the head go if they only link the sentence to what is before it (`gist_openings`). What is
too long ends at the end of a clause, and loses what is in brackets. A part that opens with a word
such as `but` or `only when` limits the claim: a sentence never ends before it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paperround.papers.gist_features import Sentence
from paperround.papers.gist_openings import (
    EVIDENCE,
    LISTED,
    OF_OURS,
    PAPER,
    PROBLEM,
    capitalized,
    mended,
    without_opening,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` as shown, from the characters `start` to `end` of the abstract."""

    text: str
    start: int
    end: int


_LONGEST = 1500
"""Characters of a sentence that is worth the search for a place to end it."""
LEAST = 50
"""Characters that a sentence keeps; a shorter one says too little."""

_POINTS_BACK_AT_END = re.compile(
    rf",? (?:in order )?to (?:\w+ly )?(?:address|solve|tackle|overcome|mitigate|alleviate|bridge|"
    rf"fill|"
    rf"close|resolve|remedy|meet|achieve|answer|study|handle|combat|counter|fix|narrow|support) "
    rf"(?:this|these|that|those|such|the above|both) {PROBLEM}\.$|"
    rf",? towards? (?:this|that|these|those|such an?) {PROBLEM}\.$|"
    r",? as an? (?:\w+ )?step(?: (?:towards?|in|to)(?: [a-z]+)? (?:this|that|these|those) [\w-]+)?"
    r"\.$|"
    r"(?:,| and) (?:as follows|as shown below)[.:]$"
)
_PARTICIPLES = (
    r"(?:enabl|allow|lead|achiev|result|mak|provid|improv|reduc|outperform|demonstrat|show|us|"
    r"leverag|ensur|offer|yield|facilitat|support|requir|eliminat|reveal|highlight|suggest|cover|"
    r"spann|focus|address|preserv|maintain|enhanc|incorporat|combin|captur|establish|sett|surpass|"
    r"pav|avoid|exhibit|deliver|open|featur|compris|consist|utiliz|rang|rely|encompass|aim|"
    r"integrat|produc|without requir|without compromis|(?:ultimate|effective|significant|"
    r"substantial|simultaneous)ly \w+)ing"
)
_BOUNDARY = re.compile(
    r"(?:[;:]\s|\s?(?:—|--|–)\s?(?=[A-Za-z])"
    r"|,?\s(?:such as|including|thereby|e\.g\.|for example|for instance|namely|whilst)(?!\w)"
    r"|,\s(?:(?:all |both |most |some )?(?:of )?which|where|whose|while|whereas|thus|hence|so that|"
    r"especially|particularly|in particular|as well as|resulting in|with|followed by|"
    r"compared (?:to|with)|based on|inspired by|without|and (?:notably|importantly|more|therefore|"
    r"we|then|is|are|also|can|it|further|"
    r"show|demonstrate|achieve|outperform|evaluate|find|present|propose|introduce|validate|provide|"
    rf"enable|allow)s?|{_PARTICIPLES})\b"
    r"|,\s(?:meanwhile|by|(?:\w+ly )?\w+ing)\b(?=[^,]*$)|,\s(?:and )?that\b|\sand that\b|"
    r",?\sin order to\b"
    r"|,\sto\s(?!our|the best)|\sby \w+ing\b|\sas well as\b|\s(?:in comparison|compared) (?:to|"
    r"with)\b"
    r"|,\si\.e\.|,?\sas an? (?:\w+ )?step\b|,\s(?:an?|the first)\s"
    r"|,?\sand (?:also )?(?:performs?|sets?|achieves?|outperforms?|improves?|reduces?|generates?|"
    r"produces?|"
    r"provides?|requires?|enables?|synthesi[sz]es?|generali[sz]es?|yields?|supports?|advances?)\s"
    r"|\sand (?:can|also|is|are|further|then|thus|\w+ly \w+s)\s"
    r"|\s(?:while|thus|and thus|and thereby)\s(?=\w+ing\b)"
    r"|\sand (?:(?:further |also |empirically )?(?:demonstrate|show|find|reveal|argue|observe|"
    r"evaluate|validate)s?)\s)"
)
_OWN_CLAUSE = re.compile(
    r"[;:]\s|,? and (?:we |further |also )?(?:demonstrate|show|find|reveal|argue|"
    r"observe)s? (?:that|how)\b"
)  # what limits its claim limits no other
_FIRST_ITEM = re.compile(r"(?<![\w.])\(?(?:1|i|a)\)")
_LATER_ITEM = re.compile(r"(?<![\w.])\(?(?:[2-9]|i?i?ii|iv|v|[b-f])\)")
_PHRASE = re.compile(
    r"(?:Unlike|Different(?:ly)? from|In contrast (?:to|with)|Inspired by|Motivated by|Following|"
    r"Building (?:up)?on|Drawing (?:up)?on|Beyond|Based on|Leveraging|Recognizing|To [a-z]+|"
    r"By [a-z]+ing|"
    r"Rather than|Instead of|Guided by|Given|Supported by|Considering|Treating|"
    r"(?:While|Whereas|Although) (?:previous|prior|existing|most|many|current|recent)|"
    rf"(?:In|Through|With|From) (?:[a-z-]+ )*{EVIDENCE})\b[^;:]*?, "
    r"(?=we |our |this (?:paper|work|study) |[A-Z][\w-]*[A-Z][\w-]* [a-z]+s )"
)
_HEDGE = re.compile(
    r"\b(?:but|although|though|however|unless|except|provided|only (?:if|when|on|for|in|under|"
    r"with)|"
    r"at the (?:cost|expense|price))\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:[Ww]e|I)(?: \w+ly)? [a-z]+|"
    rf"\b(?:{PAPER}|{OF_OURS}|[A-Z][\w.+-]*[A-Z\d][\w.+-]*|\[NAME\]|\))(?: \w+ly| also)? "
    r"[a-z]{2,}(?<!s)(?:s|es)\b(?! (?:of|for|and|that|which|in|with)\b)|"
    r"\b(?:is|are|can|has|have|does|do|will|was|were|remains?|shows?|uses?|achieves?|"
    r"improves?|outperforms?|enables?|provides?|introduces?|proposes?|presents?|learns?|"
    r"leverages?|combines?|yields?|reduces?|generates?|requires?|allows?|makes?|gives?|finds?)\b"
)
_STILL_OPEN = re.compile(
    r"(?:\b(?:a|an|the|of|for|to|by|in|on|with|from|through|across|under|over|within|among|"
    r"without|using|such|and|or|is|are|as|that|which|following|"
    r"follows|between|both|either|two|three|four|five|various|namely|include|includes|into|than|"
    r"via|results?|leads?|consists?|depends?|based|focus(?:es)?|able|due|according|opposed|via|"
    r"reveals?|shows?|finds?|argues?|covers?|introduces?|proposes?|presents?|contributions|"
    r"contribute|designed|used|"
    r"combine|easier|harder|obtained|possible|likely|necessary|connected|related|easy|hard|difficult|"
    r"subsequently|then|also|(?:first|initial|next|final) step|"
    r"further|able|aims?|trained|developed|tailored|needed|intended|"
    r"proposed|how|when|where|"
    r"we|be|not|its|their|our|at|i\.e|e\.g)|[:,;(])$"
)
_PARTICIPLE = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )(?<!\bbeen )"
    r"\b(?:[a-z-]*[^\We]ed|built|made|given|driven|written|drawn|found|taken)$"
)  # without its `by` or `from`, unless it ends what is said of a thing
_NEXT_ITEM = re.compile(r"[,;.]+ (?:and )?\(?(?:[2-9]|i?i?ii|iv|v|[b-f])\) ")
_EXPLAINS = re.compile(
    r"\b(?:two|three|four|five|six|several|multiple|following|\w+fold)\b[^:;]*:(?! [^:]*,? and )|"
    r": (?=(?:\(|First|for|in|on|with|by|to|when|while|if)\b)"
)
_LIST_STOPS = re.compile(
    r", (?!and |or |called |named |dubbed |termed |respectively|too\b|etc)[\w-]+(?: [\w-]+)?$"
)
_INTRODUCES = re.compile(
    r"(?:Unlike|By|With|To|In|On|Based|Given|While|Although|Though|When|For|Through|Using|Inspired|"
    r"Motivated|As|If|After|Since|Because|From|Under|Despite|Rather|Instead|Leveraging|Building|"
    r"At|Across|Beyond|Without|Among|Compared|Drawing|Whereas|Considering|Comprising|Recognizing)\b"
    r"|[A-Z][a-z]+ing\b"
)
_HAS_SUBJECT = re.compile(r", (?:we|this (?:paper|work|study)|our|it|the|[A-Z])\b|\bwe [a-z]+")
_ASIDE = re.compile(r"\s*\((?!(?:[ivx]{1,4}|\d{1,2}|[a-e])\))[^()]*[a-zA-Z][^()]*\)")


def versions(sentence: Sentence) -> Iterator[Piece]:
    """The sentence as it can be shown, the most complete version first.

    First without what links it to others, then without what is in brackets, then ended at the end
    of a clause or without an opening phrase, ever shorter.
    """
    rest = without_opening(sentence.text)
    start = sentence.end - len(rest)
    whole = rest
    for ending in (_NEXT_ITEM, _POINTS_BACK_AT_END):
        back = ending.search(whole)
        if back and not _is_list(whole, back.start()) and not _is_torn(whole[: back.start()], 30):
            whole = whole[: back.start()]
    first = Piece(mended(whole if whole == rest else _closed(whole)), start, start + len(whole))
    yield first
    if len(whole) > _LONGEST:
        return
    shorter = [first, *_endings(whole, start)]
    if phrase := _PHRASE.match(whole):
        main = capitalized(whole[phrase.end() :])
        at = start + phrase.end()
        shorter += [Piece(mended(_closed(main)), at, start + len(whole)), *_endings(main, at)]
    shorter += [
        Piece(bare, one.start, one.end)
        for one in shorter
        if (bare := _ASIDE.sub("", one.text)) != one.text
    ]
    yield from sorted(
        (one for one in shorter[1:] if not _is_torn(one.text)), key=lambda one: -len(one.text)
    )


_LOOSE = re.compile(
    r"\s(?:in|for|with|from|via|through|using|during|by|across|under|into|to [a-z]+)\s"
)
_ASKS = re.compile(
    r"\b(?:why|whether|how|(?:so|such|show\w*|demonstrat\w*|find|found|argue|reveal\w*|prove|"
    r"observe|suggest\w*) that)\b"
)
_LEAST_LOOSE = 100


def curtailed(piece: Piece) -> Iterator[Piece]:
    """The piece ended before a phrase that says how or what for, the longest first."""
    ends = [one.start() for one in _LOOSE.finditer(piece.text, _LEAST_LOOSE)]
    for end in reversed(ends):
        text = _closed(piece.text[:end])
        is_torn = _is_torn(text) or _ASKS.search(text) or _is_list(piece.text, end)
        is_way = " from " in text and piece.text.startswith(" to ", end)
        if not (is_torn or is_way or _HEDGE.search(piece.text, end)):
            yield Piece(text, piece.start, piece.start + end)


def _endings(text: str, start: int) -> list[Piece]:
    return [Piece(mended(_closed(text[:end])), start, start + end) for end in _ends(text)]


def _closed(head: str) -> str:
    return head.rstrip(" .,;:–—-") + "."


def _ends(text: str) -> Iterator[int]:
    """Where `text` can end before its end."""
    listed = LISTED.match(text)
    for boundary in _BOUNDARY.finditer(text, max(LEAST, listed.end() if listed else 0)):
        end = boundary.start()
        is_limit = _HEDGE.search(text, end) and not _OWN_CLAUSE.match(text, end)
        if not is_limit and not _is_list(text, end):
            yield end


def _is_list(text: str, end: int) -> bool:
    """Whether `end` is inside a numbered list, or inside what a colon announces."""
    listed = LISTED.match(text)
    start = listed.end() if listed else 0
    if _EXPLAINS.search(text[:end], start):
        return True
    has_first = _FIRST_ITEM.search(text, start, end) is not None
    return has_first and _LATER_ITEM.search(text, end) is not None


def _is_torn(text: str, least: int = LEAST) -> bool:
    """Whether `text` stops in the middle of a thought, or has fewer than `least` characters."""
    body = text.removesuffix(".")
    if body.count("(") != body.count(")") or body.count('"') % 2 or body.count("$") % 2:
        return True
    if _LIST_STOPS.search(body) or _PARTICIPLE.search(body):
        return True
    if len(body) < least or _STILL_OPEN.search(body) or not _VERB.search(body):
        return True
    return bool(_INTRODUCES.match(body)) and not _HAS_SUBJECT.search(body)


_LOWERED = re.compile(
    r"(?:We|Our|It|Its|The|This|These|They|Their|Each|By|In|With|Using|A|An|To|Through|At|From|For|"
    r"Unlike|Rather|Instead|Given|Both|Based|Building|Inspired|Leveraging|When|While|During|On|As|"
    r"Such|Under|Here)\b"
)


def joined(first: Piece, second: Piece) -> Piece:
    """Two pieces as one sentence with a semicolon."""
    rest = second.text
    if _LOWERED.match(rest):
        rest = rest[0].lower() + rest[1:]
    return Piece(f"{first.text.rstrip(' .')}; {rest}", first.start, second.end)
