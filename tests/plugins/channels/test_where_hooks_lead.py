"""A hook that leads inside is refused when a channel is added or changed, not at its first post."""

from collections.abc import Sequence
from typing import NoReturn

import pytest

from paperround.core.clock import FixedClock
from paperround.core.errors import InvalidInput
from paperround.db.transactions import SqlDatabase
from paperround.http.network import Network
from paperround.plugins.channels.admin import ChannelAdmin
from paperround.plugins.channels.model import Channel, ChannelKind, ChannelSettings
from paperround.plugins.channels.sender import ChannelSender
from paperround.plugins.channels.store import ChannelStore
from tests.builders import seed_list
from tests.http.clients import PUBLIC, Led, guarded
from tests.sample_database import NOW

INSIDE = (
    "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "169.254.169.254", "169.254.0.1",
    "fe80::1", "fd00:ec2::254", "10.0.0.7", "192.168.0.7",
)  # fmt: skip
WAY_OUT = "add its host:port to PAPERROUND_FETCH_ALLOW"
LAB = "https://lab.example/hooks/a-secret-of-somebody"
SLACK = "https://hooks.slack.com/services/T000/B000/a-secret-of-slack"


@pytest.fixture
def listed(sqlite_database: SqlDatabase) -> SqlDatabase:
    """A database with a list."""
    seed_list(sqlite_database)
    return sqlite_database


def leads_to(*addresses: str) -> Network:
    return Led([list(addresses)]).network()


def nowhere(_host: str, _port: int) -> NoReturn:
    raise OSError("no such name")


def add(
    database: SqlDatabase,
    hook: str = LAB,
    *,
    network: Network,
    kind: ChannelKind = ChannelKind.WEBHOOK,
    opened: Sequence[str] = (),
) -> Channel:
    with guarded(*opened, network=network) as client:
        sender = ChannelSender(client=client, clock=FixedClock(NOW))
        admin = ChannelAdmin(database=database, sender=sender, opened=opened, now=NOW)
        return admin.add(kind, "trending", {"hook": hook, "name": "lab"})


def move(
    database: SqlDatabase, channel: Channel, changes: ChannelSettings, *, network: Network
) -> None:
    with guarded(network=network) as client:
        sender = ChannelSender(client=client, clock=FixedClock(NOW))
        ChannelAdmin(database=database, sender=sender, now=NOW).change(channel.id, changes)


def kept(database: SqlDatabase) -> list[str]:
    with database.reading() as work:
        return [one.hook.url for one in work[ChannelStore].all()]


@pytest.mark.accept("I3", part="channels", mutant="a-hook-leads-inside")
@pytest.mark.parametrize("address", INSIDE)
def test_a_hook_whose_name_leads_inside_is_refused_with_the_way_out(
    listed: SqlDatabase, address: str
) -> None:
    with pytest.raises(InvalidInput, match=WAY_OUT) as caught:
        add(listed, network=leads_to(address))
    assert caught.value.code == "hook"
    assert str(caught.value).startswith("lab.example is not on the public internet")
    assert "a-secret" not in str(caught.value)
    assert kept(listed) == []


@pytest.mark.accept("I3", part="channels")
@pytest.mark.parametrize("address", INSIDE)
def test_a_hook_at_an_address_inside_is_refused(listed: SqlDatabase, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(InvalidInput, match=WAY_OUT):
        add(listed, f"https://{host}/hook", network=leads_to(address))
    assert kept(listed) == []


@pytest.mark.accept("I3", part="channels")
def test_a_chat_service_whose_name_leads_inside_is_refused(listed: SqlDatabase) -> None:
    with pytest.raises(InvalidInput, match=WAY_OUT):
        add(listed, SLACK, kind=ChannelKind.SLACK, network=leads_to("127.0.0.1"))


@pytest.mark.accept("I3", part="channels", mutant="a-changed-hook-leads-inside")
@pytest.mark.parametrize("changes", [{"hook": LAB + "2"}, {"key": "whsec_" + "A" * 32}])
def test_a_channel_that_is_changed_may_not_lead_inside_either(
    listed: SqlDatabase, changes: ChannelSettings
) -> None:
    channel = add(listed, network=leads_to(PUBLIC))
    with pytest.raises(InvalidInput, match=WAY_OUT):
        move(listed, channel, changes, network=leads_to("169.254.169.254"))
    assert kept(listed) == [LAB]
    move(listed, channel, {"name": "renamed"}, network=leads_to("169.254.169.254"))
    move(listed, channel, changes, network=leads_to(PUBLIC))


def test_a_place_that_the_operator_opened_is_taken_without_a_look_up(listed: SqlDatabase) -> None:
    opened = ("lab.example:443",)
    add(listed, network=Network(look_up=nowhere), opened=opened)
    assert kept(listed) == [LAB]


def test_a_name_that_cannot_be_looked_up_now_is_taken(listed: SqlDatabase) -> None:
    """Each post checks the address again."""
    add(listed, network=Network(look_up=nowhere))
    assert kept(listed) == [LAB]


def test_one_public_address_is_enough(listed: SqlDatabase) -> None:
    """Posts go to that one alone."""
    add(listed, network=leads_to("127.0.0.1", PUBLIC))
    assert kept(listed) == [LAB]
