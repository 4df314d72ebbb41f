"""Takes off the Markdown that authors write where a plain text is shown: bold, italics, code and
links.

Each mark counts only where Markdown would see one: both ends are there, words touch them from
inside and none from outside. So `a * b`, `2**n`, `C*-algebra` and a footnote's star stay.
"""

import re

from paperround.domain.latex import latex_to_text, link
from paperround.domain.repair import mend

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
