"""Whatever happens in whatever order: nobody is sent a digest who did not ask for it."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.tokens import Purpose
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.system_mail_model import UNCONFIRMED_LIFE, ClaimedNotice, SystemMailKind
from paperround.digests.plan import Hours, plan_due
from paperround.ops.cleanup import clean_up
from paperround.self_service.preferences import leave, mail_choices_link
from paperround.signup.confirm import confirm
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, seed_edition, seed_list, seed_papers
from tests.databases import opened
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    HOURS,
    digest_link,
    digests,
    link,
    post,
    request,
    request_link,
    signup_context,
    subscribe,
    visitor,
)

NAMES = ("ada", "bo")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "confirm", "leave", "link", "plan", "house", "guess", "wait"]),
        st.sampled_from(NAMES),
        st.integers(min_value=1, max_value=60),
    ),
    max_size=25,
)


@dataclass
class _World:
    """Two people, their mailboxes, and a clock."""

    database: Database
    now: datetime = NOW
    mailbox: dict[str, ClaimedNotice] = field(default_factory=dict)
    agreed: set[str] = field(default_factory=set)
    digest: dict[str, str] = field(default_factory=dict)

    def step(self, what: str, name: str, hours: int) -> None:
        steps: Mapping[str, Callable[[str], object]] = {
            "ask": lambda one: subscribe(signup_context(self.database), request(one), now=self.now),
            "confirm": self._confirm,
            "leave": lambda one: leave(
                signup_context(self.database), self._token(one), now=self.now
            ),
            "link": self._ask_for_links,
            "plan": lambda _: plan_due(
                database=self.database, identity=IDENTITY, hours=Hours(hour=7), now=self.now
            ),
            "house": lambda _: clean_up(database=self.database, identity=IDENTITY, now=self.now),
            "guess": self._guess,
            "wait": lambda _: None,
        }
        self.now += timedelta(hours=hours) if what == "wait" else timedelta(minutes=1)
        steps[what](name)
        self._read_mail()

    def _read_mail(self) -> None:
        for mail in post(self.database, now=self.now):
            self.mailbox[mail.address.partition("@")[0]] = mail
        for row in digests(self.database, now=self.now):
            name = row.address.partition("@")[0]
            assert name in self.agreed, f"{name} never said yes"
            self.digest[name] = digest_link(row)

    def _confirm(self, name: str) -> None:
        mail = self.mailbox.get(name)
        if mail is None or mail.kind is SystemMailKind.PREFERENCES:
            return
        if confirm(signup_context(self.database), link(mail), now=self.now) is not None:
            self.agreed.add(name)

    def _ask_for_links(self, name: str) -> None:
        request_link(signup_context(self.database), address(name), visitor(), now=self.now)
        mail_choices_link(signup_context(self.database), self._token(name), now=self.now)

    def _guess(self, name: str) -> None:
        mail = self.mailbox.get(name)
        if mail is not None:
            token = IDENTITY.keys.token(Purpose.CONFIRM, mail.id, "a guess")
            assert confirm(signup_context(self.database), token, now=self.now) is None

    def _token(self, name: str) -> str:
        return self.digest.get(name, "x" * 40)

    def known(self) -> set[str]:
        with self.database.reading() as work:
            return {name for name in NAMES if work[SubscriberStore].find(address(name))}


@pytest.mark.slow
@pytest.mark.accept("S6", part="property")
@settings(max_examples=25)
@given(steps=STEPS)
def test_only_who_confirmed_is_ever_planned_and_the_rest_vanish(
    sqlite_template: Path, steps: list[tuple[str, str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paperround.db"
        shutil.copy(sqlite_template, path)
        with opened(f"sqlite:///{path}") as engine:
            _live_through(SqlDatabase(engine), steps)


def _live_through(database: Database, steps: list[tuple[str, str, int]]) -> None:
    seed_edition(database, seed_list(database), seed_papers(database, 2))
    world = _World(database)
    for what, name, hours in steps:
        world.step(what, name, hours)
    end = world.now + UNCONFIRMED_LIFE + 2 * HOURS
    clean_up(database=database, identity=IDENTITY, now=end)
    assert world.known() == world.agreed
