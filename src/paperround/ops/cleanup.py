"""Send one reminder, and delete unconfirmed sign-ups, finished address changes, leftovers of erased
people and counts that are no longer needed."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.access.idempotency import KEPT_ANSWERS
from paperround.access.operators import forget_ended
from paperround.access.store import AnswerStore
from paperround.bounces.model import KEPT_EVENTS, KEPT_QUARANTINED
from paperround.bounces.store import ReturnStore
from paperround.db.limits import RateStore
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.model import Identity
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import CONFIRM_VALID, UNCONFIRMED_LIFE, SystemMailKind
from paperround.editions.store.editions import EditionStore
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.cluster import PERIODS, forget_dead_processes
from paperround.ops.plugin_jobs import plugin_jobs
from paperround.ops.retention import KEEP, Retention
from paperround.ops.stats import record_people
from paperround.ops.store import OldAudit
from paperround.papers.enrichment import WATCHED
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.references import ReferenceStore
from paperround.ranking.learn import NIGHTS, TRIES
from paperround.signup.confirm import confirmations, reminder_key
from paperround.signup.limits import count_reminder
from paperround.signup.requests import POW
from paperround.signup.tally import REMINDED, count_signup
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore

log = logging.getLogger(__name__)

REMIND_AFTER = timedelta(hours=24)
"""Age at which an unclicked confirmation gets one reminder, on a day without other messages."""

KEPT_COUNTS = timedelta(days=8)
KEPT_PACES = timedelta(days=2)
"""How long the rate state of a domain without mail is kept: its pause lasts an hour at most."""

KEPT_SLOTS = timedelta(days=400)
KEPT_NAMES = timedelta(days=28)
"""The names of the papers of a run are needed for days, their number for a year."""

KEPT_TAILS = timedelta(days=3)
"""Digests are planned from editions of the last two days."""

KEPT_WORK = timedelta(hours=2)
"""A solved proof of work is valid for an hour, and only once."""

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupReport:
    """How many people were reminded and deleted, and how many rows of deleted people were."""

    reminded: int = 0
    forgotten: int = 0
    orphans: int = 0


def clean_up(
    *, database: Database, identity: Identity, keep: Retention = KEEP, now: datetime
) -> CleanupReport:
    """Clean up, unless a process already did so in this hour; return what was done."""

    def clean(work: Transaction) -> CleanupReport:
        if not work[SlotStore].take("house", now.strftime("%Y-%m-%dT%H"), now=now):
            return CleanupReport()
        work[RateStore].forget(before=now - KEPT_COUNTS)
        work[PaceStore].forget(before=now - KEPT_PACES)
        work[FeedStore].forget_runs(before=now - keep.runs)
        work[OldAudit].forget(before=now - keep.audit, limit=PAGE)
        work[PaperStore].forget_counts(before=now - keep.observations, limit=PAGE)
        work[FeedStore].forget_names(before=now - KEPT_NAMES)
        work[EditionStore].forget_tails(before=now - KEPT_TAILS)
        work[ReferenceStore].forget(before=now - WATCHED)
        for kind in ("house", "alert", "beat", "seen", NIGHTS, TRIES):
            work[SlotStore].forget(kind, before=now - KEPT_SLOTS)
        for kind in ("returns", "relay", PERIODS):
            work[SlotStore].forget(kind, before=now - KEPT_WORK)
        forget_dead_processes(work, now=now)
        work[ReturnStore].forget(events=now - KEPT_EVENTS, mails=now - KEPT_QUARANTINED)
        work[SlotStore].forget(POW, before=now - KEPT_WORK)
        work[AnswerStore].forget(before=now - KEPT_ANSWERS)
        forget_ended(work, now=now)
        work[RequestStore].forget_old(before=now - UNCONFIRMED_LIFE)
        work[NoticeLedger].forget_moves(before=now - CONFIRM_VALID, limit=PAGE)
        for one in plugin_jobs():
            one.clean_up(work)
        report = CleanupReport(
            reminded=_remind(work, identity, now),
            forgotten=work[SubscriberStore].forget_unconfirmed(before=now - UNCONFIRMED_LIFE),
            orphans=work[Erasure].forget_orphans(now=now),
        )
        record_people(work, now=now)
        return report

    done = write(database, clean)
    if done.orphans:
        log.warning("removed %d rows of people who were erased or are gone", done.orphans)
    return done


def _remind(work: Transaction, identity: Identity, now: datetime) -> int:
    """Queue one reminder for each subscription whose confirmation link works; return how many."""
    between, reminded = (now - CONFIRM_VALID, now - REMIND_AFTER), 0
    for person, subscription in work[SubscriberStore].unconfirmed(between=between, limit=PAGE):
        key, sent = reminder_key(subscription), confirmations(work, subscription)[-1:]
        if not sent or sent[0].used_at is not None or work[NoticeLedger].find(key):
            continue
        if count_reminder(work, identity.keys, person.address, now=now):
            kind, payload = SystemMailKind.REMINDER, sent[0].payload
            notice = new_notice(identity, kind, key, person.id, None, payload, now=now)
            if work[NoticeLedger].put(notice, now=now):
                reminded += 1
                count_signup(work, REMINDED, subscription.list_id, now=now)
    return reminded
