"""Deliver: claim rows, make their bytes, send them, and write down what the server said.

    reclaim dead leases ─► expire ─► claim ─► compose ─► mailer ─► before the dot: in_data
          ▲                                                              │
          └────────── settle: sent | deferred | failed | unknown ◄── outcome

Everything here runs on one thread; the mailer's sockets do not. A mark and the outcomes that came
before it are one transaction, so at most one message a connection is ever in doubt.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from paperround.domain.deliveries import (
    MOST_BREAKDOWNS,
    DeliveryId,
    DeliveryState,
    Envelope,
    Lease,
    Outcome,
)
from paperround.domain.digests import Letterhead
from paperround.domain.editions import EditionId
from paperround.domain.errors import RenderingFailed
from paperround.domain.ledger import Claimed, LedgerTotals, Move
from paperround.domain.replies import next_try, verdict
from paperround.domain.tokens import KeyRing
from paperround.jobs.compose import Sheet, digest_mail, sheet_of, slip_of
from paperround.jobs.ports import Clock, Database, Mailer, Processes, Renderer, UnitOfWork
from paperround.jobs.progress import Progress, no_progress
from paperround.jobs.transactions import write

log = logging.getLogger(__name__)

CLAIM = 50
"""Rows a claim: few, so that a slow relay cannot outlive the lease of rows that wait in line."""

ANSWER = timedelta(minutes=15)
"""How long a marked mail may wait for its answer before its process counts as dead. A server may
take ten minutes (RFC 5321 section 4.5.3.2.6)."""

SETTLE = 50
"""Outcomes that may wait for the next mark before they get a transaction of their own."""

MOST_REFUSALS_OF_US = 10
"""Refusals of us (policy, sender, login) in a row after which a run stops: the relay wants none of
our mail, and asking it another thousand times makes that worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What delivering needs: the database, the way out, and how to make and sign a mail."""

    database: Database
    mailer: Mailer
    renderer: Renderer
    letterhead: Letterhead
    keys: KeyRing
    clock: Clock
    processes: Processes
    lease: timedelta
    jitter: Random = field(default_factory=Random)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReport:
    """The ledger's totals after the run, and why it stopped early, if it did.

    `troubles` counts, by reason, the mails of this run that were not sent; `expired` those whose
    life had ended before it.
    """

    totals: LedgerTotals
    notices: LedgerTotals
    troubles: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    stopped: str | None = None


def deliver(
    post: Post, *, until_empty: bool = True, progress: Progress = no_progress
) -> DeliverReport:
    """Send what is due; with `until_empty` pass after pass until a pass finds nothing."""
    stopped, troubles, expired = None, Counter[str](), 0
    while stopped is None:
        run = _Run(post, progress)
        run.send_all()
        stopped = run.stopped
        troubles += run.troubles
        expired += run.expired
        if not until_empty or not run.claimed:
            break
    now = post.clock.now()
    with post.database.reading() as work:
        return DeliverReport(
            totals=work.ledger.totals(now=now),
            notices=work.ledger.notice_totals(now=now),
            troubles=troubles,
            expired=expired,
            stopped=stopped,
        )


class _Run:
    """One pass over what is due: the rows it holds and the outcomes not written down yet."""

    def __init__(self, post: Post, progress: Progress) -> None:
        self._post = post
        self._progress = progress
        self._held: dict[DeliveryId, Claimed] = {}
        self._unsettled: list[Move] = []
        self._sheets: dict[EditionId, Sheet] = {}
        self._refusals_of_us = 0
        self.claimed = 0
        self.troubles = Counter[str]()
        self.expired = 0
        self.stopped: str | None = None

    def send_all(self) -> None:
        """Claim and send until a claim comes back empty or the relay refuses us."""
        self._tidy()
        try:
            outcomes = self._post.mailer.send(self._envelopes(), before_dot=self._before_dot)
            for outcome in outcomes:
                self._note(outcome)
        finally:
            try:
                self._settle()
            finally:
                self._release()

    def _tidy(self) -> None:
        now, processes = self._post.clock.now(), self._post.processes

        def tidy(work: UnitOfWork) -> tuple[Mapping[str, int], int]:
            return work.ledger.reclaim(processes, now=now), work.ledger.expire(now=now)

        ended, self.expired = write(self._post.database, tidy)
        if ended or self.expired:
            log.info("reclaimed %s, expired %d", dict(ended), self.expired)

    def _envelopes(self) -> Iterator[Envelope]:
        while self.stopped is None and (rows := self._claim()):
            for row in rows:
                envelope = self._composed(row)
                if envelope is not None and self.stopped is None:
                    yield envelope

    def _claim(self) -> list[Claimed]:
        now = self._post.clock.now()
        lease = Lease(
            worker=self._post.processes.current(),
            until=now + self._post.lease,
            token=secrets.token_hex(8),
        )
        settling = tuple(self._unsettled)
        in_hand = self._held.keys()

        def settle_and_claim(work: UnitOfWork) -> list[Claimed]:
            work.ledger.settle(settling, now=now)
            return work.ledger.claim(lease, limit=CLAIM, now=now, without=in_hand)

        rows = write(self._post.database, settle_and_claim)
        self._settled(settling)
        self._held |= {row.id: row for row in rows}
        self.claimed += len(rows)
        return rows

    def _composed(self, row: Claimed) -> Envelope | None:
        """The mail of a row; a mail that cannot be made fails alone.

        What is wrong with the installation and not with the mail stops the run instead.
        """
        if self._post.keys.key(row.key_id) is None:
            self.stopped = (
                f"the secret {row.key_id} that these mails were planned with is gone: add it to "
                "the end of PAPERROUND_SECRET_KEY"
            )
            return None
        sheet = self._sheet(row.edition_id)
        try:
            content = self._compose(row, sheet)
        except RenderingFailed as error:
            self._move(row, DeliveryState.FAILED, f"rendering: {error}")
            return None
        except Exception as error:  # a poison message must not stop the other 999
            log.exception("delivery %d could not be composed", row.id)
            self._break_down(row, f"{type(error).__name__}: {error}")
            return None
        return Envelope(
            id=row.id,
            sender=self._post.letterhead.envelope_from,
            recipient=row.address,
            message_id=row.message_id,
            content=content,
        )

    def _compose(self, row: Claimed, sheet: Sheet) -> bytes:
        mail = digest_mail(sheet, slip_of(row), self._post.keys)
        return self._post.renderer.compose(mail)

    def _sheet(self, edition_id: EditionId) -> Sheet:
        if edition_id not in self._sheets:
            with self._post.database.reading() as work:
                edition = work.editions.get(edition_id)
                title = work.lists.get(edition.list_name).title
            self._sheets[edition_id] = sheet_of(edition, title, self._post.letterhead)
        return self._sheets[edition_id]

    def _before_dot(self, ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        """Commit the marks of `ids` together with every outcome that came before them."""
        now = self._post.clock.now()
        until = now + max(self._post.lease, ANSWER)
        by_token: dict[str, list[DeliveryId]] = {}
        for one in ids:
            by_token.setdefault(self._held[one].lease.token, []).append(one)
        settling = tuple(self._unsettled)

        def settle_and_mark(work: UnitOfWork) -> list[frozenset[DeliveryId]]:
            work.ledger.settle(settling, now=now)
            return [
                work.ledger.mark_in_data(mine, token, until=until, now=now)
                for token, mine in by_token.items()
            ]

        marked = write(self._post.database, settle_and_mark)
        self._settled(settling)
        return frozenset().union(*marked)

    def _note(self, outcome: Outcome) -> None:
        row = self._held[outcome.id]
        found = verdict(outcome)
        code = outcome.reply.code if outcome.reply else None
        text = outcome.reply.text if outcome.reply else outcome.error
        self._count_refusal(us=found.blame.us, reason=found.reason)
        if found.state is DeliveryState.DEFERRED:
            self._defer(row, found.reason, code, text)
        else:
            self._move(row, found.state, found.reason, code, text)
        self._progress(1)
        if len(self._unsettled) >= SETTLE:
            self._settle()

    def _count_refusal(self, *, us: bool, reason: str) -> None:
        self._refusals_of_us = self._refusals_of_us + 1 if us else 0
        if self._refusals_of_us >= MOST_REFUSALS_OF_US:
            self.stopped = f"the relay refuses our mail: {reason}"

    def _defer(self, row: Claimed, reason: str, code: int | None, text: str) -> None:
        again = next_try(
            row.attempts + 1, self._post.clock.now(), row.expires_at, self._post.jitter.random()
        )
        if again is None:
            self._move(row, DeliveryState.EXPIRED, reason, code, text)
        else:
            self._move(row, DeliveryState.DEFERRED, reason, code, text, next_at=again)

    def _break_down(self, row: Claimed, reason: str) -> None:
        """Put off a mail whose making raised; after enough tries it has failed."""
        again = next_try(
            row.breakdowns + 1, self._post.clock.now(), row.expires_at, self._post.jitter.random()
        )
        if again is None or row.breakdowns + 1 >= MOST_BREAKDOWNS:
            self._move(row, DeliveryState.FAILED, reason)
        else:
            self._move(row, DeliveryState.DEFERRED, reason, next_at=again, breakdown=True)

    def _move(
        self,
        row: Claimed,
        state: DeliveryState,
        reason: str,
        code: int | None = None,
        reply: str | None = None,
        *,
        next_at: datetime | None = None,
        breakdown: bool = False,
    ) -> None:
        if state is not DeliveryState.SENT:
            self.troubles[reason] += 1
        self._unsettled.append(
            Move(
                id=row.id,
                token=row.lease.token,
                state=state,
                reason=reason,
                code=code,
                reply=reply,
                next_at=next_at,
                breakdown=breakdown,
            )
        )

    def _settle(self) -> None:
        settling = tuple(self._unsettled)
        if settling:
            now = self._post.clock.now()
            write(self._post.database, lambda work: work.ledger.settle(settling, now=now))
            self._settled(settling)

    def _settled(self, moves: Sequence[Move]) -> None:
        """Forget what is committed, and only that: a failed transaction is tried again."""
        del self._unsettled[: len(moves)]
        for move in moves:
            self._held.pop(move.id, None)

    def _release(self) -> None:
        """Give back claimed rows this pass did not offer, so that nobody waits for a lease."""
        now = self._post.clock.now()
        for token in {row.lease.token for row in self._held.values()}:
            write(self._post.database, partial(_released, token, now))


def _released(token: str, now: datetime, work: UnitOfWork) -> int:
    return work.ledger.release(token, now=now)
