"""What is kept of a consent: who agreed to what, when, and how that can be shown."""

import re
from datetime import datetime
from typing import Any

import pytest

from paperround.core.times import format_instant
from paperround.core.tokens import Purpose
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.sending import deliver
from tests.web.conftest import PUBLIC_URL, Site


def asked(site: Site, door: str) -> datetime:
    """Ada asks through that door; returns when."""
    if door == "api":
        said = {"email": "ada@mail.example", "hour": 6}
        assert site.client.post("/api/v1/subscriptions", json=said).status_code == 202
    else:
        site.ask(hour="6", origin=door)
    now = site.clock.now()
    site.work()
    deliver(site.runtime.post())
    return now


def kept_of_ada(site: Site) -> dict[str, Any]:
    """She confirms an hour later, and takes away what is kept of her."""
    site.clock.move(hours=1)
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    page = site.client.post(f"/confirm/{token}").text
    [opens] = re.findall(r'href="(/preferences/[^"/]+)"', page)
    answer = site.client.post(f"{PUBLIC_URL}{opens}", data={"action": "export"})
    kept: dict[str, Any] = answer.json()
    return kept


@pytest.mark.accept("P4", part="consent")
@pytest.mark.parametrize("door", ["form", "snippet", "api"])
def test_it_is_kept_who_agreed_to_what_when_and_how(site: Site, door: str) -> None:
    begin = asked(site, door)
    kept = kept_of_ada(site)
    agreed = format_instant(site.clock.now())
    [person], [wish], [mail] = kept["subscribers"], kept["subscriptions"], kept["notices"]
    assert person["written"] == "ada@mail.example"
    assert person["consent_at"] == agreed
    assert person["consent_source"] == f"{door}, confirmed by mail"
    assert (wish["list_id"], wish["hour"], wish["state"]) == (mail["payload"]["list"], 6, "active")
    assert mail["payload"]["source"] == door
    assert (mail["kind"], mail["state"]) == ("confirm", "sent")
    assert mail["sent_at"] == mail["created_at"] == format_instant(begin)
    assert mail["used_at"] == agreed
    assert mail["message_id"] in sent(site)


def sent(site: Site) -> str:
    """The mail as it left."""
    [mail] = (site.runtime.settings.data_dir / "outbox").glob("[!.]*.eml")
    return mail.read_text(encoding="ascii")
