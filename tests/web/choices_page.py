"""The full forms of sign-up and of one's choices: what is sent, kept and shown again."""

import html
import re

from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import address
from tests.web.conftest import Site

MASK = re.compile(r"\w•••@[\w.•]+|•••@•••")
"""An address that only its owner recognizes."""


def subscription(site: Site, name: str = "alice") -> tuple[SubscriberState, Preferences]:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address(name))
        assert person is not None
        found = work[SubscriberStore].subscription(person.id, work[ListStore].get("trending").id)
    assert found is not None
    return found.state, found.preferences


def kept(site: Site, name: str = "alice") -> list[str]:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address(name))
        assert person is not None
        return [
            str(one)
            for one in work[SubscriberStore].interests_of_all([person.id]).get(person.id, ())
        ]


def typed(page: str, field: str) -> str:
    """What stands in a field of several lines."""
    found = re.search(rf'<textarea id="{field}"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def stamp(page: str) -> str:
    return page.partition('name="stamp" value="')[2].partition('"')[0]


def asked(site: Site, **fields: object) -> str:
    page = site.client.get("/subscribe").text
    site.clock.move(seconds=2)
    said = {"email": "ada@mail.example", "stamp": stamp(page), "origin": "choices", **fields}
    answer = site.client.post("/subscribe", data=said)
    assert answer.status_code == 200, answer.text
    return str(answer.text)
