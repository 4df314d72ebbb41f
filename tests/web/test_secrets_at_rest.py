"""Whoever has the database alone has no secret: neither a key of ours nor a way into a channel."""

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, text

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.db.schema.tables import answers
from paperround.delivery.store.status import StatusStore
from paperround.doctor.database_check import check_keys
from paperround.ops.cleanup import clean_up
from paperround.plugins.channels.model import ChannelKind
from paperround.plugins.channels.store import ChannelStore
from tests.databases import database_url, postgres, postgres_url
from tests.plugins.channels.services import PATHS, Services, services
from tests.web.admin import fields_of, key_for, program
from tests.web.conftest import sql
from tests.web.idempotency import KEYED, Office, settings

__all__ = ["database_url", "postgres", "postgres_url", "settings"]

CHANNELS = "/api/v1/admin/channels"
BOT = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

BOTS_ADDRESS = f"https://api.telegram.org/bot{BOT}"

OTHER = "another secret that is only used by these tests"


@pytest.fixture
def made() -> Iterator[Services]:
    with services() as found:
        yield found


@pytest.fixture
def office(settings: Settings, made: Services) -> Iterator[Office]:
    one = Office(
        settings.model_copy(update={"fetch_allow": f"{made.server.at},api.telegram.org:443"})
    )
    yield one
    one.close()


def with_secret(office: Office, secret: str) -> Office:
    """The same installation after its secret was set anew. A copy of its settings would remember
    the keys it had."""
    before = office.runtime.settings
    return Office(
        Settings(
            data_dir=before.data_dir,
            public_url=before.public_url,
            database_url=before.database_url,
            fetch_allow=before.fetch_allow,
            secret_key=secret,
        )
    )


def dump(office: Office) -> str:
    """Every column of every table there is, those that no code of ours knows included."""
    engine = sql(office.runtime)
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = [connection.execute(text(f'SELECT * FROM "{one}"')).all() for one in names]
    assert len(names) > 30
    return str(rows)


@pytest.mark.accept("A2", part="dump")
def test_a_dump_of_the_database_holds_no_usable_secret(office: Office, made: Services) -> None:
    hook = f"http://{made.server.at}{PATHS[ChannelKind.WEBHOOK]}"
    body = {"kind": "webhook", "hook": hook, "name": "lab"}
    webhook = office.admin.post(CHANNELS, json=body, headers=KEYED)
    assert webhook.status_code == 201, webhook.text
    bot = {"kind": "telegram", "hook": BOT, "chat": "@papers_of_the_lab", "name": "bot"}
    assert office.admin.post(CHANNELS, json=bot).status_code == 201
    changed = {"key": "whsec_" + "QUJD" * 12}
    assert office.admin.patch(webhook.headers["location"], json=changed).status_code == 200
    key = key_for(office.runtime, Scope.FEEDS_READ)
    program(office.app, key).get("/api/v1/admin/feeds")
    kept = dump(office)
    secrets = (webhook.json()["key"], changed["key"], BOT, hook, key, office.key)
    for secret in secrets:
        for part in (secret, secret.removeprefix("whsec_"), secret[-24:]):
            assert part not in kept


@pytest.mark.accept("A2", part="kept answers")
def test_the_answer_that_shows_a_key_comes_again_and_rests_sealed(
    office: Office, made: Services
) -> None:
    hook = f"http://{made.server.at}{PATHS[ChannelKind.WEBHOOK]}"
    body = {"kind": "webhook", "hook": hook, "name": "lab"}
    first, again = (office.admin.post(CHANNELS, json=body, headers=KEYED) for _ in range(2))
    assert again.content == first.content
    assert first.json()["key"].startswith("whsec_")
    with sql(office.runtime).connect() as connection:
        [row] = connection.execute(answers.select())
    assert row.body.startswith("sealed:")
    assert "whsec_" not in str(row)


@pytest.mark.accept("A2", part="rotation")
def test_what_rests_is_sealed_anew_after_the_secret_changed(
    office: Office, settings: Settings
) -> None:
    bot = {"kind": "telegram", "hook": BOT, "chat": "@papers_of_the_lab", "name": "bot"}
    office.admin.post(CHANNELS, json=bot)
    old = settings.keys.current
    ring = f"a second secret that is only used by these tests,{settings.secret_key}"
    rotated = with_secret(office, ring)
    runtime = rotated.runtime
    with runtime.database.reading() as work:
        assert work[StatusStore].keys_in_use(since=rotated.clock.now()).channels == {old.id: 1}
    clean_up(database=runtime.database, identity=runtime.identity, now=rotated.clock.now())
    with runtime.database.reading() as work:
        [one] = work[ChannelStore].all()
        used = work[StatusStore].keys_in_use(since=rotated.clock.now()).channels
    assert (one.hook.url, one.hook.chat) == (BOTS_ADDRESS, "@papers_of_the_lab")
    assert used == {runtime.settings.keys.current.id: 1} != {old.id: 1}
    rotated.close()


def test_without_its_secret_nothing_is_lost_and_somebody_says_so(
    office: Office, settings: Settings
) -> None:
    """The housework goes on, the channel stays as it is, and whoever needs it hears which secret
    is gone."""
    bot = {"kind": "telegram", "hook": BOT, "chat": "@papers_of_the_lab", "name": "bot"}
    office.admin.post(CHANNELS, json=bot)
    stranger = with_secret(office, OTHER)
    runtime = stranger.runtime
    before = dump(office)
    with runtime.database.writing() as work:
        assert work[ChannelStore].reencrypt() == 0
    assert dump(office) == before
    [listed] = stranger.admin.get(CHANNELS).json()["items"]
    assert listed["hook"] == "an unreadable address"
    tried = stranger.admin.post(f"{CHANNELS}/{listed['id']}/test")
    assert (tried.status_code, fields_of(tried)) == (422, ["hook"])
    assert settings.keys.current.id in tried.json()["detail"]
    said = check_keys(runtime.database, runtime.settings.keys, now=stranger.clock.now())
    assert "1 channel, which can no longer be posted to" in said.says
    stranger.close()
    with office.runtime.database.reading() as work:
        assert work[ChannelStore].find("bot").hook.url == BOTS_ADDRESS


def test_a_channel_whose_secret_is_gone_is_given_its_hook_anew(
    office: Office, settings: Settings, made: Services
) -> None:
    hook = {"hook": f"http://{made.server.at}{PATHS[ChannelKind.SLACK]}"}
    office.admin.post(CHANNELS, json={"kind": "slack", "name": "lab", **hook})
    stranger = with_secret(office, OTHER)
    [lost] = stranger.admin.get(CHANNELS).json()["items"]
    where = f"{CHANNELS}/{lost['id']}"
    assert stranger.admin.patch(where, json={"hour": 9}).status_code == 200
    assert fields_of(stranger.admin.patch(where, json={"chat": "@x"})) == ["hook"]
    assert stranger.admin.patch(where, json=hook).status_code == 200
    assert stranger.admin.post(f"{where}/test").json()["state"] == "sent"
    stranger.close()


def test_an_answer_whose_secret_is_gone_is_that_of_another_request(office: Office) -> None:
    bot = {"kind": "telegram", "hook": BOT, "chat": "@papers_of_the_lab", "name": "bot"}
    assert office.admin.post(CHANNELS, json=bot, headers=KEYED).status_code == 201
    stranger = with_secret(office, OTHER)
    again = program(stranger.app, office.key).post(CHANNELS, json=bot, headers=KEYED)
    assert fields_of(again) == ["Idempotency-Key"]
    stranger.close()
