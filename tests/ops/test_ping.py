"""The dead-man switch is asked now and then, and nothing it does disturbs anybody."""

import logging
from datetime import timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.core.errors import FetchFailed, FetchRefused
from paperround.http.client import GuardedClient
from paperround.http.model import FetchRequest, Page
from paperround.ops.tick import PING_INTERVAL, DeadManSwitch
from tests.builders import MINUTE, NOW

URL = "https://hc.example/3f1c"


class Service:
    """Answers, or raises `error`."""

    def __init__(self, error: FetchFailed | None = None) -> None:
        self.error = error
        self.asked: list[str] = []

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request.url)
        if self.error is not None:
            raise self.error
        return Page(
            request=request, url=request.url, status=200, headers={}, body=b"OK", fetched_at=NOW
        )


@pytest.mark.accept("F46", part="dead-man ping")
def test_it_is_asked_at_most_every_five_minutes() -> None:
    service = Service()
    switch = DeadManSwitch(URL, service)
    for minute in range(21):
        switch.ping(NOW + minute * MINUTE)
    assert service.asked == [URL] * 5


def test_a_clock_that_is_set_back_does_not_silence_it() -> None:
    service = Service()
    switch = DeadManSwitch(URL, service)
    for now in (NOW + timedelta(days=400), NOW, NOW + PING_INTERVAL):
        switch.ping(now)
    assert len(service.asked) == 3


@pytest.mark.parametrize("error", [FetchFailed("status 500"), FetchRefused("is on our network")])
def test_what_goes_wrong_is_logged_and_tried_again_later(
    error: FetchFailed, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(error)
    switch = DeadManSwitch(URL, service)
    switch.ping(NOW)
    switch.ping(NOW + PING_INTERVAL)
    assert len(service.asked) == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert str(error) in caplog.text


@pytest.mark.accept("W4", part="dead-man switch")
def test_it_is_asked_through_the_guarded_client(caplog: pytest.LogCaptureFixture) -> None:
    client = GuardedClient(user_agent="Paperround/1", allow=frozenset(), clock=FixedClock(NOW))
    DeadManSwitch("http://127.0.0.1:9/secret-path", client).ping(NOW)
    client.close()
    assert "127.0.0.1" in caplog.text
    assert "secret-path" not in caplog.text


def test_without_an_address_nobody_is_asked() -> None:
    service = Service()
    DeadManSwitch(None, service).ping(NOW)
    assert service.asked == []
