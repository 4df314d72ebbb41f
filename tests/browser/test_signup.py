"""Signing up in a browser: the work that a crowd asks for, and a slip of the keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.db.schema.tables import notices
from paperround.subscribers.model import Address, SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.app import create_app
from tests.builders import address
from tests.web.conftest import HandClock, sql
from tests.web.serving import served


@pytest.fixture
def home(tmp_path: Path) -> Iterator[AppContext]:
    """An installation for which one sign-up an hour is a crowd."""
    settings = Settings(
        data_dir=tmp_path,
        public_url="http://127.0.0.1",
        secret_key="a secret that is only used by these tests",
        rate_signup_total="1/h",
    )
    runtime = AppContext(settings, HandClock())
    yield runtime
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.fixture
def page(browser: Browser, home: AppContext) -> Iterator[Page]:
    """The first page, open for a while; nothing on it breaks its content policy."""
    said: list[str] = []
    with served(create_app(home)) as (host, port):
        context = browser.new_context()
        found = context.new_page()
        found.on("console", lambda message: said.append(message.text))
        found.on("pageerror", lambda error: said.append(str(error)))
        found.goto(f"http://{host}:{port}/")
        yield found
        context.close()
    assert [one for one in said if "422" not in one] == []


def signs_up(page: Page, home: AppContext, email: str) -> None:
    """Write the address and press the button, as slowly as a person."""
    page.reload()
    clock = home.clock
    assert isinstance(clock, HandClock)
    clock.move(seconds=5)
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Subscribe", exact=True).click()


def waits(home: AppContext, who: Address) -> float | None:
    """Seconds until the confirmation of somebody leaves; None for whom none is written."""
    with home.requests_first():
        pass
    with home.database.reading() as work:
        person = work[SubscriberStore].find(who)
    if person is None:
        return None
    return due_in(home, person.id)


def due_in(home: AppContext, person: SubscriberId) -> float:
    with sql(home).connect() as connection:
        [row] = connection.execute(notices.select().where(notices.c.subscriber_id == person))
    return float((row.due_at - home.clock.now()).total_seconds())


@pytest.mark.accept("S3", part="browser")
def test_a_browser_does_the_work_of_a_crowded_hour_and_does_not_wait(
    page: Page, home: AppContext
) -> None:
    for name in ("first", "busy"):
        signs_up(page, home, f"{name}@mail.example")
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
        page.go_back()
    assert waits(home, address("busy")) == 0


def test_a_slip_is_mended_with_one_click(page: Page, home: AppContext) -> None:
    signs_up(page, home, "ada@gmaill.com")
    page.get_by_role("button", name="ada@gmail.com").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert waits(home, address("ada", "gmail.com")) == 0
    assert waits(home, address("ada", "gmaill.com")) is None
