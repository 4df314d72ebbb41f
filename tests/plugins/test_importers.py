"""People from the files of listmonk, Mailman and Google Groups. Every person here is invented."""

import json
from datetime import UTC, datetime

import pytest

from paperround.core.errors import InvalidInput
from paperround.core.plugins import plugins
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.plugins.importers import ConsentRecord
from paperround.subscribers.import_files import Found
from paperround.subscribers.imports import ImportReport, exported_rows, import_subscribers
from paperround.subscribers.model import Consent, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.sample_database import IDENTITY, NOW

ACTIVE, PENDING = SubscriberState.ACTIVE, SubscriberState.PENDING
UNSUBSCRIBED = SubscriberState.UNSUBSCRIBED

JOINED = "2024-03-01 09:30:00.5 +0530 IST"
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"
LISTMONK_FULL = LISTMONK + ",subscription_status"
GOOGLE = (
    "Members for group Reading group\n"
    "Email address,Nickname,Group status,Email status,Email preference,Posting permissions,"
    "Join year,Join month,Join day,Join hour,Join minute,Join second,Time zone\n"
)
WORD = ConsentRecord(at=datetime(2020, 5, 1, tzinfo=UTC), source="their form of 2020")
NOBODY = ConsentRecord()


def monk(status: str, subscription: str | None = None, *, joined: str = JOINED) -> str:
    """A listmonk export of one person; without a subscription status, as its pages write it."""
    attributes = '"{""city"": ""Nowhere, North""}"'
    row = f"1-2,ada@example.org,Ada,{attributes},{status},{joined},{joined}"
    if subscription is None:
        return f"{LISTMONK}\n{row}\n"
    return f"{LISTMONK_FULL}\n{row},{subscription}\n"


def member(
    status: str = "member",
    bounces: str = "",
    preference: str = "email",
    joined: str = "2012,9,3,19,5,42,Europe/Berlin",
) -> str:
    return f"ada@example.org,Countess,{status},{bounces},{preference},allowed,{joined}\n"


def read(origin: str, text: str, vouched: ConsentRecord) -> list[Found]:
    found: list[Found] = plugins("importers")[origin](text.encode(), vouched.at, vouched.source)
    return found


def load(
    database: SqlDatabase, origin: str, text: str, vouched: ConsentRecord = NOBODY
) -> ImportReport:
    return import_subscribers(
        read(origin, text, vouched),
        database=database,
        keys=IDENTITY.keys,
        list_name="trending",
        now=NOW,
    )


def people(database: SqlDatabase) -> dict[str, tuple[SubscriberState, Consent | None]]:
    with database.reading() as work:
        found = work[SubscriberStore].export(work[ListStore].get("trending").id)
        return {person.address: (person.state, person.consent) for person, _ in found}


def rejected(report: ImportReport) -> list[tuple[str, int]]:
    return [(reject.reason, reject.position) for reject in report.rejects]


# --- all of them -------------------------------------------------------------------------------

FILES = {
    "listmonk": monk("enabled", "confirmed"),
    "mailman": "Ada Countess <ada@example.org>\n",
    "google-groups": GOOGLE + member(),
}


@pytest.mark.accept("F32", part="foreign files")
@pytest.mark.parametrize("origin", FILES)
def test_a_foreign_file_puts_its_people_on_the_list_once(
    database: SqlDatabase, origin: str
) -> None:
    assert load(database, origin, FILES[origin], WORD).new == 1
    assert load(database, origin, FILES[origin], WORD).unchanged == 1
    state, consent = people(database)["ada@example.org"]
    assert (state, consent and consent.source) == (ACTIVE, "their form of 2020")


@pytest.mark.parametrize("origin", FILES)
def test_a_suppressed_address_stays_out_whatever_another_program_says(
    database: SqlDatabase, origin: str
) -> None:
    load(database, "listmonk", monk("blocklisted"))
    assert load(database, origin, FILES[origin], WORD).suppressed == 1
    assert people(database) == {}


@pytest.mark.parametrize("origin", FILES)
def test_names_and_whatever_else_was_known_are_left_behind(
    database: SqlDatabase, origin: str
) -> None:
    load(database, origin, FILES[origin], WORD)
    with database.reading() as work:
        (row,) = exported_rows(work, work[ListStore].get("trending"))
    wishes = ("timezone", "hour", "topics", "language")
    assert [row[wish] for wish in wishes] == ["", "", "", ""]
    assert not any(word in str(row) for word in ("Countess", "Nowhere"))


@pytest.mark.parametrize("origin", FILES)
def test_a_bad_address_is_a_reject_that_names_line_and_column(
    database: SqlDatabase, origin: str
) -> None:
    report = load(database, origin, FILES[origin].replace("ada@", "ada at "), WORD)
    line = len(FILES[origin].splitlines())
    assert rejected(report) == [("invalid", line)]
    assert report.rejects[0].detail.startswith(f"line {line}: email: ")


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ("listmonk", ""),
        ("listmonk", "ada@example.org\n"),
        ("listmonk", GOOGLE + member()),
        ("google-groups", monk("enabled", "confirmed")),
        ("google-groups", "Members for group Reading group\n"),
        ("mailman", "\n# nobody\n"),
        ("mailman", '{"start": 0, "total_size": 0}'),
        ("mailman", "{"),
    ],
)
def test_a_file_of_another_kind_is_refused(origin: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        read(origin, text, WORD)


# --- listmonk ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subscription", "state"), [("confirmed", ACTIVE), ("unconfirmed", PENDING)]
)
def test_listmonk_people_bring_the_date_they_signed_up(
    database: SqlDatabase, subscription: str, state: SubscriberState
) -> None:
    load(database, "listmonk", monk("enabled", subscription))
    signed_up = datetime(2024, 3, 1, 4, 0, tzinfo=UTC)
    assert people(database) == {
        "ada@example.org": (state, Consent(at=signed_up, source="listmonk"))
    }


@pytest.mark.parametrize("joined", ["2024-03-01T04:00:00.123456Z", "2024-03-01 04:00:00 +0000 UTC"])
def test_listmonk_times_are_read_as_its_pages_and_its_interface_write_them(
    database: SqlDatabase, joined: str
) -> None:
    load(database, "listmonk", monk("enabled", "confirmed", joined=joined))
    _, consent = people(database)["ada@example.org"]
    assert consent is not None
    assert consent.at == datetime(2024, 3, 1, 4, 0, tzinfo=UTC)


def test_who_left_a_listmonk_list_has_left_here_too(database: SqlDatabase) -> None:
    load(database, "listmonk", monk("enabled", "confirmed"))
    load(database, "listmonk", monk("enabled", "unsubscribed", joined="never"))
    assert people(database)["ada@example.org"][0] is UNSUBSCRIBED


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        (monk("disabled", "confirmed"), "disabled", "status is 'disabled'"),
        (monk("on hold", "confirmed"), "bad-status", "status is 'on hold'"),
        (monk("enabled", "maybe"), "bad-status", "subscription_status is 'maybe'"),
        (monk("enabled", "confirmed", joined="spring"), "invalid", "created_at: 'spring'"),
        (monk("enabled", "confirmed", joined=""), "no-consent", "--consent-at"),
        (monk("enabled"), "no-consent", "--consent-source"),
    ],
)
def test_a_listmonk_row_that_does_not_say_enough_is_a_reject(
    database: SqlDatabase, text: str, reason: str, says: str
) -> None:
    report = load(database, "listmonk", text)
    assert rejected(report) == [(reason, 2)]
    assert says in report.rejects[0].detail


def test_the_operator_may_vouch_that_a_listmonk_export_holds_who_confirmed(
    database: SqlDatabase,
) -> None:
    load(database, "listmonk", monk("enabled"), ConsentRecord(source="exported: confirmed only"))
    signed_up = datetime(2024, 3, 1, 4, 0, tzinfo=UTC)
    assert people(database) == {
        "ada@example.org": (ACTIVE, Consent(at=signed_up, source="exported: confirmed only"))
    }


# --- Mailman -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.org\r\n\r\n# the others have left\r\n",
        '"Lovelace, Ada <the first>" <ada@example.org>\n',
        "Email,Display Name\nada@example.org,Ada\n",
        '{"entries": [{"email": "ada@example.org", "role": "member"}], "total_size": 1}',
        '[{"email": "ada@example.org", "delivery_status": "enabled"}]',
    ],
)
def test_every_list_of_members_mailman_prints_is_read(database: SqlDatabase, text: str) -> None:
    assert load(database, "mailman", text, WORD).new == 1
    assert people(database) == {
        "ada@example.org": (ACTIVE, Consent(at=WORD.at or NOW, source="their form of 2020"))
    }


@pytest.mark.parametrize("word", [NOBODY, ConsentRecord(at=NOW), ConsentRecord(source="a form")])
def test_mailman_members_nobody_vouches_for_are_rejects_that_name_the_way_out(
    database: SqlDatabase, word: ConsentRecord
) -> None:
    report = load(database, "mailman", "# members\nada@example.org\ngrace@example.org\n", word)
    assert rejected(report) == [("no-consent", 2), ("no-consent", 3)]
    assert "--consent-at and --consent-source" in report.rejects[0].detail


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("delivery_status", "by_bounces", "not-delivered"),
        ("delivery_status", "by_moderator", "not-delivered"),
        ("role", "nonmember", "not-a-member"),
    ],
)
def test_whom_mailman_does_not_mail_is_a_reject(
    database: SqlDatabase, key: str, value: str, reason: str
) -> None:
    roster = json.dumps({"entries": [{"email": "ada@example.org", key: value}]})
    report = load(database, "mailman", roster, WORD)
    assert rejected(report) == [(reason, 1)]
    assert f"entry 1: {key} is '{value}'" in report.rejects[0].detail


def test_a_mailman_member_who_switched_mail_off_has_left_without_anybodys_word(
    database: SqlDatabase,
) -> None:
    load(database, "mailman", '[{"email": "ada@example.org", "delivery_status": "by_user"}]')
    assert people(database) == {"ada@example.org": (UNSUBSCRIBED, None)}


# --- Google Groups -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("joined", "hour"),
    [
        ("2012,9,3,19,5,42,Europe/Berlin", 17),
        ("2012,09,03,19,05,42,UTC", 19),
        ("2012,9,3,19,5,42,PDT", 19),
    ],
)
def test_a_google_member_agreed_when_they_joined(
    database: SqlDatabase, joined: str, hour: int
) -> None:
    load(database, "google-groups", GOOGLE + member(joined=joined))
    at = datetime(2012, 9, 3, hour, 5, 42, tzinfo=UTC)
    assert people(database) == {"ada@example.org": (ACTIVE, Consent(at=at, source="google-groups"))}


@pytest.mark.parametrize("status", ["Owner", "manager", "member"])
def test_whoever_runs_a_google_group_is_a_member_of_it(database: SqlDatabase, status: str) -> None:
    assert load(database, "google-groups", GOOGLE + member(status)).new == 1


def test_a_google_list_may_come_without_its_title(database: SqlDatabase) -> None:
    assert load(database, "google-groups", GOOGLE.partition("\n")[2] + member()).new == 1


@pytest.mark.parametrize("preference", ["none", "No email"])
def test_who_reads_a_google_group_on_the_web_only_has_left(
    database: SqlDatabase, preference: str
) -> None:
    load(database, "google-groups", GOOGLE + member(preference=preference))
    assert people(database) == {"ada@example.org": (UNSUBSCRIBED, None)}


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        (member("invited"), "not-a-member", "Group status is 'invited'"),
        (member(bounces="Bouncing"), "not-delivered", "Email status"),
        (member(preference=""), "no-consent", "Email preference is empty"),
        (member(joined="2012,13,1,1,1,1,UTC"), "invalid", "Join year to Join second"),
        (member(joined=",,,,,,"), "no-consent", "--consent-at"),
    ],
)
def test_a_google_row_that_cannot_be_mailed_is_a_reject(
    database: SqlDatabase, row: str, reason: str, says: str
) -> None:
    report = load(database, "google-groups", GOOGLE + row)
    assert rejected(report) == [(reason, 3)]
    assert says in report.rejects[0].detail


def test_a_google_list_without_join_dates_needs_somebody_who_vouches(
    database: SqlDatabase,
) -> None:
    header = "Email address,Nickname,Group status,Email status,Email preference\n"
    row = "ada@example.org,,member,,All email\n"
    assert rejected(load(database, "google-groups", header + row)) == [("no-consent", 2)]
    assert load(database, "google-groups", header + row, WORD).new == 1
