"""Lines of a digest in which words stand that differ from mail to mail: reason, score, preheader.

How such a line begins and ends is learned from a rendering in which marks stand for the words, so
the templates alone decide it.
"""

from functools import lru_cache
from typing import NamedTuple

from paperround.mail.filters import wrapped
from paperround.mail.pieces import Encoded, as_signed, cut_apart, encoded
from paperround.mail.quoted_printable import begun, ended

_ESCAPED = (("&", "&amp;"), ("\xa0", "&nbsp;"), ("<", "&lt;"), (">", "&gt;"))
"""What the inliner writes for characters of a text (HTML standard, 13.3, escaping a string)."""

MOST_LINES = 5_000
"""Lines kept, about 500 bytes each."""

_NOTHING = Encoded(b"", b"")
_DIGITS = b"0123456789"
_NO_DIGITS = bytes(one for one in range(256) if one not in _DIGITS)
_ONES = bytes.maketrans(_DIGITS, b"1" * 10)
_TWOS = bytes.maketrans(b"1", b"2")


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

    def counted(self, words: str) -> Line:
        """The same, and many times faster for words that differ from others in their digits
        only."""
        if not words:
            return Line("")
        octets = words.encode()
        digits = tuple(octets.translate(None, _NO_DIGITS))
        return _numbered(self, octets.translate(_ONES)).with_digits(words, digits)


def _both(form: LineForm, words: str) -> Line:
    text = encoded(wrapped(words, form.first, form.indent) + "\n")
    return form.html(words)._replace(text=text)


class _Numbered(NamedTuple):
    """Lines that differ from others in the digits of their numbers only, as formats of the operator
    `%`: where a line is broken and what is escaped does not depend on which digit stands there."""

    text: Encoded
    html: Encoded
    size: int

    def with_digits(self, words: str, digits: tuple[int, ...]) -> Line:
        """The lines that say `words`, which have these digits."""
        return Line(words, _filled(self.text, digits), _filled(self.html, digits), self.size)


@lru_cache(maxsize=MOST_LINES)
def _numbered(form: LineForm, ones: bytes) -> _Numbered:
    """The lines that say words all of whose digits are `ones`: said twice, and cut where they
    differ."""
    one, other = (_both(form, said.decode()) for said in (ones, ones.translate(_TWOS)))
    return _Numbered(_gapped(one.text, other.text), _gapped(one.html, other.html), one.size)


def _gapped(one: Encoded, other: Encoded) -> Encoded:
    plain = _stencil(one.plain, other.plain)
    if one.canonical is one.plain:
        return Encoded(plain, plain)
    return Encoded(plain, _stencil(one.canonical, other.canonical))


def _stencil(one: bytes, other: bytes) -> bytes:
    return b"%c".join([piece.replace(b"%", b"%%") for piece in cut_apart(one, other)])


def _filled(form: Encoded, digits: tuple[int, ...]) -> Encoded:
    plain = form.plain % digits
    return Encoded(plain, plain if form.canonical is form.plain else form.canonical % digits)


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
