"""Text as a reader should see it: cleaned of what cannot be shown, then made readable."""

import html
import re
import unicodedata

from paperround.domain.latex import latex_to_text, link, script
from paperround.domain.repair import mend
from paperround.domain.tex_letters import tex_name

TITLE_LIMIT = 500
ABSTRACT_LIMIT = 10_000
NAME_LIMIT = 200
_MOST_PASSES = 6
_PRINTABLE_ASCII = bytes(range(0x20, 0x7F))

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
_PLAIN_NAME = r"[A-Za-z.'-]+(?: [A-Za-z.'-]+)*"
_PLAIN_NAMES = re.compile(rf"{_PLAIN_NAME}(?:\|{_PLAIN_NAME})*")
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def clean(text: str, *, limit: int) -> str:
    """`text` on one line, NFC, at most `limit` characters, with nothing a reader cannot see.

    Controls, bidi controls, lone surrogates and zero-width characters go (joiners stay between
    letters that need them); entities are decoded once; tags go only where they plainly are tags.
    A text that is cut ends with an ellipsis.
    """
    text = text[: limit * 4]
    if "&" in text:
        text = _ENTITY.sub(_decoded, text)
    if "<" in text:
        text = _BREAK_TAG.sub(" ", _without_tags(text) if "</" in text else text)
    if not _is_printable(text):
        text = " ".join(text.split())
        if not _is_printable(text):
            text = _UNSHOWABLE.sub("", text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text if len(text) <= limit else _cut(text, limit)


def repair_title(text: str) -> str:
    """A title as it should be read: at most 500 characters."""
    return _repaired(text, TITLE_LIMIT)


def repair_abstract(text: str) -> str:
    """An abstract as it should be read: at most 10,000 characters."""
    return _repaired(text, ABSTRACT_LIMIT)


def author_name(text: str) -> str:
    """A person's name with its TeX accents and letters decoded, at most 200 characters."""
    name = tex_name(clean(text, limit=NAME_LIMIT)).replace("~", " ")
    return clean(name, limit=NAME_LIMIT)


def author_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as `author_name` gives each, those without a name left out."""
    if _PLAIN_NAMES.fullmatch("|".join(names)) and max(map(len, names)) <= NAME_LIMIT:
        return names  # one look at all of them instead of ten at each
    return tuple(filter(None, map(author_name, names)))


def _is_printable(text: str) -> bool:
    """As `isprintable` says it, which takes four times as long for plain letters."""
    if text.isascii():
        return not text.encode().translate(None, _PRINTABLE_ASCII)
    return text.isprintable()


def _repaired(text: str, limit: int) -> str:
    """Cleaned and mended until nothing changes any more: repairing twice changes nothing.

    A text that never settles is too strange to be repaired and is only cleaned.
    """
    cleaned = before = clean(text, limit=limit)
    for _ in range(_MOST_PASSES):
        after = without_markdown(mend(latex_to_text(before)))
        if after == before:
            return before
        before = clean(after, limit=limit)
    return cleaned


def _decoded(match: re.Match[str]) -> str:
    return html.unescape(match[0])


def _without_tags(text: str) -> str:
    if _BLOCK_END.search(text):
        text = _BLOCK_TAG.sub(" ", text)
    for _ in range(8):
        text, count = _PAIRED_TAG.subn(_tag_content, text)
        if not count:
            break
    return text


def _tag_content(match: re.Match[str]) -> str:
    name, content = match[1].lower().removeprefix("jats:"), match[2]
    if name in {"sub", "sup", "inf"}:
        following = match.string[match.end() :][:1]
        return script("^" if name == "sup" else "_", content.strip(), following)
    return content.strip() if name in {"inline-formula", "tex-math"} else content


def _cut(text: str, limit: int) -> str:
    head = text[: limit - 1]
    at = head.rfind(" ", limit - 80)
    return (head[:at] if at > 0 else head).rstrip() + "…"


# Takes off the Markdown that authors write where a plain text is shown: bold, italics, code and
# links.
#
# Each mark counts only where Markdown would see one: both ends are there, words touch them from
# inside and none from outside. So `a * b`, `2**n`, `C*-algebra` and a footnote's star stay.

_INNER = r"(?=[^\W_]|[\"“(])([^*\n]{1,300}?)(?<=[\w.!?:,;%)\"”])"
_BOLD = re.compile(rf"(?<![\w*\\])(\*{{2,3}}){_INNER}\1(?![\w*])")
_ITALIC = re.compile(rf"(?<![\w*\\^])\*{_INNER}\*(?![\w*])")
_INITIALS = re.compile(r"(?<![\w*\\])(\*{1,2})([^\W\d_]{1,4})\1(?=[^\W\d_])")
"""Letters that a coined name takes: `**P**olicy **O**ptimization`."""
_CODE = re.compile(r"(?<![\w`\\])`([^`'\s](?:[^`'\n]{0,78}[^`'\s])?)`(?![\w`'])")
_LINK = re.compile(r"!?\[([^\[\]\n]{1,200})\]\((https?://[^\s()]+)\)")


def without_markdown(text: str) -> str:
    """`text` without the marks of Markdown; `code` that reads as TeX keeps its own."""
    if "](http" in text:
        text = _LINK.sub(lambda found: link(found[2], found[1]), text)
    if "*" in text:
        text = _INITIALS.sub(r"\2", _ITALIC.sub(r"\1", _BOLD.sub(r"\2", text)))
    return _CODE.sub(_code, text) if "`" in text else text


def _code(found: re.Match[str]) -> str:
    """Within marks nothing is mended, and without them it would be: such code keeps them."""
    inner = found[1]
    return inner if mend(latex_to_text(inner)) == inner else found[0]


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 paper`, `12 papers`; `several` is the plural that is more than an s."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
