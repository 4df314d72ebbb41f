"""Lines of a digest in which words stand that differ from mail to mail: reason, preheader.

How such a line begins and ends is learned from a rendering in which marks stand for the words, so
the templates alone decide it.
"""

from functools import lru_cache
from typing import NamedTuple

from paperround.mail.filters import wrapped
from paperround.mail.pieces import Encoded, as_signed, encoded
from paperround.mail.quoted_printable import begun, ended

_ESCAPED = (("&", "&amp;"), ("\xa0", "&nbsp;"), ("<", "&lt;"), (">", "&gt;"))
"""What the inliner writes for characters of a text (HTML standard, 13.3, escaping a string)."""

MOST_LINES = 5_000
"""Lines kept, about 500 bytes each."""

_NOTHING = Encoded(b"", b"")


class Line(NamedTuple):
    """Words on lines of their own: a line of HTML, or a paragraph of text, or both.

    `size` is the length of the HTML before encoding, in bytes.
    """

    words: str
    text: Encoded = _NOTHING
    html: Encoded = _NOTHING
    size: int = 0


class LineForm(NamedTuple):
    """How lines look that say what they are filled with.

    `before` and `after` stand around the words in HTML; `first` and `indent` before the first and
    the other lines of the paragraph in text.
    """

    before: str
    after: str
    first: str = ""
    indent: str = ""

    def html(self, words: str) -> Line:
        """The line of HTML that says `words`, which are clean."""
        return _html(self.before, words, self.after)

    def both(self, words: str) -> Line:
        """The line of HTML and the paragraph of text that say `words`; none where they are
        empty."""
        return _both(self, words) if words else Line("")


def _both(form: LineForm, words: str) -> Line:
    text = encoded(wrapped(words, form.first, form.indent) + "\n")
    return form.html(words)._replace(text=text)


@lru_cache(maxsize=MOST_LINES)
def _html(before: str, words: str, after: str) -> Line:
    broken_off, rest = _begun(before)
    said = f"{_inlined(words)}{after}"
    line = f"{broken_off}{ended(rest, said)}\r\n"
    size = _length(before) + _length(said) + 1
    return Line(words, html=as_signed(line.encode("ascii")), size=size)


_begun = lru_cache(maxsize=64)(begun)


def _inlined(words: str) -> str:
    for character, escape in _ESCAPED:
        words = words.replace(character, escape)
    return words


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def html_form(html: str, words: str) -> LineForm:
    """The form of the one line of `html` that says `words`, which need no escaping."""
    (line,) = (line for line in html.split("\n") if words in line)
    before, _, after = line.partition(words)
    return LineForm(before, after)


def both_forms(text: str, html: str, first: str, second: str) -> LineForm:
    """The form of the lines that say `first` and `second`: in `text` the latter does not fit on the
    line of the former."""
    lines = text.split("\n")
    (start,) = (line.partition(first)[0] for line in lines if first in line)
    (indent,) = (line.partition(second)[0] for line in lines if second in line)
    return html_form(html, f"{first} {second}")._replace(first=start, indent=indent)
