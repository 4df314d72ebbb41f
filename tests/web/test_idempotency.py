"""A POST that comes twice under one key acts once, on either database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.core.errors import FetchFailed
from paperround.db.schema.tables import answers, feeds, signup_requests
from paperround.ops.cleanup import clean_up
from tests.databases import database_url, postgres, postgres_url
from tests.web.admin import FEEDS, feed_body, fields_of, key_for, program
from tests.web.conftest import PUBLIC_URL, sql
from tests.web.idempotency import KEYED, Office

__all__ = ["database_url", "postgres", "postgres_url"]

SUBSCRIPTIONS = "/api/v1/subscriptions"
EMPTY = b"<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id><title>cs.LG</title></feed>"
ADA = {"email": "ada@mail.example"}


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    one = Office(settings)
    yield one
    one.close()


def at_once(count: int, ask: Callable[[], httpx.Response]) -> set[tuple[int, bytes]]:
    """The different answers to one request that is sent that often at the same time."""
    gate = Barrier(count)

    def sent(_: int) -> tuple[int, bytes]:
        gate.wait(timeout=30)
        answer = ask()
        return answer.status_code, answer.content

    with ThreadPoolExecutor(count) as threads:
        return set(threads.map(sent, range(count)))


@pytest.mark.postgres
@pytest.mark.accept("A6", part="parallel")
def test_fifty_equal_requests_at_once_make_one_feed_and_get_one_answer(office: Office) -> None:
    with program(office.app, office.key) as client:
        told = at_once(50, lambda: client.post(FEEDS, json=feed_body(), headers=KEYED))
    [(status, _)] = told
    assert status == 201
    assert office.rows(feeds) == 1


@pytest.mark.postgres
@pytest.mark.accept("A6", part="parallel sign-ups")
def test_fifty_equal_sign_ups_at_once_are_one_mail(office: Office) -> None:
    with program(office.app, None) as client:
        told = at_once(50, lambda: client.post(SUBSCRIPTIONS, json=ADA, headers=KEYED))
    [(status, _)] = told
    assert status == 202
    assert office.rows(signup_requests) == 1


@pytest.mark.postgres
@pytest.mark.accept("A6", part="parallel, outside")
def test_fifty_equal_readings_at_once_ask_the_service_once(office: Office) -> None:
    made = office.admin.post(FEEDS, json=feed_body()).json()
    run = f"{FEEDS}/{made['id']}/run?wait=true"
    with program(office.app, office.key) as client:
        told = at_once(50, lambda: client.post(run, headers=KEYED))
        again = client.post(run, headers=KEYED)
    statuses = {status for status, _ in told}
    assert {200} <= statuses <= {200, 409}
    assert (200, again.content) in told
    assert len(office.service.asked) == 1


@pytest.mark.postgres
@pytest.mark.accept("A6", part="same answer")
@pytest.mark.accept("F42", part="idempotency")
def test_the_answer_comes_again_with_its_headers(office: Office) -> None:
    first, again = (office.admin.post(FEEDS, json=feed_body(), headers=KEYED) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert first.headers == again.headers
    assert first.content == again.content


@pytest.mark.postgres
@pytest.mark.accept("A6", part="other request")
@pytest.mark.parametrize(
    ("path", "body"), [(FEEDS, feed_body("another")), (f"{FEEDS}/preview", feed_body())]
)
def test_the_key_of_another_request_is_refused(office: Office, path: str, body: Any) -> None:
    office.admin.post(FEEDS, json=feed_body(), headers=KEYED)
    answer = office.admin.post(path, json=body, headers=KEYED)
    assert answer.status_code == 422
    assert fields_of(answer) == ["Idempotency-Key"]
    assert office.rows(feeds) == 1


def test_a_key_belongs_to_whoever_sent_it(office: Office) -> None:
    office.admin.post(FEEDS, json=feed_body(), headers=KEYED)
    other = program(office.app, key_for(office.runtime, *Scope))
    assert other.post(FEEDS, json=feed_body("another"), headers=KEYED).status_code == 201


def test_the_draft_writes_a_key_in_quotes_and_most_people_do_not(office: Office) -> None:
    bare = {"Idempotency-Key": KEYED["Idempotency-Key"].strip('"')}
    first = office.admin.post(FEEDS, json=feed_body(), headers=KEYED)
    assert office.admin.post(FEEDS, json=feed_body(), headers=bare).content == first.content


@pytest.mark.parametrize("key", [b"", b'""', b"x" * 256, "é".encode(), b"\x01"])
def test_a_key_that_is_none_is_refused(office: Office, key: bytes) -> None:
    answer = office.admin.post(FEEDS, json=feed_body(), headers={b"Idempotency-Key": key})
    assert (answer.status_code, fields_of(answer)) == (422, ["Idempotency-Key"])
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert office.admin.post(FEEDS, json=feed_body(), headers=twice).status_code == 422
    assert office.rows(feeds) == 0


def test_a_refused_request_can_be_mended_under_its_key(office: Office) -> None:
    wrong = feed_body(kind="none")
    assert office.admin.post(FEEDS, json=wrong, headers=KEYED).status_code == 422
    assert office.admin.post(FEEDS, json=feed_body(), headers=KEYED).status_code == 201
    office.service.says["arxiv"] = FetchFailed("it is down")
    preview, fresh = f"{FEEDS}/preview", {"Idempotency-Key": "another"}
    assert office.admin.post(preview, json=feed_body(), headers=fresh).status_code == 424
    office.service.says["arxiv"] = EMPTY
    assert office.admin.post(preview, json=feed_body(), headers=fresh).status_code == 200


@pytest.mark.postgres
@pytest.mark.accept("A6", part="a day")
def test_a_key_is_good_for_a_day(office: Office) -> None:
    office.admin.post(FEEDS, json=feed_body(), headers=KEYED)
    office.clock.move(hours=23, minutes=59)
    assert office.admin.post(FEEDS, json=feed_body(), headers=KEYED).status_code == 201
    office.clock.move(minutes=1)
    assert office.admin.post(FEEDS, json=feed_body(), headers=KEYED).json()["code"] == "taken"
    assert office.admin.post(FEEDS, json=feed_body("b"), headers=KEYED).status_code == 201


@pytest.mark.accept("P5", part="answers")
def test_answers_are_forgotten_after_a_day(office: Office) -> None:
    office.admin.post(FEEDS, json=feed_body(), headers=KEYED)
    for hours, left in ((24, 1), (1, 0)):
        office.clock.move(hours=hours)
        runtime = office.runtime
        clean_up(database=runtime.database, identity=runtime.identity, now=office.clock.now())
        assert office.rows(answers) == left


@pytest.mark.accept("P1", part="answers")
def test_nothing_of_a_sign_up_is_kept_but_hashes(office: Office) -> None:
    TestClient(office.app, base_url=PUBLIC_URL).post(SUBSCRIPTIONS, json=ADA, headers=KEYED)
    with sql(office.runtime).connect() as connection:
        [row] = connection.execute(answers.select())
    assert "ada" not in str(row)
    assert "8e03978e" not in str(row)


def test_a_get_and_a_delete_need_no_key_and_ignore_one(office: Office) -> None:
    made = office.admin.post(FEEDS, json=feed_body()).json()
    for _ in range(2):
        assert office.admin.get(FEEDS, headers=KEYED).status_code == 200
    gone = [office.admin.delete(f"{FEEDS}/{made['id']}", headers=KEYED) for _ in range(2)]
    assert [one.status_code for one in gone] == [204, 404]


# --- programs without a key of ours ------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("A6", part="whose key")
def test_nobody_learns_from_a_key_what_was_asked_elsewhere(office: Office) -> None:
    """The same request under the same key is answered to a stranger as if it were the first."""
    here, there = (program(office.app, None, at=at) for at in ("198.51.100.1", "198.51.100.2"))
    first = here.post(SUBSCRIPTIONS, json=ADA, headers=KEYED)
    again = there.post(SUBSCRIPTIONS, json=ADA, headers=KEYED)
    fresh = there.post(SUBSCRIPTIONS, json=ADA, headers={"Idempotency-Key": "unused"})
    assert again.content == first.content == fresh.content
    assert again.headers.keys() == fresh.headers.keys()
    assert office.rows(answers) == 3


@pytest.mark.accept("P1", part="answers, clients")
def test_no_client_address_can_be_guessed_from_what_is_kept(office: Office) -> None:
    """A key like `1` is soon guessed, and there are few addresses: a bare hash would tell."""
    program(office.app, None, at="198.51.100.1").post(
        SUBSCRIPTIONS, json=ADA, headers={"Idempotency-Key": "1"}
    )
    with sql(office.runtime).connect() as connection:
        [row] = connection.execute(answers.select())
    guesses = ("198.51.100.1", "anybody at 198.51.100.1", "anybody")
    assert row.key not in {sha256(f"{one}\0{1}".encode()).hexdigest() for one in guesses}


def test_a_program_with_a_key_is_the_same_from_everywhere(office: Office) -> None:
    for at in ("198.51.100.1", "198.51.100.2"):
        client = program(office.app, office.key, at=at)
        assert client.post(FEEDS, json=feed_body(), headers=KEYED).status_code == 201
    assert office.rows(feeds) == 1
