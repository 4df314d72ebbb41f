"""Notices: the short mails that are not digests, one look and one link for all of them.

A kind's sentences stand in `templates/mail/notice_KIND.phrases`, written once for both parts and
for the subject; `notice.txt` and `notice.html` give them their shape. No notice is the mail of a
list, so none has list headers. The same notice gives the same bytes.
"""

from dataclasses import fields, replace
from datetime import timedelta

from paperround.domain.digests import Rendered
from paperround.domain.errors import RenderingFailed
from paperround.domain.notices import (
    CONFIRM_VALID,
    PREFERENCES_VALID,
    UNCONFIRMED_LIFE,
    UNDO_VALID,
    NoticeKind,
    NoticeMail,
    NoticeView,
)
from paperround.domain.wording import counted
from paperround.mail.filters import shortened, web_address
from paperround.mail.headers import header_text
from paperround.mail.message import Particulars, Sender, addressing_of, message_bytes
from paperround.mail.templates import (
    PREHEADER_LENGTH,
    SUBJECT_LENGTH,
    Templates,
    cleaned,
    postal_line,
)

NOBODY = "Paperround"
"""What a notice is about when it is about no list."""
_FOR_OPERATORS = (NoticeKind.TEST, NoticeKind.ALERT)
"""Only these show `details`: what reaches a subscriber is our own words alone."""
_MOST_DETAILS = 40
_DETAIL_LENGTH = 400
_TITLE_LENGTH = 80


def notice_bytes(templates: Templates, mail: NoticeMail, sender: Sender) -> bytes:
    """The message, CRLF line ends; raises RenderingFailed with the reason."""
    return message_bytes(
        rendered=notice_words(templates, mail.view),
        addressing=addressing_of(mail.recipient, mail.message_id, mail.dated),
        sender=sender,
        particulars=Particulars(
            fields={},
            feedback=f"{mail.view.kind}:notice",
            language=mail.view.language,
            seed=mail.view.public_url,
        ),
    )


def notice_words(templates: Templates, view: NoticeView) -> Rendered:
    """Subject, preheader, text and HTML.

    Raises RenderingFailed when the link is no web address or a template cannot be filled.
    """
    if not web_address(view.action_url):
        raise RenderingFailed("the link of a notice must be a plain http(s) address")
    clean = _cleaned_view(view)
    said = templates.phrases(f"notice_{view.kind}", {"view": clean, **_LIVES})
    subject = shortened(header_text(said["subject"]), SUBJECT_LENGTH)
    preheader = shortened(said["preheader"], PREHEADER_LENGTH)
    values = {"view": clean, "said": said, "subject": subject, "preheader": preheader}
    text, html = templates.parts("notice", values)
    return Rendered(subject=subject, preheader=preheader, text=text, html=html)


def _cleaned_view(view: NoticeView) -> NoticeView:
    clean = {f.name: cleaned(getattr(view, f.name)) for f in fields(view)}
    clean["list_title"] = shortened(clean["list_title"], _TITLE_LENGTH) or NOBODY
    clean["postal_address"] = postal_line(view.postal_address)
    clean["details"] = _bounded(clean["details"]) if view.kind in _FOR_OPERATORS else ()
    return replace(view, **clean)


def _bounded(lines: tuple[str, ...]) -> tuple[str, ...]:
    """What fits a mail that is read on a phone, and how much of it does not."""
    shown = tuple(shortened(line, _DETAIL_LENGTH) for line in lines[:_MOST_DETAILS] if line)
    left = len(lines) - _MOST_DETAILS
    return (*shown, f"and {counted(left, 'more line')}") if left > 0 else shown


def _span(life: timedelta) -> str:
    """`48 hours`, `7 days`: whole days from the third on."""
    hours = int(life.total_seconds()) // 3600
    return counted(hours, "hour") if hours <= 48 else counted(hours // 24, "day")


_LIVES = {
    "confirm_valid": _span(CONFIRM_VALID),
    "preferences_valid": _span(PREFERENCES_VALID),
    "undo_valid": _span(UNDO_VALID),
    "unconfirmed_life": _span(UNCONFIRMED_LIFE),
}
"""How long links work and addresses are kept, in words, from where it is decided."""
