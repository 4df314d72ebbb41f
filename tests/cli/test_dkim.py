"""`paperround dkim`: from no key to the first, from one key to the next."""

import json
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from paperround.bootstrap import AppContext
from paperround.cli import dkim
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.errors import Conflict, FetchFailed, Misconfigured
from paperround.delivery.dkim.keys import new_key, pem_of
from paperround.delivery.dkim.signer import Algorithm
from tests.builders import NOW
from tests.digests.messages import notice
from tests.fakes import FakeResolver

DAY = f"{NOW:%Y%m%d}"
pytestmark = pytest.mark.accept("F35", part="commands")


class Office:
    """An installation whose DNS somebody edits; `settings` may be changed."""

    def __init__(self, folder: Path) -> None:
        self.resolver = FakeResolver()
        self.settings: dict[str, Any] = {
            "data_dir": folder,
            "mail_from": "Papers <p@papers.example.org>",
        }

    def runtime(self, now: datetime | None = None, *, creates: bool = False) -> AppContext:
        resolver = self.resolver

        class Watched(AppContext):
            @cached_property
            def resolver(self) -> FakeResolver:
                return resolver

        clock = FixedClock(now or NOW)
        return Watched(Settings(**self.settings), clock, creates=creates)

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """What a command prints; an error of Paperround is raised here."""
        done = CliRunner().invoke(dkim.app, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == exit_code, done.output
        return done.output

    def json(self, *arguments: str) -> dict[str, Any]:
        answer = json.loads(self.run(*arguments, "--json"))
        assert isinstance(answer, dict)
        return answer

    def states(self, now: str | None = None) -> dict[str, str]:
        """The state of each key whose record matters."""
        shown = self.json("show-dns", *(["--now", now] if now else []))
        return {one["selector"]: one["state"] for one in shown["records"]}

    def publish(self) -> None:
        """Put into the DNS what is asked for, and nothing else."""
        records = self.json("show-dns")["records"]
        self.resolver.held = {one["name"]: ("".join(one["strings"]),) for one in records}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(tmp_path / "data")
    made.runtime(creates=True).prepare()
    monkeypatch.setattr(dkim, "runtime", made.runtime)
    return made


def test_the_first_key_signs_and_its_record_is_shown(office: Office) -> None:
    assert "not signed" in office.run("show-dns")
    said = office.run("create")
    assert f'pr{DAY}._domainkey.papers.example.org. TXT "v=DKIM1; k=rsa; p=' in said
    assert office.states() == {f"pr{DAY}": "signing"}
    assert said.startswith(office.run("show-dns"))


def test_a_service_that_runs_signs_from_its_next_delivery_on(office: Office) -> None:
    running = office.runtime()
    assert b"DKIM-Signature" not in running.post().renderer.compose_notice(notice())
    office.run("create", "--algorithm", "ed25519", "--selector", "s1")
    assert b"s=s1;" in running.post().renderer.compose_notice(notice())
    running.database.close()


def test_both_kinds_can_be_made_at_once(office: Office) -> None:
    made = office.json("create", "--algorithm", "both", "--selector", "spring")
    assert (made["did"], made["domain"]) == ("made", "papers.example.org")
    kinds = {one["selector"]: one["algorithm"] for one in made["records"]}
    assert kinds == {"spring": "rsa", "springe": "ed25519"}
    for one in made["records"]:
        assert max(map(len, one["strings"])) <= 255
        assert "".join(one["strings"]) == one["value"]
        assert one["name"] == f"{one['selector']}._domainkey.papers.example.org"


def test_the_next_key_signs_once_its_record_can_be_seen(office: Office) -> None:
    office.run("create", "--algorithm", "ed25519", "--selector", "old")
    assert office.json("rotate", "--selector", "new")["did"] == "made"
    before = {"old": "signing", "new": "waiting"}
    assert office.states() == before
    with pytest.raises(Conflict, match=r"new\._domainkey\.papers\.example\.org does not have"):
        office.run("rotate")
    office.resolver.silent = True
    with pytest.raises(FetchFailed):
        office.run("rotate")
    office.resolver.silent = False
    assert office.states() == before
    office.publish()
    assert office.json("rotate")["did"] == "switched"
    assert office.states() == {"old": "kept", "new": "signing"}


def test_unchecked_makes_no_key(office: Office) -> None:
    office.run("create", "--algorithm", "ed25519")
    with pytest.raises(Conflict, match="there is no next key"):
        office.run("rotate", "--unchecked")


def test_a_name_that_cannot_be_one_is_wrong_usage(office: Office) -> None:
    assert "--selector" in office.run("create", "--selector", "my key", exit_code=2)
    assert office.states() == {}


@pytest.mark.parametrize("sender", ["digest@paperround.example", "root@localhost"])
def test_no_key_is_made_for_a_domain_that_nobody_can_own(office: Office, sender: str) -> None:
    office.settings["mail_from"] = sender
    with pytest.raises(Misconfigured, match="PAPERROUND_MAIL_FROM first"):
        office.run("create")


def test_keys_of_the_settings_are_shown_and_left_alone(office: Office) -> None:
    pem = pem_of(new_key(Algorithm.ED25519, "given"))
    office.settings |= {"dkim_key": pem, "dkim_selector": "given", "dkim_domain": "example.org"}
    assert office.json("show-dns")["records"][0]["name"] == "given._domainkey.example.org"
    for command in ("create", "rotate"):
        with pytest.raises(Conflict, match="PAPERROUND_DKIM_KEY"):
            office.run(command)
