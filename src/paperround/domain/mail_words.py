"""What became of a mail, in words for its reader."""

from collections.abc import Mapping

from paperround.domain.deliveries import DeliveryState
from paperround.domain.digests import SkipReason
from paperround.domain.notices import NoticeKind

WHY_NO_MAIL: Mapping[str, str] = {
    SkipReason.NO_NEW_PAPERS: "There was no paper that you had not had before.",
    SkipReason.NO_PAPERS_AT_ALL: "No papers had been read yet.",
    SkipReason.MUTED: "Everything new was muted by you.",
    SkipReason.BELOW_FLOOR: "No new paper had the score you ask for.",
    SkipReason.PAUSED: "You paused it.",
    SkipReason.BOUNCING: "Too much of our mail to you came back, so it rested for some days.",
    SkipReason.NOT_THEIR_DAY: "It was not one of your days.",
    SkipReason.HOLIDAY: "The sources announced nothing: it was a weekend or a holiday.",
    SkipReason.FEED_STALE: "The sources had announced nothing new yet.",
    SkipReason.FEED_FAILED: "A source could not be read.",
    SkipReason.RESTORED: "It may have left before this installation was restored from a backup.",
    SkipReason.UNSUBSCRIBED: "You had left before it was sent.",
    SkipReason.SUPPRESSED: "Your address must not be mailed.",
    SkipReason.CANCELLED: "The edition was withdrawn before it was sent.",
}
"""Why there was no digest, by the reason in the ledger."""

WHY_THIN: Mapping[str, str] = {
    SkipReason.FEED_STALE: "A source is late today, so there may be fewer papers than usual.",
    SkipReason.FEED_FAILED: "A source could not be read today, so there may be fewer papers than "
    "usual.",
}
"""Why a digest holds few papers, by what kept them away when its edition was made."""

_BECAME: Mapping[DeliveryState, str] = {
    DeliveryState.QUEUED: "It waits to be sent.",
    DeliveryState.CLAIMED: "It is being sent.",
    DeliveryState.IN_DATA: "It is being sent.",
    DeliveryState.SENT: "The mail server took it.",
    DeliveryState.DEFERRED: "The mail server did not take it yet. We try again.",
    DeliveryState.FAILED: "The mail server refused it.",
    DeliveryState.UNKNOWN: "It was handed over and no answer came: it may have arrived, and is "
    "not sent twice.",
    DeliveryState.EXPIRED: "It could not be sent in time, and was given up when it was no news.",
    DeliveryState.SKIPPED: "It was not sent.",
}
_CALLED: Mapping[str, str] = {
    NoticeKind.CONFIRM: "Confirm your subscription",
    NoticeKind.REMINDER: "Reminder to confirm your subscription",
    NoticeKind.CHANGE: "Confirm your change of address",
    NoticeKind.PREFERENCES: "Link to your choices",
    NoticeKind.UNDO: "You have left, with a way back",
    NoticeKind.TEST: "Test mail",
    NoticeKind.ALERT: "Alert for the operator",
}
DIGEST = "digest"
"""What a mail of a list is, beside the kinds of notices."""


def became(state: DeliveryState, reason: str) -> str:
    """What became of a mail in that state, for that reason."""
    if state is DeliveryState.SKIPPED:
        return WHY_NO_MAIL.get(reason, _BECAME[state])
    return _BECAME[state]


def mail_called(kind: str) -> str:
    """What a mail of this kind is, of whomever it is; whatever says nothing we know is a mail."""
    return "Digest" if kind == DIGEST else _CALLED.get(kind, "Mail")


def notice_called(kind: str) -> str:
    """What a notice of this kind is about."""
    return _CALLED.get(kind, "A mail about your subscription")
