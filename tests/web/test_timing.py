"""What the time an answer takes tells of an address: nothing."""

from statistics import median
from time import perf_counter

import pytest

from paperround.config import Settings
from paperround.editions.store.lists import ListStore
from paperround.subscribers.imports import suppress
from tests.builders import NOW, address, seed_subscribers
from tests.web.conftest import Site, running

ROUNDS = 1000
STATES = ("new", "pending", "active", "gone")
ALIKE = 0.05
WITHOUT_LIMITS = {"rate_signup_total": "100000/1h", "rate_signup_domain": "100000/1h"}


def _ask(site: Site, name: str) -> float:
    begin = perf_counter()
    answer = site.client.post("/api/v1/subscriptions", json={"email": f"{name}@mail.example"})
    took = perf_counter() - begin
    assert answer.status_code == 202, answer.text
    return took


def _seed(site: Site) -> None:
    database, keys = site.runtime.database, site.runtime.signup_context.keys
    for number in range(ROUNDS):
        _ask(site, f"pending{number}")
    site.work()
    with database.reading() as work:
        mailing_list = work[ListStore].get("trending")
    known = (f"{state}{number}" for state in ("active", "gone") for number in range(ROUNDS))
    seed_subscribers(database, mailing_list, tuple(known))
    with database.writing() as work:
        for number in range(ROUNDS):
            suppress(work, keys, address(f"gone{number}"), reason="complaint", now=NOW)


@pytest.mark.long
@pytest.mark.accept("S4", part="timing")
def test_the_time_an_answer_takes_does_not_tell_what_is_known(settings: Settings) -> None:
    with running(settings.model_copy(update=WITHOUT_LIMITS)) as site:
        _seed(site)
        site.clock.move(days=2)
        times: dict[str, list[float]] = {state: [] for state in STATES}
        for number in range(ROUNDS):
            for turn in range(len(STATES)):
                state = STATES[(number + turn) % len(STATES)]
                times[state].append(_ask(site, f"{state}{number}"))
    medians = {state: median(took) for state, took in times.items()}
    assert max(medians.values()) <= min(medians.values()) * (1 + ALIKE), medians
