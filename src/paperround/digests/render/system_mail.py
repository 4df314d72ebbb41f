"""Render notices, the short messages that are not digests.

The sentences of a kind are in `templates/mail/notice_KIND.phrases`, for the subject and both
parts; `notice.txt` and `notice.html` are the layout. A notice has one link and no list headers.
The same notice gives the same bytes.
"""

from dataclasses import fields, replace

from paperround.core.errors import RenderingFailed
from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.languages import spoken_or_english
from paperround.delivery.system_mail_model import (
    CONFIRM_VALID,
    PREFERENCES_VALID,
    UNCONFIRMED_LIFE,
    UNDO_VALID,
    NoticeMail,
    NoticeView,
    SystemMailKind,
)
from paperround.digests.model import Rendered
from paperround.digests.render.headers import header_text
from paperround.digests.render.message import MessageKind, Sender, addressing_of, message_bytes
from paperround.digests.render.templates import (
    PREHEADER_LENGTH,
    SUBJECT_LENGTH,
    Templates,
    cleaned,
    postal_line,
)
from paperround.editions.labels import localized_list_title
from paperround.papers.formatting import shortened, web_address

NOBODY = "Paperround"
"""The title in a notice about no list."""
_FOR_OPERATORS = (SystemMailKind.TEST, SystemMailKind.ALERT)
"""Only these show `details`; subscribers see no text from elsewhere."""
_MOST_DETAILS = 40
_DETAIL_LENGTH = 400
_TITLE_LENGTH = 80


def notice_bytes(templates: Templates, mail: NoticeMail, sender: Sender) -> bytes:
    """Return the message with CRLF line ends. Raises RenderingFailed with the reason."""
    return message_bytes(
        rendered=render_notice(templates, mail.view),
        addressing=addressing_of(mail.recipient, mail.message_id, mail.dated),
        sender=sender,
        kind=MessageKind(
            fields={},
            feedback=f"{mail.view.kind}:notice",
            language=spoken_or_english(mail.view.language),
            seed=mail.view.public_url,
        ),
    )


def render_notice(templates: Templates, view: NoticeView) -> Rendered:
    """Return subject, preheader, text and HTML.

    Raises RenderingFailed when the link is no web address or a template fails.
    """
    if not web_address(view.action_url):
        raise RenderingFailed("the link of a notice must be a plain http(s) address")
    locale = locale_for(view.language)
    clean = {f.name: cleaned(getattr(view, f.name)) for f in fields(view)}
    clean["language"] = locale.language
    clean["list_title"] = (
        shortened(localized_list_title(locale, clean["list_title"]), _TITLE_LENGTH) or NOBODY
    )
    clean["postal_address"] = postal_line(view.postal_address)
    clean["details"] = (
        _limit_details(clean["details"], locale) if view.kind in _FOR_OPERATORS else ()
    )
    shown = replace(view, **clean)
    lives = {name: locale.span(life) for name, life in _LIVES.items()}
    phrases = templates.phrases(f"notice_{view.kind}", {"view": shown, **lives})
    subject = shortened(header_text(phrases["subject"]), SUBJECT_LENGTH)
    preheader = shortened(phrases["preheader"], PREHEADER_LENGTH)
    values = {"view": shown, "said": phrases, "subject": subject, "preheader": preheader}
    text, html = templates.parts("notice", values)
    return Rendered(subject=subject, preheader=preheader, text=text, html=html)


def _limit_details(lines: tuple[str, ...], locale: Locale) -> tuple[str, ...]:
    """Return the lines that fit a message on a phone, and a line with the number left out."""
    shown = tuple(shortened(line, _DETAIL_LENGTH) for line in lines[:_MOST_DETAILS] if line)
    left = len(lines) - _MOST_DETAILS
    if left <= 0:
        return shown
    return (*shown, locale.ngettext("and %(num)s more line", "and %(num)s more lines", left))


_LIVES = {
    "confirm_valid": CONFIRM_VALID,
    "preferences_valid": PREFERENCES_VALID,
    "undo_valid": UNDO_VALID,
    "unconfirmed_life": UNCONFIRMED_LIFE,
}
"""The lifetimes of links and addresses, for the templates."""
