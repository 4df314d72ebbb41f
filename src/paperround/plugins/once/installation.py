"""Keep the installation of `paperround once` in its state folder: one list, one reader, the feeds
of the file."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from paperround.bootstrap import AppContext
from paperround.bootstrap.database import database_of
from paperround.config import Settings
from paperround.core.errors import Conflict, InvalidInput, Misconfigured
from paperround.core.interfaces import Clock
from paperround.db.backup import DATABASE, copy_database
from paperround.db.engine import opened
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction, write
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import change_feed, create_feed, delete_feed, feed_settings, live_feeds
from paperround.plugins.once.config import OnceConfig
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.imports import add_subscriber
from paperround.subscribers.model import Subscription
from paperround.subscribers.store.subscribers import SubscriberStore

KIND, MARK = "once", "database"
"""The slot that marks a database as that of one reader."""

CONSENT = "their own file for `paperround once`"


@contextmanager
def installation(config: OnceConfig, clock: Clock, *, is_trial: bool) -> Iterator[AppContext]:
    """Yield the installation in the state folder, or for a trial one in a copy, which is deleted
    afterwards. Nothing is sent in a trial, or to a reader without an address.
    """
    with TemporaryDirectory() as temporary:
        folder, outbox = config.state, f"outbox:{Path(temporary) / 'outbox'}"
        if is_trial:
            folder = Path(temporary) / "state"
            _copy_state(config.state, folder)
        _make_folder(config, folder)
        relay = config.settings.smtp_url if config.is_mailed and not is_trial else outbox
        app = AppContext(_settings(config, folder, relay), clock)
        try:
            yield app
        finally:
            app.engine.dispose()


def _make_folder(config: OnceConfig, folder: Path) -> None:
    """Create the state folder. Raises Misconfigured if it is not writable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise Misconfigured(
            f"{config.place}: state: {folder} cannot be written ({error.strerror}): name a "
            "writable folder"
        ) from error


def _copy_state(state: Path, folder: Path) -> None:
    """Copy the state folder, which need not exist; the database may be in use."""
    if not (state / DATABASE).is_file():
        return
    shutil.copytree(state, folder, ignore=shutil.ignore_patterns(f"{DATABASE}*"))
    with opened(f"sqlite:///{state / DATABASE}") as engine:
        copy_database(engine, folder / DATABASE)


def _settings(config: OnceConfig, folder: Path, relay: str | None) -> Settings:
    """Return the settings of the installation: its reader is also its operator."""
    given = config.settings
    own = given.model_copy(
        update={
            "data_dir": folder,
            "database_url": None,
            "send_mark": None,
            "smtp_url": relay,
            "timezone": str(config.row["timezone"]),
            "private": True,
            "operator": given.operator or "Paperround",
            "contact": given.contact or (config.address.mailed if config.is_mailed else None),
        }
    )
    if config.is_mailed and "mail_from" not in given.model_fields_set:
        own = own.model_copy(update={"mail_from": f"Paperround <{config.address.mailed}>"})
    if own.secret_key is None:
        _ = own.keys  # creates the secret
        made = own.secret_file.read_text(encoding="ascii").strip()
        own = own.model_copy(update={"secret_key": made})
    return own


def claim(app: AppContext, config: OnceConfig) -> None:
    """Open the database, and mark it as that of one reader. Raises Conflict if it belongs to an
    installation."""

    def mark(work: Transaction) -> bool:
        slots = work[SlotStore]
        if slots.taken_at(KIND, MARK) is None and work[ListStore].default() is not None:
            return False
        slots.take(KIND, MARK, now=app.clock.now())
        return True

    if not write(database_of(app), mark):
        raise Conflict(
            f"{config.place}: state: {config.state} is the folder of an installation, with readers "
            "of its own: name another one"
        )


def save_reader(app: AppContext, config: OnceConfig, *, now: datetime) -> Subscription:
    """Subscribe the reader with the choices of the file, and return the subscription.

    A new address replaces the old one and keeps the history of sent papers. Raises Misconfigured
    for one that must not be mailed.
    """
    write(app.database, lambda work: _move(work, config, now))
    row = {
        **config.row,
        "email": config.address.written,
        "consent_at": now.isoformat(),
        "consent_source": CONSENT,
    }
    try:
        add_subscriber(
            row, database=app.database, keys=app.settings.keys, list_name=DEFAULT_LIST, now=now
        )
    except InvalidInput as error:
        raise Misconfigured(
            f"{config.place}: email: {error} (with --resume and the address, and with "
            f"PAPERROUND_DATA_DIR={config.state})"
        ) from error
    return write(app.database, lambda work: _set_size(work, config, now))


def _move(work: Transaction, config: OnceConfig, now: datetime) -> None:
    """Change the reader's address if the file has another one."""
    store = work[SubscriberStore]
    for person, _ in list(store.export(work[ListStore].get(DEFAULT_LIST).id)):
        is_other = parse_address(person.address).folded != config.address.folded
        if is_other and store.change_address(person.id, config.address, now=now):
            store.reset_bounces(person.id)
            store.reinstate(person.id, now=now)  # if a bounce of the old address stopped them


def _set_size(work: Transaction, config: OnceConfig, now: datetime) -> Subscription:
    store, list_id = work[SubscriberStore], work[ListStore].get(DEFAULT_LIST).id
    person = store.find(config.address)
    found = None if person is None else store.subscription(person.id, list_id)
    if found is None:
        raise Conflict(f"{config.state}: the reader was removed meanwhile: run it again")
    chosen = replace(found, preferences=replace(found.preferences, size=config.size))
    if chosen != found:
        store.choose(found.id, chosen.preferences, now=now)
    return chosen


def save_feeds(app: AppContext, config: OnceConfig, *, now: datetime) -> None:
    """Make the feeds those of the file. Papers of deleted feeds are kept."""
    context = app.feed_context
    known = {feed.name: feed for feed in live_feeds(context)}
    for feed in config.feeds:
        old = known.pop(feed.name, None)
        if old is None:
            create_feed(context, feed, now=now)
        elif feed_settings(old) != feed:
            change_feed(context, old.id, lambda _, feed=feed: feed, now=now)  # type: ignore[misc]
    for gone in known.values():
        delete_feed(context, gone.id, now=now)
