r"""Names in a gist: private macros such as `\ours` become words, abbreviations are explained."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paperround.papers.gist_openings import capitalized
from paperround.papers.gist_rewriting import Piece

_FONT = re.compile(
    r"\\?\b(?:text(?:bf|it|sc|tt|rm|sf)|emph|underline)\{([^{}]*)\}|\{\\(?:em|it|bf|sc) ([^{}]*)\}"
    r"|\\[a-z]\{([^{}]*)\}"
)
_MACRO = re.compile(
    r"(?<![\d$])\{?\\([A-Za-z]{3,})(?![A-Za-z]|\{[^}]|[\^_])"
    r"(?:\\?[~ ](?=[ ,.])|\{\}\}?|\}|\\(?= )|~)?"
)  # with neither an argument nor a number before it, which mathematics has
_GENERIC = {
    "our method": "ours our method ourmethod approach name methodname sysname implname shortname "
    "mname myname ourshort ourname methodshort algo alg algname acronym abbr",
    "our model": "model modelname ourmodel modelnamefull",
    "our system": "system systemname sys tool toolname",
    "our framework": "framework frameworkname ourframework",
    "our dataset": "dataset datasetname data ourdataset corpus",
    "our benchmark": "benchmark bench benchname benchmarkname ourbench ourbenchmark thisbench",
}
_PLAIN = {name: words for words, names in _GENERIC.items() for name in names.split()}
_ESCAPED = re.compile(r"\\([&%_#])")
_LETTERS = re.compile(r"[^a-z]+")


def without_macros(text: str, title: str) -> str:
    r"""`text` without private macros: the coined name of the title if the letters agree, else
    `our method`, else the macro's own name."""
    if "\\" not in text and "{" not in text:
        return text
    text = _ESCAPED.sub(r"\1", text)
    text = _FONT.sub(lambda match: match[match.lastindex or 0], text)
    coined = title.partition(":")[0].strip() if ":" in title else ""
    letters = _LETTERS.sub("", coined.casefold())

    def named(match: re.Match[str]) -> str:
        macro = match[1]
        if len(coined.split()) <= 2 and letters and letters == macro.casefold():
            return coined
        return _PLAIN.get(macro.casefold(), macro)

    return _MACRO.sub(named, text)


_DEFINED = re.compile(r" \(([A-Za-z][\w-]{0,14}[A-Z][\w-]*?)(s?)\)")
_WORDS_BEFORE = re.compile(r"[\w'’/-]+(?: [\w'’/-]+)*$")
_FAR = 120  # characters before an abbreviation that can hold its words


@dataclass(frozen=True, slots=True)
class Acronym:
    """An abbreviation, its words in full, and the character after its explanation."""

    short: str
    full: str
    end: int


def acronyms(abstract: str) -> Sequence[Acronym]:
    """The abbreviations that an abstract explains, as in `large language models (LLMs)`."""
    found: dict[str, Acronym] = {}
    for match in _DEFINED.finditer(abstract):
        words = _WORDS_BEFORE.search(abstract[max(0, match.start() - _FAR) : match.start()])
        if words and (full := _words_of(match[1], words[0].split(), match[2])):
            short = match[1] + match[2]
            found.setdefault(short, Acronym(short, full, match.end()))
    return tuple(found.values())


def _words_of(short: str, words: Sequence[str], plural: str) -> str:
    """The last of `words` whose first letters spell `short`; "" if they do not, or if only the
    words are plural: then a single one may be meant."""
    letters = "".join(one.casefold() for one in short if one.isalpha())
    count, heads = 0, ""
    while len(heads) < len(letters) and count < len(words):
        count += 1
        heads = "".join(part[:1].casefold() for part in words[-count].split("-")) + heads
    full = " ".join(words[-count:])
    is_same = len(letters) > 1 and heads == letters and full.endswith("s") == bool(plural)
    return full if is_same else ""


def expanded(piece: Piece, known: Sequence[Acronym], limit: int) -> Piece:
    """`piece` with abbreviations that were explained before it in full, as long as it fits."""
    text = piece.text
    for one in known:
        if one.end > piece.start or one.full.casefold() in text.casefold():
            continue
        full = one.full.lower() if one.full[1:].islower() else one.full
        use = rf"(?:\b([Aa])n? )?(?<![\w(/-]){re.escape(one.short)}(?![\w)/’'-])"
        longer = re.sub(use, _explained(f"{full} ({one.short})"), text, count=1)
        if len(longer) <= limit:
            text = capitalized(longer)
    return Piece(text, piece.start, piece.end)


def _explained(words: str) -> Callable[[re.Match[str]], str]:
    """What replaces an abbreviation: the words, after the article they need."""
    more = "n " if words[0] in "aeiouAEIO" else " "
    return lambda match: f"{match[1]}{more}{words}" if match[1] else words
