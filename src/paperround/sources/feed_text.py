"""The text of an item: feeds write HTML, papers are plain text."""

import html
import re

from paperround.domain.text import ABSTRACT_LIMIT, clean
from paperround.sources.entries import storable

_MOST = 200_000
_HIDDEN = re.compile(r"<(script|style)\b[^<>]{0,400}>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|blockquote|br|center|cite|code|dd|div|dl|dt|em|figcaption|figure|font"
    r"|h[1-6]|hr|i|iframe|img|inline-formula|li|ol|p|pre|scp?|section|small|span|strong|table"
    r"|tbody|td|tex-math|th|thead|tr|u|ul)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|h\d|t[drh]|table|blockquote|ul|ol|section)\b", re.IGNORECASE
)
_LOWERED = re.compile(r"(</?)inf>", re.IGNORECASE)
_HEADING = re.compile(r"ABSTRACT(?::\s*|\s+(?=[A-Z]))|Abstract:\s+")
_PUBLISHER_LINE = re.compile(
    r"Publication date: [^,]{3,40}?,? ?Source: "
    r"(?:[^.?!]{1,200}|.{1,300}?,? ?Author\(s\): .{0,5000})"
    r"|[^.:;?!]{0,120} DOI: ?10\.\d{4,9}/\S{1,200}",
    re.DOTALL,
)


def plain(text: str) -> str:
    """The readable text in `text`; empty when nothing is left.

    A lone publisher's line and a heading `ABSTRACT` go: they say nothing of the paper.
    """
    text = _HIDDEN.sub(" ", storable(text[:_MOST]))
    text = _TAG.sub(_apart, _LOWERED.sub(r"\1sub>", text))
    text = clean(html.unescape(text), limit=ABSTRACT_LIMIT)
    if _PUBLISHER_LINE.fullmatch(text):
        return ""
    return _HEADING.sub("", text, count=1) if _HEADING.match(text) else text


def _apart(match: re.Match[str]) -> str:
    return " " if _BLOCK.match(match[0]) else ""
