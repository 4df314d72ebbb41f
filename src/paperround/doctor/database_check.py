"""Check that the database is intact, up to date, writable and has every key it needs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from paperround.core.errors import InvalidInput, SchemaOutOfDate
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.core.tokens import KeyRing
from paperround.db.backups import OLD, newest_backup
from paperround.db.checks import dangling_references, find_damage, unsafe_settings
from paperround.db.engine import Storage, opened, place_of
from paperround.db.migrate import check_drift
from paperround.db.revisions import current, head, is_newer, prepare, require_reachable
from paperround.db.slots import BACKUP, SlotStore
from paperround.db.transactions import Database, Transaction
from paperround.delivery.restore_guard import INSTALLATION
from paperround.delivery.store.status import StatusStore
from paperround.doctor.findings import Finding, fail, findings_of, ok, run_check, skipped, warn
from paperround.doctor.schedule_check import DOCTOR
from paperround.ops.alerts import key_alerts, storage_alerts

LINKS_WORK = timedelta(days=30)
"""How long links in messages should work (RFC 8058 leaves it open; Gmail wants 30 days)."""

BACKUP_FIRST = "make a backup before (`paperround db backup`)"
BACKUP_OF_BEFORE = "a backup from before that version fits this one: `paperround db restore FILE`"


def check_integrity(url: str) -> tuple[list[Finding], bool]:
    """Check the file, durability, schema and references of the database at `url`.

    Returns the findings, and whether this version can use the database: damage and another schema
    end the check. SQLite reads the whole file, which takes seconds for a large one. Raises
    Misconfigured when the database is unreachable.
    """
    with opened(url) as engine:
        where = place_of(engine)
        if damage := find_damage(engine):
            way_out = (
                "stop the service; move this file, and the -wal and -shm files next to it, to "
                "another folder and keep them; "
                "then `paperround db restore FILE` puts your newest backup back"
            )
            return [fail("integrity", f"{where} is damaged: {'; '.join(damage)}", way_out)], False
        require_reachable(engine)
        found = [ok("database", f"{where} answers"), ok("integrity", "no page of it is damaged")]
        try:
            prepare(engine, creates=False)
        except SchemaOutOfDate as error:
            way_out = BACKUP_OF_BEFORE if is_newer(current(engine)) else BACKUP_FIRST
            return [*found, fail("schema", str(error), way_out)], False
        return [
            *found,
            check_durability(unsafe_settings(engine)),
            _check_schema(check_drift(engine)),
            _check_references(dangling_references(engine)),
        ], True


def _check_schema(drift: Sequence[str]) -> Finding:
    if not drift:
        return ok("schema", f"it is at {head()}, as this version declares it")
    return fail(
        "schema",
        f"it differs from what this version declares: {drift[0]}",
        "`paperround db check` shows every difference; restore a backup from before the change",
    )


def _check_references(dangling: Mapping[str, int]) -> Finding:
    if not dangling:
        return ok("references", "no row refers to a missing one")
    named = ", ".join(f"{n:,} of {table}" for table, n in sorted(dangling.items()))
    return fail(
        "references",
        f"rows refer to missing rows: {named}",
        "somebody changed the database by hand: restore a backup from before that",
    )


def check_send_mark(trouble: str | None) -> list[Finding]:
    """Warn if an older copy of the database would go unnoticed; otherwise return nothing."""
    if trouble is None:
        return []
    way_out = "an older copy of the database would go unnoticed; see PAPERROUND_SEND_MARK"
    return [warn("send mark", trouble, way_out)]


def check_durability(unsafe: Mapping[str, str]) -> Finding:
    """Check that committed data survives a power failure."""
    if not unsafe:
        return ok("durability", "committed data is on the disk")
    named = ", ".join(f"{name}={value}" for name, value in sorted(unsafe.items()))
    way_out = (
        f"in PostgreSQL: {' '.join(f'ALTER SYSTEM SET {name} = on;' for name in sorted(unsafe))}"
    )
    if unsafe.keys() <= {"synchronous_commit"}:
        return warn(
            "durability",
            f"with {named} the last moments before a server crash may be lost, and their emails "
            "sent twice",
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
        return ok("writable", "a test row was written to the disk")

    way_out = "check the disk, and who owns the folder of the database"
    return run_check("writable", write, way_out)


def check_space(found: Storage, *, now: datetime) -> list[Finding]:
    """Check that the database can grow, and that its log is short."""
    if found.log_bytes is None:
        return [skipped("log", "PostgreSQL manages its own")]
    says = f"SQLite's log has {found.log_bytes / 2**20:,.0f} MB"
    return findings_of("log", storage_alerts(found, now=now)) or [ok("log", says)]


_WHY_NO_BACKUP = "run `paperround db backup`: it says why the nightly one fails"


def check_backups(work: Transaction, folder: Path | None, *, now: datetime) -> Finding:
    """Check the age of the newest backup, in `folder` or anywhere else."""
    name, slots = "backup", work[SlotStore]
    way_out = _WHY_NO_BACKUP
    try:
        in_folder = None if folder is None else newest_backup(folder, by=now)
    except InvalidInput as error:
        return warn(name, str(error), way_out)
    known = (one for one in (in_folder, slots.last_beat(BACKUP)) if one is not None)
    newest = max((one for one in known if one <= now), default=None)
    if newest is None:
        return _first_backup(slots, folder, now=now)
    says = f"the newest was made on {format_instant(newest)}"
    is_old = now - newest >= OLD and not slots.is_of_a_demo()
    return warn(name, says, way_out) if is_old else ok(name, says)


def _first_backup(slots: SlotStore, folder: Path | None, *, now: datetime) -> Finding:
    """Return the finding if there is no backup yet."""
    if slots.is_of_a_demo():
        return skipped("backup", "a demo has none")
    if folder is None:
        return skipped("backup", "no PAPERROUND_BACKUP_DIR is set: another program must make them")
    since = max(slots.beats(INSTALLATION).values(), default=now)
    if now - since < OLD:
        return ok("backup", f"the first is made within an hour, in {folder}")
    return warn("backup", f"there is none, in {folder}", _WHY_NO_BACKUP)


def check_keys(database: Database, keys: KeyRing, *, now: datetime) -> Finding:
    """Check that the ring has every key that rows of the database were made with."""
    with database.reading() as work:
        in_use = work[StatusStore].keys_in_use(since=now - LINKS_WORK)
    way_out = "add it back to the end of PAPERROUND_SECRET_KEY: never remove a key in use"
    required = (
        (in_use.suppressions, "suppression", "which can no longer be recognised"),
        (in_use.channels, "channel", "which can no longer be posted to"),
        (in_use.unfinished, "waiting email", "which can no longer be composed"),
    )
    for counts, noun, why in required:
        if lost_keys := _lost_keys(counts, keys):
            lost = counted(sum(counts[key] for key in lost_keys), noun)
            return fail(
                "keys", f"the secret {', '.join(lost_keys)} is gone: {lost}, {why}", way_out
            )
    if lost_keys := _lost_keys(in_use.sent, keys):
        messages = counted(sum(in_use.sent[key] for key in lost_keys), "email")
        says = f"the secret {', '.join(lost_keys)} is gone: links in {messages} no longer work"
        return warn("keys", says, f"{way_out}, unless it leaked")
    return ok("keys", "all keys that were used are present")


def check_api_keys(work: Transaction, *, now: datetime) -> list[Finding]:
    """Warn of each API key in use that expires soon; otherwise return nothing."""
    return findings_of("API keys", key_alerts(work, now=now))


def _lost_keys(in_use: Iterable[str], keys: KeyRing) -> list[str]:
    return sorted(set(in_use) - set(keys.key_ids))
