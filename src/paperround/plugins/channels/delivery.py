"""Post digests to Slack, Discord, Telegram and webhooks.

    claim ─► next message ─► connected ─► in_data ─► body ─► reply ─► settle
      ▲                                                                 │
      └──────────────────── more messages: due at once ◄────────────────┘

The send run is the one for email, with another queue. A digest of several messages is claimed and
marked once for each, and its row counts the accepted ones. A process that dies leaves one message
in doubt, and a retry continues with the next one. When the rest fails, expires or is cancelled,
only the papers of the rest may be posted again.

Several runs post in parallel, so a hook that does not reply delays no other channel. A hook that
no longer exists stops its channel in the transaction that stores the reply.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from paperround.core.errors import Conflict, DatabaseFailed, Misconfigured
from paperround.core.sender import SenderIdentity
from paperround.core.times import format_instant
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Transaction
from paperround.delivery.deliver import DeliverReport, SendRun
from paperround.delivery.holds import is_held, is_or_will_be_held
from paperround.delivery.ledger_model import Claimed, Transition
from paperround.delivery.model import Envelope, Outcome, Phase, ReplyClass
from paperround.delivery.queues import MailQueue, SendContext
from paperround.delivery.rate_limits import make_pacer
from paperround.digests.compose import content_of_list, digest_view
from paperround.editions.model import DeliveryId, DeliveryState, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
from paperround.plugins.channels.model import Channel
from paperround.plugins.channels.sender import ChannelSender, Digest, Message, PostOutcome
from paperround.plugins.channels.store import ChannelStore, PostLedger

log = logging.getLogger(__name__)

RUNS = 8
"""Parallel runs. A dead hook blocks one run until its timeout."""

BeforeBody = Callable[[Sequence[DeliveryId]], Collection[DeliveryId]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext(SendContext):
    """The context of posting to channels; `concurrency` is the number of parallel runs."""

    sender: ChannelSender
    sender_identity: SenderIdentity
    keys: KeyRing
    concurrency: int = RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """How many messages were posted. `troubles` counts the refused ones by reason."""

    messages: int = 0
    troubles: Mapping[str, int] = field(default_factory=dict)


def deliver_channels(context: ChannelContext) -> ChannelReport:
    """Post the digests that are due and return what was posted.

    Does nothing without channels, while digests are held, after the database was restored, or
    after a clock jump (so nothing expires by it). Safe to kill and to run in several processes.
    """
    context.pending_writes.catch_up(context.database)
    now, boot = context.clock.now(), context.boot()
    with context.database.reading() as work:
        is_idle = not work[ChannelStore].exist() or is_or_will_be_held(work, boot, now=now)
    if is_idle or context.marks.hold(context.database, now=now) is not None:
        return ChannelReport()
    posters = [_Poster(context) for _ in range(context.concurrency)]
    reports = [DeliverReport() for _ in posters]  # the runs are parallel
    runs = [
        SendRun(context, channel_queue(poster), make_pacer(context), report)
        for poster, report in zip(posters, reports, strict=True)
    ]
    runs[0].tidy()
    with context.database.reading() as work:
        has_due = work[PostLedger].has_due(now=context.clock.now())
    if has_due:  # mostly nothing is, and claiming needs the write lock
        with ThreadPoolExecutor(len(runs), thread_name_prefix="post") as pool:
            for sending in [pool.submit(run.send) for run in runs]:
                sending.result()
    troubles = sum((report.troubles for report in reports), Counter[str]())
    return ChannelReport(messages=sum(one.posted for one in posters), troubles=dict(troubles))


def channel_queue(poster: "_Poster") -> MailQueue[Claimed]:
    """Return the queue of channel posts: no relay limits apply, and no link is signed."""
    return MailQueue(
        name="post",
        mailer=poster,
        ledger=lambda work: work[PostLedger],
        envelope=poster.envelope,
        settle=poster.settle,
        gives_way=is_held,
    )


@dataclass(slots=True, kw_only=True)
class _ClaimedPost:
    """A claimed digest: its messages, its papers in the order shown, the number of messages
    accepted so far, and the outcome of the next one."""

    channel: Channel
    messages: Sequence[Message]
    papers: Sequence[EditionPaper]
    taken: int
    answer: PostOutcome | None = None

    @property
    def has_more(self) -> bool:
        """Whether messages follow the current one."""
        return self.taken + 1 < len(self.messages)

    @property
    def shown(self) -> set[PaperId]:
        """The papers a channel has received once the current message is accepted."""
        count = sum(one.papers for one in self.messages[: self.taken + 1])
        return {id_ for one in self.papers[:count] for id_ in (one.paper_id, one.frozen_id) if id_}

    def ledger_transition(self, move: Transition, now: datetime) -> Transition:
        """Return the transition for the ledger. An unreachable hook says nothing about the relay,
        so its retry counts as a failure of this post alone."""
        taken, total, reply = self.taken, len(self.messages), move.reply or None
        if move.state is DeliveryState.SENT and self.has_more:
            reason = f"{taken + 1} of {total} messages posted"
            state = DeliveryState.DEFERRED
            return replace(move, state=state, reason=reason, reply=reply, next_at=now)
        if taken and move.state in (DeliveryState.FAILED, DeliveryState.UNKNOWN):
            reason = f"{taken} of {total} messages were posted, then: {move.reason}"
            return replace(move, reason=reason, reply=reply)
        is_unreached = move.state is DeliveryState.DEFERRED and move.code is None
        return replace(move, reply=reply, breakdown=is_unreached)


class _Poster:
    """Post the messages of one run, one after another. Implements Mailer."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._posts: dict[DeliveryId, _ClaimedPost] = {}
        self.posted = 0
        """The number of messages posted, accepted or not."""

    def envelope(self, row: Claimed) -> Envelope:
        """Return the next message of a digest. Raises Misconfigured when the hook cannot be
        decrypted because its secret is lost."""
        self._posts.pop(row.id, None)
        with self._context.database.reading() as work:
            channel = work[ChannelStore].get(row.subscriber_id)
            edition = work[EditionStore].get(row.edition_id)
            mailing_list = work[ListStore].get(edition.list_name)
        if channel.hook.lost:
            raise Misconfigured(channel.hook.lost)
        sender_identity, keys = self._context.sender_identity, self._context.keys
        content = content_of_list(edition, mailing_list, sender_identity, keys)
        view = digest_view(content, row, token="")
        digest = Digest(view=view, message_id=row.message_id, dated=row.dated)
        papers = {one.position: one for one in edition.all_papers}
        self._posts[row.id] = _ClaimedPost(
            channel=channel,
            messages=self._context.sender.messages(channel.hook, digest),
            papers=[papers[position] for position in row.positions],
            taken=row.taken,
        )
        name, id_ = channel.name, row.id  # `send` has the message, and its headers
        return Envelope(id=id_, sender="", recipient=name, message_id=row.message_id, content=b"")

    def send(
        self, envelopes: Iterable[Envelope | None], *, before_dot: BeforeBody, **_: object
    ) -> Iterator[Outcome]:
        """Post the messages in turn and yield their outcomes; each is marked once connected."""
        for envelope in filter(None, envelopes):
            post = self._posts[envelope.id]
            post.answer = self._post_next(envelope.id, post, before_dot)
            if post.answer is not None:
                self.posted += 1
                verdict, reply = post.answer.verdict, post.answer.reply
                yield Outcome(id=envelope.id, phase=Phase.DOT, reply=reply, verdict=verdict)

    def _post_next(
        self, delivery: DeliveryId, post: _ClaimedPost, before_dot: BeforeBody
    ) -> PostOutcome | None:
        """Post the next message; return its outcome, or None if it may no longer be sent."""
        if post.taken >= len(post.messages):  # the digest is shorter than when it was started
            return PostOutcome(verdict=ReplyClass(state=DeliveryState.SENT, reason=""))
        marked: Collection[DeliveryId] = ()

        def mark() -> bool:
            nonlocal marked
            marked = before_dot([delivery])
            return bool(marked)

        message, hook = post.messages[post.taken], post.channel.hook
        try:
            return self._context.sender.post(hook, message, before_body=mark)
        except (Conflict, DatabaseFailed):  # not the channel's fault
            raise
        except Exception as error:  # one channel must not stop the others
            # No traceback: its frames hold the hook, which is a secret.
            log.error("the post %d failed: %s", delivery, type(error).__name__)
            state = DeliveryState.UNKNOWN if marked else DeliveryState.DEFERRED
            reason = hook.scrubbed(f"{type(error).__name__}: {error}")
            return PostOutcome(verdict=ReplyClass(state=state, reason=reason))

    def settle(self, work: Transaction, moves: Sequence[Transition], now: datetime) -> None:
        """Store the outcomes, continue digests that have more messages, and stop dead channels."""
        for move in moves:
            post = self._posts.get(move.id)
            if post is None:  # it could not be composed
                work[PostLedger].settle([move], now=now)
                continue
            is_settled = work[PostLedger].settle([post.ledger_transition(move, now)], now=now)
            if is_settled and move.state is DeliveryState.SENT and post.has_more:
                work[PostLedger].note_taken(move.id, post.taken + 1, post.shown)
            if post.answer is not None and post.answer.verdict.blame.subscriber:
                channel, why = post.channel, post.answer.verdict.reason
                if work[ChannelStore].stop(channel.id, channel.hook, why, now=now):
                    since = format_instant(now)
                    log.error("the channel %s was stopped at %s: %s", channel.name, since, why)
