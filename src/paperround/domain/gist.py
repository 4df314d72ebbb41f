"""Choosing the one sentence of an abstract that says what is new. Offline, and in its own words.

Every sentence gets points for the phrases authors announce their own work and results with, loses
some for phrases of background, and gains a little for standing where that news usually stands.
The weights are round numbers, chosen on abstracts in which readers had marked ideas and results.
A list marker or connective that opens the chosen sentence is dropped; no other word changes.
"""

import re

LONGEST = 320
"""A longer sentence is cut at a word, with an ellipsis."""
_WISHED = 240
_SHORTEST_PROPOSAL = 100  # a shorter one names the new thing and says nothing about it

_ABBREVIATIONS = frozenset(
    ("e.g. i.e. al. vs. cf. etc. fig. figs. eq. eqs. sec. tab. ref. refs. no. approx. resp. dr. "
     "prof. st. w.r.t. a.k.a. ca.").split()
)  # fmt: skip
_END = re.compile(r"[.!?][\"”’)\]]*\s+(?=[\"“‘(\[]?[^\Wa-z_])")
_INITIAL = re.compile(r"(?:^|\s)[A-Z]\.$")

_MARKER = re.compile(
    r"(?:\((?:[ivx]{1,4}|\d{1,2}|[a-e])\)|(?:[ivx]{1,4}|\d{1,2})\)|\d{1,2}\.)\s+"
    r"(?:[A-Z][\w-]*(?: [\w-]+){0,4}: )?"
)
_LIST_OPENING = re.compile(r"\(|\w{1,4}[.)]|First")
_CONNECTIVE = re.compile(
    r"(?:First|Second|Third|Fourth|Firstly|Secondly|Thirdly|Next|Then|Finally|Lastly|Besides|"
    r"Moreover|Furthermore|Additionally|Specifically|Consequently|Hence|Thus|Therefore|"
    r"Taken together|As a result|In addition|To (?:this|that) end|"
    r"To (?:address|tackle|overcome|solve|resolve|mitigate|alleviate|bridge|fill|close|remedy|meet)"
    r" (?:this|these|that|those|the|such)(?: [\w-]+){0,3}), "
)
_GOES_ON = re.compile(
    r"\((?:[ivx]{1,4}|\d{1,2}|[b-e])\)\s|\s\d{1,2}\)\s|\b(?:second|third|then|finally)(?:ly)?,? ",
    re.IGNORECASE,
)  # the list that the opening begins is in the same sentence
_CLAUSE = re.compile(
    r"(?!(?:and|or|but|nor|yet|which|that|who|whose)\b)(?:[a-z]+(?:-[a-z]+)*[ ,]|[A-Z](?!\.))"
)  # a name such as iFoo must not become IFoo
_PROPOSAL = re.compile(
    r"\b(?:we|this (?:paper|work|article|study)) (?:\w+ ){0,2}(?:propos|introduc|present)\w*\b",
    re.IGNORECASE,
)
_VAGUE_RESULT = re.compile(
    r"\b(?:experiment\w*|results?|evaluations?)\b.{0,60}"
    r"\b(?:show|demonstrat|indicat|verif|validat|confirm)"
    r"(?=.*(?:state[- ]of[- ]the[- ]art|superior|effective))(?!.*\d)",
    re.IGNORECASE,
)  # every paper says so, and no figure tells by how much

_WE = r"\b(?:we|this (?:paper|work|article|study)|the authors)\b[^.]{0,30}?\b"
_CUES: tuple[tuple[float, re.Pattern[str]], ...] = tuple(
    (points, re.compile(pattern, re.IGNORECASE))
    for points, pattern in (
        (2.0, r"\b(?:in this (?:paper|work|article|study)|to (?:this|that) end)\b"),
        (0.5, _WE + r"(?:propos|introduc|present|develop|devis)(?:e|es|ed)?\b"),
        (1.5, _WE + r"(?:show|demonstrat|find|prov|reveal|observ|establish|achiev|obtain)"),
        (0.5, _WE + r"(?:leverag|use|combin|formulat|train|learn)"),
        (1.0, r"\b(?:experiment\w*|results?|evaluations?)\b.{0,60}\b(?:show|demonstrat|indicat)"),
        (1.5, r"\b(?:outperform|improv|surpass|exceed|superior|achieve)"),
        (0.5, r"state[- ]of[- ]the[- ]art"),
        (1.5, r"\bour (?:\w+ )?(?:method|approach|model|framework|experiment)|that our\b"),
        (1.0, r"\b(?:key|main|core) (?:idea|insight|contribution)|\b(?:by|through) \w+ing\b"),
        (1.0, r"\bbased on\b|\bthat (?:leverag|exploit|combin|us|learn)"),
        (1.0, r"\b(?:without|while|enabl\w+|allow\w+)\b"),
        (0.5, r"\bthan\b|\d(?:\.\d+)?(?:%|×|x\b)|\bthe first\b"),
        (0.5, r"\bdatasets?\b|\bbenchmarks?\b"),
        (0.5, r"^(?:we|our)\b"),
        (-1.5, r"^(?:however|recent|despite|although|while|existing|previous|prior|most|many)\b"),
        (-1.0, r"\b(?:has|have) (?:been|become|shown)\b|\b(?:often|typically|usually|due to)\b"),
        (-0.5, r"\b(?:challeng|remain|suffer|limit|difficult|crucial|important|cannot|lack)"),
        (-0.5, r"^(?:finally|furthermore|moreover|additionally|also)\b"),
        (-4.0, r"https?://|\b(?:code|project page)\b.{0,60}\b(?:available|released?|found)\b"),
    )
)


def choose_gist(title: str, abstract: str) -> str:
    """The sentence that says what is new, at most 320 characters; "" for an empty abstract.

    A sentence that only repeats `title` is passed over.
    """
    sentences = split_sentences(abstract)
    if not sentences:
        return ""
    last = max(len(sentences) - 1, 1)
    named = title.casefold().strip(" .")
    ranked = sorted(range(len(sentences)), key=lambda at: -_points(sentences[at], at / last, named))
    best = sentences[ranked[0]]
    if _VAGUE_RESULT.search(best):
        best = next((sentences[at] for at in ranked if _proposes(sentences[at])), best)
    return shortened(standing_alone(best), LONGEST)


def standing_alone(sentence: str) -> str:
    """`sentence` without the list marker and connectives it opens with, if a clause follows."""
    rest = sentence
    while opening := _MARKER.match(rest) or _CONNECTIVE.match(rest):
        rest = rest[opening.end() :]
    is_list = _LIST_OPENING.match(sentence) and _GOES_ON.search(rest)
    if rest == sentence or is_list or not _CLAUSE.match(rest):
        return sentence
    return rest[0].upper() + rest[1:]


def _proposes(sentence: str) -> bool:
    return len(sentence) >= _SHORTEST_PROPOSAL and _PROPOSAL.search(sentence) is not None


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a repaired text; abbreviations, initials and decimals end none."""
    sentences: list[str] = []
    start = 0
    for match in _END.finditer(text):
        sentence = text[start : match.end()].strip()
        word = sentence.rpartition(" ")[2].lstrip("([“").casefold()
        if word in _ABBREVIATIONS or _INITIAL.search(sentence):
            continue
        sentences.append(sentence)
        start = match.end()
    rest = text[start:].strip()
    return (*sentences, rest) if rest else tuple(sentences)


def shortened(text: str, limit: int) -> str:
    """`text`, cut at a word with an ellipsis when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:–—-") + "…"


def _points(sentence: str, place: float, title: str) -> float:
    """`place` runs from 0 (first sentence) to 1 (last)."""
    points = sum(weight for weight, cue in _CUES if cue.search(sentence))
    points += 1.5 * place + place * place + min(len(sentence), _WISHED) / 80
    return points - (3.0 if sentence.casefold().strip(" .") == title else 0.0)
