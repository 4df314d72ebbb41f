"""Send digests and notices; each message is composed when it is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from paperround.core.errors import NotFound, RenderingFailed
from paperround.core.interfaces import Advance, no_progress
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Transaction
from paperround.delivery.deliver import DeliverReport, SendRun
from paperround.delivery.holds import HELD, Signing, hold_unsigned, is_held, is_or_will_be_held
from paperround.delivery.ledger_model import Claimed, Transition
from paperround.delivery.model import Envelope, Mailer
from paperround.delivery.queues import Mail, MailQueue, SendContext, new_lease
from paperround.delivery.rate_limits import Pacer, make_pacer
from paperround.delivery.return_path import TagUse, make_tag, tagged
from paperround.delivery.store.claims import Claims
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import notice_mail
from paperround.delivery.system_mail_model import ClaimedNotice, SystemMailKind
from paperround.digests.compose import (
    EditionContent,
    content_of_list,
    digest_mail,
    new_subscriber_digest,
)
from paperround.digests.model import Renderer
from paperround.editions.lists import ListLook, MailingList
from paperround.editions.model import Edition, EditionId
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryContext(SendContext):
    """The context of sending email: the mailer, and how messages are composed and signed.

    `signing` describes the signatures of `renderer`. `hold_against(work, keys, book, moves,
    now=now)` records what replies prove about addresses, in the transaction that settles.
    """

    mailer: Mailer
    renderer: Renderer
    sender_identity: SenderIdentity
    keys: KeyRing
    signing: Signing = field(default_factory=Signing)
    record_refusals: Callable[..., None] = lambda *_, **__: None


def digest_queue(post: DeliveryContext) -> MailQueue[Claimed]:
    """Return the queue of digests; it yields to notices that are due.

    An edition is read once, and again for a paper that the earlier digests did not contain.
    """
    contents: dict[EditionId, EditionContent] = {}

    def compose(row: Claimed) -> bytes:
        content = contents.get(row.edition_id)
        if content is None or not content.papers.keys() >= set(row.positions):
            edition, mailing_list = _read_edition(post, row.edition_id)
            content = content_of_list(
                edition, mailing_list, post.sender_identity, post.keys, size=mailing_list.size
            )
            contents[row.edition_id] = content
        return post.renderer.compose(digest_mail(content, row, post.keys))

    return _mail_queue(
        post,
        TagUse.DELIVERY,
        name="digest",
        ledger=lambda work: work[Ledger],
        compose=compose,
        gives_way=partial(_notice_is_due, post),
    )


def notice_queue(post: DeliveryContext) -> MailQueue[ClaimedNotice]:
    """Return the queue of notices, which has priority."""

    def compose(row: ClaimedNotice) -> bytes:
        if row.kind is SystemMailKind.TEST and "edition" in row.payload:
            # the digest of a new subscriber, with invalid personal links
            try:
                edition, mailing_list = _read_edition(post, EditionId(int(row.payload["edition"])))
            except NotFound as error:
                raise RenderingFailed(str(error)) from error
            digest = new_subscriber_digest(
                edition, mailing_list, row, post.sender_identity, post.keys
            )
            return post.renderer.compose(digest)
        title, look, wanted = "", ListLook(), row.payload.get("list")
        if wanted is not None:
            with post.database.reading() as work:
                for one in work[ListStore].all():
                    if one.id == wanted:
                        title, look = one.title, one.look
        mail = notice_mail(row, post.sender_identity, title, post.keys, look=look)
        return post.renderer.compose_notice(mail)

    return _mail_queue(
        post,
        TagUse.NOTICE,
        name="notice",
        ledger=lambda work: work[NoticeLedger],
        compose=compose,
        gives_way=lambda _: False,
        first=True,
    )


def _mail_queue(
    post: DeliveryContext,
    use: TagUse,
    *,
    name: str,
    ledger: Callable[[Transaction], Claims[Mail]],
    compose: Callable[[Mail], bytes],
    gives_way: Callable[[Transaction], bool],
    first: bool = False,
) -> MailQueue[Mail]:
    """Return a queue of emails; `use` is the purpose in the tags of their return addresses."""

    def envelope(row: Mail) -> Envelope:
        sender, bounces = post.sender_identity.envelope_from, post.sender_identity.bounce_address
        if bounces:  # a return path for this message, the same on every attempt
            nonce, day, key_id = row.nonce, row.dated.date(), row.key_id
            tag = make_tag(post.keys, use, row.id, nonce=nonce, day=day, key_id=key_id)
            sender = tagged(bounces, tag)
        return Envelope(
            id=row.id,
            sender=sender,
            recipient=row.address,
            message_id=row.message_id,
            content=compose(row),
        )

    def settle(work: Transaction, moves: Sequence[Transition], now: datetime) -> None:
        ledger(work).settle(moves, now=now)
        post.record_refusals(work, post.keys, use.name.lower(), moves, now=now)

    return MailQueue(
        name=name,
        mailer=post.mailer,
        ledger=ledger,
        envelope=envelope,
        settle=settle,
        gives_way=gives_way,
        signs=post.signing.signs,
        first=first,
    )


def why_held(post: DeliveryContext) -> str | None:
    """Return why nothing may be sent, None when it may."""
    now = post.clock.now()
    return hold_unsigned(post.database, post.signing, now=now) or post.marks.hold(
        post.database, now=now
    )


def _notice_is_due(post: DeliveryContext, work: Transaction) -> bool:
    """Return whether a notice can be sent now, or digests are held.

    Only a claim can tell, so one is claimed and released; the cheaper `has_due` runs first, as
    mostly none is waiting.
    """
    if is_held(work):
        return True
    now = post.clock.now()
    if not work[NoticeLedger].has_due(now=now):
        return False
    lease = new_lease(post, now)
    due = work[NoticeLedger].claim(lease, limit=1, now=now)
    return bool(due) and work[NoticeLedger].release(lease.token) > 0


def _read_edition(post: DeliveryContext, edition_id: EditionId) -> tuple[Edition, MailingList]:
    with post.database.reading() as work:
        edition = work[EditionStore].get(edition_id)
        return edition, work[ListStore].get(edition.list_name)


def deliver(
    post: DeliveryContext, *, until_empty: bool = True, progress: Advance = no_progress
) -> DeliverReport:
    """Send the emails that are due and return the report.

    With `until_empty`, repeat until a pass finds nothing and no rate limit frees up soon.
    """
    report, pacer = start_report(post), make_pacer(post)
    if report.stopped is not None:
        return _with_totals(post, report)
    while (_pass(post, progress, pacer, report) or _awaits(report, pacer)) and until_empty:
        pass
    return _with_totals(post, report)


def deliver_notices(post: DeliveryContext) -> DeliverReport:
    """Send the notices that are due and no digests; `expired` of the report counts notices.

    May run in parallel with `deliver`, in a thread with its own mailer.
    """
    report = start_report(post)
    if report.stopped is None:
        run = SendRun(post, notice_queue(post), make_pacer(post), report)
        run.run()
        report.expired += run.expired
    return _with_totals(post, report)


def start_report(post: DeliveryContext) -> DeliverReport:
    """Return the report of a new run, already stopped if nothing may be sent."""
    post.pending_writes.catch_up(post.database)
    return DeliverReport(stopped=why_held(post))


def _awaits(report: DeliverReport, pacer: Pacer) -> bool:
    """Wait for a while if email may be sent again soon. Returns whether it may."""
    return report.stopped is None and pacer.wait_for_slots()


def _pass(post: DeliveryContext, progress: Advance, pacer: Pacer, report: DeliverReport) -> int:
    """Send notices and digests in turn while notices come; return how many rows were claimed.

    Returns 0 also when a run had to stop. Notices that cannot be sent do not block digests.
    """
    notices, digests = notice_queue(post), digest_queue(post)
    claimed, gave_way = 0, True
    while gave_way:
        notice_run = SendRun(post, notices, pacer, report, progress)
        ended = notice_run.run()
        with post.database.reading() as work:
            digests_held = is_or_will_be_held(work, post.boot(), now=post.clock.now())
        if digests_held:
            report.stopped = report.stopped or HELD
            return 0
        queue = digests if ended else replace(digests, gives_way=is_held)
        digest_run = SendRun(post, queue, pacer, report, progress)
        ended = digest_run.run() and ended
        report.expired += digest_run.expired
        if not ended:
            return 0
        claimed += notice_run.claimed + digest_run.claimed
        gave_way = digest_run.gave_way
    return claimed


def _with_totals(post: DeliveryContext, report: DeliverReport) -> DeliverReport:
    now = post.clock.now()
    with post.database.reading() as work:
        report.totals = work[Ledger].totals(now=now)
        report.notices = work[NoticeLedger].totals(now=now)
    return report
