"""People from a file and to a file; suppressed ones stay out."""

import pytest

from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.import_files import read_rows
from paperround.subscribers.imports import (
    ImportReport,
    add_subscriber,
    exported_rows,
    import_subscribers,
    is_suppressed,
    lift,
    suppress,
)
from paperround.subscribers.model import GONE, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.sample_database import IDENTITY, NOW

HEADER = (
    "email,status,consent_at,consent_source,timezone,hour,frequency,topics,language,interests\n"
)
ADA = (
    "ada@example.org,active,2026-01-05T09:00:00Z,a form,Europe/Berlin,7,weekly:fri,a;b,de,mute:x\n"
)


def load(database: SqlDatabase, text: str) -> ImportReport:
    return import_subscribers(
        read_rows(text.encode()),
        database=database,
        keys=IDENTITY.keys,
        list_name="trending",
        now=NOW,
    )


def add(database: SqlDatabase, **wishes: str) -> str:
    return add_subscriber(
        {
            "email": "ada@example.org",
            "consent_at": "2026-01-05",
            "consent_source": "asked in the kitchen",
            **wishes,
        },
        database=database,
        keys=IDENTITY.keys,
        list_name="trending",
        now=NOW,
    )


def states(database: SqlDatabase) -> dict[str, SubscriberState]:
    with database.reading() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        return {person.address: person.state for person, _ in people}


def test_a_reject_names_everything_that_is_wrong_with_its_row(database: SqlDatabase) -> None:
    wrong = "ada@,active,,,Europe/Nowhere,25,hourly,,,boat:x\n"
    (reject,) = load(database, HEADER + wrong).rejects
    assert reject.reason == "invalid"
    for word in ("email: ", "no consent", "Europe/Nowhere", "'25'", "'hourly'", "interests: "):
        assert reject.detail.count(word) == 1


def test_a_monthly_reader_is_exported_as_imported(database: SqlDatabase) -> None:
    assert load(database, HEADER + ADA.replace("weekly:fri", "monthly")).new == 1
    with database.reading() as work:
        (row,) = exported_rows(work, work[ListStore].get("trending"))
    assert row["frequency"] == "monthly"


@pytest.mark.accept("F32", part="import and export by command")
@pytest.mark.parametrize("hour", ["7", "0", ""])
def test_what_is_exported_is_what_was_imported(database: SqlDatabase, hour: str) -> None:
    ada = ADA.replace(",7,", f",{hour},")
    load(database, HEADER + ada)
    with database.reading() as work:
        (row,) = exported_rows(work, work[ListStore].get("trending"))
    assert ",".join(row.values()) + "\n" == ada


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("grace@example.org,active,,,,,,,", "no-consent"),
        ("grace@example.org,active,2026-01-05,,,,,,", "no-consent"),
        ("grace@example.org,fan,2026-01-05,a form,,,,,", "bad-status"),
        ("grace@example.org,active,2026-01-05,a form,,25,,,", "bad-hour"),
        ("grace@example.org,active,2026-01-05,a form,,,hourly,,", "bad-frequency"),
        ("grace@example.org,active,2026-01-05,a form,Mars/Olympus,,,,", "invalid"),
        ("grace,active,2026-01-05,a form,,,,,", "invalid"),
    ],
)
def test_a_bad_row_is_a_reject_and_the_others_go_in(
    database: SqlDatabase, row: str, reason: str
) -> None:
    report = load(database, f"{HEADER}{row}\n{ADA}")
    assert [(one.reason, one.position) for one in report.rejects] == [(reason, 2)]
    assert report.new == 1


def test_a_json_array_is_read_too(database: SqlDatabase) -> None:
    text = (
        '[{"email": "ada@example.org", "status": "active", "consent_at": "2026-01-05",'
        ' "consent_source": "a form", "hour": 7, "topics": ["a", "b"]}]'
    )
    assert load(database, text).new == 1


@pytest.mark.parametrize("text", ["", "ada@example.org\n", '{"email": 1}', "[1, 2]", "[{"])
def test_a_file_that_is_no_list_of_people_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_rows(text.encode())


def test_a_suppressed_row_is_kept_as_a_hash_only(database: SqlDatabase) -> None:
    report = load(database, HEADER + ADA.replace("active", "suppressed"))
    assert report.suppressed == 1
    assert states(database) == {}
    assert load(database, HEADER + ADA).suppressed == 1


def test_a_suppression_stops_a_subscriber_and_survives_an_import(database: SqlDatabase) -> None:
    load(database, HEADER + ADA)
    with database.writing() as work:
        assert suppress(work, IDENTITY.keys, parse_address("Ada@example.org"), reason="x", now=NOW)
    load(database, HEADER + ADA)
    assert states(database) == {"ada@example.org": SubscriberState.SUPPRESSED}


def test_a_lifted_suppression_subscribes_nobody(database: SqlDatabase) -> None:
    load(database, HEADER + ADA)
    address = parse_address("ada@example.org")
    with database.writing() as work:
        suppress(work, IDENTITY.keys, address, reason="x", now=NOW)
        assert lift(work, IDENTITY.keys, address, now=NOW)
        assert not lift(work, IDENTITY.keys, address, now=NOW)
    assert states(database) == {"ada@example.org": SubscriberState.UNSUBSCRIBED}


def test_to_have_left_one_list_does_not_close_the_others(database: SqlDatabase) -> None:
    load(database, HEADER + ADA.replace("active", "unsubscribed"))
    with database.writing() as work:
        person = work[SubscriberStore].find(parse_address("ada@example.org"))
    assert person is not None
    assert person.state is SubscriberState.PENDING


def test_lines_may_end_as_on_an_old_machine(database: SqlDatabase) -> None:
    assert load(database, (HEADER + ADA).replace("\n", "\r")).new == 1


def test_json_nested_without_end_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidInput, match="nested too deeply"):
        read_rows(b"[" * 100_000)


def test_to_leave_needs_no_consent(database: SqlDatabase) -> None:
    load(database, HEADER + ADA)
    report = load(database, "email,status\nada@example.org,unsubscribed\n")
    assert report.changed == 1
    assert states(database) == {"ada@example.org": SubscriberState.UNSUBSCRIBED}


@pytest.mark.parametrize("spelling", ["ada+news@gmail.com", "a.d.a@gmail.com", "ADA@Gmail.com"])
def test_another_spelling_of_a_suppressed_mailbox_is_suppressed(
    database: SqlDatabase, spelling: str
) -> None:
    with database.writing() as work:
        suppress(work, IDENTITY.keys, parse_address("ada@gmail.com"), reason="asked", now=NOW)
    with database.reading() as work:
        assert is_suppressed(work, IDENTITY.keys, parse_address(spelling))
        assert not is_suppressed(work, IDENTITY.keys, parse_address("adam@gmail.com"))


def test_a_bounce_suppresses_only_the_spelling_that_came_back(database: SqlDatabase) -> None:
    with database.writing() as work:
        tagged = parse_address("ada+old@example.org")
        suppress(work, IDENTITY.keys, tagged, reason=GONE, now=NOW)
    with database.reading() as work:
        assert is_suppressed(work, IDENTITY.keys, tagged)
        assert not is_suppressed(work, IDENTITY.keys, parse_address("ada@example.org"))


def test_to_lift_a_suppression_lifts_every_spelling(database: SqlDatabase) -> None:
    tagged = parse_address("a.da+old@gmail.com")
    with database.writing() as work:
        suppress(work, IDENTITY.keys, tagged, reason="asked", now=NOW)
    with database.writing() as work:
        assert lift(work, IDENTITY.keys, tagged, now=NOW)
    with database.reading() as work:
        assert not is_suppressed(work, IDENTITY.keys, parse_address("ada@gmail.com"))


def test_columns_that_are_not_there_leave_the_choices_alone(database: SqlDatabase) -> None:
    load(database, HEADER + ADA)
    bare = "email,status,consent_at,consent_source\nada@example.org,active,2026-01-05,a form\n"
    assert load(database, bare).unchanged == 1


def test_a_lost_key_lets_nobody_in(database: SqlDatabase) -> None:
    load(database, HEADER + ADA.replace("active", "suppressed"))
    with pytest.raises(Misconfigured, match="add it to the end"):
        import_subscribers(
            read_rows((HEADER + ADA).encode()),
            database=database,
            keys=KeyRing((b"another secret, the first is gone",)),
            list_name="trending",
            now=NOW,
        )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("grace,active,2026-01-05,a form", "line 3: email: this is not an email address"),
        ("grace@example.org,active,soon,a form", "line 3: consent_at: 'soon' is not a time"),
        ("grace@example.org,active,2026-01-05,a form,Mars", "line 3: timezone: 'Mars' is not"),
        ("grace@example.org,active,2026-01-05,a form,Factory", "line 3: timezone: 'Factory' is no"),
        (
            "grace@example.org,active,2031-01-01,a form",
            "line 3: consent_at is '2031-01-01', which is in the future: use the instant at which",
        ),
        (
            "grace@example.org,active,2026-01-05,a form,,7,,,xx",
            "line 3: language is 'xx', which is none: use one of en, de, fr, es, zh-Hans, or leave",
        ),
        (
            "grace@example.org,active,2026-01-05,a form,,7,,,,,de",
            "line 3: 11 cells under 10 columns",
        ),
    ],
)
def test_a_reject_names_the_line_and_the_column(database: SqlDatabase, row: str, says: str) -> None:
    (reject,) = load(database, f"{HEADER}{ADA}{row}\n").rejects
    assert reject.detail.startswith(says)


def test_a_reject_in_json_names_the_entry(database: SqlDatabase) -> None:
    (reject,) = load(database, '[{"email": "ada@example.org", "status": "fan"}]').rejects
    assert reject.detail.startswith("entry 1: status is 'fan'")


def test_a_cell_over_two_lines_does_not_shift_the_lines_below(database: SqlDatabase) -> None:
    tall = ADA.replace("a form", '"a form\nin the hall"')
    (reject,) = load(database, f"{HEADER}{tall}grace,active,2026-01-05,a form\n").rejects
    assert reject.position == 4


@pytest.mark.accept("F32", part="foreign files")
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_of_a_spreadsheet_in_europe_is_read(database: SqlDatabase, delimiter: str) -> None:
    table = (HEADER + ADA.replace("a;b", '"a;b"')).replace(",", delimiter)
    assert load(database, table.replace("a form", "a form, in the hall")).new == 1
    with database.reading() as work:
        ((person, _),) = work[SubscriberStore].export(work[ListStore].get("trending").id)
    assert person.consent is not None
    assert person.consent.source == "a form, in the hall"


def test_an_open_quote_swallows_nobody() -> None:
    with pytest.raises(InvalidInput, match=r"line 2: not CSV .* a quote that is not closed"):
        read_rows((HEADER + ADA.replace("a form", '"a form') + ADA).encode())


@pytest.mark.parametrize("header", ["email,state,consent_at", "status,consent_at", ""])
def test_a_sheet_without_its_columns_is_refused_once_and_not_row_by_row(header: str) -> None:
    missing = "'email'" if "email" not in header else "'status'"
    with pytest.raises(InvalidInput, match=f"must name the columns, {missing} among them"):
        read_rows(f"{header}\nada@example.org,active,2026-01-05T09:00:00Z\n".encode())


def test_a_column_that_is_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'status' twice"):
        read_rows(b"email,status,Status\nada@example.org,active,pending\n")


@pytest.mark.parametrize("wishes", [{"hour": "24"}, {"consent_source": ""}, {"timezone": "Mars"}])
def test_nobody_is_added_by_hand_with_a_mistake(
    database: SqlDatabase, wishes: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        add(database, **wishes)
    assert states(database) == {}


def test_somebody_who_left_cannot_be_added_by_hand(database: SqlDatabase) -> None:
    load(database, HEADER + ADA.replace("active", "unsubscribed"))
    with pytest.raises(InvalidInput, match="has unsubscribed"):
        add(database, hour="9")
    with database.reading() as work:
        ((person, wish),) = work[SubscriberStore].export(work[ListStore].get("trending").id)
    assert (person.state, wish.hour) == (SubscriberState.UNSUBSCRIBED, 7)


@pytest.mark.accept("F32", part="byte order mark")
def test_a_table_that_a_spreadsheet_saved_is_read_with_its_mark(database: SqlDatabase) -> None:
    assert load(database, "\ufeff" + HEADER + ADA).new == 1
    assert list(states(database)) == ["ada@example.org"]
