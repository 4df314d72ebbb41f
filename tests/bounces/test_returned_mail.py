"""Mails that come back: taken in one by one, kept where nobody understood them, mended."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine, select, update

from paperround.bounces.intake import Intake, ReturnReader, process_mailbox, process_message
from paperround.bounces.model import ReportKind, ReturnedEvent
from paperround.bounces.store import ReturnStore
from paperround.core.errors import DatabaseFailed, InvalidInput
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.model import Evidence
from paperround.delivery.return_path import tagged
from paperround.self_service.erasure import erase_address
from paperround.subscribers.imports import lift
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.bounces.bouncing import feedback_report, letter, postfix_report
from tests.bounces.returning import ALAN_STOPPED, ALL_ACTIVE, BOUNCES, DAYS, KEYS, Town
from tests.builders import address
from tests.sample_database import NOW
from tests.self_service.readers import signup_context


@pytest.fixture
def town(database: SqlDatabase) -> Town:
    return Town(database)


# --- mails, one by one ---------------------------------------------------------------------------


def intake(database: Database, reader: ReturnReader | None = None) -> Intake:
    return Intake(database=database, keys=KEYS, reader=reader or ReturnReader(BOUNCES))


def report_for(town: Town, name: str, **changes: str) -> bytes:
    mail = town.mails[name]
    content = f"Message-ID: {mail.message_id}\r\nSubject: papers\r\n\r\nPapers.\r\n".encode()
    return postfix_report(content, sender=mail.sender, recipient=mail.recipient, **changes)


@pytest.mark.accept("F36", part="pipe")
def test_a_delivery_report_stops_its_reader_once(town: Town) -> None:
    raw = report_for(town, "alan")
    assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "stopped"
    assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "known"
    assert town.states == ALAN_STOPPED


@pytest.mark.accept("F36", part="complaints")
def test_a_feedback_report_to_any_address_of_ours_counts(town: Town) -> None:
    mail = town.mails["alan"]
    copy = f"Message-ID: {mail.message_id}\r\nSubject: papers\r\n\r\n".encode()
    raw = feedback_report(copy, to="abuse@example.org", sender=mail.sender)
    assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "complained"


@pytest.mark.accept("F36", part="quarantine")
def test_what_is_not_understood_waits_for_a_person(town: Town) -> None:
    raw = letter(to=tagged(BOUNCES, town.tag("alan")), subject="Delivery?", words="Zut alors.")
    assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "quarantined"
    with town.database.reading() as work:
        (mail,) = work[ReturnStore].waiting(limit=9)
    assert mail.why == "not-understood"


def test_hard_words_without_proof_are_kept_for_a_person(town: Town) -> None:
    raw = postfix_report(b"Subject: x\r\n\r\n", sender=BOUNCES, recipient="alan@example.org")
    assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "unknown"
    with town.database.reading() as work:
        assert [one.why for one in work[ReturnStore].waiting(limit=9)] == ["unproven"]
    assert town.states == ALL_ACTIVE


@pytest.mark.postgres
@pytest.mark.accept("P2", part="returned mails")
def test_an_erased_reader_is_in_no_mail_that_is_kept(town: Town, engine: Engine) -> None:
    raw = letter(to=tagged(BOUNCES, town.tag("alan")), subject="Hm", sender="alan@example.org")
    process_message(intake(town.database), raw, way="pipe", now=NOW)
    town.receive(town.event("alan"))
    erase_address(
        signup_context(town.database), address("alan", "example.org"), now=NOW, suppress=False
    )
    with engine.connect() as connection:
        said = connection.execute(select(db.returned.c.said)).scalars().all()
        kept = connection.execute(select(db.quarantine.c.content)).scalars().all()
    assert (set(said), kept) == ({None}, [])
    assert town.suppressions() == ["gone"]


@pytest.mark.postgres
@pytest.mark.accept("P2", part="returned mails")
def test_a_mail_of_nobody_knows_whom_goes_with_the_reader_it_names(town: Town) -> None:
    for name in ("Alan", "ada"):
        raw = postfix_report(b"Subject: x\r\n\r\n", sender=BOUNCES, recipient=f"{name}@Example.org")
        assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "unknown"
    erase_address(
        signup_context(town.database), address("alan", "example.org"), now=NOW, suppress=False
    )
    with town.database.reading() as work:
        (left,) = work[ReturnStore].waiting(limit=9)
        kept = work[ReturnStore].quarantined(left.id)
    assert kept is not None
    assert b"ada@Example.org" in kept[1]


@pytest.mark.postgres
@pytest.mark.accept("P2", part="returned mails")
def test_what_comes_back_after_somebody_was_erased_is_not_kept(town: Town, engine: Engine) -> None:
    erase_address(
        signup_context(town.database), address("alan", "example.org"), now=NOW, suppress=False
    )
    report = report_for(town, "alan", said="550 5.1.1 alan is no user here")
    note = letter(to=tagged(BOUNCES, town.tag("alan")), subject="Hm", sender="alan@example.org")
    for raw in (report, note):
        assert process_message(intake(town.database), raw, way="pipe", now=NOW) == "noted"
    with engine.connect() as connection:
        said = connection.execute(select(db.returned.c.said)).scalars().all()
        kept = connection.execute(select(db.quarantine.c.content)).scalars().all()
    assert (said, kept) == ([None, None], [])


class Box:
    """A mailbox of some mails."""

    def __init__(self, *raws: bytes) -> None:
        self.waiting = list(raws)

    def read(self) -> Iterator[bytes]:
        for raw in list(self.waiting):
            yield raw
            self.waiting.remove(raw)


class Choking(ReturnReader):
    """Reads every mail but one."""

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        if raw == b"poison":
            raise RecursionError("too deep")
        return super().read(raw, way=way, to=to, now=now)


@pytest.mark.accept("F36", part="mailbox")
def test_a_poisonous_mail_keeps_no_other_back(town: Town) -> None:
    box = Box(b"poison", report_for(town, "alan"))
    done = process_mailbox(intake(town.database, Choking(BOUNCES)), box.read(), now=NOW)
    assert done == Counter(quarantined=1, stopped=1)
    assert box.waiting == []
    with town.database.reading() as work:
        (mail,) = work[ReturnStore].waiting(limit=9)
        kept = work[ReturnStore].quarantined(mail.id)
    assert kept == (mail, b"poison")
    assert mail.why == "unreadable"


def test_a_poisonous_mail_by_pipe_is_taken_and_kept(town: Town) -> None:
    choking = intake(town.database, Choking(BOUNCES))
    assert process_message(choking, b"poison", way="pipe", now=NOW) == "quarantined"
    assert process_message(choking, b"poison", way="pipe", now=NOW) == "known"


class Failing(Choking):
    """The database fails at the second mail."""

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        if raw == b"poison":
            raise DatabaseFailed("the database failed: disk full")
        return super().read(raw, way=way, to=to, now=now)


@pytest.mark.accept("F36", part="mailbox")
def test_a_mail_leaves_the_mailbox_only_once_it_is_written_down(town: Town) -> None:
    last = report_for(town, "ada")
    box = Box(report_for(town, "alan"), b"poison", last)
    with pytest.raises(DatabaseFailed):
        process_mailbox(intake(town.database, Failing(BOUNCES)), box.read(), now=NOW)
    assert box.waiting == [b"poison", last]
    assert town.states == ALAN_STOPPED


# --- mending -------------------------------------------------------------------------------------


@pytest.mark.accept("F36", part="mending")
def test_a_reader_who_was_stopped_wrongly_gets_digests_again(town: Town, engine: Engine) -> None:
    town.receive(town.event("alan"), town.event("ada", evidence=Evidence.PASSING))
    with engine.begin() as connection:
        connection.execute(update(db.subscriptions).values(due_at=NOW - 9 * DAYS))
    with town.database.writing() as work:
        alan = address("alan", "example.org")
        assert lift(work, KEYS, alan, now=NOW, resume=True)
        known = work[SubscriberStore].find(alan)
        assert known is not None
        assert not work[ReturnStore].score(known.id).points
        (again,) = work[SubscriberStore].unscheduled(limit=9)
    assert town.states == ALL_ACTIVE
    assert again.subscriber_id == known.id


@pytest.mark.accept("F36", part="complaints")
def test_who_complains_after_a_mail_came_back_is_not_resumed(town: Town) -> None:
    town.receive(town.event("alan"))
    complaint = town.event(
        "alan", event_id="c", kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT
    )
    assert town.receive(complaint) == Counter(complained=1)
    again = replace(complaint, event_id="d")
    assert town.receive(again, replace(town.event("alan"), event_id="e")) == Counter(noted=2)
    assert town.suppressions() == ["complaint"]
    with pytest.raises(InvalidInput, match="to resume"), town.database.writing() as work:
        lift(work, KEYS, address("alan", "example.org"), now=NOW, resume=True)


def test_nobody_else_is_resumed(town: Town) -> None:
    town.receive(town.event("alan", kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT))
    for name in ("alan", "ada"):
        with pytest.raises(InvalidInput, match="to resume"), town.database.writing() as work:
            lift(work, KEYS, address(name, "example.org"), now=NOW, resume=True)
    assert town.states == ALAN_STOPPED
    assert town.suppressions() == ["complaint"]
