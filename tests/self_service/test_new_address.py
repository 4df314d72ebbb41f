"""A change of address: both ends agree, or nothing changes."""

from dataclasses import replace

import pytest

from paperround.bounces.handling import record_refusals
from paperround.bounces.store import ReturnStore
from paperround.core.errors import InvalidInput
from paperround.core.rates import parse_rates
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import Evidence
from paperround.delivery.system_mail_model import ClaimedNotice, SystemMailKind
from paperround.editions.model import DeliveryState
from paperround.self_service.change_address import Agreed, agree
from paperround.self_service.erasure import erase_person, export_person
from paperround.self_service.preferences import open_choices
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.signup.limits import count_email
from paperround.signup.magic_links import LinkExpired
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import Address, Preferences, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, everything_kept
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    FREE,
    HOURS,
    ask_to_move,
    joined,
    link,
    post,
    request_link,
    signup_context,
    visitor,
)

WISH = Preferences(hour=6, topics=("graphs",))


def choosing(here: SignupContext, name: str = "alice") -> str:
    request_link(here, address(name), visitor(), now=NOW)
    (mail,) = post(here.database, now=NOW)
    return link(mail)


def asked(here: SignupContext, token: str, to: Address) -> dict[str, ClaimedNotice]:
    """The mails that ask both ends, by their address."""
    ask_to_move(here, token, to, now=NOW)
    return {mail.address: mail for mail in post(here.database, now=NOW)}


def known(database: Database, name: str) -> bool:
    with database.reading() as work:
        return work[SubscriberStore].find(address(name)) is not None


@pytest.mark.accept("F30", part="change of address")
@pytest.mark.parametrize("first", ["alice", "bob"])
def test_digests_move_once_both_ends_have_agreed_in_either_order(
    database: Database, first: str
) -> None:
    here = signup_context(database)
    joined(here, wish=WISH)
    token = choosing(here)
    mails = asked(here, token, address("bob"))
    assert {mail.kind for mail in mails.values()} == {SystemMailKind.CHANGE}
    ends = [mails["alice@mail.example"], mails["bob@mail.example"]]
    if first == "bob":
        ends.reverse()
    assert agree(here, link(ends[0]), now=NOW) is Agreed.ONE_END
    assert agree(here, link(ends[0]), now=NOW) is Agreed.ONE_END
    assert known(database, "alice")
    assert agree(here, link(ends[1]), now=NOW + HOURS) is Agreed.MOVED
    assert not known(database, "alice")
    choices = open_choices(here, token, now=NOW)
    assert choices.masked == "b•••@mail.example"
    assert choices.preferences.topics == ("graphs",)
    for mail in ends:  # pressed once more
        assert agree(here, link(mail), now=NOW + HOURS) is Agreed.MOVED


@pytest.mark.accept("F30", part="change of address")
def test_a_link_of_a_change_that_was_made_says_nothing_of_whoever_was_erased(
    database: Database,
) -> None:
    here = signup_context(database)
    joined(here, wish=WISH)
    token = choosing(here)
    mails = asked(here, token, address("bob"))
    for mail in mails.values():
        agree(here, link(mail), now=NOW)
    erase_person(here, token, now=NOW)
    for mail in mails.values():
        assert agree(here, link(mail), now=NOW) is Agreed.NOT


@pytest.mark.accept("F30", part="change of address")
@pytest.mark.accept("P4", part="nothing typed")
def test_neither_mail_holds_the_other_address(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    mails = asked(here, choosing(here), address("bob"))
    old, new = mails["alice@mail.example"], mails["bob@mail.example"]
    assert "bob" not in str(old.payload)
    assert "alice" not in str(new.payload)


def test_a_link_of_a_change_confirms_nothing_else(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    mails = asked(here, choosing(here), address("bob"))
    for mail in mails.values():
        assert confirm(here, link(mail), now=NOW) is None
    assert not known(database, "bob")


@pytest.mark.parametrize("late", [2 * DAYS + HOURS, 30 * DAYS])
def test_a_change_that_nobody_agreed_to_in_two_days_is_over(
    database: Database, late: object
) -> None:
    here = signup_context(database)
    joined(here)
    mails = asked(here, choosing(here), address("bob"))
    for mail in mails.values():
        assert agree(here, link(mail), now=NOW + late) is Agreed.NOT  # type: ignore[operator]
    assert known(database, "alice")


def test_only_the_change_that_was_asked_for_last_can_be_agreed_to(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = choosing(here)
    first = asked(here, token, address("bob"))
    ask_to_move(here, token, address("carol"), now=NOW + HOURS)
    for mail in first.values():
        assert agree(here, link(mail), now=NOW + HOURS) is Agreed.NOT


@pytest.mark.accept("F30", part="change of address")
def test_nobody_is_told_whether_an_address_reads_here(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    joined(here, "bob")
    with database.writing() as work:
        suppress(work, IDENTITY.keys, address("carol"), reason="import", now=NOW)
    token = choosing(here)
    for minute, name in enumerate(("bob", "carol", "dave")):
        at = NOW + minute * HOURS / 60
        ask_to_move(here, token, address(name), now=at)
        mails = {mail.address: mail for mail in post(database, now=at)}
        others = set() if name != "dave" else {"dave@mail.example"}
        assert mails.keys() == {"alice@mail.example"} | others, "the old end is always asked"
        for _ in range(2):
            assert agree(here, link(mails["alice@mail.example"]), now=at) is Agreed.ONE_END
    assert known(database, "alice")


def test_whoever_signs_up_there_meanwhile_keeps_the_address(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    mails = asked(here, choosing(here), address("bob"))
    joined(here, "bob")
    results = [agree(here, link(mail), now=NOW) for mail in mails.values()]
    assert results[-1] is Agreed.NOT
    assert known(database, "alice")


def test_the_address_one_has_and_a_fourth_change_of_a_day_are_refused(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = choosing(here)
    with pytest.raises(InvalidInput, match="already your address"):
        ask_to_move(here, token, address(), now=NOW)
    for name in ("bob", "carol", "dave"):
        ask_to_move(here, token, address(name), now=NOW)
    with pytest.raises(InvalidInput, match="three times today"):
        ask_to_move(here, token, address("eve"), now=NOW)


def test_a_stranger_is_not_mailed_more_often_than_any_address(database: Database) -> None:
    here = signup_context(database, replace(FREE, address=parse_rates("2/h")))
    joined(here, "alice")
    joined(here, "carol")
    tokens = [choosing(here, name) for name in ("alice", "carol")]
    with database.writing() as work:
        assert count_email(work, here, address("bob"), now=NOW)
    asked(here, tokens[0], address("bob"))
    assert asked(here, tokens[1], address("bob")).keys() == {"carol@mail.example"}


def test_a_link_that_is_not_fresh_moves_nobody(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = choosing(here)
    with pytest.raises(LinkExpired):
        ask_to_move(here, token, address("bob"), now=NOW + 2 * DAYS)
    forged = token[:-1] + ("B" if token.endswith("A") else "A")
    with pytest.raises(LinkExpired):
        ask_to_move(here, forged, address("bob"), now=NOW)


def test_a_mistyped_address_that_bounces_says_nothing_of_its_reader(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    mails = asked(here, choosing(here), address("bob"))
    gone = Transition(
        id=mails["bob@mail.example"].id,
        token="post",
        state=DeliveryState.FAILED,
        reason="no-such-user: 550 5.1.1",
        code=550,
        reply="no such user",
        evidence=Evidence.GONE,
    )
    with database.writing() as work:
        record_refusals(work, IDENTITY.keys, "notice", [gone], now=NOW)
    with database.writing() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
        assert person.state is SubscriberState.ACTIVE
        assert work[ReturnStore].score(person.id).points == 0


def test_the_address_somebody_wants_to_move_to_is_exported_and_erased_with_them(
    database: Database,
) -> None:
    here = signup_context(database)
    joined(here)
    token = choosing(here)
    asked(here, token, address("bob"))
    exported = export_person(here, token, now=NOW)
    assert exported is not None
    assert "bob@mail.example" in "".join(exported)
    with database.reading() as work:
        person = work[SubscriberStore].find(address())
        assert person is not None
    erase_person(here, token, now=NOW)
    with database.reading() as work:
        assert "bob" not in str(everything_kept(work, person.id))
