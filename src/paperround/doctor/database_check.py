"""Check that the database is intact, up to date, writable and has every key it needs."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from paperround.core.reasons import counted
from paperround.core.tokens import KeyRing
from paperround.db.checks import Soundness
from paperround.db.engine import Storage
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database
from paperround.delivery.store.status import StatusStore
from paperround.doctor.findings import Finding, fail, findings_of, ok, run_check, skipped, warn
from paperround.ops.alerts import storage_alerts

DOCTOR = "doctor"
"""The name of the heartbeat that the checks write."""

LINKS_WORK = timedelta(days=30)
"""How long links in messages should work (RFC 8058 leaves it open; Gmail wants 30 days)."""

CLOCKS_DIFFER = timedelta(minutes=2)

BACKUP_FIRST = "make a backup before (`paperround db backup FILE`; on PostgreSQL `pg_dump`)"
BACKUP_OF_BEFORE = (
    "a backup from before that version fits this one: `paperround db restore FILE` (on PostgreSQL "
    "`pg_restore`)"
)


def check_integrity(found: Soundness) -> list[Finding]:
    """Report integrity, durability, schema and references; damage and an old schema end it."""
    if found.damage:
        return [
            fail(
                "integrity",
                f"{found.where} is damaged: {'; '.join(found.damage)}",
                "stop the service, move this file and those beside it that begin with its name "
                "(-wal, -shm) to another folder and keep them; "
                "then `paperround db restore FILE` puts your newest backup back",
            )
        ]
    answers = ok("database", f"{found.where} answers")
    intact = ok("integrity", "no page of it is damaged")
    if found.outdated is not None:
        way_out = BACKUP_OF_BEFORE if found.is_newer else BACKUP_FIRST
        return [answers, intact, fail("schema", found.outdated, way_out)]
    schema = ok("schema", f"it is at {found.revision}, as this version declares it")
    if found.drift:
        schema = fail(
            "schema",
            f"it differs from what this version declares: {found.drift[0]}",
            "`paperround db check` shows every difference; restore a backup from before the change",
        )
    references = ok("references", "no row refers to one that is gone")
    if found.dangling:
        named = ", ".join(f"{n:,} of {table}" for table, n in sorted(found.dangling.items()))
        references = fail(
            "references",
            f"rows refer to others that are gone: {named}",
            "somebody changed the database by hand: restore a backup from before that",
        )
    return [answers, intact, check_durability(found.unsafe), schema, references]


def check_send_mark(trouble: str | None) -> list[Finding]:
    """Warn if an older copy of the database would go unnoticed; otherwise return nothing."""
    if trouble is None:
        return []
    way_out = "nobody would notice an older copy of the database; see PAPERROUND_SEND_MARK"
    return [warn("send mark", trouble, way_out)]


def check_durability(unsafe: Mapping[str, str]) -> Finding:
    """Check that committed data survives a power failure."""
    if not unsafe:
        return ok("durability", "what is committed is on the disk")
    named = ", ".join(f"{name}={value}" for name, value in sorted(unsafe.items()))
    way_out = (
        f"in PostgreSQL: {' '.join(f'ALTER SYSTEM SET {name} = on;' for name in sorted(unsafe))}"
    )
    if unsafe.keys() <= {"synchronous_commit"}:
        return warn(
            "durability",
            f"with {named} the last moments before a crash of the server may be forgotten, and "
            "their mails go out twice",
            f"{way_out} SELECT pg_reload_conf();",
        )
    return fail(
        "durability",
        f"with {named} a crash of the machine may ruin the database",
        f"{way_out} then restart it",
    )


def check_writable(database: Database, *, now: datetime) -> Finding:
    """Check that a row can be written: the heartbeat of these checks."""

    def write() -> Finding:
        with database.writing() as work:
            work[SlotStore].beat(DOCTOR, now=now)
        return ok("writable", "a row was written and is on the disk")

    way_out = "look at the disk, and at who owns the folder of the database"
    return run_check("writable", write, way_out)


def check_space(found: Storage, *, now: datetime) -> list[Finding]:
    """Check that the database can grow, and that its log is short."""
    if found.log_bytes is None:
        return [skipped("log", "PostgreSQL sees to its own")]
    says = f"SQLite's log has {found.log_bytes / 2**20:,.0f} MB"
    return findings_of("log", storage_alerts(found, now=now)) or [ok("log", says)]


def check_keys(database: Database, keys: KeyRing, *, now: datetime) -> Finding:
    """Check that the ring has every key that rows of the database were made with."""
    with database.reading() as work:
        in_use = work[StatusStore].keys_in_use(since=now - LINKS_WORK)
    way_out = "add it to the end of PAPERROUND_SECRET_KEY again: do not drop a key in use"
    required = (
        (in_use.suppressions, "suppression", "which nobody can recognise now"),
        (in_use.channels, "channel", "which nothing can be posted to"),
        (in_use.unfinished, "waiting mail", "which nobody can make"),
    )
    for counts, noun, why in required:
        if lost_keys := _lost_keys(counts, keys):
            lost = counted(sum(counts[key] for key in lost_keys), noun)
            return fail(
                "keys", f"the secret {', '.join(lost_keys)} is gone: {lost}, {why}", way_out
            )
    if lost_keys := _lost_keys(in_use.sent, keys):
        messages = counted(sum(in_use.sent[key] for key in lost_keys), "mail")
        says = f"the secret {', '.join(lost_keys)} is gone: the links of {messages} are dead"
        return warn("keys", says, f"{way_out}, unless it leaked")
    return ok("keys", "the ring holds every key that something here was made with")


def _lost_keys(in_use: Iterable[str], keys: KeyRing) -> list[str]:
    return sorted(set(in_use) - set(keys.key_ids))
