"""Describe delivery states and reasons for readers."""

import re
from collections.abc import Mapping

from paperround.core.languages import marked
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import DeliveryState, SkipReason

WHY_NO_MAIL: Mapping[str, str] = {
    SkipReason.NO_NEW_PAPERS: marked("There was no paper that you had not had before."),
    SkipReason.NO_PAPERS_AT_ALL: marked("No papers had been read yet."),
    SkipReason.MUTED: marked("Everything new was muted by you."),
    SkipReason.BELOW_FLOOR: marked("No new paper had the score you ask for."),
    SkipReason.PAUSED: marked("You paused it."),
    SkipReason.BOUNCING: marked(
        "Too much of our mail to you came back, so it rested for some days."
    ),
    SkipReason.NOT_THEIR_DAY: marked("It was not one of your days."),
    SkipReason.HOLIDAY: marked("The sources announced nothing: it was a weekend or a holiday."),
    SkipReason.FEED_STALE: marked("The sources had announced nothing new yet."),
    SkipReason.FEED_FAILED: marked("A source could not be read."),
    SkipReason.RESTORED: marked(
        "It may have left before this installation was restored from a backup."
    ),
    SkipReason.UNSUBSCRIBED: marked("You had left before it was sent."),
    SkipReason.SUPPRESSED: marked("Your address must not be mailed."),
    SkipReason.CANCELLED: marked("The edition was withdrawn before it was sent."),
}
"""Explains to a reader why there was no digest, by the reason in the ledger."""

WHY_THIN: Mapping[str, str] = {
    SkipReason.FEED_STALE: marked(
        "A source is late today, so there may be fewer papers than usual."
    ),
    SkipReason.FEED_FAILED: marked(
        "A source could not be read today, so there may be fewer papers than usual."
    ),
}
"""Explains why a digest has few papers, by the reason found when its edition was made."""

_STATES: Mapping[DeliveryState, str] = {
    DeliveryState.QUEUED: marked("It waits to be sent."),
    DeliveryState.CLAIMED: marked("It is being sent."),
    DeliveryState.IN_DATA: marked("It is being sent."),
    DeliveryState.SENT: marked("The mail server took it."),
    DeliveryState.DEFERRED: marked("The mail server did not take it yet. We try again."),
    DeliveryState.FAILED: marked("The mail server refused it."),
    DeliveryState.UNKNOWN: marked(
        "It was handed over and no answer came: it may have arrived, and is not sent twice."
    ),
    DeliveryState.EXPIRED: marked(
        "It could not be sent in time, and was given up when it was no news."
    ),
    DeliveryState.SKIPPED: marked("It was not sent."),
}
_NAMES: Mapping[str, str] = {
    SystemMailKind.CONFIRM: marked("Confirm your subscription"),
    SystemMailKind.REMINDER: marked("Reminder to confirm your subscription"),
    SystemMailKind.CHANGE: marked("Confirm your change of address"),
    SystemMailKind.PREFERENCES: marked("Link to your choices"),
    SystemMailKind.UNDO: marked("You have left, with a way back"),
    SystemMailKind.TEST: marked("Test mail"),
    SystemMailKind.ALERT: marked("Alert for the operator"),
}
DIGEST = "digest"
"""The kind of a list's email, beside the kinds of system email."""


def state_text(state: DeliveryState, reason: str) -> str:
    """Return the text for a state and reason."""
    if state is DeliveryState.SKIPPED:
        return WHY_NO_MAIL.get(reason, _STATES[state])
    return _STATES[state]


def email_kind_name(kind: str) -> str:
    """Return the name of any kind of email, a generic one for an unknown kind."""
    return marked("Digest") if kind == DIGEST else _NAMES.get(kind, marked("Mail"))


def system_mail_name(kind: str) -> str:
    """Return the name of a kind of system email."""
    return _NAMES.get(kind, marked("A mail about your subscription"))


MOST_MAILS = 50


def redact_addresses(reply: str | None) -> str | None:
    """Return a server's reply without addresses, which it often repeats."""
    return None if reply is None else _ADDRESS.sub("(address)", reply)


_ADDRESS = re.compile(r"[^\s<>,;:()]+@[^\s<>,;:()]+")
