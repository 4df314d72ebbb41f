"""The two lanes that mail leaves by: digests, and the notices that go before them.

A lane says which ledger its rows stand in, how the bytes of one are made, and by what they leave;
everything else is the same for both, and is in `deliver`.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from threading import RLock
from typing import Generic, TypeVar

from paperround.domain.deliveries import Envelope, Lease, Mailer
from paperround.domain.digests import Renderer
from paperround.domain.editions import Edition, EditionId
from paperround.domain.errors import Conflict, DatabaseFailed, NotFound, RenderingFailed
from paperround.domain.ledger import Claimed, Move
from paperround.domain.lists import MailingList
from paperround.domain.notices import ClaimedNotice, NoticeKind
from paperround.domain.pacing import Pacing
from paperround.domain.ports import Clock, Processes
from paperround.domain.return_path import TagUse, make_tag, tagged
from paperround.domain.sender import Letterhead
from paperround.domain.times import Boot
from paperround.domain.tokens import KeyRing
from paperround.jobs.compose import Sheet, digest_mail, newcomers_mail, sheet_of
from paperround.jobs.holding import Signing, hold_unsigned, is_held
from paperround.jobs.notices import notice_mail
from paperround.jobs.put_back import SendMarks
from paperround.jobs.returns import hold_against
from paperround.store.claims import Claims
from paperround.store.editions import EditionStore
from paperround.store.ledger import Ledger
from paperround.store.lists import ListStore
from paperround.store.notices import NoticeLedger
from paperround.store.unit_of_work import Database, Patience, UnitOfWork, write

# What a process has to write down and could not yet: the database was away.
#
#     a run ─► heard, or let go ─► in line ─► written, in this order
#                                    └─ (the database is away, also at the end of patience) ─► the
#                                       next run of the process, which takes up nothing before
#
# Answers of a relay are heard once. Whoever heard them keeps them as long as the process lives, so
# a mail is in doubt only where nobody heard an answer.

Deed = Callable[[UnitOfWork], object]


@dataclass(slots=True)
class Unwritten:
    """The line of one process, shared by all of its runs. Each adds two at most, and ends then."""

    _line: deque[Deed] = field(default_factory=deque)
    _lock: RLock = field(default_factory=RLock)

    def __len__(self) -> int:
        return len(self._line)

    def write(self, database: Database, do: Deed, patience: Patience) -> None:
        """Write down what must not be forgotten, after all that stands in line before it.

        Each is a transaction. It may come to count although it is done again, so it must be the
        same twice. Raises DatabaseFailed at the end of patience, and Conflict: then it stays in
        line.
        """
        self._line.append(do)
        patience.tried(lambda: self.catch_up(database))

    def catch_up(self, database: Database) -> None:
        """Write down what stands in line. Raises DatabaseFailed and Conflict, and keeps the rest;
        what cannot be written for another reason leaves the line with its error."""
        with self._lock:
            while self._line:
                do = self._line.popleft()
                try:
                    write(database, do)
                except (Conflict, DatabaseFailed):
                    self._line.appendleft(do)
                    raise


@dataclass(frozen=True, slots=True, kw_only=True)
class SendContext:
    """What every run of sending needs.

    Once `stopping` says so, the mails in hand are finished and no others are taken up. `pacing` is
    how fast mail may leave, None where nothing holds it; `wait` waits for so many seconds and says
    whether to stop. Without one nothing is waited for. `boot` says how long this machine runs.
    `unwritten` is what this process could not write down yet. `marks` tells a database that was
    put back.
    """

    database: Database
    clock: Clock
    processes: Processes
    lease: timedelta
    jitter: Random = field(default_factory=Random)
    stopping: Callable[[], bool] = lambda: False
    pacing: Pacing | None = None
    wait: Callable[[float], bool] = lambda _: True
    boot: Callable[[], Boot | None] = lambda: None
    unwritten: Unwritten = field(default_factory=Unwritten)
    marks: SendMarks = field(default_factory=SendMarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(SendContext):
    """What delivering mail needs besides: the way out, and how to make and sign a mail. `signing`
    is what `renderer` does."""

    mailer: Mailer
    renderer: Renderer
    letterhead: Letterhead
    keys: KeyRing
    signing: Signing = field(default_factory=Signing)


Held = Claimed | ClaimedNotice
"""A claimed row of either lane."""

Mail = TypeVar("Mail", bound=Held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane(Generic[Mail]):
    """One kind of mail on its way out by `mailer`.

    `envelope` makes the mail of a row; raises RenderingFailed for one that cannot be made. `settle`
    writes down what became of mails, and what follows from it, in one transaction. `gives_way`
    says, within the transaction of a claim, whether other mail has to go first. A row without the
    key that `has_key` looks for waits. `signs` says whether the mails are signed. Mail of the lane
    that goes `first` waits for no other.
    """

    name: str
    mailer: Mailer
    ledger: Callable[[UnitOfWork], Claims[Mail]]
    envelope: Callable[[Mail], Envelope]
    settle: Callable[[UnitOfWork, Sequence[Move], datetime], None]
    gives_way: Callable[[UnitOfWork], bool]
    has_key: Callable[[Mail], bool] = lambda _: True
    signs: bool = False
    first: bool = False


def digest_lane(post: Post) -> Lane[Claimed]:
    """Deliveries. An edition is read once, and again for a paper that its first digests did not
    carry; the lane gives way to notices that are due."""
    sheets: dict[EditionId, Sheet] = {}

    def compose(row: Claimed) -> bytes:
        sheet = sheets.get(row.edition_id)
        if sheet is None or not sheet.papers.keys() >= set(row.positions):
            with post.database.reading() as work:
                edition, mailing_list = _edition(work, row.edition_id)
            title, size = mailing_list.title, mailing_list.size
            sheet = sheet_of(edition, title, post.letterhead, size=size)
            sheets[row.edition_id] = sheet
        return post.renderer.compose(digest_mail(sheet, row, post.keys))

    return _mail_lane(
        post,
        TagUse.DELIVERY,
        name="digest",
        ledger=lambda work: work[Ledger],
        compose=compose,
        gives_way=partial(_notice_is_due, post),
    )


def notice_lane(post: Post) -> Lane[ClaimedNotice]:
    """Notices. Nothing goes before them."""

    def compose(row: ClaimedNotice) -> bytes:
        if row.kind is NoticeKind.TEST and "edition" in row.payload:
            # the digest somebody new would get; its links name a row that never is
            try:
                with post.database.reading() as work:
                    edition, mailing_list = _edition(work, EditionId(int(row.payload["edition"])))
            except NotFound as error:
                raise RenderingFailed(str(error)) from error
            digest = newcomers_mail(edition, mailing_list, row, post.letterhead, post.keys)
            return post.renderer.compose(digest)
        title, wanted = "", row.payload.get("list")
        if wanted is not None:
            with post.database.reading() as work:
                title = next((one.title for one in work[ListStore].all() if one.id == wanted), "")
        mail = notice_mail(row, post.letterhead, title, post.keys)
        return post.renderer.compose_notice(mail)

    return _mail_lane(
        post,
        TagUse.NOTICE,
        name="notice",
        ledger=lambda work: work[NoticeLedger],
        compose=compose,
        gives_way=lambda _: False,
        first=True,
    )


def _mail_lane(
    post: Post,
    use: TagUse,
    *,
    name: str,
    ledger: Callable[[UnitOfWork], Claims[Mail]],
    compose: Callable[[Mail], bytes],
    gives_way: Callable[[UnitOfWork], bool],
    first: bool = False,
) -> Lane[Mail]:
    """A lane of mail. `use` is what a return address of its mails says they are."""

    def envelope(row: Mail) -> Envelope:
        sender, bounces = post.letterhead.envelope_from, post.letterhead.bounce_address
        if bounces:  # mail comes back to an address of its own, the same on every try
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

    def settle(work: UnitOfWork, moves: Sequence[Move], now: datetime) -> None:
        ledger(work).settle(moves, now=now)
        hold_against(work, post.keys, use.name.lower(), moves, now=now)

    return Lane(
        name=name,
        mailer=post.mailer,
        ledger=ledger,
        envelope=envelope,
        settle=settle,
        gives_way=gives_way,
        has_key=lambda row: post.keys.key(row.key_id) is not None,
        signs=post.signing.signs,
        first=first,
    )


def why_held(post: Post) -> str | None:
    """Why no mail of either lane may leave; None when it may."""
    now = post.clock.now()
    return hold_unsigned(post.database, post.signing, now=now) or post.marks.hold(
        post.database, now=now
    )


def new_lease(post: SendContext, now: datetime) -> Lease:
    """A claim by this process that nobody else's can be taken for."""
    return Lease(
        worker=post.processes.current(), until=now + post.lease, token=secrets.token_hex(8)
    )


def _notice_is_due(post: Post, work: UnitOfWork) -> bool:
    """Claimed and given back at once: only a claim knows whether there is one to be sent. Mostly
    none waits at all, which is cheaper to see. Digests that are held give way to everything."""
    if is_held(work):
        return True
    now = post.clock.now()
    if not work[NoticeLedger].has_due(now=now):
        return False
    lease = new_lease(post, now)
    due = work[NoticeLedger].claim(lease, limit=1, now=now)
    return bool(due) and work[NoticeLedger].release(lease.token, now=now) > 0


def _edition(work: UnitOfWork, edition_id: EditionId) -> tuple[Edition, MailingList]:
    edition = work[EditionStore].get(edition_id)
    return edition, work[ListStore].get(edition.list_name)
