"""Posting: the rows of the ledger that go to channels, one message of each at a time.

    reclaim dead leases ─► expire ─► claim one ─► its next message ─► connected ─► in_data ─► body
          ▲                                                                            │
          └─ settle: sent | deferred (busy, or more messages) | failed | unknown ◄─── answer

The moves are those of mails, and so are the promises: the mark is committed before the service
gets a byte of the message, and a message that was sent and not answered is `unknown`. Each message
of a post is a claim and a mark of its own; how many were taken stands beside the row, so a retry
goes on with the next one. What they showed was shown: when the rest fails, expires or is cancelled,
only the papers of the rest may come again.

Several hands post at once, each as another process would: a hook that lets one wait holds up no
other channel. A hook that is no more stops its channel in the transaction that writes its answer
down.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from paperround.domain.boots import Boot
from paperround.domain.deliveries import MOST_BREAKDOWNS, DeliveryId, DeliveryState, Lease
from paperround.domain.digests import Letterhead
from paperround.domain.editions import EditionPaper
from paperround.domain.errors import Conflict, DatabaseFailed, Misconfigured
from paperround.domain.ledger import Move
from paperround.domain.papers import PaperId
from paperround.domain.ports import Clock, Processes
from paperround.domain.posts import ClaimedPost, Digest, Message, PostOutcome
from paperround.domain.replies import next_try
from paperround.domain.times import format_instant
from paperround.jobs.compose import digest_view, sheet_of
from paperround.jobs.expiring import untried
from paperround.jobs.holding import is_held, is_suspect
from paperround.jobs.ports import PostOffice
from paperround.jobs.put_back import SendMarks
from paperround.jobs.transactions import Patience, write
from paperround.jobs.unwritten import Unwritten
from paperround.store.unit_of_work import Database, UnitOfWork

log = logging.getLogger(__name__)

HANDS = 8
"""Posts under way at once. A dead hook costs the one that holds it its whole time."""

ANSWER = timedelta(minutes=5)
"""How long a marked post may wait for its answer before its process counts as dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRoom:
    """What posting needs. Once `stopping` says so, the messages in hand are finished and no others
    are taken up. `boot` says how long this machine runs; `wait` waits for a database that is away,
    and says whether to stop; `unwritten` is what this process could not write down yet. `marks`
    tells a database that was put back."""

    database: Database
    office: PostOffice
    letterhead: Letterhead
    clock: Clock
    processes: Processes
    lease: timedelta
    jitter: Random = field(default_factory=Random)
    stopping: Callable[[], bool] = lambda: False
    boot: Callable[[], Boot | None] = lambda: None
    hands: int = HANDS
    wait: Callable[[float], bool] = lambda _: True
    unwritten: Unwritten = field(default_factory=Unwritten)
    marks: SendMarks = field(default_factory=SendMarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReport:
    """What became of the messages of a run. `troubles` counts, by reason, those not taken."""

    messages: int = 0
    troubles: Mapping[str, int] = field(default_factory=dict)


def post_due(room: PostRoom) -> PostReport:
    """Post what is due, until a claim finds nothing. Safe to kill, and from several at once."""
    room.unwritten.catch_up(room.database)
    if _is_idle(room):
        return PostReport()
    _tidy(room)
    hands = [_Hand(room) for _ in range(room.hands)]
    if _has_due(room):
        with ThreadPoolExecutor(len(hands), thread_name_prefix="post") as pool:
            for working in [pool.submit(hand.work) for hand in hands]:
                working.result()
    troubles = sum((hand.troubles for hand in hands), Counter[str]())
    return PostReport(messages=sum(hand.messages for hand in hands), troubles=dict(troubles))


def _is_idle(room: PostRoom) -> bool:
    """Whether nothing may be done: there is no channel, digests are held, or the database was put
    back. Nothing is given up by a clock that leapt."""
    now, boot = room.clock.now(), room.boot()
    with room.database.reading() as work:
        if not work.channels.exist() or is_suspect(work, boot, now=now):
            return True
    return room.marks.hold(room.database, now=now) is not None


def _tidy(room: PostRoom) -> None:
    """End dead leases and lives that are over, as every sender does."""
    now, processes = room.clock.now(), room.processes

    def tidy(work: UnitOfWork) -> None:
        work.posts.reclaim(processes, now=now)
        work.posts.expire(now=now, untried=untried(work, now=now))

    write(room.database, tidy)


def _has_due(room: PostRoom) -> bool:
    """Whether a claim would find something: most minutes none does, and nobody else's writing is
    held up."""
    with room.database.reading() as work:
        return work.posts.has_due(now=room.clock.now())


class _Hand:
    """One of those who post at once: what it did so far."""

    def __init__(self, room: PostRoom) -> None:
        self._room = room
        self._patience = Patience(room.wait)
        self._dotless: Sequence[DeliveryId] = ()
        self.messages = 0
        self.troubles = Counter[str]()

    def work(self) -> None:
        """Post until a claim finds nothing."""
        while not self._room.stopping() and (claimed := self.claim()):
            try:
                self.take(claimed[0])
            except (Conflict, DatabaseFailed):
                self._let_go(claimed[0].lease)
                raise

    def claim(self) -> Sequence[ClaimedPost]:
        """The next post that is due; none while digests are held."""
        now, room = self._room.clock.now(), self._room
        lease = Lease(
            worker=room.processes.current(), until=now + room.lease, token=secrets.token_hex(8)
        )

        def claim(work: UnitOfWork) -> tuple[Sequence[ClaimedPost], datetime | None]:
            claimed = () if is_held(work) else work.posts.claim(lease, limit=1, now=now)
            return claimed, room.marks.advance(work, now=now) if claimed else None

        if not _has_due(room):
            return ()
        try:
            claimed, at = write(room.database, claim)
        except (Conflict, DatabaseFailed):  # it may count, and its answer is lost
            self._let_go(lease)
            raise
        room.marks.keep(at)
        return claimed

    def take(self, post: ClaimedPost) -> None:
        """Send the next message of a post, and write down what became of it."""
        try:
            messages, papers = self._composed(post)
        except (Conflict, DatabaseFailed):  # the fault of no post
            raise
        except Exception as error:  # one channel's broken post must not stop the others
            log.exception("the post %d could not be composed", post.row.id)
            self._break_down(post, error)
            return
        if post.taken >= len(messages):  # it says less than when it was begun
            self._settle(post, DeliveryState.SENT, "")
            return
        outcome = self._sent(post, messages[post.taken])
        if outcome is not None:
            self.messages += 1
            shown = papers[: sum(one.papers for one in messages[: post.taken + 1])]
            ids = {id_ for one in shown for id_ in (one.paper_id, one.frozen_id) if id_}
            self._write_down(post, outcome, of=len(messages), shown=ids)

    def _composed(self, post: ClaimedPost) -> tuple[Sequence[Message], Sequence[EditionPaper]]:
        """The messages of a post, and its papers in the order in which they show them. Raises
        Misconfigured where its hook was lost with the secret it was sealed with."""
        if post.channel.hook.lost:
            raise Misconfigured(post.channel.hook.lost)
        with self._room.database.reading() as work:
            edition = work.editions.get(post.row.edition_id)
            title = work.lists.get(edition.list_name).title
        sheet = sheet_of(edition, title, self._room.letterhead)
        view = digest_view(sheet, post.row.slip, token="")
        row = post.row
        digest = Digest(view=view, message_id=row.message_id, dated=row.dated)
        papers = {one.position: one for one in edition.all_papers}
        messages = self._room.office.messages(post.channel.hook, digest)
        return messages, [papers[position] for position in row.positions]

    def _sent(self, post: ClaimedPost, message: Message) -> PostOutcome | None:
        is_marked = False

        def marked() -> bool:
            nonlocal is_marked
            now = self._room.clock.now()
            until = now + max(self._room.lease, ANSWER)
            one, token = [post.row.id], post.lease.token
            is_marked = bool(
                write(
                    self._room.database,
                    lambda work: work.posts.mark_in_data(one, token, until=until, now=now),
                )
            )
            return is_marked

        try:
            return self._room.office.post(post.channel.hook, message, before_body=marked)
        except (Conflict, DatabaseFailed):
            # Nothing was posted without a mark: one that counts after all is taken back.
            self._dotless = [post.row.id]
            raise
        except Exception as error:  # a fault of ours, which must not stop the others either
            # Its trace is not logged: whatever posts has the hook in hand, which is a secret.
            log.error("the post %d broke down: %s", post.row.id, type(error).__name__)
            if is_marked:
                return PostOutcome(state=DeliveryState.UNKNOWN, reason=_broken(post, error))
            self._break_down(post, error)
            return None

    # --- what became of it ---------------------------------------------------------------------

    def _write_down(
        self, post: ClaimedPost, outcome: PostOutcome, *, of: int, shown: Collection[PaperId]
    ) -> None:
        if outcome.state is DeliveryState.DEFERRED:
            self._defer(post, outcome)
        elif outcome.state is DeliveryState.SENT and post.taken + 1 < of:
            self._go_on(post, outcome, of, shown)
        else:
            self._end(post, outcome, of)

    def _go_on(
        self, post: ClaimedPost, outcome: PostOutcome, of: int, shown: Collection[PaperId]
    ) -> None:
        """The next message is due at once, as a claim of its own."""
        taken, now = post.taken + 1, self._room.clock.now()
        move = _move(
            post, DeliveryState.DEFERRED, f"{taken} of {of} messages posted", outcome, next_at=now
        )

        def note(work: UnitOfWork) -> None:
            if work.posts.settle([move], now=now):
                work.posts.note_taken(post.row.id, taken, shown)

        self._write(note, now)

    def _defer(self, post: ClaimedPost, outcome: PostOutcome) -> None:
        """Try again after the pause that was asked for, and not before our own; a wait that is
        longer than the digest lives ends it. Nothing was reached: held against the hook alone."""
        now, row = self._room.clock.now(), post.row
        again = next_try(
            row.attempts - post.taken + 1, now, row.expires_at, self._room.jitter.random()
        )
        if again is not None and outcome.wait is not None:
            again = max(again, now + outcome.wait)
        if again is None or again >= row.expires_at:
            self._settle(post, DeliveryState.EXPIRED, outcome.reason, outcome)
            return
        unreached = outcome.code is None
        self._apply(
            post,
            _move(
                post,
                DeliveryState.DEFERRED,
                outcome.reason,
                outcome,
                next_at=again,
                breakdown=unreached,
            ),
        )

    def _end(self, post: ClaimedPost, outcome: PostOutcome, of: int) -> None:
        reason = outcome.reason
        if post.taken and outcome.state is not DeliveryState.SENT:
            reason = f"{post.taken} of {of} messages were posted, then: {reason}"
        self._settle(post, outcome.state, reason, outcome)

    def _settle(
        self,
        post: ClaimedPost,
        state: DeliveryState,
        reason: str,
        outcome: PostOutcome | None = None,
    ) -> None:
        stops = outcome.reason if outcome is not None and outcome.gone else None
        self._apply(post, _move(post, state, reason, outcome), stops=stops)

    def _break_down(self, post: ClaimedPost, error: Exception) -> None:
        """Put off a post whose making raised; after enough tries it has failed."""
        row, reason = post.row, _broken(post, error)
        again = next_try(
            row.breakdowns + 1,
            self._room.clock.now(),
            row.expires_at,
            self._room.jitter.random(),
        )
        if again is None or row.breakdowns + 1 >= MOST_BREAKDOWNS:
            self._apply(post, _move(post, DeliveryState.FAILED, reason))
        else:
            move = _move(post, DeliveryState.DEFERRED, reason, next_at=again, breakdown=True)
            self._apply(post, move)

    def _apply(self, post: ClaimedPost, move: Move, *, stops: str | None = None) -> None:
        """Write a move down; with `stops` the channel is stopped in the same step."""
        now, channel = self._room.clock.now(), post.channel
        hook = channel.hook
        if move.state is not DeliveryState.SENT:
            self.troubles[move.reason] += 1

        is_stopped = False

        def settle(work: UnitOfWork) -> None:
            nonlocal is_stopped
            work.posts.settle([move], now=now)
            is_stopped = stops is not None and work.channels.stop(channel.id, hook, stops, now=now)

        self._write(settle, now)
        if is_stopped:
            log.error(
                "the channel %s is stopped since %s: %s", channel.name, format_instant(now), stops
            )

    def _write(self, do: Callable[[UnitOfWork], None], now: datetime) -> None:
        """Write an outcome down, and how far this machine came with it."""
        marks, at = self._room.marks, None

        def written(work: UnitOfWork) -> None:
            nonlocal at
            do(work)
            at = marks.advance(work, now=now)

        self._room.unwritten.write(self._room.database, written, self._patience)
        marks.keep(at)

    def _let_go(self, lease: Lease) -> None:
        """Give back what was not posted, or give it up: nobody is to wait for a lease."""
        now, token, dotless = self._room.clock.now(), lease.token, self._dotless

        def let_go(work: UnitOfWork) -> None:
            work.posts.release(token, now=now, dotless=dotless)
            work.posts.give_up(token, now=now)

        self._room.unwritten.write(self._room.database, let_go, self._patience)


def _broken(post: ClaimedPost, error: Exception) -> str:
    return post.channel.hook.scrubbed(f"{type(error).__name__}: {error}")


def _move(
    post: ClaimedPost,
    state: DeliveryState,
    reason: str,
    outcome: PostOutcome | None = None,
    **more: object,
) -> Move:
    return Move(
        id=post.row.id,
        token=post.lease.token,
        state=state,
        reason=reason,
        code=None if outcome is None else outcome.code,
        reply=None if outcome is None else outcome.said or None,
        **more,  # type: ignore[arg-type]  # when to try again, and whether it broke down
    )
