"""Signing up by form, snippet and program, and what each of them is told."""

import base64
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.errors import SharedLimitReached
from paperround.core.rates import SignupLimits, parse_rates
from paperround.core.tokens import KeyRing, Purpose
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.lists import ListSettings
from paperround.editions.store.lists import ListStore
from paperround.signup.context import SignupContext
from paperround.signup.limits import DAY, count_requests
from paperround.signup.requests import request_link
from paperround.subscribers.model import Frequency, Preferences, SubscriberState
from paperround.subscribers.readers import Limit, Visitor
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web import form_token
from paperround.web.app import create_app
from paperround.web.form_token import FormSender
from tests.builders import NOW, address, seed_subscribers
from tests.web.conftest import PUBLIC_URL, Site, running

RING = KeyRing((b"one secret that is long enough 1", b"one secret that is long enough 2"))


def state(site: Site, name: str = "ada") -> SubscriberState | None:
    site.work()
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address(name))
    return person.state if person else None


def choices(site: Site, name: str = "ada") -> Preferences:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address(name))
        assert person is not None
        [found] = work[SubscriberStore].subscriptions_of(person.id)
    return found.preferences


def confirm_token(site: Site, **fields: str) -> str:
    site.ask(**fields)
    return site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)


# --- the form ----------------------------------------------------------------------------------


@pytest.mark.accept("F27", part="form")
def test_the_form_works_without_a_script(site: Site) -> None:
    assert "Check your inbox" in site.ask()
    assert state(site) is SubscriberState.PENDING


@pytest.mark.accept("F27", part="snippet")
def test_a_form_on_somebody_elses_page_works_without_a_stamp(site: Site) -> None:
    fields = {"email": "ada@mail.example", "list": "trending", "origin": "snippet"}
    elsewhere = {"origin": "https://blog.example", "sec-fetch-site": "cross-site"}
    assert site.client.post("/subscribe", data=fields, headers=elsewhere).status_code == 200
    assert state(site) is SubscriberState.PENDING


@pytest.mark.accept("S3", part="trap")
def test_whoever_falls_into_the_trap_is_told_the_same_and_mailed_nothing(site: Site) -> None:
    honest = site.ask("grace@mail.example")
    before = site.dump()
    assert site.ask(website="https://spam.example") == honest
    assert site.dump() == before


@pytest.mark.accept("S3", part="stamp")
def test_a_form_sent_within_two_seconds_is_told_the_same_and_mailed_nothing(site: Site) -> None:
    honest = site.ask("grace@mail.example")
    stamp, before = (
        form_token.make_stamp(site.runtime.signup_context.keys, now=site.clock.now()),
        site.dump(),
    )
    site.clock.move(seconds=1.9)
    fields = {"email": "ada@mail.example", "stamp": stamp}
    assert site.client.post("/subscribe", data=fields).text == honest
    assert site.dump() == before


@pytest.mark.accept("S4")
def test_the_answer_does_not_tell_what_is_known_of_an_address(site: Site) -> None:
    with site.runtime.database.writing() as work:
        mailing_list = work[ListStore].get("trending")
    [_, gone] = seed_subscribers(site.runtime.database, mailing_list, ("active", "gone"))
    with site.runtime.database.writing() as work:
        work[SubscriberStore].set_state(gone.subscriber_id, SubscriberState.SUPPRESSED, now=NOW)
    site.ask("pending@mail.example")
    names = ("new", "pending", "active", "gone")
    assert len({site.ask(f"{name}@mail.example") for name in names}) == 1
    answers = [
        site.client.post("/api/v1/subscriptions", json={"email": f"{name}@mail.example"})
        for name in names
    ]
    assert len({(one.status_code, one.content, str(one.headers)) for one in answers}) == 1


def test_a_mistyped_address_is_shown_again_with_what_is_wrong(site: Site) -> None:
    answer = site.client.post("/subscribe", data={"email": "ada@", "hour": "8"})
    assert answer.status_code == 422
    assert 'value="ada@"' in answer.text
    assert 'aria-invalid="true" aria-describedby="email-error"' in answer.text
    assert '<option value="8" selected>' in answer.text


@pytest.mark.parametrize(
    "wrong",
    [{"hour": "24"}, {"hour": "8.5"}, {"timezone": "Mars/Base"}, {"frequency": "weekly:x"}],
)
def test_a_choice_that_cannot_be_is_shown_where_it_was_made(
    site: Site, wrong: dict[str, str]
) -> None:
    answer = site.client.post("/subscribe", data={"email": "ada@mail.example", **wrong})
    assert answer.status_code == 422
    assert "<details open>" in answer.text
    assert state(site) is None


def test_somebody_else_can_choose_nothing_for_a_reader_but_when_mail_comes(site: Site) -> None:
    said = {"hour": "6", "timezone": "Asia/Tokyo", "frequency": "weekly:fri"}
    others = {"size": "1", "floor": "1000", "paused_until": "2026-12-01", "topics": "pills"}
    site.client.post(f"/confirm/{confirm_token(site, **said, **others)}")
    weekly = {"frequency": Frequency.WEEKLY, "weekday": "fri"}
    assert choices(site) == Preferences(hour=6, timezone="Asia/Tokyo", **weekly)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/", "/subscribe"])
def test_the_form_says_at_what_hour_digests_come_unless_lists_differ(site: Site, path: str) -> None:
    assert '<option value="">Default (07:00)</option>' in site.client.get(path).text
    with site.runtime.database.writing() as work:
        later = ListSettings(title="Evening papers", zone="UTC", default_hour=18)
        work[ListStore].add("evening", later, now=NOW)
    site.clock.move(minutes=2)
    assert '<option value="">Default</option>' in site.client.get(path).text


@pytest.mark.accept("F23", part="chosen")
def test_a_month_can_be_chosen_in_the_form(site: Site) -> None:
    page = site.client.get("/").text
    assert '<option value="monthly">Once a month, on the first day</option>' in page
    page = site.client.post(f"/confirm/{confirm_token(site, frequency='monthly')}").text
    assert "Once a month, on the first day" in page
    assert choices(site) == Preferences(frequency=Frequency.MONTHLY)


# --- confirming --------------------------------------------------------------------------------


@pytest.mark.accept("F28", part="pages")
def test_looking_at_the_link_changes_nothing_and_pressing_the_button_subscribes(site: Site) -> None:
    token = confirm_token(site)
    assert "Confirm your subscription" in site.client.get(f"/confirm/{token}").text
    assert state(site) is SubscriberState.PENDING
    page = site.client.post(f"/confirm/{token}").text
    assert "You are subscribed" in page
    assert state(site) is SubscriberState.ACTIVE
    [opens] = re.findall(r'href="(/preferences/[^"/]+)"', page)
    assert "Maximum papers in a digest" in site.client.get(opens).text


@pytest.mark.accept("F60", part="first morning")
def test_who_confirms_before_the_first_papers_is_told_when_their_digest_comes(site: Site) -> None:
    page = site.client.post(f"/confirm/{confirm_token(site)}").text
    assert "You’ll get your first digest as soon as there are." in page
    assert "The first edition has not been made yet." in site.client.get("/").text


@pytest.mark.accept("S5", part="pages")
def test_a_forged_a_used_and_an_old_link_get_the_same_page(site: Site) -> None:
    token = confirm_token(site)
    forged = site.client.post(f"/confirm/{token[:-1]}A").text
    site.client.post(f"/confirm/{token}")
    used = site.client.post(f"/confirm/{token}").text
    site.ask("grace@mail.example")
    old = site.notice_token("grace", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    site.clock.move(hours=49)
    assert {forged, used, site.client.post(f"/confirm/{old}").text} == {forged}
    assert "no longer works" in forged


def test_it_is_kept_through_which_door_somebody_came(site: Site) -> None:
    site.ask("form@mail.example")
    site.ask("snippet@mail.example", origin="snippet")
    site.client.post("/api/v1/subscriptions", json={"email": "api@mail.example"})
    for door in ("form", "snippet", "api"):
        token = site.notice_token(door, SystemMailKind.CONFIRM, Purpose.CONFIRM)
        site.client.post(f"/confirm/{token}")
        with site.runtime.database.reading() as work:
            person = work[SubscriberStore].find(address(door))
        assert person is not None
        assert person.consent is not None
        assert person.consent.source == f"{door}, confirmed by mail"


# --- by program --------------------------------------------------------------------------------


@pytest.mark.accept("F27", part="api")
def test_a_program_signs_somebody_up_with_their_choices(site: Site) -> None:
    asked = {
        "email": "ada@mail.example",
        "list": "trending",
        "timezone": "Asia/Tokyo",
        "hour": 9,
        "frequency": "weekly:fri",
        "topics": ["sensor fusion"],
    }
    answer = site.client.post("/api/v1/subscriptions", json=asked)
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    page = site.client.post(f"/confirm/{token}").text
    for chosen in ("09:00 (Asia/Tokyo)", "Once a week, on Friday", "sensor fusion"):
        assert chosen in page


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "ada@"}, "email"),
        ({"email": 7}, "email"),
        ({"hour": 24}, "hour"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"frequency": "hourly"}, "frequency"),
        ({"topics": ["x" * 101]}, "topics"),
    ],
)
def test_a_program_is_told_which_field_is_wrong(
    site: Site, change: dict[str, object], field: str
) -> None:
    answer = site.client.post("/api/v1/subscriptions", json={"email": "a@b.example", **change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.accept("A8", part="subscriptions")
@pytest.mark.parametrize("field", ["status", "state", "id", "confirmed", "consent_at", "ip"])
def test_a_program_cannot_set_what_is_not_its_to_say(site: Site, field: str) -> None:
    asked = {"email": "ada@mail.example", field: "active"}
    answer = site.client.post("/api/v1/subscriptions", json=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert state(site) is None


def refused_at(client: TestClient, start: int = 0) -> int:
    """Which request of one visitor is one too many, each with another forged address."""
    for number in range(start, start + 10):
        headers = {"x-forwarded-for": f"198.51.100.{number}", "x-real-ip": f"198.51.100.{number}"}
        asked = {"email": f"ada{number}@mail.example"}
        answer = client.post("/api/v1/subscriptions", json=asked, headers=headers)
        if answer.status_code == 429:
            return number - start
    raise AssertionError("nothing was ever too many")


@pytest.mark.accept("S2", part="forged address")
def test_a_forged_client_address_is_no_other_client(limited_site: Site) -> None:
    assert refused_at(limited_site.client) == 3


@pytest.mark.accept("S2", part="restart")
def test_who_asked_too_often_has_to_wait_after_a_restart_too(limited_site: Site) -> None:
    refused_at(limited_site.client)
    again = create_app(AppContext(limited_site.runtime.settings, limited_site.clock))
    assert refused_at(TestClient(again, base_url=PUBLIC_URL), start=20) == 0


# --- stamps and work ---------------------------------------------------------------------------


def test_a_stamp_is_good_from_two_seconds_to_a_day() -> None:
    stamp = form_token.make_stamp(RING, now=NOW)
    ages = {1.9: FormSender.TOO_FAST, 2: FormSender.BY_HAND, 86_400: FormSender.BY_HAND}
    for seconds, how in (ages | {86_401: FormSender.NOT_OURS}).items():
        assert form_token.check_stamp(RING, stamp, now=NOW + timedelta(seconds=seconds)) is how


@pytest.mark.parametrize("text", ["", ".", "1.x", "x.y", "1772438400." + "0" * 40, "٣.é", "1."])
def test_a_stamp_nobody_signed_is_none(text: str) -> None:
    assert form_token.check_stamp(RING, text, now=NOW) is FormSender.NOT_OURS


def test_a_stamp_survives_a_change_of_keys() -> None:
    old = KeyRing((b"one secret that is long enough 2",))
    later = NOW + timedelta(minutes=1)
    assert (
        form_token.check_stamp(RING, form_token.make_stamp(old, now=NOW), now=later)
        is FormSender.BY_HAND
    )


def solved(text: str) -> str:
    """What a browser finds."""
    asked = json.loads(base64.b64decode(text))
    for number in range(asked["maxNumber"] + 1):
        found = hashlib.sha256(f"{asked['salt']}{number}".encode()).hexdigest()
        if found == asked["challenge"]:
            return str(number)
    raise AssertionError("there is always a number")


@pytest.mark.accept("S3", part="work")
def test_work_counts_once_and_for_an_hour(site: Site) -> None:
    keys = site.runtime.signup_context.keys
    first, second = (form_token.make_challenge(keys, now=NOW) for _ in range(2))
    number = solved(first)
    assert form_token.verify_challenge(keys, first, str(int(number) + 1), now=NOW) is None
    proof = form_token.verify_challenge(keys, first, number, now=NOW)
    assert [counts(site, proof) for _ in range(2)] == [True, False]
    too_late = NOW + timedelta(hours=1, seconds=1)
    assert form_token.verify_challenge(keys, second, solved(second), now=too_late) is None


def counts(site: Site, proof: str | None, signup_context: SignupContext | None = None) -> bool:
    """Whether a request with that proof is let in where nobody is without one."""
    crowd = SignupLimits(address=(), ip=(), net=(), domain=parse_rates("1/h"), total=())
    here = replace(signup_context or site.runtime.signup_context, limits=crowd)
    visitor = Visitor(ip=None, stamped=True)
    with suppress(SharedLimitReached):
        request_link(here, address("first"), visitor, now=NOW)
    try:
        request_link(here, address("second"), visitor, proof=proof, now=NOW)
    except SharedLimitReached:
        return False
    return True


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


SURROGATES = [
    encoded(
        {"algorithm": "SHA-256", "challenge": "b", "salt": "c", "signature": "d", field: "\ud800"}
    )
    for field in ("algorithm", "challenge", "salt", "signature")
]


@pytest.mark.parametrize("text", ["", "x", "W10=", "MQ==", "e30=", "eyJzYWx0Ijoge319", *SURROGATES])
def test_work_that_is_none_of_ours_counts_for_nothing(site: Site, text: str) -> None:
    assert form_token.verify_challenge(site.runtime.signup_context.keys, text, "1", now=NOW) is None


def test_a_work_that_was_made_easier_does_not_count(site: Site) -> None:
    salt = "abc?expires=99999999999&"
    easy = {
        "algorithm": "SHA-256",
        "challenge": hashlib.sha256(f"{salt}0".encode()).hexdigest(),
        "salt": salt,
        "signature": "0" * 64,
    }
    text = base64.b64encode(json.dumps(easy).encode()).decode()
    assert form_token.verify_challenge(site.runtime.signup_context.keys, text, "0", now=NOW) is None


def test_work_is_asked_for_only_while_very_many_sign_up(crowded_site: Site) -> None:
    client = crowded_site.client
    assert 'name="work"' not in client.get("/").text
    client.post("/subscribe", data={"email": "ada@mail.example"})
    page = client.get("/")
    assert page.headers["cache-control"] == "no-store"
    [work] = re.findall(r'name="work" value="([^"]+)"', page.text)
    due = []
    for name, number in (("lazy", ""), ("busy", solved(work))):
        fields = {"email": f"{name}@mail.example", "work": work, "number": number}
        assert client.post("/subscribe", data=fields).status_code == 200
        due.append(crowded_site.due(name))
    assert due[0] - due[1] >= timedelta(minutes=10)


# --- what is left to a program -----------------------------------------------------------------


def test_a_program_is_told_how_often_it_may_still_sign_somebody_up(limited_site: Site) -> None:
    told = []
    for number in range(4):
        asked = {"email": f"ada{number}@mail.example"}
        answer = limited_site.client.post("/api/v1/subscriptions", json=asked)
        told.append((answer.status_code, answer.headers["ratelimit"]))
        assert answer.headers["ratelimit-policy"] == '"sign-ups";q=3;w=600'
    assert [status for status, _ in told] == [202, 202, 202, 429]
    assert [left for _, left in told] == [f'"sign-ups";r={n};t=601' for n in (2, 1, 0, 0)]


@pytest.mark.accept("S3", part="two processes")
def test_work_that_was_shown_to_one_process_counts_in_no_other(site: Site) -> None:
    keys = site.runtime.signup_context.keys
    work = form_token.make_challenge(keys, now=NOW)
    proof = form_token.verify_challenge(keys, work, solved(work), now=NOW)
    other = AppContext(site.runtime.settings, site.clock)
    assert counts(site, proof)
    assert not counts(site, proof, other.signup_context)


@pytest.mark.accept("S3", part="at once")
def test_work_that_is_shown_twenty_times_at_once_counts_once(site: Site) -> None:
    keys = site.runtime.signup_context.keys
    work = form_token.make_challenge(keys, now=NOW)
    proof = form_token.verify_challenge(keys, work, solved(work), now=NOW)
    counts(site, None)
    with ThreadPoolExecutor(20) as threads:
        counted = list(threads.map(lambda _: counts(site, proof), range(20)))
    assert sum(counted) == 1


@pytest.mark.accept("S3", part="slow lane")
def test_a_form_without_work_in_a_crowd_is_told_the_same_and_waits_its_turn(
    crowded_site: Site,
) -> None:
    client = crowded_site.client
    pages = [
        client.post("/subscribe", data={"email": f"ada{number}@mail.example"})
        for number in range(3)
    ]
    assert pages[0].text == pages[1].text
    due = [crowded_site.due(f"ada{number}") - crowded_site.clock.now() for number in range(2)]
    assert due == [timedelta(0), timedelta(minutes=30)]
    assert pages[2].status_code == 503  # the lane takes one an hour here


@pytest.mark.accept("S18", part="work lets in")
@pytest.mark.parametrize("path", ["/subscribe", "/preferences"])
def test_who_is_refused_in_a_crowd_is_asked_for_work_and_let_in_with_it(
    settings: Settings, path: str
) -> None:
    with running(settings.model_copy(update={"rate_signup_domain": "1/h"})) as site:
        site.client.post(path, data={"email": "first@mail.example"})
        refused = site.client.post(path, data={"email": "ada@mail.example"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "3601")
        assert 'value="ada@mail.example"' in refused.text
        [work] = re.findall(r'name="work" value="([^"]+)"', refused.text)
        again = {"email": "ada@mail.example", "work": work, "number": solved(work)}
        assert site.client.post(path, data=again).status_code == 200
        assert site.due("ada") == site.clock.now()


@pytest.mark.accept("S18", part="queued or refused")
def test_a_program_is_answered_202_for_what_is_queued_and_503_for_what_is_not(
    settings: Settings,
) -> None:
    with running(settings.model_copy(update={"rate_signup_domain": "2/h"})) as site:
        answers = [
            site.client.post("/api/v1/subscriptions", json={"email": f"ada{n}@a{n}.mail.example"})
            for n in range(4)
        ]
        assert [one.status_code for one in answers] == [202, 202, 503, 503]
        assert {one.headers.get("retry-after") for one in answers[2:]} == {"3601"}
        assert "Queued" in answers[0].json()["detail"]
        with site.runtime.database.reading() as work:
            waiting, _ = work[RequestStore].waiting()
            found = count_requests(work, DAY, now=NOW)
    assert waiting == 2
    assert found.refused[Limit.DOMAIN] == 2


@pytest.mark.accept("S18", part="operator")
def test_a_refusal_is_counted_though_its_request_is_undone_with_its_key(
    crowded_site: Site,
) -> None:
    for number in range(4):
        crowded_site.client.post(
            "/api/v1/subscriptions",
            json={"email": f"ada{number}@mail.example"},
            headers={"idempotency-key": f"key {number}"},
        )
    with crowded_site.runtime.database.reading() as work:
        assert count_requests(work, DAY, now=NOW).refused[Limit.TOTAL] == 2
