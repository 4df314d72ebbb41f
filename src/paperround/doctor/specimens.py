"""The mails that would leave now, made and signed as a sender makes them, and linted."""

from datetime import datetime
from email.utils import parseaddr

from paperround.doctor.findings import Finding, skipped
from paperround.doctor.headers import Expected, lint
from paperround.domain.lists import MailingList
from paperround.jobs.sample_messages import sample_confirmation, sample_digest
from paperround.wiring import Runtime


def linted(runtime: Runtime, mailing_list: MailingList, *, now: datetime) -> list[Finding]:
    """One finding for a digest of the list, and one for a confirmation. Raises what making them
    raises."""
    return [_digest(runtime, mailing_list, now), _confirmation(runtime, mailing_list, now)]


def _digest(runtime: Runtime, mailing_list: MailingList, now: datetime) -> Finding:
    with runtime.database.reading() as work:
        mail = sample_digest(work, mailing_list, runtime.letterhead, runtime.identity, now=now)
    if mail is None:
        says = f"{mailing_list.name} has no edition with papers to make a digest of"
        return skipped("digest headers", says)
    expected = _expected(runtime, "digest", now, is_list=True)
    return lint(runtime.renderer.compose(mail), expected)


def _confirmation(runtime: Runtime, mailing_list: MailingList, now: datetime) -> Finding:
    mail = sample_confirmation(mailing_list, runtime.letterhead, runtime.identity, now=now)
    expected = _expected(runtime, "confirmation", now, is_list=False)
    return lint(runtime.renderer.compose_notice(mail), expected)


def _expected(runtime: Runtime, name: str, now: datetime, *, is_list: bool) -> Expected:
    envelope = parseaddr(runtime.settings.mail_from)[1].rpartition("@")[2].lower()
    return Expected(
        name=name,
        is_list=is_list,
        envelope=envelope,
        leaves=runtime.settings.leaves_this_machine,
        now=now,
    )
