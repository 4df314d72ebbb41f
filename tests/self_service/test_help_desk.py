"""What an operator does for one person, on both databases, and what is noted of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from paperround.access.store import AuditStore
from paperround.bounces.model import Did, ReportKind
from paperround.bounces.store import ReturnStore
from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.core.rates import parse_rates
from paperround.db.transactions import Database
from paperround.delivery.model import Evidence
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.plan import Hours
from paperround.editions.model import DeliveryState
from paperround.ops.standing import standing_of
from paperround.ops.timeline import timeline
from paperround.self_service import adding, help_desk
from paperround.self_service.change_address import Agreed, agree
from paperround.self_service.help_desk import PersonRecord
from paperround.self_service.preferences import save_choices
from paperround.self_service.suppressions import add_suppression, lift_suppression
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.subscribers.imports import suppress
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import COMPLAINT, GONE, Preferences, SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, everything_kept, returned_event
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    FREE,
    HOURS,
    joined,
    link,
    post,
    request,
    request_link,
    second_list,
    signup_context,
    subscribe,
    visitor,
)

BY = "shell ada"
KEYS = IDENTITY.keys
LIMITED = replace(FREE, address=parse_rates("1/h"))


def number_of(database: Database, name: str = "alice") -> SubscriberId:
    return help_desk.person_number(database, address(name).written)


def reader(database: Database, name: str = "alice") -> tuple[SignupContext, SubscriberId]:
    here = signup_context(database)
    joined(here, name, planned=False)
    return here, number_of(database, name)


def record(database: Database, number: SubscriberId) -> PersonRecord:
    return help_desk.person_record(database, number, KEYS)


def says(database: Database, number: SubscriberId) -> str:
    found = standing_of(database, record(database, number), Hours(hour=7), now=NOW)
    return " ".join(found)


def noted(database: Database) -> list[tuple[str, str, str]]:
    """(actor, action, target) of the audit log, newest first."""
    with database.reading() as work:
        return [
            (one.actor, one.action, one.target)
            for one in work[AuditStore].page(before=None, limit=50)
        ]


def told(database: Database, number: SubscriberId) -> str:
    return "\n".join(one.text for one in timeline(database, number, limit=50))


def chosen(database: Database, number: SubscriberId) -> Preferences:
    [(_, subscription)] = record(database, number).subscriptions
    return subscription.preferences


# --- finding -----------------------------------------------------------------------------------


@pytest.mark.accept("F56", part="finding", mutant="a-search-is-not-audited")
def test_people_are_found_by_an_address_or_a_part_and_the_search_is_noted_without_it(
    database: Database,
) -> None:
    reader(database, "alice")
    reader(database, "malice")
    reader(database, "bob")
    for text, names in {"ALICE@mail": "alice malice", "bob@mail.example": "bob"}.items():
        found, more = help_desk.find_people(database, text, now=NOW, by=BY)
        assert [one.address.partition("@")[0] for one in found] == names.split()
        assert not more
    newest, _ = help_desk.find_people(database, " ", now=NOW, by=BY)
    assert [one.address.partition("@")[0] for one in newest] == ["bob", "malice", "alice"]
    assert newest[0].lists == {"trending": SubscriberState.ACTIVE}
    assert noted(database)[:3] == [(BY, "find person", "people")] * 3
    with database.reading() as work:
        assert "alice" not in repr(work[AuditStore].page(before=None, limit=50))


@pytest.mark.accept("F56", part="finding", mutant="a-percent-sign-finds-everybody")
@pytest.mark.parametrize("text", ["%%%", "___", "a%e@mail"])
def test_a_pattern_finds_nobody(database: Database, text: str) -> None:
    reader(database)
    assert help_desk.find_people(database, text, now=NOW, by=BY) == ([], False)


@pytest.mark.accept("F56", part="finding")
@pytest.mark.parametrize("text", ["ab", "  a ", "a\x00bc", "\ud800abc"])
def test_a_search_needs_three_characters_that_print(database: Database, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        help_desk.find_people(database, text, now=NOW, by=BY)
    assert refused.value.code == "email"


@pytest.mark.accept("F56", part="finding")
def test_at_most_fifty_people_are_shown(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(help_desk, "MOST_FOUND", 1)
    reader(database, "alice")
    reader(database, "malice")
    found, more = help_desk.find_people(database, "alice", now=NOW, by=BY)
    assert (len(found), more) == (1, True)


# --- adding ------------------------------------------------------------------------------------


@pytest.mark.accept("F56", part="adding", mutant="consent-forgets-who-vouched")
def test_who_added_somebody_and_on_what_ground_is_their_consent(database: Database) -> None:
    here = signup_context(database)
    number, outcome = adding.add_person(
        here, address(), "trending", ground="sheet", choices={"hour": 9}, now=NOW, by=BY
    )
    consent = record(database, number).person.consent
    assert outcome == "new"
    assert consent is not None
    assert (consent.at, consent.source) == (NOW, "sheet, added by shell ada")
    assert chosen(database, number).hour == 9
    assert noted(database) == [(BY, "add person", f"subscriber {number}")]


@pytest.mark.accept("F56", part="adding")
def test_with_a_confirmation_they_get_digests_once_they_confirm(database: Database) -> None:
    here = signup_context(database)
    choices = {"hour": 9, "interests": [Interest(InterestKind.KEYWORD, "graphs")]}
    number, outcome = adding.add_person(
        here, address(), "trending", ground="by mail", confirm=True, choices=choices, now=NOW, by=BY
    )
    assert outcome == "mailed"
    assert "have not confirmed" in says(database, number)
    [mail] = post(database)
    assert confirm(here, link(mail), now=NOW) is not None
    consent = record(database, number).person.consent
    assert consent is not None
    assert consent.source == "by mail, added by shell ada, confirmed by mail"
    assert (chosen(database, number).hour, len(record(database, number).interests)) == (9, 1)
    assert "gets digests daily at 09:00" in says(database, number)


@pytest.mark.accept("F56", part="adding")
@pytest.mark.parametrize("confirms", [False, True])
def test_a_suppressed_address_is_not_added(database: Database, confirms: bool) -> None:
    here = signup_context(database)
    add_suppression(database, KEYS, address(), reason="asked", now=NOW, by=BY)
    with pytest.raises(InvalidInput, match="suppressed"):
        adding.add_person(here, address(), "trending", ground="x", confirm=confirms, now=NOW, by=BY)


@pytest.mark.accept("S1", mutant="a-resend-has-no-limit")
@pytest.mark.accept("F56", part="adding", mutant="a-resend-has-no-limit")
def test_a_confirmation_is_sent_again_within_the_limits_of_sign_ups(database: Database) -> None:
    here = signup_context(database, LIMITED)
    subscribe(here, request("alice"), now=NOW)
    [first] = post(database)
    number = number_of(database)
    with pytest.raises(RateLimited):
        adding.resend_confirmation(here, number, now=NOW + HOURS / 2, by=BY)
    assert post(database, now=NOW + HOURS / 2) == []
    later = NOW + 2 * HOURS
    assert adding.resend_confirmation(here, number, now=later, by=BY) == "trending"
    [again] = post(database, now=later)
    assert (again.id, again.kind) == (first.id, SystemMailKind.CONFIRM)
    expired = NOW + 5 * DAYS
    adding.resend_confirmation(here, number, now=expired, by=BY)
    [fresh] = post(database, now=expired)
    assert fresh.id != first.id
    assert confirm(here, link(fresh), now=expired) is not None
    with pytest.raises(InvalidInput, match="nothing to confirm"):
        adding.resend_confirmation(here, number, now=expired, by=BY)


# --- choices and leaving -------------------------------------------------------------------------


@pytest.mark.accept("F56", part="choices", mutant="an-edit-skips-the-checks")
def test_choices_change_with_the_checks_of_the_readers_page(database: Database) -> None:
    here, number = reader(database)
    topics = {"topics": ["graphs"], "frequency": "weekly:tue", "size": 5}
    assert help_desk.edit_choices(here, number, topics, now=NOW, by=BY)
    after = chosen(database, number)
    assert (after.topics, after.frequency_text, after.size) == (("graphs",), "weekly:tue", 5)
    assert not help_desk.edit_choices(here, number, topics, now=NOW, by=BY)
    for field, wrong in {"hour": 24, "timezone": "Mars", "size": 999, "language": "?"}.items():
        with pytest.raises(InvalidInput) as refused:
            help_desk.edit_choices(here, number, {field: wrong}, now=NOW, by=BY)
        assert refused.value.code == field
    assert chosen(database, number) == after


@pytest.mark.accept("F56", part="choices", mutant="an-edit-writes-interests-down")
def test_an_edit_is_noted_by_field_without_what_a_person_is_interested_in(
    database: Database,
) -> None:
    here, number = reader(database)
    secret = Interest(InterestKind.KEYWORD, "unannounced merger")
    choices = {"hour": 9, "topics": ["rare disease"], "interests": [secret]}
    help_desk.edit_choices(here, number, choices, now=NOW, by=BY)
    with database.reading() as work:
        [entry] = work[AuditStore].page(before=None, limit=50)
    assert entry.details == {
        "list": "trending",
        "hour": "- -> 9",
        "topics": "0 -> 1",
        "interests": 1,
    }


@pytest.mark.accept("F56", part="choices")
def test_a_pause_lasts_until_its_day_and_can_be_ended(database: Database) -> None:
    here, number = reader(database)
    until = NOW.date() + timedelta(days=9)
    assert help_desk.pause_person(here, number, until, now=NOW, by=BY)
    assert f"no digest before {until}" in says(database, number)
    for wrong in (NOW.date(), date(2199, 1, 1)):
        with pytest.raises(InvalidInput) as refused:
            help_desk.pause_person(here, number, wrong, now=NOW, by=BY)
        assert refused.value.code == "until"
    assert help_desk.pause_person(here, number, None, now=NOW, by=BY)
    assert chosen(database, number).paused_until is None


@pytest.mark.accept("F56", part="choices")
def test_somebody_who_reads_two_lists_is_changed_on_the_one_that_is_named(
    database: Database, engine: Engine
) -> None:
    here = signup_context(database)
    second = second_list(engine)
    joined(here, planned=False)
    number = number_of(database)
    adding.add_person(here, address(), second, ground="sheet", now=NOW, by=BY)
    with pytest.raises(InvalidInput, match="trending, second") as refused:
        help_desk.edit_choices(here, number, {"hour": 9}, now=NOW, by=BY)
    assert refused.value.code == "list"
    assert help_desk.edit_choices(here, number, {"hour": 9}, list_name=second, now=NOW, by=BY)
    hours = {
        one.name: each.preferences.hour for one, each in record(database, number).subscriptions
    }
    assert hours == {"trending": None, "second": 9}
    left = help_desk.unsubscribe_person(here, number, list_name=second, now=NOW, by=BY)
    assert left == ["second"]
    assert "trending: gets digests" in says(database, number)
    assert "second: no email, because they unsubscribed" in says(database, number)


@pytest.mark.accept("F56", part="leaving")
def test_who_is_unsubscribed_gets_a_way_back(database: Database) -> None:
    here, number = reader(database)
    assert help_desk.unsubscribe_person(here, number, now=NOW, by=BY) == ["trending"]
    assert help_desk.unsubscribe_person(here, number, now=NOW, by=BY) == []
    [mail] = post(database)
    assert mail.kind is SystemMailKind.UNDO
    assert "they unsubscribed" in says(database, number)
    assert noted(database)[0] == (BY, "unsubscribe", f"subscriber {number}")


# --- moving --------------------------------------------------------------------------------------


@pytest.mark.accept("F56", part="moving", mutant="an-operator-moves-nobody-unasked")
def test_the_new_address_alone_agrees_to_a_move_by_an_operator(database: Database) -> None:
    here, number = reader(database)
    help_desk.move_person(here, number, address("new"), now=NOW, by=BY)
    [mail] = post(database)
    assert mail.address == address("new").mailed
    assert record(database, number).person.address == address().mailed
    assert agree(here, link(mail), now=NOW) is Agreed.MOVED
    assert record(database, number).person.address == address("new").mailed
    assert agree(here, link(mail), now=NOW) is Agreed.MOVED


@pytest.mark.accept("F56", part="moving")
def test_whom_a_bounce_stopped_gets_digests_again_at_the_new_address(database: Database) -> None:
    here, number = reader(database)
    with database.writing() as work:
        suppress(work, KEYS, address(), reason=GONE, now=NOW)
    assert "the address no longer exists" in says(database, number)
    help_desk.move_person(here, number, address("new"), now=NOW, by=BY)
    assert record(database, number).person.state is SubscriberState.UNSUBSCRIBED
    assert "digests resume there once they use it" in says(database, number)
    [mail] = post(database)
    agree(here, link(mail), now=NOW)
    assert record(database, number).person.state is SubscriberState.ACTIVE
    assert "gets digests" in says(database, number)


@pytest.mark.accept("F56", part="moving")
def test_nobody_moves_to_an_address_they_may_not_have(database: Database) -> None:
    here, number = reader(database)
    reader(database, "bob")
    add_suppression(database, KEYS, address("stopped"), reason="asked", now=NOW, by=BY)
    for name in ("alice", "bob", "stopped"):
        for unconfirmed in (False, True):
            with pytest.raises(InvalidInput) as refused:
                help_desk.move_person(
                    here, number, address(name), unconfirmed=unconfirmed, now=NOW, by=BY
                )
            assert refused.value.code == "email"
    with database.writing() as work:
        suppress(work, KEYS, address(), reason=COMPLAINT, now=NOW)
    with pytest.raises(InvalidInput, match="are suppressed"):
        help_desk.move_person(here, number, address("new"), now=NOW, by=BY)
    assert post(database) == []


@pytest.mark.accept("F56", part="moving")
def test_an_unconfirmed_move_is_at_once_and_says_so_in_the_audit(database: Database) -> None:
    here, number = reader(database)
    help_desk.move_person(here, number, address("new"), unconfirmed=True, now=NOW, by=BY)
    assert record(database, number).person.address == address("new").mailed
    with database.reading() as work:
        [entry] = work[AuditStore].page(before=None, limit=50)
    assert (entry.action, entry.details) == ("move person", {"how": "unconfirmed"})


# --- the timeline --------------------------------------------------------------------------------


@pytest.mark.accept("F56", part="timeline", mutant="a-timeline-leaves-out-what-came-back")
def test_a_timeline_tells_messages_answers_bounces_and_changes_newest_first(
    database: Database,
) -> None:
    here, number = reader(database)
    later = NOW + HOURS
    request_link(here, address(), visitor(), now=later)
    [mail] = post(database, now=later)
    save_choices(here, link(mail), Preferences(hour=9), now=later, interests=())
    with database.writing() as work:
        event = returned_event(kind=ReportKind.BOUNCE, evidence=Evidence.PASSING, happened_at=later)
        id_ = work[ReturnStore].begin(event, now=later)
        assert id_ is not None
        own = work[ReturnStore].mail_by_row("notice", mail.id)
        work[ReturnStore].end(id_, Did.NOTED, mail=own, said="mailbox full")
    help_desk.pause_person(here, number, later.date() + DAYS, now=later + HOURS, by=BY)
    events = timeline(database, number, limit=50)
    assert [one.at for one in events] == sorted((one.at for one in events), reverse=True)
    text = told(database, number)
    for sentence in (
        "They had choices changed (list trending, paused until default -> ",
        ", by shell ada.",
        "A message bounced: mailbox full.",
        "They changed their choices (list trending, hour default -> 9).",
        "The link to their choices that they requested was accepted by the mail server: 250.",
        "They confirmed with the link in an email.",
        "They agreed to get email: form, confirmed by mail.",
    ):
        assert sentence in text
    assert timeline(database, number, after=1, limit=2) == events[1:3]
    with pytest.raises(InvalidInput):
        timeline(database, number, after=2**62, limit=50)


@pytest.mark.accept("F56", part="timeline")
def test_an_event_about_a_message_names_it(database: Database) -> None:
    here = signup_context(database)
    subscribe(here, request("alice"), now=NOW)
    [mail] = post(database)
    events = timeline(database, number_of(database), limit=50)
    assert f"notice/{mail.id}" in [one.mail for one in events]


@pytest.mark.accept("F56", part="timeline")
def test_what_a_server_said_is_told_without_the_address(database: Database) -> None:
    here = signup_context(database)
    subscribe(here, request("alice"), now=NOW)
    post(database, ends=DeliveryState.FAILED)
    assert "was refused by the mail server" in told(database, number_of(database))


# --- exporting and erasing -----------------------------------------------------------------------


@pytest.mark.accept("F56", part="erasing", mutant="an-erasure-by-an-operator-is-not-noted")
@pytest.mark.accept("P2", mutant="an-erasure-by-an-operator-is-not-noted")
@pytest.mark.parametrize("suppressed", [False, True])
def test_who_is_erased_is_gone_from_every_table_also_when_they_get_no_mail(
    database: Database, suppressed: bool
) -> None:
    here, number = reader(database)
    wish = {"interests": [Interest(InterestKind.KEYWORD, "kilns")], "topics": ["pottery"]}
    help_desk.edit_choices(here, number, wish, now=NOW, by=BY)
    help_desk.move_person(here, number, address("new"), now=NOW, by=BY)
    with database.writing() as work:
        suppress(work, KEYS, address(), reason=GONE, now=NOW)
    exported = "".join(help_desk.export_data(here, number, now=NOW, by=BY))
    assert "kilns" in exported
    assert BY not in exported.replace("added by", "")
    help_desk.erase_by_number(here, number, suppress_too=suppressed, now=NOW, by=BY)
    with database.reading() as work:
        kept = repr(everything_kept(work, number)) + repr(
            work[AuditStore].page(before=None, limit=50)
        )
    for word in (address().mailed, address("new").mailed, "kilns", "pottery"):
        assert word not in kept
    assert noted(database)[0] == (BY, "erase person", f"subscriber {number}")
    with pytest.raises(NotFound):
        help_desk.person_record(database, number, KEYS)
    with pytest.raises(InvalidInput, match="suppressed"):
        adding.add_person(here, address(), "trending", ground="x", now=NOW, by=BY)


# --- suppressions --------------------------------------------------------------------------------


@pytest.mark.accept("F56", part="suppressions", mutant="a-suppression-is-lifted-unnoted")
def test_suppressions_are_noted_with_their_reason_and_without_the_address(
    database: Database,
) -> None:
    _, number = reader(database)
    assert add_suppression(database, KEYS, address(), reason="by phone", now=NOW, by=BY)
    assert not add_suppression(database, KEYS, address(), reason="by phone", now=NOW, by=BY)
    assert lift_suppression(database, KEYS, address(), reason="a mistake", now=NOW, by=BY)
    add_suppression(database, KEYS, address("nobody"), reason="by phone", now=NOW, by=BY)
    with database.reading() as work:
        last, lifted, added = work[AuditStore].page(before=None, limit=50)
        assert [digest for digest, _, _ in work[SubscriberStore].suppressions()]
    assert (added.target, added.details) == (f"subscriber {number}", {"reason": "by phone"})
    assert lifted.details == {"reason": "a mistake", "then": "may sign up"}
    assert last.target.startswith("suppression ")
    assert "mail.example" not in repr([last, lifted, added])


@pytest.mark.accept("F56", part="suppressions")
@pytest.mark.parametrize("reason", ["", "  ", "a@b.example", "x" * 61, "a\x1bb"])
def test_a_reason_is_short_and_holds_no_address(database: Database, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add_suppression(database, KEYS, address(), reason=reason, now=NOW, by=BY)
    assert refused.value.code == "reason"
