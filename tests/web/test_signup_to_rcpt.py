"""Every address of the corpus, from the form to the relay: refused, or named there unchanged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.digests.sending import deliver_notices
from paperround.web.app import create_app
from tests.faults import SmtpSink
from tests.web.address_corpus import bad, good
from tests.web.conftest import PUBLIC_URL, HandClock, Site, sql

LIMITS = ("address", "ip", "net", "domain", "total")


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink(offers=("PIPELINING",)) as one:
        yield one


@pytest.fixture
def posting(tmp_path: Path, sqlite_template: Path, sink: SmtpSink) -> Iterator[Site]:
    """A site without limits that sends to the sink."""
    settings = Settings(
        data_dir=tmp_path,
        public_url=PUBLIC_URL,
        secret_key="a secret that is only used by these tests",
        smtp_url=sink.url,
        **{f"rate_signup_{name}": "off" for name in LIMITS},  # type: ignore[arg-type]
    )
    clock = HandClock()
    runtime = AppContext(settings, clock)
    app = create_app(runtime)
    client = TestClient(app, base_url=PUBLIC_URL, raise_server_exceptions=False)
    yield Site(app=app, runtime=runtime, clock=clock, client=client)
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


def recipients(sink: SmtpSink) -> list[str]:
    """Whom the RCPT commands name, as they came over the wire."""
    said = [line for line in sink.commands if line.upper().startswith("RCPT TO:<")]
    return [line.partition("<")[2].rpartition(">")[0] for line in said]


@pytest.mark.slow
@pytest.mark.accept("S9", part="to the relay")
def test_an_address_that_is_accepted_is_named_to_the_relay_as_it_was_written(
    posting: Site, sink: SmtpSink
) -> None:
    welcome = [(written, mailed) for written, mailed in good() if not is_routed(written)]
    for written, _ in welcome:
        page = posting.client.post("/subscribe", data={"email": written})
        assert page.status_code == 200, written
    posting.work()
    deliver_notices(posting.runtime.post())
    mailboxes = {mailed.casefold(): mailed for _, mailed in reversed(welcome)}
    assert sorted(recipients(sink)) == sorted(mailboxes.values())


def is_routed(written: str) -> bool:
    return not set("%!|`").isdisjoint(written.rpartition("@")[0])


@pytest.mark.slow
@pytest.mark.accept("S9", part="refused")
def test_an_address_that_is_refused_leaves_nothing_and_names_nobody(
    posting: Site, sink: SmtpSink
) -> None:
    before = posting.dump()
    for written in bad():
        text = written.encode("utf-8", "surrogatepass")
        form = posting.client.post("/subscribe", data={"email": text})
        assert form.status_code == 422, ascii(written)
    assert posting.dump() == before
    deliver_notices(posting.runtime.post())
    assert recipients(sink) == []
