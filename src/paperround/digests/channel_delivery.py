"""Channel delivery: the digests that go to Slack, Discord, Telegram and webhooks.

    claim ─► its next message ─► connected ─► in_data ─► body ─► answer ─► settle
      ▲                                                                      │
      └─────────────────────── more messages: due again at once ◄────────────┘

The run is the one that sends mail; the lane here says what differs. A digest that takes several
messages is claimed and marked once for each of them, and its row counts those that were taken. So
a process that dies leaves one message of a channel in doubt, and a retry goes on with the next one.
When the rest fails, expires or is cancelled, only the papers of the rest may come again.

Several runs post at once, as other processes would: a hook that does not answer delays no other
channel. A hook that is gone stops its channel in the transaction that writes its answer down.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from paperround.core.errors import Conflict, DatabaseFailed, Misconfigured
from paperround.core.interfaces import no_progress
from paperround.core.sender import SenderIdentity
from paperround.core.times import format_instant
from paperround.db.transactions import Transaction
from paperround.delivery.channel_model import Channel
from paperround.delivery.deliver import SendRun
from paperround.delivery.holds import is_held, is_suspect
from paperround.delivery.ledger_model import Claimed, Transition
from paperround.delivery.model import Envelope, Outcome, Phase, ReplyClass
from paperround.delivery.queues import MailQueue, SendContext
from paperround.delivery.rate_limits import pacer_of
from paperround.delivery.store.channel_ledger import PostLedger
from paperround.delivery.store.channels import ChannelStore
from paperround.digests.channel_posts import ChannelSender, Digest, Message, PostOutcome
from paperround.digests.compose import digest_view, sheet_of
from paperround.editions.model import DeliveryId, DeliveryState, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId

log = logging.getLogger(__name__)

RUNS = 8
"""Runs that post at once. A dead hook costs the one that holds it its whole time."""

BeforeBody = Callable[[Sequence[DeliveryId]], Collection[DeliveryId]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext(SendContext):
    """What posting to channels needs."""

    sender: ChannelSender
    letterhead: SenderIdentity
    hands: int = RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """How many messages a run posted. `troubles` counts, by reason, those not taken."""

    messages: int = 0
    troubles: Mapping[str, int] = field(default_factory=dict)


def deliver_channels(context: ChannelContext) -> ChannelReport:
    """Post what is due, unless there is no channel, digests are held, or the database was put back.
    Nothing expires by a clock that leapt.

    Safe to kill, and to run in several processes at once.
    """
    context.unwritten.catch_up(context.database)
    now, boot = context.clock.now(), context.boot()
    with context.database.reading() as work:
        is_idle = not work[ChannelStore].exist() or is_suspect(work, boot, now=now)
    if is_idle or context.marks.hold(context.database, now=now) is not None:
        return ChannelReport()
    posters = [_Poster(context) for _ in range(context.hands)]
    runs = [SendRun(context, channel_lane(one), no_progress, pacer_of(context)) for one in posters]
    runs[0].tidy()
    with context.database.reading() as work:
        has_due = work[PostLedger].has_due(now=context.clock.now())
    if has_due:  # in most minutes nothing is, and then no write of a claim delays others
        with ThreadPoolExecutor(len(runs), thread_name_prefix="post") as pool:
            for posting in [pool.submit(run.send) for run in runs]:
                posting.result()
    troubles = sum((run.troubles for run in runs), Counter[str]())
    return ChannelReport(messages=sum(one.posted for one in posters), troubles=dict(troubles))


def channel_lane(poster: "_Poster") -> MailQueue[Claimed]:
    """Digests to channels. No relay paces them, and they carry no link that a key signs."""
    return MailQueue(
        name="post",
        mailer=poster,
        ledger=lambda work: work[PostLedger],
        envelope=poster.envelope,
        settle=poster.settle,
        gives_way=is_held,
    )


@dataclass(slots=True, kw_only=True)
class _InHand:
    """A digest whose next message is on its way: all its messages, the papers in the order in which
    they show them, how many messages were taken before, and the answer to the next one."""

    channel: Channel
    messages: Sequence[Message]
    papers: Sequence[EditionPaper]
    taken: int
    answer: PostOutcome | None = None

    @property
    def has_more(self) -> bool:
        """Whether other messages follow the one that is on its way."""
        return self.taken + 1 < len(self.messages)

    @property
    def shown(self) -> set[PaperId]:
        """The papers a channel has seen once the message on its way is taken."""
        count = sum(one.papers for one in self.messages[: self.taken + 1])
        return {id_ for one in self.papers[:count] for id_ in (one.paper_id, one.frozen_id) if id_}


class _Poster:
    """Makes, posts and writes down the messages of one run, one after another. Satisfies Mailer."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._in_hand: dict[DeliveryId, _InHand] = {}
        self.posted = 0
        """Messages that were posted, whatever their service said."""

    def envelope(self, row: Claimed) -> Envelope:
        """The next message of a digest. Raises Misconfigured where the hook was lost with the
        secret it was sealed with."""
        self._in_hand.pop(row.id, None)
        with self._context.database.reading() as work:
            channel = work[ChannelStore].get(row.subscriber_id)
            edition = work[EditionStore].get(row.edition_id)
            title = work[ListStore].get(edition.list_name).title
        if channel.hook.lost:
            raise Misconfigured(channel.hook.lost)
        sheet = sheet_of(edition, title, self._context.letterhead)
        view = digest_view(sheet, row, token="")
        digest = Digest(view=view, message_id=row.message_id, dated=row.dated)
        papers = {one.position: one for one in edition.all_papers}
        self._in_hand[row.id] = _InHand(
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
        """Post one message after another, each marked once its service is connected."""
        for envelope in filter(None, envelopes):
            post = self._in_hand[envelope.id]
            post.answer = self._answer(envelope.id, post, before_dot)
            if post.answer is not None:
                self.posted += 1
                verdict, reply = post.answer.verdict, post.answer.reply
                yield Outcome(id=envelope.id, phase=Phase.DOT, reply=reply, verdict=verdict)

    def _answer(
        self, delivery: DeliveryId, post: _InHand, before_dot: BeforeBody
    ) -> PostOutcome | None:
        """What became of the next message; None where it may not go any more."""
        if post.taken >= len(post.messages):  # the digest says less than when it was begun
            return PostOutcome(verdict=ReplyClass(state=DeliveryState.SENT, reason=""))
        marked: Collection[DeliveryId] = ()

        def mark() -> bool:
            nonlocal marked
            marked = before_dot([delivery])
            return bool(marked)

        message, hook = post.messages[post.taken], post.channel.hook
        try:
            return self._context.sender.post(hook, message, before_body=mark)
        except (Conflict, DatabaseFailed):  # the fault of no channel
            raise
        except Exception as error:  # one channel's broken post must not stop the others
            # No trace is logged: the code that failed holds the hook, which is a secret.
            log.error("the post %d broke down: %s", delivery, type(error).__name__)
            state = DeliveryState.UNKNOWN if marked else DeliveryState.DEFERRED
            reason = hook.scrubbed(f"{type(error).__name__}: {error}")
            return PostOutcome(verdict=ReplyClass(state=state, reason=reason))

    def settle(self, work: Transaction, moves: Sequence[Transition], now: datetime) -> None:
        """Write down what became of messages. A digest goes on with its next message, and a channel
        whose hook is gone is stopped."""
        for move in moves:
            post = self._in_hand.get(move.id)
            if post is None:  # it could not be composed
                work[PostLedger].settle([move], now=now)
                continue
            is_settled = work[PostLedger].settle([_kept(post, move, now)], now=now)
            if is_settled and move.state is DeliveryState.SENT and post.has_more:
                work[PostLedger].note_taken(move.id, post.taken + 1, post.shown)
            if post.answer is not None and post.answer.verdict.blame.subscriber:
                channel, why = post.channel, post.answer.verdict.reason
                if work[ChannelStore].stop(channel.id, channel.hook, why, now=now):
                    since = format_instant(now)
                    log.error("the channel %s is stopped since %s: %s", channel.name, since, why)


def _kept(post: _InHand, move: Transition, now: datetime) -> Transition:
    """The move as the ledger keeps it. A hook that was not reached says nothing of the relay, so
    its wait counts as a breakdown of the post alone."""
    taken, of, reply = post.taken, len(post.messages), move.reply or None
    if move.state is DeliveryState.SENT and post.has_more:
        reason = f"{taken + 1} of {of} messages posted"
        state = DeliveryState.DEFERRED
        return replace(move, state=state, reason=reason, reply=reply, next_at=now)
    if taken and move.state in (DeliveryState.FAILED, DeliveryState.UNKNOWN):
        reason = f"{taken} of {of} messages were posted, then: {move.reason}"
        return replace(move, reason=reason, reply=reply)
    is_unreached = move.state is DeliveryState.DEFERRED and move.code is None
    return replace(move, reply=reply, breakdown=is_unreached)
