"""Repair titles, abstracts and names: remove unprintable characters, HTML, TeX and Markdown."""

import html
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from paperround.papers.latex import latex_to_text, link, script
from paperround.papers.tex_symbols import ARROWS, GREEK, tex_name

TITLE_LIMIT = 500
ABSTRACT_LIMIT = 10_000
NAME_LIMIT = 200
_MOST_PASSES = 6

_JOINED = (
    "\u0600-\u06ff\u0700-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
    "\ufe0f\u2190-\u2bff\U0001f000-\U0001faff"
)
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
    f"|(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
)
_ENTITY = re.compile(r"&(?!amp;#?\w{1,31};)(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]\w{1,31});")
_PAIRED_TAG = re.compile(
    r"<((?:jats:)?(?:i|b|em|strong|sub|sup|a|u|italic|bold|tt|sc|scp|inf"
    r"|inline-formula|tex-math))(?:\s[^<>]{0,400})?>"
    r"(.{0,600}?)</\1>",
    re.DOTALL | re.IGNORECASE,
)
_BLOCK = r"(?:jats:)?(?:p|div|span|sec|title|ul|ol|li)"
_BLOCK_TAG = re.compile(rf"</?{_BLOCK}(?:\s[^<>]{{0,400}})?>", re.IGNORECASE)
_BLOCK_END = re.compile(rf"</{_BLOCK}>", re.IGNORECASE)
_ET_AL = re.compile(r"(?:^|[\s,;]+)et\.?\s+al\.?\s*$", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def clean(text: str, *, limit: int) -> str:
    """`text` on one line, NFC, at most `limit` characters, without invisible characters.

    Removes control and bidi characters, lone surrogates and zero-width characters (joiners stay
    between letters that need them) and paired tags; decodes entities once. A cut text ends with an
    ellipsis.
    """
    text = text[: limit * 4]
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "<" in text:
        text = _BREAK_TAG.sub(" ", _without_tags(text) if "</" in text else text)
    text = " ".join(text.split())
    if not text.isprintable():
        text = " ".join(_UNSHOWABLE.sub("", text).split())
    text = unicodedata.normalize("NFC", text)
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at = head.rfind(" ", limit - 80)
    return (head[:at] if at > 0 else head).rstrip() + "…"


def repair_title(text: str) -> str:
    """A readable title of at most 500 characters."""
    return _repaired(text, TITLE_LIMIT)


def repair_abstract(text: str) -> str:
    """A readable abstract of at most 10,000 characters."""
    return _repaired(text, ABSTRACT_LIMIT)


def author_name(text: str) -> str:
    """A person's name with its TeX accents and letters decoded, at most 200 characters.

    Without the "et al." that some feeds add to the last author or list as one.
    """
    name = tex_name(clean(text, limit=NAME_LIMIT)).replace("~", " ")
    return clean(_ET_AL.sub("", name), limit=NAME_LIMIT)


def author_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The repaired names, without those that have no letter or digit: arXiv lists the colon of
    "NVIDIA: Ada Lovelace" as an author."""
    return tuple(one for one in map(author_name, names) if any(map(str.isalnum, one)))


def _repaired(text: str, limit: int) -> str:
    """Clean and mend the text until nothing changes: repairing twice changes nothing.

    A text that keeps changing is only cleaned.
    """
    cleaned = before = clean(text, limit=limit)
    for _ in range(_MOST_PASSES):
        after = without_markdown(mend(latex_to_text(before)))
        if after == before:
            return before
        before = clean(after, limit=limit)
    return cleaned


def _without_tags(text: str) -> str:
    if _BLOCK_END.search(text):
        text = _BLOCK_TAG.sub(" ", text)
    for _ in range(8):
        text = _PAIRED_TAG.sub(_tag_content, text)
    return text


def _tag_content(match: re.Match[str]) -> str:
    name, content = match[1].lower().removeprefix("jats:"), match[2]
    if name in {"sub", "sup", "inf"}:
        following = match.string[match.end() :][:1]
        return script("^" if name == "sup" else "_", content.strip(), following)
    return content.strip() if name in {"inline-formula", "tex-math"} else content


# Markdown: bold, italics, code and links.
#
# A mark counts only if it has both ends, with words next to them inside and none outside. So
# `a * b`, `2**n`, `C*-algebra` and the star of a footnote stay.

_INNER = r"(?=[^\W_]|[\"“(])([^*\n]{1,300}?)(?<=[\w.!?:,;%)\"”])"
_BOLD = re.compile(rf"(?<![\w*\\])(\*{{2,3}}){_INNER}\1(?![\w*])")
_ITALIC = re.compile(rf"(?<![\w*\\^])\*{_INNER}\*(?![\w*])")
_INITIALS = re.compile(r"(?<![\w*\\])(\*{1,2})([^\W\d_]{1,4})\1(?=[^\W\d_])")
"""Letters that make up an acronym: `**P**olicy **O**ptimization`."""
_CODE = re.compile(r"(?<![\w`\\])`([^`'\s](?:[^`'\n]{0,78}[^`'\s])?)`(?![\w`'])")
_LINK = re.compile(r"!?\[([^\[\]\n]{1,200})\]\((https?://[^\s()]+)\)")


def without_markdown(text: str) -> str:
    """`text` without Markdown marks; `code` that looks like TeX keeps its backticks."""
    if "](http" in text:
        text = _LINK.sub(lambda found: link(found[2], found[1]), text)
    if "*" in text:
        text = _INITIALS.sub(r"\2", _ITALIC.sub(r"\1", _BOLD.sub(r"\2", text)))
    return _CODE.sub(_code, text) if "`" in text else text


def _code(found: re.Match[str]) -> str:
    """Without backticks the next pass would mend such code, so it keeps them."""
    inner = found[1]
    return inner if mend(latex_to_text(inner)) == inner else found[0]


# Remains of flattened LaTeX and raw TeX typography in running text.
#
# Other sites drop the dollars, the backslashes and some braces of math, so `$2\times$` becomes
# `2times` and `$R^d \rightarrow R^d$` becomes `R^drightarrow R^d`. Each rule below mends one such
# case in a context that neither plain English nor code can have. Addresses, file paths and `code`
# never change.

_NAMES = "|".join(sorted((name for name in GREEK if len(name) < 8), key=len, reverse=True))
_ARROW_NAMES = "(?:[lL]ong|hook)?(?:[lL]eft)?[rR]ightarrow|(?:[lL]ong)?[lL]eftarrow"
_UNITS = (
    "FPS|fps|[KMGTP]i?B|[kKMGT]bps|[munp]s|[kMGT]?Hz|[KMGTP]?FLOPS|[KMGTP]FLOPs|[KMG]pps|[mckn]m|"
    "kg|mg|dB|px|[kM]?Wh|[km]W|[mk]?eV|QPS|TOPS|samples|tokens|frames|hours|minutes|seconds"
)
_LABEL = re.compile(
    r"(?:the |this |our |project )?(?:here|link|url|page|code|github|"
    r"website|web ?page|home ?page|dataset|model|demo|project|repository|repo)s?|"
    r"[^{}]*\s[^{}]*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(https?://[^\s{}]+)")
_ADDRESS_OR_CODE = re.compile(r"(https?://[^\s{}]+|`[^`\n]*\w`(?!`|'))")


class _Rule(NamedTuple):
    """Runs on texts that contain `needle` (a fast test) and then match `gate` (a slower one)."""

    needle: str
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    gate: re.Pattern[str]


def _linked(match: re.Match[str]) -> str:
    r"""`https://x{https://x}` and `https://x{this page}`, left by `\href`."""
    address, label = match[1], match[3] or match[4]
    if "://" in label:
        return address
    if match[2] or not (_LABEL.fullmatch(label) or label in address):
        return match[0]
    return link(address, label)


def _arrow(match: re.Match[str]) -> str:
    sign = ARROWS.get(match[1].replace("long", "").replace("Longr", "r").replace("Longl", "l"))
    if sign is None:
        return match[0]
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return f" {sign}" if after == " " and before not in {" ", ""} else sign


def _superscript(match: re.Match[str]) -> str:
    return script("^", match[1], match.string[match.end() :][:1])


def _subscript(match: re.Match[str]) -> str:
    return script("_", match[1], match.string[match.end() :][:1])


def _greek(match: re.Match[str]) -> str:
    return GREEK[match[1]]


def _dash(match: re.Match[str]) -> str:
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    is_spaced = before == after == " "
    is_tight = _can_touch(before, "])”'.,%*×") and _can_touch(after, "([“`*\\~$")
    return ("–" if len(match[0]) == 2 else "—") if is_spaced or is_tight else match[0]


def _can_touch(neighbour: str, also: str) -> bool:
    return neighbour.isalnum() or (neighbour != "" and neighbour in also)


def _rule(
    needle: str,
    pattern: str,
    replacement: str | Callable[[re.Match[str]], str],
    gate: str | None = None,
) -> _Rule:
    return _Rule(needle, re.compile(pattern), replacement, re.compile(gate or pattern))


_LINKS = re.compile(
    r"(https?://[^\s{}]+)(\s?)\{(?:blue\{([^{}]{1,200})\}|([^{}]{1,200}))\}"
)  # flattening \textcolor leaves the name of the color
_COUNTED = r"\d[\d.,]*(?:\\?%|times|[xkKMB×]\b|[A-Z]\b)"

_PLAIN = r"\d(?![\d.,]*(?:[%~×]|\\%|[xX]\b))"
_METRICS = r"(?:PSNR|SSIM|LPIPS|AUC|AUROC|FID|MAE|MSE|RMSE|SNR|WER|CER|BLEU|ACC|MRR|NDCG|IOU|MAP)~"
_NUMBERED = (
    "section|level|severity|stage|step|phase|layer|version|table|figure|equation|type|class|grade|"
    "chapter|theorem|lemma|algorithm|appendix"
)

# Patterns begin with a literal and look behind it: the regex engine finds literals fast.
_ORDERED = (
    _rule("{", r"\{(times|sim|approx|[=,.:<>+-])\}(?=[\w\s])", r"\1"),
    _rule("{", r"\{(°)\}|\{(?<![\w\\^}]\{)([^\x00-\x7f])\}", r"\1\2"),
    _rule("{", r"(?<![\\\w}])([^\W_]+)\{([À-ÖØ-öø-ɏ])\}", r"\1\2", gate=r"\{[À-ɏ]\}"),
    _rule("{", r"\{(?<=[⁰¹²³⁴-⁹]\{)([A-Za-z]{2,})\}", r"\1"),
    _rule(
        "{",
        r"(?<![A-Za-z\\])(?:textbf|textit|texttt|textsc|emph|mathcal|mathbf|mathbb|mathrm|"
        r"boldsymbol)\{([^{}]*)\}",
        r"\1",
        gate=r"\{(?<=[a-z]\{)",
    ),
    _rule("{", r"1\{2\}(?=[|‖(])(?<=[=(+,-]1\{2\})", "1/2"),
    _rule("{", r"times(?<=\{[a-z]times)(?= [a-z\d]\})", " ×"),
    _rule("{", r" times (?<=\{[A-Za-z\d] times )(?=[A-Za-z\d]\})", " × "),
    _rule("^", r"\^\{?circ\}?(?=times|[\W\d_]|$)", "°"),
    _rule("^", r"nabla(?<![A-Za-z\\-]nabla)(?=\^)", "∇"),
    _rule("arrow", rf"({_ARROW_NAMES})(?<![\\_/-])(?![_/]|\w*\()", _arrow, gate="arrow"),
    _rule("infty", r"infty(?<![A-Za-z\\]infty)(?![a-z])", "∞"),
    _rule("cdot", r"cdot(?<![A-Za-z\\]cdot)(?![A-Za-z])", "·"),
    _rule("propto", r"propto(?<![a-z\\]propto)(?![a-z])", "∝"),
    _rule("leq", r"leq(?<![A-Za-z\\]leq)(?![A-Za-z_])", "≤"),
    _rule("geq", r"geq(?<![A-Za-z\\]geq)(?![A-Za-z_])", "≥"),
    _rule("neq", r"neq(?<![A-Za-z\\]neq)(?![A-Za-z_])", "≠"),
    _rule("approx", r"approx(?<![A-Za-z\\-]approx)(?=\d)", "≈"),
    _rule("approx", r"approx(?<=[\W_][B-Zb-z] approx)(?= -?\d)", "≈"),
    _rule("approx", r"approx(?<=[α-ω]approx)(?=[ \d])", "≈"),
    _rule("pm", r"pm(?<=\dpm)(?=\d)", "±"),
    _rule("times", r"(\d{2,})times (?=\1(?!\d))", r"\1×", gate=r"times (?<=\dtimes )\d"),
    _rule("times", r"times(?<=[\d°²³]times)(?![a-z])", "×"),
    _rule("times", r"times(?<=\dtimes)(?=sim\d)|times(?<=\d[a-z]times)(?=\d)", "×"),
    _rule("times", r"times(?<=[\W_][A-Z]times)(?![A-Za-z])", "×"),
    _rule(
        "sim",
        rf"sim!?(?<![\w\\-]sim)(?<![\w-]sim!)(?=\+?{_COUNTED}|\d\d[\d.,]*(?![\w-]))",
        "∼",
    ),
    _rule("sim", rf"sim (?<=\(sim )(?={_COUNTED})", "∼"),
    _rule("sim", r"sim(?<=\d sim)(?= \d)", "∼"),
    _rule("_", r"ell_(?<![A-Za-z\\]ell_)", "ℓ_"),
    _rule("^", r"ell\^(?<![A-Za-z\\]ell\^)", "ℓ^"),
    _rule("+", r"\+(tau)(?![A-Za-z_-])", "+τ"),
    _rule(
        "_",
        rf"(?<![\w\\/.-])({_NAMES})(?=_(?:\d|\{{|[A-Za-z](?![\w.])))",
        _greek,
        gate=r"_(?<=[a-z]_)[\d{A-Za-z]",
    ),
    _rule("^", rf"(?<![\w\\/.-])({_NAMES})(?=\^)", _greek, gate=r"\^(?<=[a-z]\^)"),
    _rule("_", r"_(?<=[\wℓ|)]_)\{([^{}\\ ]{1,24})\}(?!\w)", _subscript),
    _rule("_", r"_(?<=[^\W\d_]_)(?<![^\W_][^\W_]_)(\d{1,3})(?![A-Za-z\d_/]|\.\w)", _subscript),
    _rule("_", r"_(?<=[α-ω]_)(\d+\.\d+)(?![\w.])", _subscript),
    _rule("_", r"_(?<=[ℓ|]_)(\d{1,3})(?![A-Za-z\d_/])", _subscript),
    _rule("^", r"\^\{([^{}]{1,24})\}", _superscript),
    _rule("^", r"\^(?<=[^\W_]\^)\{?(\*)\}?(?![\w*])", _superscript),
    _rule("^", r"\^(?<=[^\W_]\^|[)\]|}₀-₉]\^)(-?\d+)(?![\d.]\d)", _superscript),
    _rule(",", rf",(?<=\d,)(?=(?:{_UNITS})\b)", " "),
    _rule("\\", r"\\([%&])", r"\1"),
    _rule("`", r"``(?!`)([^`\"]{1,300}?)(?:''|\")(?!')", r"“\1”"),
    _rule("`", r"(?<![`\w])`(?!`)([^`']{1,80})'(?![\w'])", r"‘\1’"),
    _rule(
        "~",
        r"(?!(?<=\b[A-Za-z])~[A-Za-z]\b)(?<=[A-Za-z.,)\]:;”’])~(?=[A-Za-z(\[\\“‘`]|$)",
        " ",
    ),
    _rule("~", r"(?<=[A-Za-z]\.)~(?=\d)|(?<=\d)~(?=[A-Z][a-z]{2}|[a-zμ][A-Za-z])", " "),
    _rule(
        "~",
        r"(?<![\w~])([A-Z][A-Za-z]*[a-z][A-Za-z]*)~(?=\d)(?!\d[\d.,]*(?:[%~×]|\\%|[xX]\b))",
        r"\1 ",
    ),
    _rule("~", rf"~(?<=\d~)(?=(?:{_UNITS}|[sNJWVKgmh]|p\.u\.)(?![\w~]))", " "),
    _rule("~", r"~(?<=\d~)(?=\([A-Z])|~(?<=[a-z]{2}~)(?=[α-ω])|~(?<=[A-Za-z]\d~)(?=v\d)", " "),
    _rule("~", r"~(?<=[A-Z]{3}~)(?='\d\d\b)", " "),
    _rule("~", rf"(?<![\w~])((?!{_METRICS})[A-Z]{{3,}})~(?!0\.)(?={_PLAIN})", r"\1 "),
    _rule("~", r"(?<![\w~])([A-Z][A-Za-z]{2,}-\d(?:\.\d)?)~(?=\d+(?:\.\d+)?B\b)", r"\1 "),
    _rule("~", rf"(?<![\w~])({_NUMBERED})~(?={_PLAIN})", r"\1 "),
    _rule("~", r"(?<![\w~])([A-Z]\w+)~(?=20\d\d(?![\w.,%~×]))", r"\1 "),
    _rule("~", r"~(?<=[A-Za-z][A-Za-z)\]]~)(?=[ ,.;:]|$)", ""),
    _rule("-", r"-(?<!--)-{1,2}(?![->])", _dash),
)


# Grouped by needle, in the order of the first rule of each.
_RULES = [
    rule
    for needle in dict.fromkeys(one.needle for one in _ORDERED)
    for rule in _ORDERED
    if rule.needle == needle
]


def mend(text: str) -> str:
    """`text` with flattened LaTeX and raw TeX typography mended; doubtful cases stay."""
    if "{" in text and "://" in text:
        text = _LINKS.sub(_linked, text)
    needed = [rule for rule in _RULES if rule.needle in text and rule.gate.search(text)]
    if not needed:
        return text
    if "://" not in text and "`" not in text:
        return _apply_rules(text, needed)
    parts = (_ADDRESS_OR_CODE if "`" in text else _ADDRESS).split(text)
    parts[::2] = [_apply_rules(part, needed) for part in parts[::2]]
    return "".join(parts)


def _apply_rules(text: str, needed: list[_Rule]) -> str:
    for rule in needed:
        text = rule.pattern.sub(rule.replacement, text)
    # A Greek name on its own is a symbol if the text also contains its sign.
    for name in ("tau", "epsilon"):
        if GREEK[name] in text:
            text = re.sub(rf"(?<![\w\\/.-]){name}(?![\w-])", GREEK[name], text)
    return text
