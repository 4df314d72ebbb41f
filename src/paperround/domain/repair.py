r"""Mends what other sites' LaTeX flattening and raw TeX typography leave in running text.

Flattening drops the dollars, the backslashes and some braces of math, so `$2\times$` becomes
`2times` and `$R^d \rightarrow R^d$` becomes `R^drightarrow R^d`. Each rule below mends one such
trace and demands a context in which plain English or code cannot stand. Addresses, file paths
and `code` are never touched. A rule runs only on texts that contain its needle.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from paperround.domain.latex import link, script
from paperround.domain.tex_symbols import ARROWS, GREEK

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
    """Runs on texts that hold `needle` (a fast test) and then match `gate` (a slower one)."""

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


def _raised(match: re.Match[str]) -> str:
    return script("^", match[1], match.string[match.end() :][:1])


def _lowered(match: re.Match[str]) -> str:
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
)  # a colour name survives the flattening of \textcolor
_COUNTED = r"\d[\d.,]*(?:\\?%|times|[xkKMB×]\b|[A-Z]\b)"

_PLAIN = r"\d(?![\d.,]*(?:[%~×]|\\%|[xX]\b))"
_METRICS = r"(?:PSNR|SSIM|LPIPS|AUC|AUROC|FID|MAE|MSE|RMSE|SNR|WER|CER|BLEU|ACC|MRR|NDCG|IOU|MAP)~"
_NUMBERED = (
    "section|level|severity|stage|step|phase|layer|version|table|figure|equation|type|class|grade|"
    "chapter|theorem|lemma|algorithm|appendix"
)

# Patterns begin with a literal and look back over it: the engine then skips to it fast.
_DAMAGE = (
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
    _rule("_", r"_(?<=[\wℓ|)]_)\{([^{}\\ ]{1,24})\}(?!\w)", _lowered),
    _rule("_", r"_(?<=[^\W\d_]_)(?<![^\W_][^\W_]_)(\d{1,3})(?![A-Za-z\d_/]|\.\w)", _lowered),
    _rule("_", r"_(?<=[α-ω]_)(\d+\.\d+)(?![\w.])", _lowered),
    _rule("_", r"_(?<=[ℓ|]_)(\d{1,3})(?![A-Za-z\d_/])", _lowered),
    _rule("^", r"\^\{([^{}]{1,24})\}", _raised),
    _rule("^", r"\^(?<=[^\W_]\^)\{?(\*)\}?(?![\w*])", _raised),
    _rule("^", r"\^(?<=[^\W_]\^|[)\]|}₀-₉]\^)(-?\d+)(?![\d.]\d)", _raised),
    _rule(",", rf",(?<=\d,)(?=(?:{_UNITS})\b)", " "),
)
_TYPOGRAPHY = (
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


def _sought(rules: Iterable[_Rule]) -> tuple[tuple[str, str, list[_Rule]], ...]:
    """The rules of each needle, in order, behind the needle and the one sign of it to look for
    first: a sign is found, or found missing, twenty times as fast as a word."""
    by_needle: dict[str, list[_Rule]] = {}
    for rule in rules:
        by_needle.setdefault(rule.needle, []).append(rule)
    return tuple((_rarest(one), one, each) for one, each in by_needle.items())


def _rarest(needle: str) -> str:
    return next((sign for sign in "qx" if sign in needle), needle[0])


_BY_NEEDLE = _sought((*_DAMAGE, *_TYPOGRAPHY))
_BARE_GREEK = re.compile(r"(?<![\w\\/.-])(tau|epsilon)(?![\w-])")


def mend(text: str) -> str:
    """`text` with flattening damage and raw TeX typography mended; anything doubtful stays."""
    if "{" in text and "://" in text:
        text = _LINKS.sub(_linked, text)
    needed = [
        rule
        for sign, needle, rules in _BY_NEEDLE
        if sign in text and needle in text
        for rule in rules
        if rule.gate.search(text)
    ]
    if not needed:
        return text
    if "://" not in text and "`" not in text:
        return _mended(text, needed)
    parts = (_ADDRESS_OR_CODE if "`" in text else _ADDRESS).split(text)
    parts[::2] = [_mended(part, needed) for part in parts[::2]]
    return "".join(parts)


def _mended(text: str, needed: list[_Rule]) -> str:
    for rule in needed:
        text = rule.pattern.sub(rule.replacement, text)
    return _BARE_GREEK.sub(_named_before, text) if "τ" in text or "ε" in text else text


def _named_before(match: re.Match[str]) -> str:
    """A Greek name standing alone is a symbol where its sign stands in the same text."""
    sign = GREEK[match[1]]
    return sign if sign in match.string else match[0]
