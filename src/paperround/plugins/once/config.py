"""Read the file of `paperround once`, in TOML: one reader's choices and feeds, and where their
digest goes.

A mistake raises Misconfigured with a line for each, which names the file and the key.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paperround.config import PREFIX, Settings, load_settings
from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.languages import LANGUAGES
from paperround.core.setting_errors import refusal, unknown, unusable
from paperround.feeds.due import check_feed
from paperround.feeds.files import read_feed
from paperround.feeds.model import NewFeed
from paperround.feeds.presets import PRESETS
from paperround.feeds.sources.registry import Sources
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.choices import MOST_PAPERS
from paperround.subscribers.import_files import interests_of_row, preferences_of
from paperround.subscribers.interests import parse_interest
from paperround.subscribers.model import Address, Preferences

NOBODY = Address(written="reader@once.test", mailed="reader@once.test")
"""The address of a reader who only wants files."""

LEAST_DAYS = 35
"""A monthly digest needs the papers of all its days."""

_NOT_HERE = {
    "data_dir": "write `state` instead",
    "database_url": "leave it out: the database is a file in `state`",
}
"""Settings of an installation that this file replaces with keys of its own."""

_ABOVE = "write it above the first table: a key belongs to the [table] before it"

_FEED_KEYS = frozenset(one.name for one in fields(NewFeed))

_SETTING = re.compile(rf"\b{PREFIX}([A-Z_]+)\b")


class _Files(BaseModel):
    """The table `files`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    html: str | None = None
    markdown: str | None = None
    atom: str | None = None


class _Table(BaseModel):
    """The keys of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str = ""
    timezone: str = "UTC"
    frequency: str = "daily"
    language: str = ""
    size: int | None = Field(default=None, ge=1, le=MOST_PAPERS)
    interests: list[str] = []
    presets: list[str] = []
    feeds: list[dict[str, Any]] = []
    papers: list[str] = []
    state: str = "paperround-state"
    keep_days: int = Field(default=LEAST_DAYS, ge=LEAST_DAYS)
    files: _Files = _Files()
    settings: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceConfig:
    """The validated file. `row` has the reader's choices in the columns of an import. `files` are
    the files to write, by format. Relative paths start at the file's folder."""

    place: Path
    address: Address
    row: Mapping[str, object]
    size: int | None
    feeds: tuple[NewFeed, ...]
    papers: tuple[Path, ...]
    state: Path
    keep_days: int
    files: Mapping[str, Path]
    settings: Settings

    @property
    def is_mailed(self) -> bool:
        """Whether the digest is sent by email, not only written to files."""
        return self.address is not NOBODY


def read_config(place: Path) -> OnceConfig:
    """Read the file; settings of the environment override those of its table `settings`."""
    return _Reader(place).read()


@dataclass(slots=True)
class _Reader:
    """Reads a file and collects its errors."""

    place: Path
    faults: list[str] = field(default_factory=list)

    def read(self) -> OnceConfig:
        """Return the validated file. Raises Misconfigured with all errors."""
        table = self._table()
        is_whole = not self.faults  # else what is missing may be among the keys that were refused
        row: dict[str, object] = {
            "timezone": table.timezone,
            "frequency": table.frequency,
            "language": table.language,
            "interests": table.interests,
        }
        address = self._reader(table, row)
        settings = self._settings(table)
        feeds = () if settings is None else tuple(self._feeds(table, settings))
        if is_whole:
            self._add_missing(table, settings)
        folder = self.place.absolute().parent
        files = {
            name: folder / path for name, path in table.files.model_dump(exclude_none=True).items()
        }
        for name, path in files.items():
            self._add_unwritable(f"files.{name}", path)
        if settings is None or self.faults:
            raise Misconfigured(*self.faults)
        return OnceConfig(
            place=self.place,
            address=address,
            row=row,
            size=table.size,
            feeds=feeds,
            papers=tuple(folder / one for one in table.papers),
            state=folder / table.state,
            keep_days=table.keep_days,
            files=files,
            settings=settings,
        )

    def _table(self) -> _Table:
        try:
            value = tomllib.loads(self.place.read_text(encoding="utf-8"))
        except OSError as error:
            way_out = "write it as the guide to `once` shows, or choose another one with --config"
            raise Misconfigured(f"{self.place}: {error.strerror or error}: {way_out}") from error
        except UnicodeDecodeError as error:
            raise Misconfigured(f"{self.place}: this is not UTF-8: save it as UTF-8") from error
        except ValueError as error:
            hint = ": text needs quotes" if "Invalid value" in str(error) else ""
            raise Misconfigured(f"{self.place}: this is not TOML: {error}{hint}") from error
        try:
            return _Table.model_validate(value)
        except ValidationError as error:
            for one in error.errors():
                self._add_refused(one["loc"], one)
            refused = {one["loc"][0] for one in error.errors()}
            return _Table.model_validate(
                {key: one for key, one in value.items() if key not in refused}
            )

    def _add_refused(self, path: tuple[int | str, ...], error: Mapping[str, Any]) -> None:
        key = ".".join(map(str, path))
        if error["type"] == "list_type" and key == "feeds":
            self._add(key, "write [[feeds]] with two brackets: there may be several")
        elif error["type"] == "list_type":
            self._add("", f"{key} is {error['input']!r}: it is a list: put brackets around it")
        elif error["type"] != "extra_forbidden":
            self._add("", refusal(key, error))
        elif len(path) > 1 and path[-1] in _Table.model_fields:
            self._add(key, _ABOVE)
        elif len(path) == 1 and key in Settings.model_fields:
            self._add(key, f"write it below [settings]: {key} is a setting")
        elif len(path) == 1 and key in _Files.model_fields:
            self._add(key, f"write it below [files]: {key} is a file")
        else:
            owner = _Files if len(path) > 1 else _Table
            known = [".".join((*map(str, path[:-1]), one)) for one in owner.model_fields]
            self._add("", unknown(key, known, "key"))

    def _reader(self, table: _Table, row: Mapping[str, object]) -> Address:
        """Check the reader's choices; return their address."""
        for name in ("timezone", "frequency"):
            with self._checking():
                preferences_of({name: row[name]}, Preferences())
        for line in table.interests:
            try:
                parse_interest(line)
            except InvalidInput as error:
                reason = str(error)
                self._add("interests", reason if repr(line) in reason else f"{line!r}: {reason}")
        if not self.faults:
            with self._checking():
                interests_of_row(row)  # they may be too many
        if table.language and table.language not in LANGUAGES:
            self._add("language", f"use one of {', '.join(LANGUAGES)}")
        address = NOBODY
        if table.email:
            with self._checking("email"):
                address = parse_address(table.email)
        return address

    def _feeds(self, table: _Table, settings: Settings) -> Iterator[NewFeed]:
        """Yield the feeds of the presets and of the table, each name once."""
        sources, names = Sources(settings.service_keys), set[str]()
        for preset in table.presets:
            if preset not in PRESETS:
                self._add("presets", f"there is no {preset!r}: use some of {', '.join(PRESETS)}")
            for feed in PRESETS.get(preset, ()):
                if feed.name not in names:
                    names.add(feed.name)
                    yield feed
        for number, entry in enumerate(table.feeds, start=1):
            key = f"feeds, entry {number}"
            misplaced = entry.keys() & (_Table.model_fields.keys() - _FEED_KEYS)
            for name in misplaced:
                self._add(f"{key}.{name}", _ABOVE)
            if misplaced:
                continue
            with self._checking(key):
                feed = read_feed(entry)
                check_feed(sources, feed)
                if feed.name in names:
                    raise InvalidInput(f"there is another feed called {feed.name}")
                names.add(feed.name)
                yield feed

    def _add_missing(self, table: _Table, settings: Settings | None) -> None:
        misplaced = table.settings.keys() & _Table.model_fields.keys()
        if not (table.presets or table.feeds or table.papers or misplaced):
            self._add("feeds", 'no feeds or papers: add presets = ["ml"], for example')
        if not (table.email or table.files.model_dump(exclude_none=True) or misplaced):
            self._add("email", "set it, or a path in [files]")
        if table.email and settings is not None and settings.smtp_url is None:
            self._add(
                "settings.smtp_url", f"required to send email: set it here or as {PREFIX}SMTP_URL"
            )

    def _add_unwritable(self, key: str, path: Path) -> None:
        """Add an error if the file cannot be written; its folders may be missing."""
        if path.is_dir():
            self._add(key, f"{path} is a folder: name a file in it")
            return
        parent = next(one for one in path.parents if one.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
            self._add(key, f"nothing can be written in {parent}: name another place")

    def _settings(self, table: _Table) -> Settings | None:
        """Return the settings, None if they are invalid. Reads the table alone first, to tell its
        errors from those of the environment, which keep their names."""
        misplaced = {name: _ABOVE for name in table.settings if name in _Table.model_fields}
        not_here = {**misplaced, **_NOT_HERE}
        for name in table.settings.keys() & not_here.keys():
            self._add(f"settings.{name}", not_here[name])
        named = {
            PREFIX + key.upper(): self._setting(key, value)
            for key, value in table.settings.items()
            if key not in misplaced
        }
        alone, of_table = _load({}, named)
        settings, faults = _load(None, named) if alone else (None, of_table)
        for fault in faults:
            if fault in of_table:
                self._add("", _SETTING.sub(lambda it: f"settings.{it[1].lower()}", fault))
            else:
                self.faults.append(fault)
        return settings

    def _setting(self, key: str, value: object) -> str:
        """Convert a value of TOML to the text of an environment setting; the path of a file starts
        at the folder of this one."""
        if key.endswith("_file") and isinstance(value, str):
            return str(self.place.absolute().parent / value)
        return str(int(value)) if isinstance(value, bool) else str(value)

    @contextmanager
    def _checking(self, key: str = "") -> Iterator[None]:
        """Add an error raised in the block, under `key`; "" if its message names the key itself."""
        try:
            yield
        except InvalidInput as error:
            self._add(key, str(error))

    def _add(self, key: str, fault: str) -> None:
        self.faults.append(f"{self.place}: {key}: {fault}" if key else f"{self.place}: {fault}")


def _load(
    environment: Mapping[str, str] | None, named: Mapping[str, str]
) -> tuple[Settings | None, Sequence[str]]:
    """Return the settings, None if they are invalid, and their errors."""
    try:
        settings = load_settings(environment, file=None, defaults=named)
    except Misconfigured as error:
        return None, error.faults
    return settings, unusable({"smtp_url": settings.smtp_url or "outbox"})
