"""The head of a sentence: words that only link it to others go; `Our method` is `The method`.

"To this end, in this paper, we also propose it."      ──► "We propose it."
"Extensive experiments show that it is fast."           ──► "It is fast."
"Our approach learns."                                  ──► "The approach learns."
"""

import re

_POINTER = r"(?:this|these|that|those|the|such|it|them|our|both)"
PROBLEM = (
    r"(?:[\w-]+ ){0,3}(?:issues?|problems?|gaps?|challenges?|limitations?|needs?|questions?|"
    r"shortcomings?|bottlenecks?|concerns?|drawbacks?|difficult(?:y|ies)|goals?|ends?|voids?|aims?|"
    r"obstacles?|hurdles?|weakness(?:es)?|deficienc(?:y|ies)|dilemmas?|purposes?|constraints?|"
    r"trade-?offs?|tasks?|risks?|phenomen(?:on|a)|requirements?|observations?|insights?|findings?)"
)
PAPER = r"(?:paper|work|article|study|report|survey|thesis|letter|research|manuscript|review|blog)"
_MARKER = re.compile(
    r"(?:\((?:[ivx]{1,4}|\d{1,2}|[a-e])\)|(?:[ivx]{1,4}|\d{1,2})\)|\d{1,2}\.|[•*%-])\s+"
    r"(?:[A-Z][\w-]*(?: [\w-]+){0,4}: )?"
)
_OPENER = re.compile(
    rf"(?:(?:In|With|Through|Throughout) (?:this|the present|our) (?:[\w-]+ )?{PAPER}"
    r"|To the best of our knowledge|To our knowledge"
    r"|(?!Potentially|Possibly|Presumably|Probably|Arguably|Typically|Usually|Generally|Partially|"
    r"Occasionally|Roughly|Approximately|Theoretically|Ideally|Hypothetically|Traditionally|Mostly|"
    r"Historically|Currently|Recently)[A-Z][a-z]+ly"
    r"|First|Second|Third|Next|Then|Besides|Moreover|Furthermore|Further|More (?:specifically|"
    r"importantly)|Hence|Thus|Therefore|Taken together|Together|Altogether|So|Afterwards?|Overall|"
    r"As a (?:result|solution)|As such|In (?:addition|contrast|particular|response|summary|short|"
    r"essence|general|turn|doing so|conclusion)|By contrast|Instead|However|Nevertheless|"
    r"Nonetheless|Meanwhile|Here|Herein|Yet|Moving further|Also|At its (?:core|heart)|"
    r"For (?:example|instance)|On the (?:one|other) hand|To explore further|"
    r"(?:To [a-z]+|For|In) [A-Z]{1,2}\d|"
    r"(?:As|In) an? (?:first|initial|next|second|final|further) (?:step|attempt)"
    r"(?: (?:to|towards?|in) (?:this|that|these|such) [\w-]+)?|"
    r"(?:As )?[Pp]art of (?:this|that) [\w-]+|"
    r"(?:To|Towards?) (?:this|that|these) (?:ends?|purpose|"
    r"goal|aim)|"
    r"In this (?:context|regard|setting|direction|way|sense|vein|respect|case)|"
    r"For (?:this|that) (?:purpose|reason|goal)|With (?:this|that|these) in mind|"
    rf"In (?:light|view) of (?:this|these|that)(?: [\w-]+){{0,2}}|"
    rf"(?:In response|In order)? ?[Tt]o (?:[\w-]+ )?(?:and [\w-]+ )?(?:{_POINTER}|"
    rf"(?:the )?aforementioned|such an?) {PROBLEM}"
    r"(?: (?:above|mentioned|head-on))?"
    rf"|(?:Addressing|Tackling|Bridging|Recognizing|Observing|Facing) {_POINTER} {PROBLEM}"
    r"|To (?:[\w-]+ly )?[a-z-]+ (?:this|it|them|that|these)"
    r"|(?:Motivated|Inspired|Guided|Driven|Encouraged) by (?:this|these|that|it)(?: [\w-]+){0,2}"
    r"|(?:Based|Building|Drawing|Expanding|Leveraging|Capitalizing)(?: up)?(?:on| on)? "
    r"(?:this|these|that|it)(?: [\w-]+){0,2}"
    r")(?:, (?:and |so )?| (?=we ))"
)
_HERE_WE = re.compile(rf"(?:Here|In this {PAPER}),? (?=we )")
_REFERRING = re.compile(
    r"(?:To|Given|Noting|Considering|Following|Motivated|Inspired|Based|Building|Leveraging|"
    r"Drawing|Applying|Built|Extending|Using|"
    r"Unlike|Addressing|Recognizing|Observing|Facing)\b[^,;:]{0,120}?"
    r"\b(?:this|these|those|such|the above|aforementioned|our (?:findings?|results|analys[ei]s|"
    r"observations?|insights?))\b[^,;:]{0,80}, (?=we )"
)
_FROM_A_NAME = re.compile(
    r"(?:Based on|Building (?:up)?on|Using|With|Leveraging|On top of) (?:the |our )?"
    r"[A-Z][\w.+-]*[A-Z\d][\w.+-]*(?: [\w-]+)?, (?=we (?:\w+ )?"
    r"(?:propose|introduce|present|develop|design|build) )"
)
"""A name that no reader of the gist knows, before what the authors propose."""
_AND_ALSO = re.compile(rf"^To (?:[\w-]+ )?{_POINTER} {PROBLEM} and (?=[a-z]+ )")
"""`To solve this problem and save time, ...` is `To save time, ...`"""

EVIDENCE = (
    r"(?:experiments?|experimental results|results|evaluations?|empirical results|simulations?|"
    r"comparisons?|studies|analyses|evaluation methods)"
)
_FOUND = r"(?:\w+ly |also |have )?(?:show|demonstrate|reveal|confirm|verify|validate|prove)[sdn]*"
_SHOWN = re.compile(
    r"(?:(?:(?:Our|The|These|All) )?(?:[A-Za-z]+ (?:and [a-z]+ )?)?"
    rf"(?i:{EVIDENCE})(?: (?:results|on|across|over|in|with|from|using|"
    rf"conducted on)(?: [a-z-]+){{1,10}}?)?) "
    rf"{_FOUND} that "
)  # what they were done on only if it has no name and no number
_WE_ALSO = re.compile(r"We (?:also|further|additionally|then|thus|therefore|hence|accordingly) ")
OF_OURS = (
    r"method|approach|framework|model|system|algorithm|pipeline|architecture|network|technique|"
    r"dataset|benchmark|strategy|paradigm|scheme|solution|module|mechanism|tool|library|platform|"
    r"agent|toolkit|formulation|procedure|estimator|representation|idea|insight|contribution|goal|"
    r"findings?|results?|experiments?|analys[ei]s|evaluations?|objective|aim|intuition|"
    r"observation|key|survey|design|theory|loss|training|"
    r"processor|engine|generator|encoder|decoder|corpus|suite|recipe|attack|defense|policy|planner"
)
_OUR_PAPER = re.compile(rf"Our (?={PAPER}\b)")
_OURS = re.compile(rf"Our (?=(?:[\w-]+ ){{0,3}}?(?:{OF_OURS})s?\b)")
_LIST_OPENING = re.compile(r"\(|\w{1,4}[.)]|First")
_GOES_ON = re.compile(
    r"\((?:[ivx]{1,4}|\d{1,2}|[b-e])\)\s|\s\d{1,2}\)\s|"
    r"(?<!\d )(?<!\bper )(?<!\ba )\b(?:second|third|then|finally)(?:ly)?,? ",
    re.IGNORECASE,
)  # the list continues in the same sentence; "second" may be a unit of time
_CONTRIBUTIONS = (
    rf"(?:(?:We|(?:This|Our) {PAPER}) (?:present|make|offer|provide|bring)s? |(?:Our|The) )"
    r"(?:[\w-]+ ){0,3}contributions\b[^:.;]{0,60}: "
)
_FIRST_MARKER = r"(?:(?:\(?(?:1|i|a)\)|First(?:ly)?,?) )?"
_FIRST_CONTRIBUTION = re.compile(rf"{_CONTRIBUTIONS}{_FIRST_MARKER}(?=we )")
LISTED = re.compile(rf"{_CONTRIBUTIONS}{_FIRST_MARKER}(?!we |\(|\w+ing |[A-Z])")
"""What stands before contributions that are nouns."""
_CLAUSE = re.compile(
    r"(?!(?:and|or|but|nor|yet|which|that|who|whose)\b)(?:[a-z]+(?:[-'’][a-z]*)*[ ,]|[A-Z\[](?!\.))"
)  # a name such as iFoo must not become IFoo


_DROPPED = (_MARKER, _OPENER, _HERE_WE, _REFERRING, _FROM_A_NAME, _FIRST_CONTRIBUTION)


def without_opening(sentence: str) -> str:
    """`sentence` without list marker and words that link it to others, if a clause follows them."""
    sentence = _AND_ALSO.sub("To ", sentence)
    rest = sentence
    while opening := next(filter(None, (one.match(rest) for one in _DROPPED)), None):
        rest = capitalized(rest[opening.end() :])
    if rest != sentence:
        is_list = _LIST_OPENING.match(sentence) and _GOES_ON.search(rest)
        if is_list or not _CLAUSE.match(sentence[len(sentence) - len(rest) :]):
            rest = sentence
    if (shown := _SHOWN.match(rest)) and _CLAUSE.match(rest[shown.end() :]):
        rest = capitalized(rest[shown.end() :])
    return rest


def capitalized(text: str) -> str:
    """`text` with a capital at the start."""
    return text[:1].upper() + text[1:]


def mended(text: str) -> str:
    """`text` with an opening that stands alone: `Our method` is `The method`."""
    if listed := LISTED.match(text):
        return f"We contribute {text[listed.end() :]}"
    text = _WE_ALSO.sub("We ", text, count=1) if text.startswith("We ") else text
    text = _OUR_PAPER.sub("This ", text, count=1)
    return _OURS.sub("The ", text, count=1) if text.startswith("Our ") else text
