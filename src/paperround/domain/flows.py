"""How mail goes over a relay or to a domain: the next slot, and its rests. Pure.

5 put off in a row, or one 421 ─► the domain rests: 1 min, doubling to 15, then one probe
10 refusals of us in a row ─► the relay rests: 5 min, doubling to 60, then one probe
one accepted ─► it goes on, and the rests are forgotten
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paperround.domain.deliveries import DeliveryState, Outcome, Verdict
from paperround.domain.replies import is_opening, speaks_against_us

NO_REST = timedelta(0)

MOST_PUT_OFF = 5
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=15)

MOST_REFUSALS_OF_US = 10
"""Refusals of us (policy, sender, login, what the mail says) in a row after which a relay rests: it
wants none of our mail, and asking it another thousand times makes that worse."""

FIRST_REST_OF_RELAY = timedelta(minutes=5)
LONGEST_REST_OF_RELAY = timedelta(minutes=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Mail on its way over a relay, or to one domain.

    `free_at` is the next slot, `lined_up_to` the moment up to which mails were put off. `refused`
    counts refusals in a row. After `rest` the next try is a probe; `reason` is why it rests, or
    gave no session.
    """

    free_at: datetime | None = None
    lined_up_to: datetime | None = None
    refused: int = 0
    rest: timedelta = NO_REST
    rests_until: datetime | None = None
    reason: str = ""

    def rests(self, now: datetime) -> bool:
        """Whether nothing may leave now. A rest that seems longer than any was set by a clock that
        was wrong."""
        if self.rests_until is None:
            return False
        return timedelta(0) < self.rests_until - now <= LONGEST_REST_OF_RELAY

    @property
    def is_probing(self) -> bool:
        """Whether it rested, and nothing was accepted since."""
        return self.rest > NO_REST


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an outcome says of a road: `domain` is where the mail went. `no_session`: the relay
    could not be reached, or took no mail at all."""

    domain: str
    accepted: bool = False
    put_off: bool = False
    told_to_rest: bool = False
    refuses_us: bool = False
    no_session: bool = False
    reason: str = ""


def answer_of(outcome: Outcome, verdict: Verdict, domain: str) -> Answer:
    """What `outcome` says. A session that did not come about says nothing of the domain, and a
    mail that failed for its reader's sake that the domain takes mail."""
    offered = not is_opening(outcome.phase)
    refuses_us = speaks_against_us(verdict)
    is_4xx = outcome.reply is not None and 400 <= outcome.reply.code <= 499
    heard = verdict.state in (DeliveryState.SENT, DeliveryState.FAILED)
    return Answer(
        domain=domain,
        accepted=offered and heard and not refuses_us,
        put_off=offered and is_4xx,
        told_to_rest=offered and verdict.blame.destination,
        refuses_us=refuses_us,
        no_session=not offered,
        reason=verdict.reason,
    )


def take_slot(flow: Flow, spacing: timedelta, moment: datetime) -> Flow:
    """`flow` after a mail that leaves at `moment`."""
    return replace(flow, free_at=moment + spacing) if spacing else flow


def domain_after(flow: Flow, answer: Answer, *, now: datetime) -> Flow:
    """A domain after `answer`."""
    if answer.accepted:
        return replace(flow, refused=0, rest=NO_REST, rests_until=None, reason="")
    if not answer.put_off:
        return flow
    refused = flow.refused + 1
    worse = replace(flow, refused=refused)
    if flow.rests(now) or not (answer.told_to_rest or flow.is_probing or refused >= MOST_PUT_OFF):
        return worse
    return _resting(worse, answer.reason, FIRST_REST, LONGEST_REST, now)


def relay_after(flow: Flow, answer: Answer, *, now: datetime) -> Flow:
    """The relay after `answer`. Its `reason` says why it gave no session, until it gives one."""
    if answer.accepted:
        return replace(flow, refused=0, rest=NO_REST, rests_until=None, reason="")
    if not flow.is_probing:
        flow = replace(flow, reason=answer.reason if answer.no_session else "")
    if not answer.refuses_us:
        return flow
    worse = replace(flow, refused=flow.refused + 1)
    if flow.rests(now) or not (flow.is_probing or worse.refused >= MOST_REFUSALS_OF_US):
        return worse
    return relay_rests(worse, answer.reason, now=now)


def relay_rests(flow: Flow, reason: str, *, now: datetime) -> Flow:
    """Let the relay rest, longer than the last time."""
    if flow.rests(now):
        return flow
    return _resting(flow, reason, FIRST_REST_OF_RELAY, LONGEST_REST_OF_RELAY, now)


def _resting(
    flow: Flow, reason: str, shortest: timedelta, longest: timedelta, now: datetime
) -> Flow:
    rest = min(max(shortest, flow.rest * 2), longest)
    return replace(flow, rest=rest, rests_until=now + rest, reason=reason)
