"""How well a sentence says alone what a paper does, by the words it has.

A sentence that tells what the authors did is worth most. One that only praises, hopes, lists parts
or refers to what is not shown is worth little: it is a gist only if the abstract has nothing else.
"""

import re
from collections.abc import Set

from paperround.papers.gist_openings import PAPER
from paperround.papers.stems import stems

_NO_NEWS = re.compile(
    r"\?[\"'”’)]*$|https?://|\bthis https? URL\b"
    r"|^.{0,60}\b(?:available|released|found) (?:at|on|here|online)\b"
    r"|\b(?:will be|(?:is|are) (?:now )?(?:made )?(?:publicly|freely|openly|fully)) (?:\w+ ){0,2}"
    r"(?:released|available|open-?sourced)"
    r"|^(?:Our |The |All )?(?:source |project |pre-?trained )?(?:code|data|models?|weights|"
    r"project|demo|videos?|datasets?|implementation)\b"
    r".{0,60}\b(?:available|released|open-?sourced|found|accessible)\b"
    r"|^(?:\w+, )?[Ww]e (?:will |also |further |fully |hope |plan to |have )*(?:open-?source|"
    r"release|hope|welcome|"
    r"make (?:our|the|all) (?:code|data|models?))d? (?:our|the|all|both|codes?|data|models?|this|"
    r"these|that|contrib\w+)\b",
    re.IGNORECASE,
)  # questions, where to find the code or data, and hopes
_BOAST = re.compile(
    r"\b(?:state-of-the-art|state of the art|sota|outperform\w*|surpass\w*|superior\w*|"
    r"effectiveness|improves? (?:over|upon)|achieves?|exceeds?|new records?|significant\w* "
    r"(?:improve\w*|gains?)|"
    r"(?:show|demonstrat|validat|prov|confirm)\w* (?:that|its|the|strong|great|promising))\b",
    re.IGNORECASE,
)
_RESULTS_OF_TESTS = re.compile(
    r"\b(?:state-of-the-art|outperform\w*|surpass\w*|effectiveness|experiment\w*|evaluat\w*|"
    r"results|"
    r"benchmarks?)\b",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(
    r"\b(?:[Hh]a(?:s|ve) (?:gained|been|become|shown)|[Ee]xisting|[Pp]rior|[Pp]revious)\b"
)
_SAYS = r"\b(?:we|paper|work|article|study|survey|report|thesis)(?: \w+ly| first| also)? "
_DOES = re.compile(
    rf"{_SAYS}(?:propos|introduc|present|develop|design|devis|describ|study|studies|investigat|"
    r"explor|examin|analy[sz]|build|construct|creat|formulat|review|survey|address|revisit|provid|"
    r"offer|releas|contribut|argu|benchmark|reformulat|extend|adapt|unify|unifies|tackl|focus|"
    r"establish|cast|show how|systemati|seek|aim|recast|reinterpret|report|formaliz|"
    r"characteriz|conceptualiz|consolidat|synthesi[sz]|delve|ask|uncover|generaliz|reframe|"
    r"rethink|unlock|connect)\w*\b"
    r"|\b(?:is|are) (?:proposed|introduced|presented|developed|described)\b"
    r"|^[\w.+-]+(?: \([^)]*\))?(?:,| is|, is) (?:an?|the first)\b",
    re.IGNORECASE,
)
_TAKES_A_STEP = re.compile(
    rf"{_SAYS}(?!are able|achiev|obtain|reach|attain|surpass|outperform|find|observ|notic)[a-z]+",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:(?:is|are) (?:limited|restricted|confined) to|suffer\w*|fails? to|"
    r"struggles? (?:to|with)|"
    r"remains? (?:an? )?(?:\w+ )?(?:challeng\w+|difficult|open|un\w+|limited)|shortcomings?|"
    r"cumbersome|lacks?|calls? for|sparked|(?:have|has) been proposed|"
    r"challenges? (?:is|are|lies?))\b",
    re.IGNORECASE,
)
_OURS = re.compile(rf"\b(?:[Ww]e|[Oo]ur|{PAPER})\b")
_ONE_PART = re.compile(
    r"(?:For|In|At|During|To \w+|As for)(?: the| our)?(?: [\w-]+)? (?:stage|step|phase|part|model|"
    r"task|setting|time|experiment)s?(?: (?:\d|one|two|three))?,? "
)
"""An opening that speaks of one of several parts."""
_COINED = re.compile(r"\b\w*[A-Z]\w*[A-Z\d][\w-]*")
_MOST_COINED = 2
_PROPOSAL = re.compile(
    rf"\b(?:[Ww]e|{PAPER})(?: \w+ly| first| also)? "
    r"(?:propos|introduc|present|develop|design|devis|creat|build|construct|formulat|describ|releas)"
)
_PARTS = re.compile(
    r"'s (?:training data|architecture)\b|\b(?:consists? of|comprises?|composed of|contains?|"
    r"includes?|(?:two|three|four|five|several) "
    r"(?:\w+[ -]){0,2}(?:components?|stages?|phases?|steps?|modules?|parts|contributions?|"
    r"innovations?|designs?|obstacles?|challenges?|techniques?|strateg(?:y|ies)|advan(?:ces|"
    r"tages)))\b"
)
_REFERS = re.compile(
    rf"\b(?:[Tt]his|[Tt]hese|[Tt]hose|such|the above|(?:the )?aforementioned)"
    rf"(?! (?:[\w-]+ )?{PAPER}\b) (?!as |an? |that |is |are |can |to |by )[a-z]|"
    r"\bthe (?:latter|former)\b|"
    r"\b(?:do|does|achieve|address|tackle|solve|study|mitigate|explore) (?:so|it|this|these|them)\b"
)
_HOPE = re.compile(
    r"\b(?:aims? to (?:serve|provide an?|be|inspire|foster)|valuable (?:resource|insights)|"
    r"may inform|"
    r"pav(?:e|es|ing) the way|serves? as an?|insights? (?:for|into)|"
    r"(?:future|further) (?:work|research|"
    r"studies)|"
    r"(?:substantial|significant|important|promising|major|critical) (?:advance|advancement|step|"
    r"stride|direction|leap)|contributes? to|"
    r"we (?:hope|believe|argue that there))\b",
    re.IGNORECASE,
)
_POINTS_OUTSIDE = re.compile(
    r"(?:Our|Ours|It|Its|They|Their|Here|Such|Both|Similarly|Another|For (?:example|instance)|"
    r"The (?:former|latter|resulting|above|same|results? (?:is|are))"
    r"|(?:(?:Across|Based on|Building (?:up)?on|By|From|In|On|Through|To [a-z]+|Under|Using|With|"
    r"Within|Unlike|Compared (?:to|with)|At) )?+(?i:these|those|such"
    rf"|this(?! (?:[\w-]+ )?{PAPER}\b)))\b"
)
_TORN = re.compile(
    r"(?:,|\(\d\.\)|\b(?:as follows|(?:following|key) (?:\w+ ){0,2}\w+s)) ?[.:]?$|:$", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z-]{4,}")
_GENERIC = frozenset(
    ("novel approach approaches method methods framework frameworks model models propose proposes "
     "introduce introduces present presents paper work study this that which with from using used "
     "based new first simple effective efficient called named termed dubbed both these those their "
     "into than also more most such innovative powerful comprehensive specifically designed "
     "various multiple several technique system algorithm develop design address challenge "
     "challenges problem issue issues performance task tasks while without between improve "
     "enhance enables leverages aims").split()
)  # fmt: skip

_TOO_FEW = 3
_ENOUGH = 9
_ENOUGH_ALONE = 11
"""Words that say something; a sentence of fewer is worth less, in proportion."""


def is_news(sentence: str) -> bool:
    """Whether a sentence is neither a question nor about where to find code and data."""
    return _NO_NEWS.search(sentence) is None


def is_proposal(text: str) -> bool:
    """Whether the authors say in it that they propose something."""
    return _PROPOSAL.search(text) is not None


def points_outside(text: str) -> bool:
    """Whether the opening of a sentence refers to what is not shown: `It`, `These models`."""
    return _POINTS_OUTSIDE.match(text) is not None


def worth_alone(text: str) -> float:
    """From 0 to 1."""
    telling = _telling_words(text)
    worth = min(1.0, (1 + telling) / (1 + _ENOUGH)) * (0.3 if telling < _TOO_FEW else 1.0)
    if not _DOES.search(text):
        worth *= 0.5 if _TAKES_A_STEP.search(text) else 0.25
        if _BOAST.search(text):
            worth *= 0.3
        if _PARTS.search(text):
            worth *= 0.5
    if _REFERS.search(text):
        worth *= 0.3
    if _ONE_PART.match(text):
        worth *= 0.3
    is_of_others = _OTHERS.search(text) and not _OURS.search(text)
    if is_of_others or _HOPE.search(text):
        worth *= 0.1
    return worth * 0.1 if _TORN.search(text) else worth


def says_little(text: str) -> bool:
    """Whether a proposal needs the sentence after it to be understood."""
    return (
        is_proposal(text)
        and not points_outside(text)
        and not _PARTS.search(text)
        and _telling_words(text) < _ENOUGH_ALONE
    )


def is_readable(text: str, before: str) -> bool:
    """Whether a sentence joined to the one `before` adds few names and abbreviations."""
    return len(set(_COINED.findall(text)) - set(_COINED.findall(before))) <= _MOST_COINED


def can_follow(sentence: str) -> bool:
    """Whether a sentence says more of the proposal before it."""
    others = (_RESULTS_OF_TESTS, _HOPE, _PARTS, _BACKGROUND)
    return is_news(sentence) and not any(one.search(sentence) for one in others)


def _telling_words(text: str) -> int:
    """How many words of the main clause say something."""
    main = text.rpartition(", we ")[2]
    words = {one for one in _WORD.findall(main) if one[1:].islower() or "-" in one}
    return len({one.casefold() for one in words} - _GENERIC)


def title_words(title: str) -> Set[str]:
    """The stems of the words that a title has beside the name before its colon."""
    head, _, rest = title.partition(":")
    return frozenset(one for one in stems(rest if rest.strip() else head) if len(one) > 2)


def said_of_title(text: str, named: Set[str]) -> float:
    """The share of the title's words that a text has; 0 without a title."""
    return len(named & set(stems(text))) / len(named) if named else 0.0
