r"""Convert TeX to readable Unicode, token by token; when in doubt, keep the source.

    text ──► math spans ($..$, \(..\), \[..\]) ──► macros and escapes of running text ──► text

Unknown macros and anything with unbalanced braces stay as written, and so do dollars that are
money. Calligraphic and bold letters become plain ones: every mail client shows them, and readers
can search for them.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import accumulate

from paperround.papers.tex_symbols import (
    COLORS,
    DOUBLE_STRUCK,
    FONTS,
    GLUED,
    IN_GROUPS,
    IN_TEXT,
    LETTERS,
    LOWERED,
    NAMES,
    NOTHING,
    OLD_FONTS,
    OVER,
    RAISED,
    RAISED_SIGNS,
    RELATIONS,
    SPACES,
    UNIT_PREFIXES,
    UNITS,
    WORD_LETTERS,
    tex_accents,
)

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|\s+|[^\\{}^_\s]+", re.DOTALL)
_SPAN = re.compile(r"\$\$([^$]{1,600})\$\$|\$([^$]{1,600})\$")
_BRACKETED = re.compile(r"(?<!\\)\\(?:\((.{1,600}?)\\\)|\[(.{1,600}?)\\\])")
_TEX_SIGN = re.compile(r"[\\^_{}=<>]")
_FLATTENED = re.compile(r"(?<!\\)\b(?:text(?:bf|it|tt)|emph|boldsymbol|math(?:cal|bf|bb|rm))\{")
_SUM = re.compile(r"\d\S*\s")  # "$5 and 7$" is money: a plain number in math contains no space
_PROSE = re.compile(r"[^\W\d]{2,}[,;.]?\s+(?:\S+\s+)?[^\W\d]{2,}")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)\*?|(.))", re.DOTALL)
_SIGNS = re.compile(r"(?:\{\\[A-Za-z]{1,30} ?\})+")
_SIGN = re.compile(r"\{\\([A-Za-z]+) ?\}")
_TAKES_GROUP = re.compile(r"(?:\\[A-Za-z]{1,30}\*?|[\]}^_])$")
_FILE_PATH = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]:\\|\\\\\w)[^\s{}$]*")
_OLD_FONT = re.compile(r"\{\\(?:" + OLD_FONTS + r")\s+([^{}]*)\}")
_BRACE = re.compile(r"(?<!\\)[{}]")
_MOST_DEPTH = 12
_LONGEST_GROUP = 1500
_SIGN_ALONE = frozenset(("<", ">", "=", "<=", ">=", "≤", "≥"))
_OLD_FONT_NAMES = frozenset(OLD_FONTS.split("|"))
_NUMBER = re.compile(r"[+-]?\d[\d.,]*")
_UNIT = re.compile(
    rf"(?:\\({'|'.join(UNIT_PREFIXES)}))?\\({'|'.join(UNITS)})|(%|[A-Za-zμ°]{{1,4}}|)"
)
_ESCAPED = dict(zip("%&_#${}~,; ", "%&_#${}~   ", strict=True))


def latex_to_text(text: str) -> str:
    """The readable form of `text`; anything that may not be TeX stays as it is."""
    if "\\" in text:
        return _convert_macros(_convert_spans(_BRACKETED.sub(_bracketed, text)), 0)
    return _convert_spans(text)


def script(mark: str, content: str, following: str = "") -> str:
    """A superscript (`^`) or subscript (`_`) as text: small digits, other content after the mark.

    `following` is the next character: content that would run into it keeps its braces.
    """
    if mark == "^" and content in RAISED_SIGNS:
        return RAISED_SIGNS[content]
    figures = content.translate(RAISED if mark == "^" else LOWERED)
    if content[-1:].isdecimal() and not re.search(r"[^⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀-₉₊₋.]", figures):
        return figures if mark == "_" or "." not in figures else f"^{content}"
    if len(content) == 1 or (mark == "_" and content.isalnum() and not following.isalnum()):
        return mark + content
    if mark == "^" and content and not re.search(r"[(){}]", content):
        return f"^({content})"
    return f"{mark}{{{content}}}"


# --- math --------------------------------------------------------------------------------------


def _convert_spans(text: str) -> str:
    if "$" not in text:
        return text
    out: list[str] = []
    start = 0
    while (at := text.find("$", start)) >= 0:
        match = None if text[:at].endswith("\\") else _SPAN.match(text, at)
        converted = None if match is None else _span(match[1] or match[2], text[match.end() :][:1])
        out.append(text[start:at])
        out.append("$" if match is None or converted is None else converted)
        start = at + 1 if match is None or converted is None else match.end()
    return "".join(out) + text[start:]


def _bracketed(match: re.Match[str]) -> str:
    converted = _span(match[1] or match[2])
    return match[0] if converted is None else converted


def _span(source: str, following: str = "") -> str | None:
    """The text of one math span; None if it is money, prose or has unbalanced braces.

    A digit after the closing dollar means money, unless the span contains a TeX command.
    """
    if source.strip() in _SIGN_ALONE:
        return source
    if _FLATTENED.search(source) or (following.isdecimal() and "\\" not in source):
        return None
    if not _TEX_SIGN.search(source):
        is_loose = source[0].isspace() or source[-1].isspace() or _SUM.match(source)
        return None if is_loose or _PROSE.search(source) else source
    if len(source) > 120 and len(_PROSE.findall(re.sub(r"\{[^{}]*\}", "", source))) > 2:
        return None
    return math_to_text(source) if _is_balanced(source) else None


def _is_balanced(source: str) -> bool:
    signs = (1 if brace == "{" else -1 for brace in _BRACE.findall(source))
    depths = list(accumulate(signs, initial=0))
    return min(depths) == depths[-1] == 0 and max(depths) <= _MOST_DEPTH


def math_to_text(source: str) -> str:
    """Balanced TeX math as one line of text; unknown macros stay as written."""
    tokens = _TOKEN.findall(source)[::-1]
    return " ".join(_sequence(tokens).split())


def _sequence(tokens: list[str]) -> str:
    """The text of the tokens (in reverse order) up to the closing brace, which is consumed too."""
    out = ""
    while tokens:
        piece = tokens.pop()
        if piece == "}":
            break
        if piece in "^_":
            content = _argument(tokens).strip()
            out = out.rstrip() + script(piece, content, tokens[-1][:1] if tokens else "")
        elif piece == "{":
            out += _sequence(tokens)
        elif piece[0] == "\\":
            out += _command(piece[1:], tokens, out)
        else:
            out += piece.replace("~", " ")
    return out


def _argument(tokens: list[str]) -> str:
    while tokens and tokens[-1].isspace():
        tokens.pop()
    if not tokens or tokens[-1] == "}":
        return ""
    piece = tokens.pop()
    if piece == "{":
        return _sequence(tokens)
    if piece[0] == "\\":
        return _command(piece[1:], tokens, "")
    if len(piece) > 1:
        tokens.append(piece[1:])
    return piece[0]


def _command(name: str, tokens: list[str], before: str) -> str:
    """The text of a command in math; consumes its arguments from `tokens`."""
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(name, tokens, before)
    if not name[0].isalpha():
        return "‖" if name == "|" else name
    # An unknown macro keeps its arguments in their braces.
    kept = f"\\{name}" + (" " if tokens and tokens[-1][0].isalpha() else "")
    while tokens and tokens[-1] == "{":
        tokens.pop()
        kept += "{" + _sequence(tokens) + "}"
    return kept


def _relation(name: str, tokens: list[str], before: str) -> str:
    """Put a space after the sign only if there is one before it: none at the start of a span."""
    while tokens and tokens[-1].isspace():
        tokens.pop()
    return RELATIONS[name] + (" " if before.endswith(" ") else "")


def _letter(name: str, tokens: list[str], _before: str) -> str:
    if len(tokens) > 1 and tokens[-1].isspace() and re.match(r"[\w\\]", tokens[-2]):
        tokens.pop()
        return LETTERS[name] + (" " if tokens[-1][1:] in RELATIONS else "")
    return LETTERS[name]


def _function_name(name: str, tokens: list[str], before: str) -> str:
    needs_gap = bool(tokens) and re.match(r"\\?[A-Za-z]", tokens[-1]) is not None
    return (" " if before[-1:].isalnum() else "") + name + (" " if needs_gap else "")


def _delimiter(_name: str, tokens: list[str], _before: str) -> str:
    if tokens and tokens[-1].startswith("."):
        tokens[-1:] = [tokens[-1][1:]] if len(tokens[-1]) > 1 else []
    return ""


def _fraction(_name: str, tokens: list[str], _before: str) -> str:
    return f"{_wrapped(_argument(tokens))}/{_wrapped(_argument(tokens))}"


def _wrapped(part: str) -> str:
    part = part.strip()
    is_atom = re.fullmatch(r"√?[\w.∞ℓ…%]+|\(\S+\)", part) is not None
    return part if is_atom else f"({part})"


def _over(name: str, tokens: list[str], _before: str) -> str:
    content = _argument(tokens)
    return unicodedata.normalize("NFC", content + OVER[name]) if len(content) == 1 else content


def _colored(_name: str, tokens: list[str], _before: str) -> str:
    _argument(tokens)
    return _argument(tokens)


_HANDLERS: dict[str, Callable[[str, list[str], str], str]] = {
    **dict.fromkeys(RELATIONS, _relation),
    **dict.fromkeys(LETTERS, _letter),
    **dict.fromkeys((*FONTS, *_OLD_FONT_NAMES), lambda _name, tokens, _before: _argument(tokens)),
    **dict.fromkeys(SPACES, lambda name, _tokens, _before: SPACES[name]),
    **dict.fromkeys(NAMES, _function_name),
    **dict.fromkeys(NOTHING, _delimiter),
    **dict.fromkeys(OVER, _over),
    **dict.fromkeys(("frac", "tfrac", "dfrac", "nicefrac"), _fraction),
    "sqrt": lambda _name, tokens, _before: "√" + _wrapped(_argument(tokens)),
    "mathbb": lambda _name, tokens, _before: DOUBLE_STRUCK.get(one := _argument(tokens), one),
    "textcolor": _colored,
}

# --- running text ------------------------------------------------------------------------------


def _convert_macros(text: str, depth: int) -> str:
    text = _OLD_FONT.sub(r"\1", tex_accents(_SIGNS.sub(_signs, text)))
    paths = [match.span() for match in _FILE_PATH.finditer(text)] if depth == 0 else []
    out: list[str] = []
    start = 0
    while (at := text.find("\\", start)) >= 0:
        out.append(text[start:at])
        end = next((end for begin, end in paths if begin <= at < end), None)
        done, start = (text[at:end], end) if end else _text_command(text, at, depth)
        out.append(done)
    return "".join(out) + text[start:]


def _signs(match: re.Match[str]) -> str:
    """Convert groups of one symbol each; a possible argument of a command stays."""
    if _TAKES_GROUP.search(match.string, max(0, match.start() - 32), match.start()):
        return match[0]
    return _SIGN.sub(lambda group: IN_GROUPS.get(group[1], group[0]), match[0])


def _text_command(text: str, at: int, depth: int) -> tuple[str, int]:
    """The text of the command at `at`, and where the text continues."""
    match = _COMMAND.match(text, at)
    if match is None or depth > _MOST_DEPTH:
        return "\\", at + 1
    name = match[1] or match[2]
    if match[1] is None:
        return _ESCAPED.get(name, match[0]), match.end()
    end = match.end()
    if name in IN_TEXT:
        is_glued = name in GLUED and text.startswith(" ", end)
        return _text_symbol(IN_TEXT[name], text, end + int(is_glued))
    if name not in WORD_LETTERS:
        return _with_arguments(name, text, end, depth) or (match[0], end)
    # `S\o ren` -> `Søren`, only inside a word: alone, `\o` may be a macro of the author.
    if text[at - 1 : at].isalpha() or text.startswith("{}", end):
        end += 2 if text.startswith("{}", end) else int(text.startswith(" ", end))
        return WORD_LETTERS[name], end
    return match[0], end


def _text_symbol(symbol: str, text: str, end: int) -> tuple[str, int]:
    if text.startswith("{}", end):
        end += 2
    if symbol.endswith(".") and text.startswith(".", end):
        end += 1
    needs_gap = symbol[-1] == "." and text[end : end + 1].isalpha()
    return symbol + (" " if needs_gap else ""), end


def _with_arguments(name: str, text: str, end: int, depth: int) -> tuple[str, int] | None:
    wanted = _ARGUMENTS.get(name)
    if wanted is None:
        return None
    groups: list[str] = []
    for _ in range(wanted):
        group = _group(text, end)
        if group is None:
            return (groups[0], end) if groups and name == "href" else None
        groups.append(text[group[0] : group[1]])
        end = group[1] + 1
    if name in FONTS or name in _OLD_FONT_NAMES:
        return _convert_macros(groups[0], depth + 1), end
    if name in _TEXT_STRUCTURES:
        plain = [_convert_macros(group, depth + 1) for group in groups]
        return _TEXT_STRUCTURES[name](plain), end
    return math_to_text(f"\\{name}" + "".join(f"{{{group}}}" for group in groups)), end


def _group(text: str, at: int) -> tuple[int, int] | None:
    """Start and end of the content of the brace group at `at`; None if there is none."""
    if text[at : at + 1] != "{":
        return None
    depth = 0
    for brace in _BRACE.finditer(text, at, at + _LONGEST_GROUP):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return at + 1, brace.start()
    return None


def link(address: str, label: str) -> str:
    """An address with the label of its link, without repeating either."""
    bare = re.sub(r"^https?://(?:www\.)?|/+$", "", label)
    if not label or bare in address:
        return address
    if "://" not in address:
        return f"{address} ({label})" if "://" in label else label
    return label if "://" in label else f"{label} ({address})"


def _quantity(groups: list[str]) -> str:
    r"""`\SI{3}{dB}` -> `3 dB`, `\SI{40}{\milli\second}` -> `40 ms`; other units stay in TeX."""
    number, unit = groups
    match = _UNIT.fullmatch(unit)
    if match is None or not _NUMBER.fullmatch(number):
        return f"\\SI{{{number}}}{{{unit}}}"
    sign = match[3] if match[2] is None else UNIT_PREFIXES.get(match[1], "") + UNITS[match[2]]
    return number + (f" {sign}" if sign[:1].isalpha() else sign)


def _code_point(groups: list[str]) -> str:
    match = re.fullmatch(r"x([0-9A-Fa-f]{2,5})", groups[0])
    return chr(int(match[1], 16)) if match else f"\\unicode{{{groups[0]}}}"


_TEXT_STRUCTURES: dict[str, Callable[[list[str]], str]] = {
    "url": lambda groups: groups[0],
    "href": lambda groups: link(groups[0], groups[1]),
    "footnote": lambda groups: f" ({groups[0].strip()})",
    "color": lambda groups: "" if groups[0] in COLORS else f"\\color{{{groups[0]}}}",
    "textcolor": lambda groups: groups[1],
    "textsuperscript": lambda groups: script("^", groups[0]),
    "textsubscript": lambda groups: script("_", groups[0]),
    "unicode": _code_point,
    "SI": _quantity,
    "num": lambda groups: groups[0] if _NUMBER.fullmatch(groups[0]) else f"\\num{{{groups[0]}}}",
    **dict.fromkeys(("cite", "citep", "citet"), lambda _groups: ""),
}
_ARGUMENTS = (
    dict.fromkeys((*RELATIONS, *LETTERS, *NOTHING), 0)
    | dict.fromkeys((*FONTS, *_OLD_FONT_NAMES, *OVER, *_TEXT_STRUCTURES, "sqrt", "mathbb"), 1)
    | dict.fromkeys(("frac", "tfrac", "dfrac", "nicefrac", "href", "textcolor", "SI"), 2)
)
