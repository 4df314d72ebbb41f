"""Create, edit, archive and restore lists, for the API, the command line and pages.

Each function is one transaction with its entry in the audit log. Changes are fields of
`ListSettings` by name: feeds are given by name, and the look contains only the fields to change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from paperround.access.store import AuditStore
from paperround.core.errors import AlreadyTaken, invalid
from paperround.core.languages import marked
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.list_rules import check_name, check_settings
from paperround.editions.lists import ListLook, ListSettings, MailingList
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId

Changes = Mapping[str, Any]

_LONGEST_TOLD = 80
"""Characters of an audited value."""
_MOST_NAMED = 20
"""Feeds that an error names."""


def create_list(
    database: Database, name: str, changes: Changes, *, by: str, now: datetime
) -> MailingList:
    """Create the list `name`, which cannot be renamed. Fields missing in `changes` get their
    defaults. Raises InvalidInput with the field as its code, and AlreadyTaken for a name in use."""
    check_name(name)

    def create(work: Transaction) -> MailingList:
        settings = _changed(work, ListSettings(title=""), changes)
        if not work[ListStore].add(name, settings, now=now):
            raise AlreadyTaken(
                marked("a list called %(name)s already exists", name=name), code="name"
            )
        work[AuditStore].add(by, "create list", name, {"title": settings.title}, now=now)
        return work[ListStore].get(name)

    return write(database, create)


def edit_list(
    database: Database, name: str, changes: Changes, *, by: str, now: datetime
) -> MailingList:
    """Change these fields of a list; frozen editions stay as they are. An edit without a change is
    not audited. Raises NotFound, and InvalidInput with the field as its code."""

    def edit(work: Transaction) -> MailingList:
        before = work[ListStore].get_for_update(name)
        settings = _changed(work, _settings_of(before), changes)
        told = _told_changes(_settings_of(before), settings)
        if not told:
            return before
        moves = settings.zone != before.zone
        own_zone = before.has_own_zone or moves
        work[ListStore].change(before.id, settings, has_own_zone=own_zone)
        shifts = settings.default_hour != before.default_hour
        if moves or shifts:
            work[ListStore].reset_clocks(before.id, now=now, zone=moves, hour=shifts)
        work[AuditStore].add(by, "edit list", name, told, now=now)
        return work[ListStore].get(name)

    return write(database, edit)


def archive_list(database: Database, name: str, *, by: str, now: datetime) -> MailingList:
    """Archive a list: it takes no sign-ups, freezes nothing and sends nothing. Its readers and its
    editions are kept. Raises NotFound."""

    def archive(work: Transaction) -> MailingList:
        found = work[ListStore].get_for_update(name)
        if found.archived_at is None:
            work[ListStore].set_archived(found.id, now)
            work[AuditStore].add(by, "archive list", name, now=now)
        return work[ListStore].get(name)

    return write(database, archive)


def restore_list(database: Database, name: str, *, by: str, now: datetime) -> MailingList:
    """Restore an archived list: its readers get the next digest at their next hour. Raises
    NotFound."""

    def restore(work: Transaction) -> MailingList:
        found = work[ListStore].get_for_update(name)
        if found.archived_at is not None:
            work[ListStore].set_archived(found.id, None)
            work[ListStore].restart_clocks(found.id)
            work[AuditStore].add(by, "restore list", name, now=now)
        return work[ListStore].get(name)

    return write(database, restore)


def feed_names(work: Transaction) -> Mapping[FeedId, str]:
    """Return the names of all feeds, to show those of a list."""
    return {one.id: one.name for one in work[FeedStore].all()}


def feeds_by_name(one: MailingList, names: Mapping[FeedId, str]) -> list[str]:
    """Return the names of a list's feeds, without deleted ones."""
    return [names[feed] for feed in one.feeds if feed in names]


def _settings_of(one: MailingList) -> ListSettings:
    return ListSettings(**{field.name: getattr(one, field.name) for field in fields(ListSettings)})


def _changed(work: Transaction, settings: ListSettings, changes: Changes) -> ListSettings:
    """Return the settings with these changes, checked."""
    given = dict(changes)
    if "feeds" in given:
        given["feeds"] = _feed_ids(work, given["feeds"])
    if "look" in given:
        given["look"] = replace(settings.look, **given["look"]) if given["look"] else ListLook()
    return check_settings(replace(settings, **given))


def _feed_ids(work: Transaction, names: Sequence[str]) -> tuple[FeedId, ...]:
    """Return the ids of feeds. Raises InvalidInput (code `feeds`) for an unknown name."""
    ids = []
    for name in dict.fromkeys(names):
        feed = work[FeedStore].find(name)
        if feed is None:
            known = ", ".join(one.name for one in work[FeedStore].all()[:_MOST_NAMED])
            raise invalid(
                "feeds",
                "no feed is called %(given)s; known feeds: %(name)s",
                given=name[:60],
                name=known or "none yet",
            )
        ids.append(feed.id)
    return tuple(ids)


def _told_changes(before: ListSettings, after: ListSettings) -> dict[str, str]:
    """Return what changed, for the audit log: values before and after; for the look only the names
    of the fields, because one of them is an address."""
    told = {}
    for field in fields(ListSettings):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        if field.name == "look":
            changed = [
                one.name
                for one in fields(ListLook)
                if getattr(old, one.name) != getattr(new, one.name)
            ]
            told["look"] = ", ".join(changed)
        else:
            told[field.name] = f"{_short(old)} -> {_short(new)}"
    return told


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text[:_LONGEST_TOLD] if text else "none"
