"""Store DKIM keys in a file, and make signers of them.

The key file is JSON, readable by its owner only, and replaced atomically. A running process reads
it before each delivery, so you can use `paperround dkim` without stopping a service.
"""

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import Conflict, InvalidInput, Misconfigured
from paperround.core.files import write_private
from paperround.core.times import format_instant, parse_instant
from paperround.db.transactions import Database
from paperround.delivery.dkim.keys import KeyFile, KeyRecord, StoredKey, key_of, public_of
from paperround.delivery.dkim.signer import Algorithm, Signer, SigningKey


@dataclass(frozen=True, slots=True)
class Signers:
    """The signers of an installation.

    If the settings give keys, only those sign. Otherwise the keys in the file `place` do, which is
    read for each signer.
    """

    domain: str
    place: Path
    given: tuple[SigningKey, ...] = ()

    def __call__(self) -> Signer | None:
        """Return a signer, None if there are no keys. Raises Misconfigured when the key file exists
        but is unusable."""
        keys = self.given or signing_keys(self.place)
        return Signer(self.domain, keys) if keys else None

    def due(self, now: datetime) -> tuple[KeyRecord, ...]:
        """Return the records the DNS should contain. Raises Misconfigured."""
        if not self.given:
            return read_key_file(self.place).due(self.domain, now)
        return tuple(
            KeyRecord(
                selector=key.selector,
                domain=self.domain,
                algorithm=key.algorithm,
                public=public_of(key),
            )
            for key in self.given
        )


def signing_keys(place: Path) -> tuple[SigningKey, ...]:
    """Load the keys in the file `place` that sign now. Raises Misconfigured for an invalid file and
    for a key whose halves are missing or do not match."""
    signing = []
    for key in read_key_file(place).keys:
        if key.signs_since is not None and key.retired_at is None:
            name = f"{place}: {key.selector}"
            signing.append(key_of(key.private or "", key.selector, name))
            if public_of(signing[-1]) != key.public:
                raise Misconfigured(
                    f"{name} has the public key of another key: restore it from a backup"
                )
    return tuple(signing)


def read_key_file(place: Path) -> KeyFile:
    """Read the key file at `place`; without a file, return one without keys.

    Raises Misconfigured for an invalid file.
    """
    try:
        content = json.loads(place.read_bytes())
        return KeyFile(
            tuple(
                StoredKey(
                    selector=str(one["selector"]),
                    algorithm=Algorithm(one["algorithm"]),
                    public=str(one["public"]),
                    private=None if one["private"] is None else str(one["private"]),
                    made_at=parse_instant(one["made_at"]),
                    signs_since=_instant(one["signs_since"]),
                    retired_at=_instant(one["retired_at"]),
                )
                for one in content["keys"]
            )
        )
    except (FileNotFoundError, NotADirectoryError):
        return KeyFile()
    except OSError as error:
        raise Misconfigured(f"{place} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise Misconfigured(
            f"{place} does not contain DKIM keys: restore it from a backup, or move it away and "
            "create new ones"
        ) from error


def write_key_file(place: Path, keys: KeyFile) -> None:
    """Write `keys` atomically, readable by its owner only."""
    stored = {"keys": [asdict(key) for key in keys.keys]}
    write_private(place, json.dumps(stored, indent=2, default=format_instant))


def replace_key_file(place: Path, before: KeyFile, keys: KeyFile) -> None:
    """Replace `before` with `keys`. Raises Conflict when the file has changed since."""
    if read_key_file(place) != before:
        raise Conflict(f"{place} has been changed in the meantime: check it with `dkim show-dns`")
    write_key_file(place, keys)


def replace_keys(
    database: Database,
    place: Path,
    before: KeyFile,
    keys: KeyFile,
    action: str,
    *,
    now: datetime,
    by: str,
) -> None:
    """Replace `before` with `keys` and audit that as `action`. Raises Conflict when the file has
    changed since, and then nothing is stored."""
    changed = sorted({one.selector for one in {*before.keys} ^ {*keys.keys}})
    entry = AuditedAction(
        actor=by, action=action, target="dkim", details={"selectors": ", ".join(changed)}
    )
    with database.writing() as work:
        work[AuditStore].note(entry, now=now)
        replace_key_file(place, before, keys)


def _instant(value: Any) -> datetime | None:
    return None if value is None else parse_instant(value)


def signing_domain(wanted: str | None, sender: str) -> str:
    """Return the signing domain for email from the domain `sender`: `wanted`, or `sender` itself.

    Raises Misconfigured when the two are not aligned (RFC 9989, relaxed alignment, as far as can be
    checked without a list of public suffixes).
    """
    theirs = sender.lower()
    if wanted is None:
        return theirs
    ours = wanted.lower().rstrip(".")
    if _DOMAIN.fullmatch(ours) is None:
        raise Misconfigured(
            f"PAPERROUND_DKIM_DOMAIN is {wanted!r}: write a domain like example.org"
        )
    if ours != theirs and not ours.endswith(f".{theirs}") and not theirs.endswith(f".{ours}"):
        raise Misconfigured(
            f"PAPERROUND_DKIM_DOMAIN is {ours}, but email comes from {theirs}: receivers only "
            "accept a signature of the same domain, its parent or a subdomain"
        )
    return ours


_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,180}}\Z){_LABEL}(?:\.{_LABEL})+")
