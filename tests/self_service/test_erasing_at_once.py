"""Somebody is erased while their other links are used at the same moment: the erasure wins.

Each of the others comes before it, and is forgotten with the rest, or finds nobody.
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.plugins.onboarding.library import keep_seeds
from paperround.plugins.onboarding.ratings import store_ratings
from paperround.self_service.change_address import agree
from paperround.self_service.erasure import erase_person
from paperround.self_service.feedback import give_feedback
from paperround.self_service.preferences import (
    join_list,
    leave,
    leave_from_choices,
    mail_choices_link,
    renew_feed,
    save_choices,
)
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import LinkExpired
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Preferences, SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, everything_kept, seed_edition, seed_papers
from tests.races import at_once, just_before, require_wait
from tests.self_service.readers import (
    ask_to_move,
    digest_link,
    digests,
    joined,
    link,
    post,
    request_link,
    second_list,
    signup_context,
    visitor,
)

PAUSED = (NOW + timedelta(days=9)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader with a digest: their links, and the papers they may judge."""

    here: SignupContext
    number: int
    person: SubscriberId
    choices: str
    digest: str
    papers: tuple[PaperId, ...]

    def wants(self) -> list[Interest]:
        return [Interest(InterestKind.TOPIC, f"okapi {self.number}")]

    def new_address(self) -> str:
        return f"zebra-moved-{self.number}"


def save(one: Reader) -> None:
    wish = Preferences(topics=(f"okapi {one.number}",), paused_until=PAUSED)
    save_choices(one.here, one.choices, wish, interests=one.wants(), now=NOW)


def move(one: Reader) -> None:
    ask_to_move(one.here, one.choices, address(one.new_address()), now=NOW)


def judge(one: Reader) -> None:
    good, bad = one.papers[:1], one.papers[1:]
    store_ratings(one.here, one.choices, good, bad, one.wants(), now=NOW)


def give_library(one: Reader) -> None:
    keep_seeds(one.here, one.choices, [f"A paper on okapi {one.number}"], now=NOW)


def say_more(one: Reader) -> None:
    give_feedback(one.here, one.digest, one.papers[0], "save", now=NOW)


def leave_by_digest(one: Reader) -> None:
    leave(one.here, one.digest, now=NOW)


def leave_by_choices(one: Reader) -> None:
    leave_from_choices(one.here, one.choices, now=NOW)


def ask_for_a_link(one: Reader) -> None:
    mail_choices_link(one.here, one.digest, now=NOW)


def ask_by_address(one: Reader) -> None:
    request_link(one.here, address(f"zebra-{one.number}"), visitor(), now=NOW)


def join_another(one: Reader) -> None:
    join_list(one.here, one.choices, "second", now=NOW)


def renew(one: Reader) -> None:
    renew_feed(one.here, one.choices, now=NOW)


Do = Callable[[Reader], None]
WRITES: tuple[Do, ...] = (
    save, move, judge, give_library, say_more, leave_by_digest, leave_by_choices,
    ask_for_a_link, ask_by_address, join_another, renew,
)  # fmt: skip


def agreeing(token: str) -> Do:
    def use(one: Reader) -> None:
        agree(one.here, token, now=NOW)

    return use


def confirming(token: str) -> Do:
    def use(one: Reader) -> None:
        confirm(one.here, token, now=NOW)

    return use


@pytest.fixture
def here(database: SqlDatabase, engine: Engine) -> SignupContext:
    """Two lists, and an edition of three papers."""
    with database.writing() as work:
        default = work[ListStore].get("trending")
    seed_edition(database, default, seed_papers(database, 3))
    second_list(engine)
    return signup_context(database)


def reader(here: SignupContext, number: int) -> Reader:
    token = joined(here, f"zebra-{number}").preferences_token
    (row,) = digests(here.database)
    with here.database.reading() as work:
        person = work[SubscriberStore].find(address(f"zebra-{number}"))
        papers = tuple(work[PaperStore].newest(before=None, limit=2))
    assert person is not None
    return Reader(
        here=here,
        number=number,
        person=person.id,
        choices=token,
        digest=digest_link(row),
        papers=tuple(paper.id for paper in papers),
    )


def erased_beside(one: Reader, *others: Do) -> None:
    """Erase a reader beside other writes; nothing is left of them, of whatever came before."""
    forgotten = list[str]()
    here = replace(one.here, remove_emails=forgotten.extend)

    def erase(_: Reader) -> None:
        erase_person(here, one.choices, now=NOW)

    def write(number: int) -> None:
        with nullcontext() if number == 0 else suppress(LinkExpired):
            (erase, *others)[number](one)

    at_once(1 + len(others), write)
    with here.database.reading() as work:
        kept = everything_kept(work, one.person)
        mailed = set(work[Erasure].message_ids_of(one.person))
    assert not any(
        kept[name] for name in ("interests", "feedback", "sent_papers", "told_withdrawals")
    ), kept
    assert not any(row["payload"] or row["address"] for row in kept["notices"]), kept["notices"]
    assert mailed <= set(forgotten), "a mail was written after the erasure"


def require_no_trace(engine: Engine) -> None:
    with engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            rows = str(connection.execute(table.select()).all())
            assert "zebra" not in rows, table.name
            assert "okapi" not in rows, table.name


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.accept("P2", mutant="an-erasure-locks-nobody-out")
def test_an_erasure_beside_saves_moves_judgements_and_feedback_leaves_nothing(
    here: SignupContext, engine: Engine, long_form: bool
) -> None:
    for number in range(500 if long_form else 6):
        erased_beside(reader(here, number), *WRITES)
    require_no_trace(engine)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.accept("P2", mutant="a-save-locks-nobody")
@pytest.mark.parametrize("write", [save, move, judge, give_library, say_more])
def test_an_erasure_beside_one_other_write_leaves_nothing(
    here: SignupContext, engine: Engine, write: Do, long_form: bool
) -> None:
    for number in range(100 if long_form else 4):
        erased_beside(reader(here, number), write)
    require_no_trace(engine)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.accept("P2", part="change of address at once")
def test_an_erasure_beside_the_last_yes_to_a_change_of_address_leaves_nothing(
    here: SignupContext, engine: Engine, long_form: bool
) -> None:
    for number in range(500 if long_form else 4):
        one = reader(here, number)
        move(one)
        ends = [link(mail) for mail in post(here.database) if mail.kind is SystemMailKind.CHANGE]
        agree(here, ends[0], now=NOW)
        erased_beside(one, agreeing(ends[1]), say_more)
    require_no_trace(engine)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.accept("P2", part="taken back at once")
def test_an_erasure_beside_the_taking_back_of_a_leaving_leaves_nothing(
    here: SignupContext, engine: Engine, long_form: bool
) -> None:
    for number in range(100 if long_form else 4):
        one = reader(here, number)
        leave_by_digest(one)
        (undo,) = [link(mail) for mail in post(here.database) if mail.kind is SystemMailKind.UNDO]
        erased_beside(one, confirming(undo), judge)
    require_no_trace(engine)


@pytest.mark.postgres
@pytest.mark.accept("P2", part="lock", mutant="a-move-locks-nobody")
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("write", [one for one in WRITES if one is not ask_by_address])
def test_a_write_by_a_link_locks_its_reader_before_it_writes_anything(
    here: SignupContext, engine: Engine, write: Do
) -> None:
    one = reader(here, 1)

    def wait(work: Transaction) -> None:
        require_wait(work, lambda: work[SubscriberStore].lock(one.person))

    with just_before(engine, ("INSERT", "UPDATE", "DELETE"), here.database, wait):
        write(one)
