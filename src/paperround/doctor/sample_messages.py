"""The mails that would leave now, made and signed as a sender makes them, and linted. Nobody gets
one, and their links lead nowhere."""

from datetime import datetime
from email.utils import parseaddr

from paperround.doctor.findings import Finding, skipped
from paperround.doctor.headers import Expected, lint
from paperround.domain.lists import MailingList
from paperround.domain.notices import NoticeKind
from paperround.jobs.compose import newcomers_mail
from paperround.jobs.notices import notice_mail, sample_notice
from paperround.wiring import Runtime


def linted(runtime: Runtime, mailing_list: MailingList, *, now: datetime) -> list[Finding]:
    """One finding for a digest of the list, and one for a confirmation. Raises what making them
    raises."""
    digest = sample_digest(runtime, mailing_list, now=now)
    if digest is None:
        says = f"{mailing_list.name} has no edition with papers to make a digest of"
        first = skipped("digest headers", says)
    else:
        first = lint(digest, _expected(runtime, "digest", now, is_list=True))
    confirmation = sample_confirmation(runtime, mailing_list, now=now)
    return [first, lint(confirmation, _expected(runtime, "confirmation", now, is_list=False))]


def sample_digest(runtime: Runtime, mailing_list: MailingList, *, now: datetime) -> bytes | None:
    """What somebody new would get of the list's newest edition; None where it has no papers."""
    with runtime.database.reading() as work:
        newest = work.editions.newest(mailing_list.id, by=now)
    if newest is None or not newest.papers:
        return None
    sample, keys = sample_notice(runtime.identity, NoticeKind.TEST, now=now), runtime.identity.keys
    mail = newcomers_mail(newest, mailing_list, sample, runtime.letterhead, keys)
    return runtime.renderer.compose(mail)


def sample_confirmation(runtime: Runtime, mailing_list: MailingList, *, now: datetime) -> bytes:
    """What somebody would get who asks for the list's mails now."""
    sample = sample_notice(runtime.identity, NoticeKind.CONFIRM, now=now)
    mail = notice_mail(sample, runtime.letterhead, mailing_list.title, runtime.identity.keys)
    return runtime.renderer.compose_notice(mail)


def _expected(runtime: Runtime, name: str, now: datetime, *, is_list: bool) -> Expected:
    envelope = parseaddr(runtime.settings.mail_from)[1].rpartition("@")[2].lower()
    return Expected(
        name=name,
        is_list=is_list,
        envelope=envelope,
        leaves=runtime.settings.leaves_this_machine,
        now=now,
    )
