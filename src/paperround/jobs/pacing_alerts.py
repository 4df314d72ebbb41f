"""The alert that a relay refuses us: with its code, and the way out."""

from collections.abc import Mapping
from datetime import datetime

from paperround.domain.notices import Alert
from paperround.domain.times import format_instant
from paperround.store.unit_of_work import UnitOfWork

_AUTHENTICATION = (
    "Receivers do not believe that mail of this domain is yours: SPF, DKIM or DMARC fail.",
    "`paperround doctor` looks them up and prints the DNS lines to add.",
)
_LOGIN = (
    "The user or the password in PAPERROUND_SMTP_URL is not accepted: `paperround init` asks.",
)
WAYS_OUT: Mapping[str, tuple[str, ...]] = {
    "5.7.26": _AUTHENTICATION,
    "5.7.515": _AUTHENTICATION,
    "5.7.25": ("The address this machine sends from has no name in the DNS (PTR): ask its owner.",),
    "5.7.28": ("Too much mail came at once: set PAPERROUND_SMTP_RATE to what you are allowed.",),
    "5.7.29": ("The receiver wants TLS: use smtps:// or ?starttls=required.",),
    "5.7.8": _LOGIN,
    "5.7.0": _LOGIN,
    "5.1.7": (
        "The relay does not know the sender: is PAPERROUND_MAIL_FROM one you may use there?",
    ),
    "5.1.8": (
        "The relay does not know the sender: is PAPERROUND_MAIL_FROM one you may use there?",
    ),
}
"""What to do about an enhanced code (RFC 3463, and Gmail's and Outlook's lists)."""

_OTHERWISE = (
    "Is the sender one you may use there, and are SPF, DKIM and DMARC in order?",
    "`paperround doctor` looks; the relay's own log says more.",
)


def refused(work: UnitOfWork, *, now: datetime) -> list[Alert]:
    """The relay rests, or is only tried again, because it refused mail for what we are."""
    relay = work.pacing.relay()
    if not relay.is_probing:
        return []
    code = relay.reason.rpartition(" ")[2]
    when = f"after {format_instant(relay.rests_until)}" if relay.rests_until else "next"
    return [
        Alert(
            key=f"refused/{code}/{now:%Y-%m-%d}",
            subject=f"The relay refuses our mail: {relay.reason}",
            lines=(
                *WAYS_OUT.get(code, _OTHERWISE),
                "Nothing is sent meanwhile, and no reader was taken off a list.",
                f"One mail is tried {when}; once it is taken, the others follow.",
            ),
            stops_mail=True,
        )
    ]
