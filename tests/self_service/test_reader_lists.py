"""Several lists at once: by one sign-up, and from the page of one's choices."""

import pytest
from sqlalchemy import Engine

from paperround.core.errors import NotFound
from paperround.db.transactions import Database
from paperround.self_service.preferences import (
    join_list,
    leave_from_choices,
    open_choices,
)
from paperround.signup.confirm import confirm
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import LinkExpired
from paperround.signup.requests import SignupRequest
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address
from tests.self_service.readers import (
    DAYS,
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

WISH = Preferences(
    hour=6, timezone="Asia/Tokyo", frequency=Frequency.WEEKLY, weekday="fri", topics=("graphs",)
)


def choosing(here: SignupContext) -> str:
    request_link(here, address(), visitor(), now=NOW)
    (mail,) = post(here.database, now=NOW)
    return link(mail)


def stands(here: SignupContext, token: str) -> dict[str, tuple[bool, bool]]:
    choices = open_choices(here, token, now=NOW)
    return {one.name: (one.active, one.known) for one in choices.lists}


@pytest.mark.accept("F30", part="lists")
def test_a_reader_joins_another_list_without_another_mail(
    database: Database, engine: Engine
) -> None:
    here = signup_context(database)
    joined(here, wish=WISH)
    second_list(engine)
    token = choosing(here)
    assert stands(here, token) == {"second": (False, False), "trending": (True, True)}
    join_list(here, token, "second", now=NOW)
    assert stands(here, token) == {"second": (True, True), "trending": (True, True)}
    assert post(database, now=NOW) == []
    choices = open_choices(here, token, now=NOW, list_name="second")
    assert choices.preferences == Preferences(
        hour=6, timezone="Asia/Tokyo", frequency=Frequency.WEEKLY, weekday="fri"
    )


@pytest.mark.accept("F30", part="lists")
def test_leaving_one_list_leaves_the_other_and_one_can_come_back(
    database: Database, engine: Engine
) -> None:
    here = signup_context(database)
    joined(here)
    second_list(engine)
    token = choosing(here)
    join_list(here, token, "second", now=NOW)
    leave_from_choices(here, token, now=NOW, list_name="second")
    assert stands(here, token) == {"second": (False, True), "trending": (True, True)}
    join_list(here, token, "second", now=NOW)
    assert stands(here, token)["second"] == (True, True)


def test_a_list_there_is_not_and_a_link_that_is_not_fresh_join_nothing(database: Database) -> None:
    here = signup_context(database)
    joined(here)
    token = choosing(here)
    with pytest.raises(NotFound):
        join_list(here, token, "none", now=NOW)
    with pytest.raises(LinkExpired):
        join_list(here, token, "trending", now=NOW + 2 * DAYS)
    with pytest.raises(LinkExpired):
        open_choices(here, token, now=NOW + 2 * DAYS)


@pytest.mark.accept("F27", part="several lists")
def test_one_mail_asks_for_several_lists_and_one_yes_is_for_all_of_them(
    database: Database, engine: Engine
) -> None:
    second_list(engine)
    here = signup_context(database)
    asked = SignupRequest(
        address=address(),
        list_name="trending",
        preferences=WISH,
        visitor=visitor(),
        source="form",
        also=("second", "second"),
    )
    subscribe(here, asked, now=NOW)
    (mail,) = post(database, now=NOW)
    confirmed = confirm(here, link(mail), now=NOW)
    assert confirmed is not None
    assert len(confirmed.also) == 1
    assert all(active for active, _ in stands(here, confirmed.preferences_token).values())
    with database.reading() as work:
        person = work[SubscriberStore].find(address())
    assert person is not None
    assert person.consent is not None
    assert person.consent.source == "form, confirmed by mail"


def test_a_further_list_there_is_not_is_refused_like_the_first(database: Database) -> None:
    here = signup_context(database)
    wrong = SignupRequest(
        address=address(),
        list_name="trending",
        preferences=Preferences(),
        visitor=visitor(),
        source="form",
        also=("none",),
    )
    with pytest.raises(NotFound):
        subscribe(here, wrong, now=NOW)
    assert post(database, now=NOW) == []


def test_asking_for_more_lists_is_another_question(database: Database, engine: Engine) -> None:
    second_list(engine)
    here = signup_context(database)
    subscribe(here, request(), now=NOW)
    post(database, now=NOW)
    more = SignupRequest(
        address=address(),
        list_name="trending",
        preferences=Preferences(),
        visitor=visitor(),
        source="form",
        also=("second",),
    )
    subscribe(here, more, now=NOW)
    (mail,) = post(database, now=NOW)
    confirmed = confirm(here, link(mail), now=NOW)
    assert confirmed is not None
    assert len(confirmed.also) == 1
