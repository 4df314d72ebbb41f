r"""Rewrite one sentence of an abstract so that it stands alone, without changing what it claims.

"To this end, in this paper, we also propose Foo."   ──► "We propose Foo."
"We fill this gap by introducing Foo."               ──► "We introduce Foo."
"Our approach learns from bees, enabling surveys."   ──► "The approach learns from bees."

Words at the head go if they only link the sentence to what is before it. What is too long ends at
a clause. A sentence never ends before a part that limits its claim, as `but` or `only when` do.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from paperround.papers.gist_features import OPENS, Sentence


class Piece(NamedTuple):
    """`text` as shown, from the characters `start` to `end` of the abstract."""

    text: str
    start: int
    end: int


PAPER = r"(?:paper|work|article|study|report|survey|thesis|research|review|introduction)"
POINTER = r"(?:[Tt]his|[Tt]hese|[Tt]hose|[Ss]uch|the above|aforementioned)"
"""A word that points at another sentence, before a noun."""
PROPOSES = r"(?:propos|introduc|present|develop|design|devis|build|creat|construct|formulat|releas)"

_BECAUSE = (
    r"(?:To|Towards?|In (?:light|view|response)|(?:As|In) an? (?:\w+ )?(?:step|attempt)|Unlike|"
    r"Part|(?:Motivat|Inspir|Guid|Driv|Bas|Buil)\w+|(?!Assum|Dur|Suppos|Consider)[A-Z]\w+ing)"
)
_LINK = re.compile(
    # The marker of an item, and the item's name.
    r"(?:\(?(?:[ivxIVX]{1,4}|\d{1,2}|[a-e])\)|\d{1,2}\.|[•*-])\s+(?:[A-Z][\w-]*(?: [\w-]+){0,4}: )?"
    # Words that lead on from the sentence before, and limit no claim.
    r"|(?:(?:Specific|Addition|Consequent|Notab|Important|Final|According|First|Second|Third|Last|"
    r"Particular|Concrete|Crucial|Critical|Interesting|Surprising|Remarkab|Ultimate|Subsequent)(?:al)?ly|"
    r"First|Second|Third|Next|Then|Besides|Moreover|Further(?:more)?|Hence|Thus|Therefore|So|"
    r"Overall|Instead|However|Nevertheless|Nonetheless|Meanwhile|Here|Yet|Also|As such|"
    r"(?:Taken )?[Tt]ogether|More [a-z]+ly|As a (?:result|solution)|By contrast|"
    r"A[ts] its (?:core|heart)|On the other hand|For (?:example|instance|this (?:purpose|reason|"
    r"goal))|In (?:addition|contrast|particular|response|summary|short|essence|turn|doing so|"
    r"conclusion|this (?:context|regard|direction|way|vein|respect))"
    # A mention of this paper.
    rf"|(?:In|Through) (?:this|our|the present) (?:[\w-]+ )?{PAPER}"
    # A purpose, reason or way that points at another sentence; a condition is none of these.
    rf"|{_BECAUSE}(?: [\w-]+){{0,5}} (?:{POINTER}(?: [\w-]+){{0,3}}|that(?: end| goal| aim)?|it|"
    rf"them)(?!, [a-z-]+ \w+, )"  # the comma in `this simple, fast approach, we ...` ends nothing
    r")(?:, (?:and |so )?| (?=we ))"
    rf"|{_BECAUSE}\b[^,;:]{{0,120}}?\b(?:{POINTER}|our (?:findings?|results|analys[ei]s|"
    rf"observations?|insights?))\b[^,;:]{{0,80}}, (?=we |in this |this {PAPER} )"
)
_CLAUSE = re.compile(
    r"(?!(?:and|or|but|nor|yet|which|that|who|whose)\b)(?:[a-z]+(?:[-'’][a-z]*)*[ ,]|[A-Z\[](?!\.))"
)  # a name such as iFoo must not become IFoo
_ITEM = r"(?:^|(?<=[\s:]))\(?(?:{})\) "
_FIRST_ITEM = re.compile(_ITEM.format("1|i|a"))
_LATER_ITEM = re.compile(_ITEM.format("[2-9]|i?i?ii|iv|v|[b-f]"))

_CONTRIBUTIONS = re.compile(
    rf"(?:We [a-z]+|(?:This|Our) {PAPER} [a-z]+|Our|The) (?:[\w-]+ ){{0,3}}contributions\b"
    r"[^:.;]{0,60}: (?:(?:\(?[1ia]\)|First(?:ly)?,?) )?(?:(we )|(?!\w+ing |those )(?=[a-z]))"
)  # what they are, rather than how many

_FOUND = r"(?:\w+ly |also |have )?(?:show|demonstrate|reveal|confirm|verify|validate|prove)[sdn]*"
EVIDENCE = r"(?:experiments?|results|evaluations?|simulations?|comparisons?|studies|analyses)"
_SHOWN = re.compile(
    rf"(?:(?:Our|The|These) )?(?:[A-Za-z]+ (?:and [a-z]+ )?){{0,2}}(?i:{EVIDENCE})"
    rf"(?: (?:on|across|over|in|with|from|using|conducted on)(?: [a-z-]+){{1,10}}?)? {_FOUND} that "
)  # what they were done on only if it has no name and no number
_WE_ALSO = re.compile(
    r"[Ww]e (?:(?:also|further|additionally|first|then|thus|therefore) )?(?=[a-z])"
)
_POINTING_STEP = re.compile(
    rf"(We|I|This {PAPER}) (?!(?:\w+ly )?{PROPOSES})(?:[\w-]+ ){{1,12}}?(?:this|these|those|"
    rf"such)\b[^,;:.]{{0,100}}?(?:,? (?:by|through) ({PROPOSES}|provid)ing |"
    rf" and (?:then )?(?={PROPOSES}e?s? ))"
)
"""`We fill this gap by introducing Foo`, `We study these issues and propose Foo`."""


def _without_links(sentence: str) -> str:
    """`sentence` without marker and words that link it to others, if a clause follows them."""
    rest = sentence
    while link := _LINK.match(rest):
        rest = capitalized(rest[link.end() :])
    if rest != sentence:
        is_list = _FIRST_ITEM.match(sentence) and _LATER_ITEM.search(rest)
        if is_list or not _CLAUSE.match(sentence[len(sentence) - len(rest) :]):
            rest = sentence
    if listed := _CONTRIBUTIONS.match(rest):
        return f"We {'contribute ' if listed[1] is None else ''}{rest[listed.end() :]}"
    if (shown := _SHOWN.match(rest)) and _CLAUSE.match(rest[shown.end() :]):
        rest = capitalized(rest[shown.end() :])
    return rest


def capitalized(text: str) -> str:
    """`text` with a capital at the start."""
    return text[:1].upper() + text[1:]


def _mended(text: str) -> str:
    """`text` with an opening that stands alone: `Our method` is `The method`."""
    if also := _WE_ALSO.match(text):
        text = f"We {text[also.end() :]}"
    if step := _POINTING_STEP.match(text):
        verb = re.sub(r"(?<=[csv])$|(?<=eat|lat|vid)$", "e", step[2] or "")
        ending = "" if not verb else "s " if step[1].startswith("This") else " "
        text = f"{step[1]} {verb}{ending}{text[step.end() :]}"
    if text.startswith("Our "):
        is_name = re.match(r"Our [A-Z]\w*[A-Z\d]", text)
        article = "This " if re.match(rf"Our {PAPER}\b", text) else "" if is_name else "The "
        text = f"{article}{text[4:]}"
    return text


_LONGEST = 1500  # characters; a longer sentence is not searched for a place to end it
_LEAST = 50  # characters that a sentence keeps; a shorter one says too little

_POINTS_BACK_AT_END = re.compile(
    r"(?:,? (?:in order |designed )?to (?:\w+ly )?[a-z]+|,? (?:that|which) (?:\w+ly )?[a-z]+s|"
    r",? towards?|,? as an? (?:\w+ )?step\b[^,;:]{0,40}?) (?:this|that|these|those|such|both) "
    r"(?:[\w-]+ ){0,3}(?:issue|problem|gap|challenge|limitation|need|question|shortcoming|goal|aim|"
    r"bottleneck|difficult(?:y|ie)|task|trade-?off)s?\.$|,? as an? (?:\w+ )?step\.$"
)
_BOUNDARY = re.compile(
    # Punctuation, an example, a comparison, a purpose.
    r"[;:]\s|\s?[—–]\s?(?=[A-Za-z])|\s--\s|,?\s(?:such as|including|thereby|e\.g\.|for example|"
    r"for instance|namely|in order to)(?!\w)|\s(?:as well as|by \w+ing|and that|compared (?:to|"
    r"with))\b"
    # What a comma parts from the claim: a relative clause, how, what for, an apposition.
    r"|,\s(?:(?:\w+ )?(?:of )?which|where|whose|while|whereas|thus|hence|so that|especially|"
    r"particularly|in particular|with|without|by|(?:and )?that|to(?! our)|an?|the first|[a-z]+ed "
    r"(?:by|with|from|to|on|upon|in|for|via|as)|and (?:more|then|we|is|are|can|it|\w+ly \w+s?))\s"
    # A participle, unless others follow: then it is an item of a list.
    r"|,\s(?:\w+ly )?(?:without )?[a-z]+ing\s(?!and |or )(?![^;:]*,? and (?:\w+ly )?[a-z]+ing\b)"
    r"|\s(?:while|thus)\s(?=\w+ing\b)|,? and without\s"
    # A second verb.
    r"|,?\sand (?:can|is|are|then|\w+ly \w+s|(?:also |further )?(?:demonstrate|show|find|reveal|"
    r"argue|observe|evaluate|validate|present|propose|introduce|provide|enable|allow|achieve|"
    r"outperform|perform|improve|reduce|generate|produce|set|require|synthesi[sz]e|"
    r"generali[sz]e|yield|support)s?)\s"
)
_HEDGE = re.compile(
    r"\b(?:but|(?:al)?though|however|unless|except|provided|assuming|as long as|"
    r"only (?:if|when|on|for|in|under|with)|at the (?:cost|expense|price))\b",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    r"\b(?:two|three|four|five|several|following)\b[^:;]*:(?! [^:]*,? and )|"
    r": (?=(?:\(|First|for|in|on|with|by|to|when|while|if)\b)"
)  # inside a list after a colon
_PHRASE = re.compile(
    rf"(?:{_BECAUSE}|In contrast to|Beyond|Rather than|Instead of|By [a-z]+ing|(?:While|Although) "
    rf"(?:previous|prior|existing|most|many|current|recent)|(?:In|Through|With|From) (?:[a-z-]+ )*"
    rf"{EVIDENCE})\b[^;:]*?, (?=we |our |this {PAPER}|[A-Z][\w-]*[A-Z][\w-]* [a-z]+s )"
)  # an opening that is not part of the claim, where room is short
_VERB = re.compile(
    rf"\b(?:[Ww]e|I)(?: \w+ly)? [a-z]+|\b(?:{PAPER}|method|approach|framework|model|system|dataset|"
    r"benchmark|pipeline|algorithm|strategy|analysis|findings|results|experiments|[A-Z][\w.+-]*"
    r"[A-Z\d][\w.+-]*|\))(?: \w+ly| also)? [a-z]{2,}s?\b(?! (?:of|for|and|that|which|in|with)\b)|"
    r"\b(?:is|are|can|has|have|do|will|was|were|(?:remain|show|use|achieve|improve|enable|"
    r"outperform|provide|learn|leverage|combine|yield|reduce|generate|require|allow|make)s?)\b"
)
_TORN = re.compile(
    # After a word that asks for more.
    r"(?:\b(?:an?|the|of|for|to|by|in|on|with|from|through|without|using|such|and|or|is|are|as|that|"
    r"which|between|both|either|into|than|via|its|their|our|we|be|not|how|when|where|also|then|"
    r"i\.e|e\.g|following|follows|includ\w+|contribut\w+|ranging|taking|results?|leads?|consists?|depends?|"
    r"focus(?:es)?|aims?|shows?|finds?|reveals?|based|able|due|according|designed|used|needed|need|"
    r"hard|difficult|possible|likely|capable|compatible|adaptable|ability|subject|prior|step|"
    r"the following(?: [\w-]+){1,3})|"
    r"[:,;(])$"
    # After a participle without its `by` or `from`, unless it ends what is said of a thing.
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )(?<!\bbeen )\b(?:[a-z-]*[^\We]ed|"
    r"built|driven|given|made)$"
    # In a list, and in a clause before its subject.
    r"|, (?!and |or |called |named |termed |respectively|etc)[\w-]+(?: [\w-]+)?$"
    r"|\bthat (?:for|in|by|with|under|on|despite|when|while|if|even)\b[^,]*$"
    # What was tested, without a word of what that showed.
    r"|^(?!.*\b(?:[Ww]e|is|are|was|were|has|have|can|(?:show|demonstrat|reveal|confirm|verif|validat|"
    r"prov|indicat|suggest|support|highlight|underscor|establish|expos|uncover|exhibit|match|involv|"
    r"achiev|outperform|improv|yield|reach)\w*)\b)"
    rf"(?:(?:Our|The|These) )?(?:[\w-]+ (?:and [a-z]+ )?){{0,2}}(?i:{EVIDENCE}) "
    r"(?:on|across|over|in|with|from|using)\b"
)
_INTRODUCES = re.compile(
    r"(?:Just|Unlike|By|With|To|In|On|Based|Given|While|Although|When|For|Through|Inspired|Motivated|"
    r"As|If|After|Since|Because|From|Under|Despite|Rather|Instead|At|Across|Beyond|Without|"
    r"Among|Compared|Whereas|[A-Z][a-z]+ing)\b(?!.*(?:, (?:we|this|our|it|the|[A-Z])\b|\bwe [a-z]))"
)  # without a subject after it
_ASIDE = re.compile(
    r"(?:\s+|(?<=[A-Za-z]{4}))\((?!(?:[ivx]{1,4}|\d{1,2}|[a-e])\))[^()]*[a-zA-Z][^()]*\)"
)
"""What is in brackets, but not the argument of a function: `O(n)`."""


def versions(sentence: Sentence) -> Iterator[Piece]:
    """The sentence as it can be shown, the most complete version first.

    First without what links it to others, then without what is in brackets, then ended at the end
    of a clause or without an opening phrase, ever shorter.
    """
    rest = _without_links(sentence.text)
    start = sentence.end - len(rest)
    whole = rest
    ends = [_POINTS_BACK_AT_END.search(rest)]
    if not _FIRST_ITEM.search(rest) and (item := _LATER_ITEM.search(rest, 1)):
        ends.append(item)  # the first item was at the head, or in another sentence
    for end in filter(None, ends):
        head = re.sub(r"[ ,;.]*(?: and)?[ ,;.]*$", "", whole[: end.start()])
        if not _is_list(whole, end.start()) and not _is_torn(head, 30):
            whole = head + "."
    first = Piece(_mended(whole), start, start + len(whole))
    yield first
    if len(whole) > _LONGEST:
        return
    shorter = [first, *_endings(whole, start)]
    if phrase := _PHRASE.match(whole):
        main = capitalized(whole[phrase.end() :])
        at = start + phrase.end()
        shorter += [Piece(_mended(main), at, start + len(whole)), *_endings(main, at)]
    shorter += [
        one._replace(text=bare) for one in shorter if (bare := _ASIDE.sub("", one.text)) != one.text
    ]
    yield from sorted(
        (one for one in shorter[1:] if not _is_torn(one.text)), key=lambda one: -len(one.text)
    )


_LOOSE = re.compile(
    r"\s(?:in|for|with|from|via|through|using|during|by|across|under|into|to [a-z]+)\s"
)
_ASKS = re.compile(
    r"\b(?:why|whether|how|(?:such|show\w*|demonstrat\w*|find|argue|reveal\w*) that)\b"
    r"|\b(?:from|(?:allow|enabl|help|lead|train|us)\w*)\b[^,]{0,40}\.$"
)
_LOOSE_ENDS = (100, 320)  # characters that are kept, at least and at most


def curtailed(piece: Piece) -> Iterator[Piece]:
    """The piece ended before a phrase that says how or what for, the longest first."""
    for loose in reversed(list(_LOOSE.finditer(piece.text, *_LOOSE_ENDS))):
        end = loose.start()
        text = _closed(piece.text[:end])
        is_torn = _is_torn(text) or _ASKS.search(text) or _is_list(piece.text, end)
        if not (is_torn or _HEDGE.search(piece.text, end)):
            yield Piece(text, piece.start, piece.start + end)


def _endings(text: str, start: int) -> Iterator[Piece]:
    """`text` ended at the end of each clause where it can end."""
    for boundary in _BOUNDARY.finditer(text, _LEAST):
        end = boundary.start()
        is_limit = text[end] not in ";:" and _HEDGE.search(text, end)
        if not is_limit and not _is_list(text, end):
            yield Piece(_mended(_closed(text[:end])), start, start + end)


def _closed(head: str) -> str:
    return head.rstrip(" .,;:–—-") + "."


def _is_list(text: str, end: int) -> bool:
    """Whether `end` is inside a numbered list, or inside a list after a colon."""
    return bool(_EXPLAINED.search(text[:end]) or _FIRST_ITEM.search(text, 0, end))


def _is_torn(text: str, least: int = _LEAST) -> bool:
    """Whether `text` stops in the middle of a thought, or has fewer than `least` characters."""
    body = text.removesuffix(".")
    if body.count("(") != body.count(")") or body.count('"') % 2 or body.count("$") % 2:
        return True
    has_verb = len(body) >= least and _VERB.search(body)
    return not has_verb or bool(_TORN.search(body) or _INTRODUCES.match(body))


_LOWERED = re.compile(
    r"(?:[A-Z][a-z]+(?:ing|ed|ly)|An?|Each|Every|All|One|During|Across|Within)\b|" + OPENS.pattern
)


def joined(first: Piece, second: Piece) -> Piece | None:
    """Two pieces as one sentence with a semicolon; None if the second begins with a capital that
    may belong to a name."""
    rest = second.text
    if _LOWERED.match(rest):
        rest = rest[0].lower() + rest[1:]
    elif (word := re.match(r"[A-Z][a-z]*\b", rest)) and word[0] not in first.text:
        return None
    head = re.sub(r"[ .]+([\"”’)]*)$", r"\1", first.text)
    return Piece(f"{head}; {rest}", first.start, second.end)


# A macro without an argument and not after a number, which mathematics has.
_MACRO = re.compile(r"(?<![\d$])\{?\\([A-Za-z]{3,})(?![A-Za-z]|\{[^}]|[\^_])(?:\{\}\}?|\})?")
_KIND = re.compile("bench|dataset|corpus|model|sys|framework|tool|method|approach|name|our")
_KINDS = {"bench": "benchmark", "sys": "system", "name": "method", "our": "method"}
_DEFINED = re.compile(r" \(([A-Za-z][\w-]{0,14}[A-Z][\w-]*?)(s?)\)")
_FAR = 120  # characters before an abbreviation that can hold its words


def without_macros(text: str, title: str) -> str:
    r"""`text` without private macros: the name in the title if the letters agree, else what a
    macro such as `\ourbench` is named for, else the macro's own name."""
    if "\\" not in text:
        return text
    names = {re.sub(r"[^a-z]", "", word.casefold()): word.strip(":,.") for word in title.split()}

    def named(match: re.Match[str]) -> str:
        macro = match[1].casefold()
        kind = _KIND.search(macro)
        opens = not re.search(r"[^.!?\s]\s*$", match.string[: match.start()])
        ours = f"{'O' if opens else 'o'}ur {_KINDS.get(kind[0], kind[0])}" if kind else match[1]
        return names.get(macro, ours)

    return _MACRO.sub(named, text)


Acronyms = Sequence[tuple[str, str, int]]
"""Abbreviations, their words in full, and the character after the explanation."""


def acronyms(abstract: str) -> Acronyms:
    """The abbreviations that an abstract explains, as in `large language models (LLMs)`.

    Leaves out an abbreviation in the singular of words in the plural: it may mean only one of them.
    """
    found: dict[str, tuple[str, str, int]] = {}
    for match in _DEFINED.finditer(abstract):
        letters = [one for one in match[1] if one.isalpha()]
        spelled = r"(?<![\w-])" + r"[\w'’]*[ /-]".join(letters) + r"[\w'’]*$"
        before = abstract[max(0, match.start() - _FAR) : match.start()]
        full = re.search(spelled, before, re.IGNORECASE)
        if full and full[0].endswith("s") == bool(match[2]):
            found.setdefault(match[1], (match[1] + match[2], full[0], match.end()))
    return tuple(found.values())


def expanded(piece: Piece, known: Acronyms, limit: int) -> Piece:
    """`piece` with abbreviations that were explained before it in full, as long as it fits."""
    text = piece.text
    for short, full, end in known:
        if end > piece.start or full.casefold() in text.casefold():
            continue
        words = f"{full.lower() if full[1:].islower() else full} ({short})"
        article = r"\1n " if words[0] in "aeiouAEIO" else r"\1 "
        use = rf"(?<![\w(/-]){re.escape(short)}(?![\w)/’'-]| \()"
        longer = re.sub(rf"\b([Aa])n? {use}", article + words, text, count=1)
        longer = re.sub(use, words, text, count=1) if longer == text else longer
        if len(longer) <= limit:
            text = capitalized(longer)
    return piece._replace(text=text)
