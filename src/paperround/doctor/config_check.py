"""Check the machine (Python, libraries, disk, file permissions) and the settings (secret, sender,
public URL)."""

import re
import shutil
from collections.abc import Callable, Iterable
from email.utils import parseaddr
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from paperround.config import LOOPBACK, Settings
from paperround.core.errors import InvalidInput, Misconfigured
from paperround.digests.render.headers import text_field
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.subscribers.addresses import parse_address

LEAST_DISTINCT = 10
"""Distinct characters a key must have. Random keys of 32 characters have more than twenty."""

RESERVED_SUFFIXES = (".example", ".test", ".invalid", ".localhost", ".local")
"""Suffixes of domains that never receive mail (RFC 2606, RFC 6762)."""


def check_secret(settings: Settings) -> Finding:
    """Check that there is a strong secret; report how many keys the ring has."""
    try:
        count = len(settings.keys.key_ids)
    except Misconfigured as error:
        return fail("secret", str(error))
    given = map(str.strip, (settings.secret_key or "").split(","))
    if any(key and len(set(key)) < LEAST_DISTINCT for key in given):
        return fail(
            "secret",
            "PAPERROUND_SECRET_KEY has a key that can be guessed",
            "put a random one in front: "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`",
        )
    number = "one key" if count == 1 else f"{count} keys, the first of which signs"
    source = "" if settings.secret_key else f", generated in {settings.secret_file}"
    return ok("secret", f"{number}{source}")


def check_sender(settings: Settings) -> Finding:
    """Check that messages name their sender, as receivers and the law require."""
    try:
        settings.require_sender()
        address = parse_address(parseaddr(settings.mail_from)[1])
    except (Misconfigured, InvalidInput) as error:
        return fail("sender", f"email cannot name its sender: {error}")
    if settings.keeps_mail:
        return ok("sender", f"email comes from {settings.mail_from}, and stays on this machine")
    if address.domain.endswith(RESERVED_SUFFIXES):
        report = fail if settings.leaves_this_machine else warn
        return report(
            "sender",
            f"PAPERROUND_MAIL_FROM is {settings.mail_from}, which is a reserved domain",
            "set an existing mailbox of yours",
        )
    if "@" not in (settings.contact or ""):
        return warn(
            "sender",
            "PAPERROUND_CONTACT is not an email address, so alerts only appear in the log",
            "set an address that is monitored",
        )
    return ok("sender", f"email comes from {settings.mail_from}")


def check_public_url(settings: Settings) -> Finding:
    """Check that links in messages lead to this site, by https."""
    url, parts = settings.public_url, urlsplit(settings.public_url)
    if parts.hostname in LOOPBACK:
        if settings.leaves_this_machine:
            return fail(
                "public url",
                f"email is sent, but its links begin with {url}, the reader's own machine",
                "set PAPERROUND_PUBLIC_URL to the address readers reach this site at",
            )
        return ok(
            "public url", f"links in emails begin with {url}, which only works on this machine"
        )
    if parts.scheme != "https":
        return fail(
            "public url",
            f"links in emails begin with {url}, so anybody on the network can read and use them",
            "set PAPERROUND_PUBLIC_URL to https://...; one-click unsubscribing needs it too",
        )
    if parts.path or parts.query or parts.fragment:
        return warn(
            "public url",
            f"{url} is more than a host: the site only works at the root of a host",
            "give it its own host name",
        )
    return ok("public url", f"links in emails begin with {url}")


OLDEST_PYTHON = (3, 11)
LITTLE_SPACE, TOO_LITTLE_SPACE = 1_000_000_000, 100_000_000
"""Free bytes on the disk of DATA_DIR. SQLite needs space for its log and for a backup."""

NETWORK_FILE_SYSTEMS = frozenset(
    "nfs nfs4 cifs smb3 smbfs 9p afs ceph fuse.ceph fuse.sshfs fuse.glusterfs lustre gpfs ocfs2"
    " virtiofs".split()
)
"""File systems where a machine may miss the locks of another, or lose them with the network."""

MOUNTS = Path("/proc/self/mounts")
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?[^;]*?>=\s*([0-9][0-9.]*)")
_INJECTED_TITLE = "One paper\r\nBcc: everybody@example.org"


def check_python(version: tuple[int, ...]) -> Finding:
    """Check the version, and that a title with a line break cannot add a header field."""
    named = ".".join(map(str, version[:3]))
    if version[:2] < OLDEST_PYTHON:
        return fail("python", f"this is Python {named}", "install Python 3.11 or later")
    if text_field("Subject", _INJECTED_TITLE).count("\r\n") != 1:
        return fail("python", "a line break in a title adds a header", "install Paperround again")
    return ok(
        "python",
        f"Python {named}; header fields are guarded by Paperround itself, whatever this Python's "
        "own email package lets through",
    )


def check_libraries(
    requirements: Iterable[str] | None = None, installed: Callable[[str], str] = metadata.version
) -> Finding:
    """Check that every library is at least as new as this version of Paperround requires."""
    required = metadata.requires("paperround") if requirements is None else requirements
    # Libraries of an extra need not be installed.
    matches = (_REQUIREMENT.match(one) for one in required or () if "extra ==" not in one)
    floors = {match[1]: match[2] for match in matches if match is not None}
    old = [
        f"{name} {found} is older than {floor}"
        for name, floor in sorted(floors.items())
        if _version_tuple(found := installed(name)) < _version_tuple(floor)
    ]
    if old:
        return fail("libraries", "; ".join(old), "install from requirements.txt again")
    return ok("libraries", f"all {len(floors)} are recent enough")


def _version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def check_disk(folder: Path) -> Finding:
    """Check the free space where the database grows."""
    return check_space(shutil.disk_usage(_existing(folder)).free, folder)


def check_space(free: int, folder: Path) -> Finding:
    """Judge `free` bytes of space beside the database."""
    says = f"{free / 1e9:,.1f} GB are free at {folder}"
    way_out = "make room: a full disk stops everything, and a backup needs as much again"
    if free < TOO_LITTLE_SPACE:
        return fail("disk", says, way_out)
    return warn("disk", says, way_out) if free < LITTLE_SPACE else ok("disk", says)


def check_file_system(folder: Path, mounts: Path = MOUNTS) -> Finding:
    """Check that SQLite's file is on a local disk."""
    try:
        kind = file_system_type(_existing(folder).resolve(), mounts.read_text(encoding="utf-8"))
    except OSError:
        return skipped("file system", "this system does not report file systems")
    if kind in NETWORK_FILE_SYSTEMS:
        return warn(
            "file system",
            f"{folder} is on {kind}, a network file system, where SQLite may lose data",
            "set PAPERROUND_DATA_DIR to a local disk",
        )
    return ok("file system", f"{folder} is on {kind}, a local file system")


def file_system_type(folder: Path, mounts: str) -> str:
    """Return the type of the file system of `folder`, by the lines of /proc/self/mounts."""
    places = {str(place) for place in (folder, *folder.parents)}
    found = [line.split(" ") for line in mounts.splitlines()]
    over = [
        (len(where), number, words[2])
        for number, words in enumerate(found)
        if len(words) > 2
        and (where := words[1].replace("\\040", " ").replace("\\011", "\t")) in places
    ]
    return max(over)[2] if over else "an unknown file system"


def check_permissions(paths: Iterable[Path]) -> Finding:
    """Check that only their owner can read files and folders with secrets and addresses."""
    present = [path for path in paths if path.exists()]
    readable = [str(path) for path in present if path.stat().st_mode & 0o077]
    if readable:
        return warn(
            "permissions",
            f"others on this machine can read {', '.join(readable)}",
            f"chmod go= {' '.join(readable)}",
        )
    if not present:
        return skipped("permissions", "there is no file with a secret in it")
    return ok("permissions", f"only their owner can read {', '.join(map(str, present))}")


def _existing(folder: Path) -> Path:
    """Return `folder`, or the nearest parent that exists."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())
