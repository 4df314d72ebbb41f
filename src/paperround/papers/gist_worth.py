"""Rate how well a sentence on its own says what a paper does, by its words.

A sentence that tells what the authors did is worth most. One that only praises, hopes, lists parts
or refers to what is not shown is worth little: it is a gist only if the abstract has nothing else.
"""

import re
from collections.abc import Set

from paperround.papers.gist_rewriting import PAPER, POINTER, PROPOSES
from paperround.papers.stems import stems

NO_NEWS = re.compile(
    r"\?[\"'”’)]*$|\.\.\.$|https?://|\bthis https? URL\b"
    r"|\b(?:available|released|found|open-?sourced) (?:at|on|here|online)\b"
    r"|\b(?:will be|(?:is|are) (?:made )?(?:publicly|freely|openly|fully)) (?:\w+ ){0,2}"
    r"(?:released|available|open-?sourced)"
    r"|^(?:Our |The |All )?(?:\w+ )?(?:code|data|models?|weights|datasets?)\b.{0,60}\b(?:available|"
    r"released|open-?sourced|accessible)\b"
    r"|^(?:\w+, )?We (?:will |also |further |fully |plan to )*(?:open-?source|release|hope|make)d? "
    r"(?:our|the|all|both|codes?|data|models?|this|these|that) ",
    re.IGNORECASE,
)
"""A question, half a sentence, where to find code or data, a hope: nothing about the work."""
_PRAISE = (
    r"state[- ]of[- ]the[- ]art|sota|outperform\w*|surpass\w*|superior\w*|effectiveness|achieves?|"
    r"exceeds?|improves? (?:over|upon)|significant\w* (?:improve\w*|gains?)"
)
_LACKS = r"(?:is|are) limited to|suffer\w*|fails? to|struggles?|shortcomings?|lacks?"
_JUDGES = re.compile(
    rf"\b(?:{_PRAISE}|{_LACKS}|(?:show|demonstrat|validat|prov|confirm)\w* (?:that|its|the))\b",
    re.IGNORECASE,
)  # it praises the work, or says what others lack
_NO_DETAIL = re.compile(
    rf"\b(?:{_PRAISE}|gains|experiment\w*|evaluat\w*|results|benchmarks?|limitations|"
    r"(?:existing|prior|previous) (?:\w+ )?(?:methods?|approach\w*|works?|models?|studies))\b",
    re.IGNORECASE,
)  # what tests say, and what others did, explains no proposal
_WHO = rf"(?:we|(?-i:I)|(?:this|the|our|present)(?: [\w-]+)? {PAPER})(?: \w+ly| first| also)? "
PROPOSAL = re.compile(rf"\b{_WHO}{PROPOSES}|\bby {PROPOSES}ing ", re.IGNORECASE)
"""The authors propose something."""
STATEMENT = re.compile(
    rf"\b{_WHO}(?:{PROPOSES}|describ|study|studies|investigat|explor|examin|analy[sz]|review|survey|"
    r"address|revisit|provid|offer|contribut|argu|benchmark|extend|adapt|unif|tackl|focus|"
    r"establish|show how|systemati|seek|aim|reinterpret|report|formaliz|characteriz|"
    r"synthesi[sz]|ask|uncover|generaliz)\w*\b"
    r"|(?:^|, )we (?:consider|prove|derive) |\bpaper demonstrates (?!that)"
    r"|\b(?:is|are) (?:proposed|introduced|presented|developed)\b"
    r"|^[\w.+-]+(?: \([^)]*\))?(?:(?:,| is) (?:an?|the first)| (?:introduc|propos)es)\b",
    re.IGNORECASE,
)
"""The authors say what they do."""
_TAKES_A_STEP = re.compile(rf"\b{_WHO}(?!achiev|obtain|find|observ)[a-z]+", re.IGNORECASE)
_PARTS = re.compile(
    r"\b(?:consists? of|comprises?|composed of|contains?|includes?|"
    r"(?:two|three|four|five|several) (?:\w+[ -]){0,2}(?:components?|stages?|phases?|steps?|"
    r"modules?|parts|contributions?|innovations?|designs?|challenges?|techniques?|"
    r"strateg(?:y|ies)|perspectives?|dimensions?|aspects?|pillars?))\b"
)
_REFERS = re.compile(
    rf"(?:\b|^){POINTER}(?! (?:[\w-]+ )?{PAPER}\b) (?!as |an? |that |is |are |can |to |by )"
    r"[a-z](?![\w-]*(?: [\w-]+)? by \w+ing )"
    r"|\bthe (?:latter|former|resulting)\b|\b(?:do|does|achieve|address|tackle|solve|study|"
    r"mitigate|explore|overcome|diagnose) (?:so|it|this|these|them)\b"
    r"|\b(?:identified|above) (?:\w+ )?(?:issues|limitations|challenges)\b"
)
_ONE_PART = re.compile(
    r"(?:For|In|At|During) (?:the |our |each )?(?:\w+ )?(?:stage|step|phase|case|model|"
    r"(?:sub-?)?task)\b[^,]{0,30}, "
)
_HOPE = re.compile(
    r"\b(?:aims? to (?:serve|be|inspire|foster)|pav(?:e|es|ing) the way|serves? as an?|"
    r"contributes? to|insights? (?:for|into)|(?:future|further) (?:work|research|studies)|"
    r"(?<!which )we (?:hope|believe)|(?:significant|important) (?:advance\w*|step|direction))\b",
    re.IGNORECASE,
)
_TORN = re.compile(
    r"\bas follows\b|(?:\b(?:following|key) (?:\w+ ){0,2}\w+s|:) ?[.:]?$|"
    r"(?<!\S)\(?[1i]\) (?!.*(?<!\S)\(?(?:2|ii)\) )",
    re.IGNORECASE,
)
_COSTS = (
    (_REFERS, 0.3),  # `this challenge`: which?
    (_ONE_PART, 0.3),  # `In the second stage, ...`: of what?
    (_PARTS, 0.5),  # the names of parts without what they are parts of
    (_HOPE, 0.1),
    (_TORN, 0.1),  # a list cut before or after its first item
)
_POINTS_OUTSIDE = re.compile(
    r"(?:Our|Its?|They|Their|Here|Such|Both|Similarly|Another|For (?:example|instance)|"
    r"The (?:former|latter|resulting|above|same|"
    r"(?:results?|first|second|third)(?: \w+)? (?:is|are))"
    r"|(?:(?:Across|Based on|Beyond|By|From|In|On|Through|To [a-z]+|Under|Using|With|Within|"
    rf"Unlike|Compared (?:to|with)|At) )?+(?i:these|those|such|this(?! (?:[\w-]+ )?{PAPER}\b)))\b"
)
_COINED = re.compile(r"\b\w*[A-Z]\w*[A-Z\d][\w-]*")
_MOST_COINED = 2
_WORD = re.compile(r"[A-Za-z-]{4,}")
_GENERIC = frozenset(
    ("novel approach approaches method methods framework frameworks model models propose proposes "
     "introduce introduces present presents paper work study this that which with from using used "
     "based new first simple effective efficient called named termed dubbed both these those their "
     "into than also more most such innovative powerful comprehensive specifically designed "
     "various multiple several technique system algorithm develop design address challenge "
     "challenges problem issue issues performance task tasks while without between improve "
     "enhance enables leverages aims significant superior advanced upgrade predecessor series "
     "important strong better achieve achieves diverse robust including three four five addresses "
     "question perspectives aspects ways").split()
)  # fmt: skip

_TOO_FEW = 3
_ENOUGH = 9
_ENOUGH_ALONE = 11
"""A sentence with fewer meaningful words needs the next one to be understood."""


def points_outside(text: str) -> bool:
    """Whether the opening of a sentence refers to what is not shown: `It`, `These models`."""
    return _POINTS_OUTSIDE.match(text) is not None


def only_hopes(text: str) -> bool:
    """Whether a sentence tells what may come of the work, not what came of it."""
    return _HOPE.search(text) is not None


def worth_alone(text: str) -> float:
    """How much a sentence is worth on its own, from 0 to 1."""
    telling = telling_words(text)
    worth = min(1.0, (1 + telling) / (1 + _ENOUGH)) * (0.3 if telling < _TOO_FEW else 1.0)
    if not STATEMENT.search(text):
        worth *= 0.5 if _TAKES_A_STEP.search(text) else 0.25
        worth *= 0.3 if _JUDGES.search(text) else 1.0
    for pattern, factor in _COSTS:
        if pattern.search(text):
            worth *= factor
    return worth


def says_little(text: str) -> bool:
    """Whether what the authors say they do needs the sentence after it to be understood."""
    is_whole = not points_outside(text) and not _PARTS.search(text)
    return is_whole and bool(STATEMENT.search(text)) and telling_words(text) < _ENOUGH_ALONE


def can_follow(proposal: str, more: str) -> bool:
    """Whether `more` explains a proposal, and adds few names and abbreviations."""
    coined = set(_COINED.findall(more)) - set(_COINED.findall(proposal))
    ends_in_parts = any(one.end() >= len(more) - 1 for one in _PARTS.finditer(more))
    if ends_in_parts or len(coined) > _MOST_COINED or telling_words(more) <= _TOO_FEW:
        return False
    return not any(one.search(more) for one in (NO_NEWS, _NO_DETAIL, _HOPE))


def telling_words(text: str) -> int:
    """The number of different meaningful words in the main clause."""
    main = text.rpartition(", we ")[2]
    words = {one for one in _WORD.findall(main) if one[1:].islower() or "-" in one}
    return len({one.casefold() for one in words} - _GENERIC)


def title_words(title: str) -> Set[str]:
    """The stems of the words of a title, without the name before its colon."""
    head, _, rest = title.partition(":")
    return frozenset(one for one in stems(rest if rest.strip() else head) if len(one) > 2)


def said_of_title(text: str, named: Set[str]) -> float:
    """The share of the title's words that a text has; 0 without a title."""
    return len(named & set(stems(text))) / len(named) if named else 0.0
