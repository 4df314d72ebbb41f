"""Pace a delivery run: decide when to claim again, collect feedback, and alert on a dead relay.

The database decides which messages may leave; the pacer caches that, to avoid useless claims.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from paperround.core.interfaces import Clock
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.model import Outcome, Phase
from paperround.delivery.queues import SendContext
from paperround.delivery.rate_state import Pace, Pacing, is_taken
from paperround.delivery.replies import (
    CERTIFICATE,
    NO_LOGIN,
    NO_SESSION,
    NO_STARTTLS,
    POLICY,
    RECIPIENTS_REFUSED,
    REFUSALS,
    blame_us,
    is_opening,
    refusal_of_recipient,
    verdict,
)
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import DOMAIN, RELAY, Gate, PaceStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import Alert

LINGER = timedelta(seconds=2)
"""How long a batch stays open for the next message that may leave."""

LONGEST_WAIT = timedelta(minutes=10)
"""A token that is further away is left to the next scheduler run."""

LONGEST_SLEEP = timedelta(seconds=1)
"""The longest wait before checking whether other messages must go first."""

MOMENT = timedelta(milliseconds=10)


@dataclass(slots=True)
class _QueueSlots:
    """When to check deferred messages of a queue again, and when to claim next."""

    slots: list[datetime] = field(default_factory=list)
    next_claim: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """Return the time until the next slot, the longest possible when there is none."""
        return min(self.slots) - now if self.slots else timedelta.max


@dataclass(slots=True)
class Pacer:
    """The pace of one delivery run, unlimited without `pacing`.

    `sleep` waits for some seconds and returns whether to stop. Each queue (`first` or not) has its
    own slots, so waiting digests do not delay a new system email.
    """

    pacing: Pacing | None
    clock: Clock
    sleep: Callable[[float], bool]
    stopped: str | None = None
    _outcomes: list[Outcome] = field(default_factory=list)
    _queues: dict[bool, _QueueSlots] = field(
        default_factory=lambda: {True: _QueueSlots(), False: _QueueSlots()}
    )
    _is_troubled: bool = False
    _probes_after: str = ""
    _paced_until: dict[str, datetime] = field(default_factory=dict)
    _holds: dict[str, datetime] = field(default_factory=dict)

    # --- claiming ------------------------------------------------------------------------------

    def is_early(self, now: datetime, *, first: bool) -> bool:
        """Whether it is too early for a claim to find anything."""
        next_claim = self._queues[first].next_claim
        return next_claim is not None and now < next_claim

    @contextmanager
    def gate(self, work: Transaction, *, first: bool, now: datetime) -> Iterator[Gate | None]:
        """Yield the gate for a claim in this transaction, None without limits."""
        gate = work[PaceStore].open(self.pacing, first=first, now=now) if self.pacing else None
        yield gate
        if gate is not None:
            gate.close()

    def claimed(self, gate: Gate | None, *, rows: int, first: bool, now: datetime) -> None:
        """Record a claim that returned `rows` rows."""
        if gate is None:
            return
        self._is_troubled, self._probes_after = gate.is_troubled, gate.probes_after
        queue = self._queues[first]
        queue.slots = [one for one in [*queue.slots, *gate.slots] if one > now]
        is_done = gate.is_full or not rows
        queue.next_claim = min([*queue.slots, now + LONGEST_SLEEP]) if is_done else None
        if gate.rests_until is not None:
            until = format_instant(gate.rests_until)
            self.stopped = f"sending to the relay is paused until {until}: {gate.reason}"

    def keeps_open(self, *, first: bool, in_flight: int) -> bool:
        """Whether the batch should stay open because more of the queue may leave soon."""
        queue = self._queues[first]
        if in_flight:
            return bool(queue.slots) or self._is_troubled
        return queue.wait(self.clock.now()) <= LINGER

    def wait_for_slot(self, *, first: bool) -> bool:
        """Wait for the queue's next slot. Returns False when this process was asked to stop."""
        return self._sleep(self._queues[first].wait(self.clock.now()))

    def wait_for_slots(self) -> bool:
        """Wait for a while if messages of either queue may leave soon. Returns whether they may."""
        now = self.clock.now()
        wait = min(queue.wait(now) for queue in self._queues.values())
        return self.stopped is None and wait <= LONGEST_WAIT and self._sleep(wait)

    def _sleep(self, wait: timedelta) -> bool:
        return not self.sleep(min(max(wait, MOMENT), LONGEST_SLEEP).total_seconds())

    # --- feedback ------------------------------------------------------------------------------

    def read_probe(self, outcome: Outcome) -> Outcome:
        """Return the outcome of a message. While the relay is probed, the refusal of a recipient is
        one of us if the relay paused for the same, else clearly one of the recipient."""
        if not self._probes_after or refusal_of_recipient(outcome, "") is None:
            return outcome
        ours = blame_us(outcome)
        is_same = verdict(ours).reason == self._probes_after
        return ours if is_same else replace(outcome, verdict=verdict(outcome))

    def has_slots(self, *, first: bool) -> bool:
        """Whether deferred messages of the queue wait for a slot."""
        return bool(self._queues[first].slots)

    def add_outcome(self, outcome: Outcome, address: str) -> None:
        """Record the outcome of a message to `address`. If all is well, an accepted message changes
        nothing."""
        if self.pacing is None:
            return
        self._is_troubled = self._is_troubled or not is_taken(outcome)
        if self._is_troubled:
            self._outcomes.append(outcome)
        if not self.pacing.is_limited:
            return
        domain = address.rpartition("@")[2]
        self._add_to_pace(RELAY, self.pacing.relay)
        self._add_to_pace(DOMAIN + domain, self.pacing.domains.of(domain))

    def _add_to_pace(self, name: str, pace: Pace) -> None:
        """Count a message against the pace. A server that stalled and then accepted several at once
        gets no more until their spacing is over."""
        if pace.spacing:
            now = self.clock.now()
            paced_until = max(now, self._paced_until.get(name, now))
            self._paced_until[name] = paced_until + pace.spacing
            if paced_until > now:
                self._holds[name] = paced_until

    def feedback(self) -> "PendingFeedback":
        """Return the feedback to store now."""
        return PendingFeedback(outcomes=tuple(self._outcomes), holds=dict(self._holds))

    def drop_feedback(self, stored: "PendingFeedback") -> None:
        """Drop feedback that was stored."""
        del self._outcomes[: len(stored.outcomes)]
        self._holds.clear()


def make_pacer(context: SendContext) -> Pacer:
    """Return a pacer for a run."""
    return Pacer(pacing=context.pacing, clock=context.clock, sleep=context.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFeedback:
    """Feedback to store: outcomes, and until when to hold the relay or a domain."""

    outcomes: Sequence[Outcome]
    holds: Mapping[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.holds)

    def write(self, work: Transaction, *, now: datetime) -> None:
        """Store the feedback in a transaction. What waited for the relay is due once it answers."""
        was_gone = bool(self.outcomes) and unreached(work, now=now) is not None
        if self.outcomes:
            work[PaceStore].record_outcomes(self.outcomes, now=now)
        if self.holds:
            work[PaceStore].hold(self.holds, now=now)
        if any(is_opening(one.phase) for one in self.outcomes):
            work[SlotStore].beat(FAILED, now=now)
        elif was_gone:
            work[PaceStore].retry_now(now=now)


def retry_unreached(database: Database, *, now: datetime) -> None:
    """Try the emails that wait for the relay at once: an operator may have repaired it."""
    write(database, lambda work: work[PaceStore].retry_now(now=now))


UNANSWERED = "unanswered"
SILENCE = timedelta(minutes=2)
"""A relay that answers no email for this long is reported."""
FAILED = "relay/no-session"
"""The name of the stored instant at which an email last got no session."""

LATELY = timedelta(hours=2)
"""An older failure is over: a deferred email is retried within 72 minutes, so none waits."""


_LOGIN_REFUSED = f"{Phase.AUTH}-refused"


def is_login_refused(reason: str) -> bool:
    """Whether the relay answered, but refuses the user or the password."""
    return reason.startswith(_LOGIN_REFUSED)


WRONG_PORT = (
    "no mail server answers there: check the port; one that begins with TLS, usually 465, needs "
    "smtps://"
)
_MAY_SEND = (
    "let this machine send through that relay: it accepts known networks, or the user and password "
    "in PAPERROUND_SMTP_URL"
)
_ADVICE = {
    "WRONG_VERSION_NUMBER": "this port does not begin with TLS: write "
    "smtp://user:password@host:587?starttls=required, or smtps:// with the port for TLS, "
    "usually 465",
    NO_STARTTLS: "it offers no TLS at this port: write smtps:// with the port for TLS, usually 465",
    NO_LOGIN: "it offers no log-in at this port: remove user:password, or use its port for "
    "submission, usually smtps:// with 465",
    "timeout": WRONG_PORT,
    "without a reply code": WRONG_PORT,
    CERTIFICATE: "its certificate must be valid for that name; if a private authority signed it, "
    "add `?ca=FILE` with the certificate of that authority, or name the file in SSL_CERT_FILE",
    _LOGIN_REFUSED: "check the user and password; characters such as @ : / must be percent-encoded "
    "(`%40`)",
    **dict.fromkeys(
        REFUSALS,
        "the relay must let this account send as PAPERROUND_MAIL_FROM; SPF, DKIM and DMARC must be "
        "correct",
    ),
}
"""The way out by a word in a reason; the first that matches counts."""
CHECK_PORT = "check the name and port, that it is running, and that no firewall blocks it"


def relay_advice(reason: str) -> str:
    """Return what to change for this reason of a failed session; empty if that is unknown."""
    word, _, code = reason.partition(": ")
    # Without an enhanced code, a policy is about this machine.
    if word == RECIPIENTS_REFUSED or (word == POLICY and " " not in code):
        return _MAY_SEND
    return next((advice for word, advice in _ADVICE.items() if word in reason), "")


def describe_unreached(reason: str) -> str:
    """Return why email does not leave through the relay and what to do, for an operator."""
    advice = relay_advice(reason)
    return _unreached(reason) + (f" ({advice})" if advice else "")


def _unreached(reason: str) -> str:
    if is_login_refused(reason):
        return f"the relay refuses the user or password of PAPERROUND_SMTP_URL: {reason}"
    if reason.partition(":")[0] in REFUSALS:
        return f"the relay refuses our email: {reason}"
    if reason.startswith(UNANSWERED):
        return f"the relay does not answer: {reason.partition(': ')[2]}"
    return f"the relay cannot be reached: {without_code(reason)}"


def without_code(reason: str) -> str:
    """Return the reason without the code that only says that there was no session."""
    return reason.removeprefix(f"{NO_SESSION}: ")


def unreached(work: Transaction, *, now: datetime) -> str | None:
    """Return why email does not leave through the relay: it refuses us, cannot be reached or does
    not answer. None if all is well, or nothing was tried for two hours."""
    relay = work[PaceStore].relay()
    tried = relay.rests_until if relay.is_probing else work[SlotStore].last_beat(FAILED)
    if relay.reason and tried is not None and now - tried <= LATELY:
        return relay.reason
    count, since = work[PaceStore].unanswered(until=now - SILENCE, now=now)
    minutes = 0 if since is None else (now - since) // timedelta(minutes=1)
    mails = counted(count, "email")
    return f"{UNANSWERED}: {mails} unanswered for {minutes} minutes" if count else None


def relay_alerts(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """Yield an alert, one for each cause, if the relay refuses us or cannot be reached."""
    relay, reason = work[PaceStore].relay(), unreached(work, now=now)
    reason = relay.reason if relay.is_probing else reason
    if not reason:
        return
    problem = _unreached(reason)
    is_refusal = reason.partition(":")[0] in REFUSALS
    code = f"refused/{reason.rpartition(' ')[2]}" if is_refusal else "unreached"
    waiting = work[Ledger].totals(now=now).deferred + work[NoticeLedger].totals(now=now).deferred
    mails = f"{counted(waiting, 'email')} {'waits' if waiting == 1 else 'wait'}"
    retried = "Each is retried automatically, digests for 20 hours."
    if relay.is_probing:
        when = f"after {format_instant(relay.rests_until)}" if relay.rests_until else "next"
        retried = f"One email is tried {when}; once it is accepted, the others follow."
    advice = relay_advice(reason) or CHECK_PORT
    yield Alert(
        key=f"{code}/{now:%Y-%m-%d}",
        subject=f"{problem[0].upper()}{problem[1:]}",
        lines=(
            f"{mails}, and no reader was unsubscribed.",
            retried,
            f"{advice[0].upper()}{advice[1:]}.",
            "`paperround doctor` checks; docs/operating.md explains the codes.",
        ),
        stops_mail=True,
    )
