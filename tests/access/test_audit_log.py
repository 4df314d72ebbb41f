"""The audit log: who did what, found again, and never changed."""

import pytest

from paperround.access.model import AuditedAction, AuditQuery, describe_edit
from paperround.access.store import AuditStore
from paperround.db.transactions import SqlDatabase
from tests.sample_database import NOW

DONE = (
    ("key abcd1234", "edit list", "trending"),
    ("shell alice", "cancel", "trending/2026-01-30/0"),
    ("shell alice", "edit list", "trending-2"),
    ("operator 3", "edit feed", "arxiv-ml"),
)


@pytest.fixture
def log(database: SqlDatabase) -> SqlDatabase:
    with database.writing() as work:
        for actor, action, target in DONE:
            entry = AuditedAction(actor=actor, action=action, target=target)
            work[AuditStore].note(entry, now=NOW)
    return database


def targets(
    log: SqlDatabase, before: int | None = None, limit: int = 9, **wanted: str
) -> list[str]:
    with log.reading() as work:
        found = work[AuditStore].page(AuditQuery(**wanted), before=before, limit=limit)
    return [one.target for one in found]


@pytest.mark.accept("F45", part="audit is searched", mutant="the-audit-finds-everything")
def test_entries_are_found_by_action_by_target_and_by_actor(log: SqlDatabase) -> None:
    assert targets(log) == [target for _, _, target in reversed(DONE)]
    assert targets(log, action="edit list") == ["trending-2", "trending"]
    assert targets(log, actor="operator 3") == ["arxiv-ml"]
    assert targets(log, actor="shell alice", action="cancel") == ["trending/2026-01-30/0"]
    assert targets(log, action="edit") == []


def test_a_list_is_found_with_its_editions_and_without_lists_of_a_like_name(
    log: SqlDatabase,
) -> None:
    assert targets(log, target="trending") == ["trending/2026-01-30/0", "trending"]
    assert targets(log, target="TRENDING") == []
    assert targets(log, target="%") == []


def test_a_page_of_what_was_found_goes_on_below_its_last_entry(log: SqlDatabase) -> None:
    with log.reading() as work:
        first = work[AuditStore].page(before=None, limit=2)
    assert targets(log, before=first[-1].id, limit=2) == ["trending/2026-01-30/0", "trending"]


def test_an_edit_names_what_changed_and_shows_only_what_is_harmless() -> None:
    before = {"name": "ml", "url": "https://a.example/?key=1", "enabled": True}
    after = {"name": "ml", "url": "https://a.example/?key=2", "enabled": False}
    assert describe_edit(before, after, shown={"name", "enabled"}) == {
        "changed": "url, enabled",
        "before": "enabled yes",
        "after": "enabled no",
    }
    assert describe_edit(before, after) == {"changed": "url, enabled"}
