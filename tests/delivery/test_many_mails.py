"""Whole days of many readers with the real composer: bad mails fail alone, with their reason, and
nothing of one reader is in the mail of another."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.core.tokens import read_token
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import MOST_BREAKDOWNS, Envelope, Outcome, Phase, Reply
from paperround.delivery.status import MailRecord
from paperround.delivery.store.status import StatusStore
from paperround.digests.model import DigestMail
from paperround.digests.render.composer import MailRenderer
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.model import DeliveryState
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.publishing import send
from tests.fakes import SENDER_IDENTITY, Neighbours, ScriptedMailer, accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

TOPICS = 12


class Spoilt(MailRenderer):
    """The composer, handed a paper that no template can show and an address no header can hold."""

    tries = 0

    def compose(self, mail: DigestMail) -> bytes:
        if mail.recipient == "ada@example.org":
            self.tries += 1
            first, *others = mail.view.papers
            spoilt = replace(first, links={"abstract": 7})  # type: ignore[dict-item]
            mail = replace(mail, view=replace(mail.view, papers=(spoilt, *others)))
        if mail.recipient == "grace@example.org":
            mail = replace(mail, recipient="grâce@example.org")
        return super().compose(mail)


def post(
    database: SqlDatabase,
    renderer: MailRenderer,
    script: Callable[[Envelope], Outcome] = accepting,
    *,
    later: timedelta = timedelta(0),
) -> DeliveryContext:
    return DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=database,
        mailer=ScriptedMailer(script),
        renderer=renderer,
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=FixedClock(NOW + later),
        processes=Neighbours(),
        lease=timedelta(seconds=900),
        jitter=Random(1),  # noqa: S311 - the same waits in every run
    )


def plan(database: SqlDatabase, readers: int, *others: str) -> None:
    """Readers with one of a dozen topics each, so that few get the same papers for one reason."""
    fill(database, [record(n, title=f"On subject{n % TOPICS}, part {n}") for n in range(30)])
    for topic in range(TOPICS):
        wish = Preferences(topics=(f"subject{topic}",), size=3 + topic % 4)
        names = [f"reader{n}" for n in range(topic, readers, TOPICS)]
        subscribe(database, *names, wish=wish)
    subscribe(database, *others)
    send(database)


def what_became_of(database: SqlDatabase, name: str) -> MailRecord:
    with database.reading() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        (person,) = (one for one, _ in people if one.address == f"{name}@example.org")
        (only,) = work[StatusStore].mails(person.id, limit=2)
    return only


@pytest.mark.slow
@pytest.mark.accept("R10", part="end to end")
def test_of_a_thousand_readers_three_cannot_be_served_and_997_are(database: SqlDatabase) -> None:
    plan(database, 997, "ada", "alan", "grace")
    renderer, dots = Spoilt(SENDER_IDENTITY), []

    def refusing_alan(envelope: Envelope) -> Outcome:
        dots.append(envelope.recipient)
        if envelope.recipient == "alan@example.org":
            no = Reply(554, "5.6.0", "not this content")
            return Outcome(id=envelope.id, phase=Phase.DOT, reply=no)
        return accepting(envelope)

    for hour in range(MOST_BREAKDOWNS + 2):
        later = timedelta(hours=2 * hour)
        report = deliver(post(database, renderer, refusing_alan, later=later))
    assert report.totals == LedgerTotals(sent=997, failed=3)
    assert len(dots) == len(set(dots)) == 998
    assert renderer.tries == MOST_BREAKDOWNS
    ada, alan, grace = (what_became_of(database, name) for name in ("ada", "alan", "grace"))
    assert {one.state for one in (ada, alan, grace)} == {DeliveryState.FAILED}
    assert "Error: " in ada.reason
    assert (alan.code, grace.code) == (554, None)
    assert "554" in alan.reason
    assert grace.reason.startswith("rendering: the recipient's address")


@pytest.mark.slow
@pytest.mark.accept("R12")
def test_of_2000_captured_mails_none_holds_an_address_or_token_of_another(
    database: SqlDatabase,
) -> None:
    plan(database, 2000)
    one = post(database, MailRenderer(SENDER_IDENTITY))
    assert deliver(one).totals == LedgerTotals(sent=2000)
    assert isinstance(one.mailer, ScriptedMailer)
    bodies = set()
    for envelope in one.mailer.offered:
        content = envelope.content.decode("ascii").replace("=\r\n", "")
        assert set(re.findall(r"reader\d+@example\.org", content)) == {envelope.recipient}
        links = re.findall(r"/(?:unsubscribe|preferences|feedback)/([\w-]{40})", content)
        rows = {parts.row for parts in map(read_token, links) if parts is not None}
        assert rows == {envelope.id}
        assert len(set(links)) == 1
        bodies.add(content.replace(links[0], "").partition("\r\n\r\n")[2])
    assert len(bodies) >= TOPICS


@pytest.mark.postgres
@pytest.mark.accept("R13", part="personal mails")
def test_a_retry_in_another_process_sends_the_very_same_mails(database: SqlDatabase) -> None:
    plan(database, 60)

    def later(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.RCPT, reply=Reply(451, "4.7.1", "later"))

    first = post(database, MailRenderer(SENDER_IDENTITY), later)
    deliver(first)
    again = post(database, MailRenderer(SENDER_IDENTITY), later=timedelta(minutes=10))
    assert deliver(again).totals == LedgerTotals(sent=60)
    assert isinstance(first.mailer, ScriptedMailer)
    assert isinstance(again.mailer, ScriptedMailer)
    before = {one.id: one.content for one in first.mailer.offered}
    assert {one.id: one.content for one in again.mailer.offered} == before
