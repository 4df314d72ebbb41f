"""All of a digest but its papers: header, head and foot, made once for many digests.

Slots stand where a reader's own values go, and where the digest's own do: the subject and the
boundary that follows from it, the lines that say the subject and the preheader, and the cards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as made_by
from typing import NamedTuple

from paperround.domain.digests import DigestView, PersonalLinks, Rendered
from paperround.domain.tokens import TOKEN_LENGTH
from paperround.mail.cards import PlacedCard
from paperround.mail.dkim import canonical_value
from paperround.mail.headers import text_field
from paperround.mail.lines import Line, LineForm, html_form
from paperround.mail.listing import digest_particulars
from paperround.mail.message import Addressing, Sender, boundary_of, message_bytes
from paperround.mail.pieces import Recent, Tokens, Whole, new_mark, whole
from paperround.mail.render import Card, clean_view, parts_of, preheader_of, subject_of
from paperround.mail.templates import Templates

MOST_SUBJECTS = 200
"""Subjects a frame keeps, about 1 kB each."""

_PREFIX = slice(None, -TOKEN_LENGTH)
_SUBJECT = "Subject"


class Opening(NamedTuple):
    """What the first papers of a digest decide, in the order of the frame's slots: subject,
    boundary, and the lines of the HTML that say the subject and the preheader.

    `size` is the length of those lines before encoding, in bytes.
    """

    plain: tuple[bytes, ...]
    canonical: tuple[bytes, ...]
    size: int


class _Subject(NamedTuple):
    field: bytes
    canonical: bytes
    boundary: bytes
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The frame of digests that differ in papers and readers only.

    `digest` is cut at the reader's values, an opening, and the cards as text and as HTML;
    `personal` are the marks that stood for the first of these. `size` is the length of the HTML
    before encoding, without the lines that go into its slots, in bytes.
    """

    templates: Templates = made_by(repr=False)
    clean: DigestView = made_by(repr=False)
    title: LineForm
    preheader: LineForm
    seed: str
    size: int
    digest: Whole = made_by(repr=False)
    personal: tuple[bytes, ...]
    _subjects: Recent[str, _Subject] = made_by(default_factory=lambda: Recent(MOST_SUBJECTS))

    def write(self, cards: Sequence[Card], asked: str, seam: str) -> tuple[str, str]:
        """Text and HTML of a digest with these cards: shapes are made of it."""
        return parts_of(
            self.templates, self.clean, cards, subject="", preheader="", asked=asked, seam=seam
        )

    def opening(self, cards: Sequence[PlacedCard]) -> Opening:
        """The opening of a digest with these cards. Raises RenderingFailed."""
        title = cards[0].title
        subject = self._subjects.get(title) or self._subjects.keep(title, self._subject(title))
        said = self.preheader.html(preheader_of(cards, self.clean.language))
        shown, after = subject.line.html, said.html
        return Opening(
            (subject.field, subject.boundary, shown.plain, after.plain),
            (subject.canonical, subject.boundary, shown.canonical, after.canonical),
            subject.line.size + said.size,
        )

    def _subject(self, title: str) -> _Subject:
        words = subject_of(self.templates, self.clean, title)
        written = text_field(_SUBJECT, words).removeprefix(f"{_SUBJECT}: ").removesuffix("\r\n")
        field, boundary = _bytes(written, boundary_of(self.seed, words))
        return _Subject(field, canonical_value(field), boundary, self.title.html(words))


def frame_of(templates: Templates, sender: Sender, view: DigestView, *, by_mail: bool) -> Frame:
    """The frame of digests like that of `view`; `by_mail` says whether one can leave by mail.

    Raises RenderingFailed when a value of the view cannot stand in a mail.
    """
    tokens = Tokens(*(new_mark() for _ in Tokens._fields))
    slots = Addressing(*(new_mark() for _ in Addressing._fields))
    subject, title, preheader, cards = (new_mark() for _ in range(4))
    marked = replace(view, links=_with_tokens(view.links, tokens))
    clean = clean_view(marked)
    text, html = parts_of(
        templates, clean, (), subject=title, preheader=preheader, asked="", seam=cards
    )
    title_form, preheader_form = html_form(html, title), html_form(html, preheader)
    html = _line_marked(_line_marked(html, title_form, title), preheader_form, preheader)
    addressing = slots if by_mail else slots._replace(unsubscribe_mail="")
    particulars = digest_particulars(marked, addressing, sender)
    content = message_bytes(
        rendered=Rendered(subject=subject, preheader="", text=text, html=html),
        addressing=addressing,
        sender=sender,
        particulars=particulars,
        unbroken=tokens,
    )
    personal = _bytes(*tokens, *slots)
    html_lines = (f"{title}\r\n", f"{preheader}\r\n", f"<!--{cards}-->\r\n")
    opening = (subject, boundary_of(particulars.seed, subject), *html_lines[:2])
    return Frame(
        templates=templates,
        clean=clean,
        title=title_form,
        preheader=preheader_form,
        seed=particulars.seed,
        size=len(html.encode()) - sum(len(line) - len("\r") for line in html_lines),
        digest=whole(content, personal + _bytes(*opening, f"{cards}\r\n", html_lines[2]), wide=2),
        personal=personal,
    )


def _line_marked(html: str, form: LineForm, mark: str) -> str:
    """`html` with the mark alone on its line."""
    return html.replace(f"{form.before}{mark}{form.after}\n", f"{mark}\n")


def _with_tokens(links: PersonalLinks, tokens: Tokens) -> PersonalLinks:
    return PersonalLinks(
        unsubscribe=links.unsubscribe[_PREFIX] + tokens.unsubscribe,
        preferences=links.preferences[_PREFIX] + tokens.preferences,
        one_click=links.one_click[_PREFIX] + tokens.one_click,
        feedback=links.feedback[_PREFIX] + tokens.feedback,
    )


def _bytes(*words: str) -> tuple[bytes, ...]:
    return tuple(word.encode("ascii") for word in words)
