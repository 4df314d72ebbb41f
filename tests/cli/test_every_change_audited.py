"""Whatever a command changes, the audit says who did it. A new command must be named here.

Each command is typed in an installation of its own, after those that it needs.
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paperround.access.model import AuditEntry
from paperround.access.store import AuditStore
from paperround.cli.app import app
from paperround.cli.options import actor, runtime
from paperround.core.times import Boot
from paperround.db.slots import SlotStore
from paperround.delivery.holds import CLOCK, HOLD, release_digests
from tests.builders import NOW
from tests.databases import opened
from tests.documented import commands
from tests.migrations.downgrading import downgrade

PAPERS = [{"id": f"2601.0000{n}", "title": f"Paper {n}", "listed_on": "2026-01-30"} for n in (1, 2)]
MORNING = "--now 2026-01-30T08:00:00Z"
FEED = "feeds add arxiv-ml --kind arxiv --set categories=cs.LG"
INSIDE = "feeds add inside --kind feed --url http://127.0.0.1:9/feed"
"""A feed that leads inside, so that it is refused before anything is asked."""
SLACK = "https://hooks.slack.com/services/T0/B0/abc"
LIST = "lists add robots --title Robots"
CHANNEL = f"channels add slack {SLACK} --name lab"
SIGNED = "dkim create"
OPERATOR = "operators add op@lab.example"


@dataclass(frozen=True)
class Typed:
    """A command, the action that the audit then has, and the commands before it."""

    line: str
    action: str
    before: tuple[str, ...] = ()


CHANGES = [
    Typed("feeds add arxiv-ml --kind arxiv --set categories=cs.LG", "add feed"),
    Typed("feeds edit arxiv-ml --pause", "edit feed", (FEED,)),
    Typed("feeds remove arxiv-ml --yes", "remove feed", (FEED,)),
    Typed("feeds run inside", "run feed", (INSIDE,)),
    Typed("feeds import feeds.json", "add feed"),
    Typed("ingest --file papers.jsonl", "upload papers"),
    Typed(CHANNEL, "add channel"),
    Typed("channels edit lab --size 5", "change channel", (CHANNEL,)),
    Typed("channels pause lab", "pause channel", (CHANNEL,)),
    Typed("channels resume lab", "resume channel", (CHANNEL, "channels pause lab")),
    Typed("channels remove lab", "remove channel", (CHANNEL,)),
    Typed("keys create laptop", "create key"),
    Typed("operators add op@lab.example", "add operator"),
    Typed("operators link op@lab.example", "print log-in link", (OPERATOR,)),
    Typed("operators remove op@lab.example --yes", "remove operator", (OPERATOR,)),
    Typed(LIST, "create list"),
    Typed("lists edit robots --title Machines", "edit list", (LIST,)),
    Typed("lists archive robots --yes", "archive list", (LIST,)),
    Typed("lists restore robots", "restore list", (LIST, "lists archive robots --yes")),
    Typed("digest hold 60", "set hold"),
    Typed("dkim create", "create dkim key"),
    Typed("dkim rotate", "add dkim key", (SIGNED,)),
    Typed("dkim rotate --unchecked", "switch dkim key", (SIGNED, "dkim rotate")),
    Typed("digest pause", "pause"),
    Typed("digest resume", "resume", ("digest pause",)),
    Typed(
        f"digest cancel --date 2026-01-30 --yes {MORNING}",
        "cancel",
        ("ingest --file papers.jsonl", f"digest send {MORNING}"),
    ),
    Typed("db restore --in-place", "restore backup"),
]
"""Commands that an operator changes something with."""

ELSEWHERE = {
    "keys revoke": "needs the prefix of a key: test_a_key_that_is_revoked_is_in_the_audit",
    "db upgrade": "needs an older database: test_an_upgrade_of_the_schema_is_in_the_audit",
    "db move": "needs PostgreSQL: the tests of the move",
    "learn": "needs weeks of papers: the tests of the command",
    "channels test": "needs a service that answers: the tests of the routes",
}
"""Commands that change something, and what shows that it is audited."""

BY_ITSELF = {
    **dict.fromkeys(("tick", "deliver", "serve", "worker", "scheduler"), "does what is due"),
    "bounces read": "a mail server hands over what came back",
    "bounces poll": "reads what came back, as a service does every five minutes",
    "once": "has an installation of its own, which its file describes",
    "demo": "has an installation of its own, whose operator is everybody",
    "init": "writes settings, and no database is needed for that",
    "digest test": "sends one message to the operator and counts for nothing",
}
"""Commands that change something by themselves, not because an operator decides."""

READS = set(
    """
    audit bounces-list bounces-show channels-history channels-list db-backup db-check
    digest-preview digest-status dkim-show-dns doctor evaluate-trending
    feeds-categories feeds-check feeds-export feeds-kinds feeds-list feeds-presets feeds-rejects
    digest-why feeds-runs keys-list lists-list lists-show operators-list rank stats
    subscribers-export subscribers-history subscribers-list subscribers-show
    subscribers-timeline suppressions-list try
    """.split()
)
"""Commands that change nothing of an installation, a dash for the space in a name."""

PEOPLE_AND_EDITIONS = {
    "subscribers add", "subscribers import", "subscribers erase", "subscribers edit",
    "subscribers find", "subscribers move", "subscribers pause", "subscribers resend",
    "subscribers unsubscribe", "suppressions add", "suppressions find", "suppressions lift",
    "digest send", "digest missed", "digest approve", "digest drop", "digest note", "digest pin",
}  # fmt: skip
"""Commands whose own tests show what is audited of people and editions."""


def run(line: str) -> Result:
    return CliRunner().invoke(app, line.split())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation, and files beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERROUND_MAIL_FROM", "Papers <p@papers.example.org>")
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")
    (tmp_path / "papers.jsonl").write_text("".join(json.dumps(one) + "\n" for one in PAPERS))
    feed = {"name": "imported", "kind": "arxiv", "settings": {"categories": "cs.LG"}}
    (tmp_path / "feeds.json").write_text(json.dumps({"feeds": [feed]}))
    assert run("db upgrade").exit_code == 0
    return tmp_path


def entries() -> list[AuditEntry]:
    with runtime().database.reading() as work:
        return work[AuditStore].page(before=None, limit=99)


def test_every_command_is_known_to_change_something_or_not() -> None:
    known = {line.removeprefix("paperround ") for line in commands(app, "paperround")}
    reads = {one.replace("-", " ", 1) for one in READS}
    typed = {name for name in known if any(one.line.startswith(name) for one in CHANGES)}
    groups = (reads, typed, set(ELSEWHERE), set(BY_ITSELF), PEOPLE_AND_EDITIONS)
    assert set().union(*groups) == known
    assert sum(map(len, groups)) == len(known), "a command is named twice"


@pytest.mark.accept("A5", part="commands", mutant="a-feed-is-switched-off-unseen")
@pytest.mark.accept("F45", part="audit of commands")
@pytest.mark.parametrize("one", CHANGES, ids=lambda one: one.line.split(" --")[0])
def test_every_command_that_changes_something_says_in_the_audit_who_did_it(
    folder: Path, one: Typed
) -> None:
    for line in one.before:
        assert run(line).exit_code == 0, line
    known = len(entries())
    done = run(one.line)
    assert done.exit_code == (1 if one.line == "feeds run inside" else 0), done.output
    found = entries()
    new = found[: len(found) - known]
    assert [(entry.actor, entry.action) for entry in new] == [(actor(), one.action)]
    text = f"{new[0].target} {dict(new[0].details)}"
    assert new[0].target
    assert not re.search(r"\S@\S", text)
    assert "/services/" not in text


@pytest.mark.accept("A5", part="commands")
def test_a_key_that_is_revoked_is_in_the_audit(folder: Path) -> None:
    prefix = json.loads(run("keys create laptop --json").stdout)["prefix"]
    run(f"keys revoke {prefix}")
    assert [one.action for one in entries()] == ["revoke key", "create key"]
    assert entries()[0].target == f"key {prefix}"


@pytest.mark.accept("A5", part="commands")
def test_an_upgrade_of_the_schema_is_in_the_audit(folder: Path) -> None:
    with opened(f"sqlite:///{folder / 'data' / 'paperround.db'}") as engine:
        downgrade(engine, "0023")
    assert run("db upgrade").exit_code == 0
    [entry] = entries()
    assert (entry.actor, entry.action, entry.target) == (actor(), "upgrade database", "database")
    assert entry.details["before"] == "0023"


@pytest.mark.accept("A5", part="commands")
def test_mail_that_an_operator_releases_is_in_the_audit(folder: Path) -> None:
    database = runtime().database
    with database.writing() as work:
        work[SlotStore].take(HOLD, CLOCK, now=NOW)
    boot = Boot(name="this", uptime=timedelta(minutes=1))
    assert release_digests(database, boot, now=NOW, by="shell alice")
    assert not release_digests(database, boot, now=NOW, by="shell alice")
    assert [(one.actor, one.action) for one in entries()] == [("shell alice", "accept clock")]


@pytest.mark.accept("A5", part="the command that shows it")
def test_the_audit_is_read_at_the_command_line(folder: Path) -> None:
    run(FEED)
    run("feeds edit arxiv-ml --pause")
    told = json.loads(run("audit --target arxiv-ml --action=edit_feed --json").stdout)
    assert told == {"audit": []}
    shown = CliRunner().invoke(app, ["audit", "--action", "edit feed", "--by", actor(), "--json"])
    [entry] = json.loads(shown.stdout)["audit"]
    assert entry["details"] == {
        "changed": "enabled", "before": "enabled yes", "after": "enabled no",
    }  # fmt: skip
    assert "add feed" in run("audit --limit 5").stdout
    assert run("audit --by nobody").stdout == "no entry matches\n"
