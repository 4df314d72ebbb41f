"""The machine and the settings: Python, libraries, disk and who may read the secrets; the secret,
the sender and the address of the site."""

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
from paperround.subscribers.addresses import EmailAddresses

FEWEST_SIGNS = 10
"""Different characters in a key. Random ones of 32 characters have more than twenty."""

NOBODYS = (".example", ".test", ".invalid", ".localhost", ".local")
"""Ends of domains that never receive mail (RFC 2606, RFC 6762)."""


def secret(settings: Settings) -> Finding:
    """Whether there is a strong secret, and how many keys the ring holds."""
    try:
        count = len(settings.keys.key_ids)
    except Misconfigured as error:
        return fail("secret", str(error))
    given = map(str.strip, (settings.secret_key or "").split(","))
    if any(key and len(set(key)) < FEWEST_SIGNS for key in given):
        return fail(
            "secret",
            "PAPERROUND_SECRET_KEY holds a key that can be guessed",
            "put a random one in front: "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`",
        )
    ring = "one key" if count == 1 else f"{count} keys, the first of which signs"
    made = "" if settings.secret_key else f", made by itself in {settings.secret_file}"
    return ok("secret", f"{ring}{made}")


def sender(settings: Settings) -> Finding:
    """Whether mails say who sends them, as receivers and the law want it."""
    try:
        settings.require_sender()
        address = EmailAddresses().read(parseaddr(settings.mail_from)[1])
    except (Misconfigured, InvalidInput) as error:
        return fail("sender", f"mail cannot say who sends it: {error}")
    if settings.relay.startswith("outbox:"):
        return ok("sender", f"mails come from {settings.mail_from}, and stay on this machine")
    if address.domain.endswith(NOBODYS):
        report = fail if settings.leaves_this_machine else warn
        return report(
            "sender",
            f"PAPERROUND_MAIL_FROM is {settings.mail_from}, and nobody can own that domain",
            "name a mailbox of yours that exists",
        )
    if "@" not in (settings.contact or ""):
        return warn(
            "sender",
            "PAPERROUND_CONTACT is no e-mail address, so alerts stand in the log only",
            "name an address that a person reads",
        )
    return ok("sender", f"mails come from {settings.mail_from}")


def public_url(settings: Settings) -> Finding:
    """Whether links in mails lead readers to this site, and keep what they carry private."""
    url, parts = settings.public_url, urlsplit(settings.public_url)
    if parts.hostname in LOOPBACK:
        if settings.leaves_this_machine:
            return fail(
                "public url",
                f"mails go out, and each link in them begins with {url}, the reader's machine",
                "set PAPERROUND_PUBLIC_URL to the address readers reach this site at",
            )
        return ok("public url", f"links in mails begin with {url}: this machine only")
    if parts.scheme != "https":
        return fail(
            "public url",
            f"links in mails begin with {url}, and whoever carries them can read and use them",
            "set PAPERROUND_PUBLIC_URL to https://...; one-click unsubscribing needs it too",
        )
    if parts.path or parts.query or parts.fragment:
        return warn(
            "public url",
            f"{url} holds more than a host: the site answers at the root of its name only",
            "give it a host name of its own",
        )
    return ok("public url", f"links in mails begin with {url}")


OLDEST_PYTHON = (3, 11)
LITTLE_SPACE, TOO_LITTLE_SPACE = 1_000_000_000, 100_000_000
"""Bytes free on the disk of DATA_DIR. SQLite needs room for its log and for a backup."""

NETWORK_FILE_SYSTEMS = frozenset(
    "nfs nfs4 cifs smb3 smbfs 9p afs ceph fuse.ceph fuse.sshfs fuse.glusterfs lustre gpfs ocfs2"
    " virtiofs".split()
)
"""Where locks of one machine may be unseen by another, or come and go with the network."""

MOUNTS = Path("/proc/self/mounts")
_FLOOR = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?[^;]*?>=\s*([0-9][0-9.]*)")
_SMUGGLED = "One paper\r\nBcc: everybody@example.org"


def python(version: tuple[int, ...]) -> Finding:
    """The interpreter, and whether a title with a line break can add a header on it."""
    named = ".".join(map(str, version[:3]))
    if version[:2] < OLDEST_PYTHON:
        return fail("python", f"this is Python {named}", "install Python 3.11 or later")
    if text_field("Subject", _SMUGGLED).count("\r\n") != 1:
        return fail("python", "a line break in a title adds a header", "install Paperround again")
    return ok(
        "python",
        f"Python {named}; header fields are guarded by Paperround itself, whatever this Python's "
        "own e-mail package lets through",
    )


def libraries(
    requirements: Iterable[str] | None = None, installed: Callable[[str], str] = metadata.version
) -> Finding:
    """Whether every library is at least as new as this version of Paperround asks for."""
    asked = metadata.requires("paperround") if requirements is None else requirements
    # Those of an extra need not be here.
    matches = (_FLOOR.match(one) for one in asked or () if "extra ==" not in one)
    floors = {match[1]: match[2] for match in matches if match is not None}
    old = [
        f"{name} {found} is older than {floor}"
        for name, floor in sorted(floors.items())
        if _parts(found := installed(name)) < _parts(floor)
    ]
    if old:
        return fail("libraries", "; ".join(old), "install from requirements.txt again")
    return ok("libraries", f"all {len(floors)} are as new as this version needs")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def disk(folder: Path) -> Finding:
    """How much room is left where the database grows."""
    return space(shutil.disk_usage(_existing(folder)).free, folder)


def space(free: int, folder: Path) -> Finding:
    """What `free` bytes beside the database mean."""
    says = f"{free / 1e9:,.1f} GB are free at {folder}"
    way_out = "make room: a full disk stops everything, and a backup needs as much again"
    if free < TOO_LITTLE_SPACE:
        return fail("disk", says, way_out)
    return warn("disk", says, way_out) if free < LITTLE_SPACE else ok("disk", says)


def file_system(folder: Path, mounts: Path = MOUNTS) -> Finding:
    """Whether SQLite's file stands on a disk of this machine."""
    try:
        kind = file_system_of(_existing(folder).resolve(), mounts.read_text(encoding="utf-8"))
    except OSError:
        return skipped("file system", "this system does not say what its folders stand on")
    if kind in NETWORK_FILE_SYSTEMS:
        return warn(
            "file system",
            f"{folder} is on {kind}, a network file system, where SQLite may lose data",
            "set PAPERROUND_DATA_DIR to a local disk",
        )
    return ok("file system", f"{folder} is on {kind}, a local file system")


def file_system_of(folder: Path, mounts: str) -> str:
    """The kind of file system `folder` stands on, by the lines of /proc/self/mounts."""
    places = {str(place) for place in (folder, *folder.parents)}
    found = [line.split(" ") for line in mounts.splitlines()]
    over = [
        (len(where), number, words[2])
        for number, words in enumerate(found)
        if len(words) > 2
        and (where := words[1].replace("\\040", " ").replace("\\011", "\t")) in places
    ]
    return max(over)[2] if over else "an unknown file system"


def private(paths: Iterable[Path]) -> Finding:
    """Whether only their owner can read the files and folders that hold secrets and addresses."""
    present = [path for path in paths if path.exists()]
    open_ones = [str(path) for path in present if path.stat().st_mode & 0o077]
    if open_ones:
        return warn(
            "permissions",
            f"others on this machine can read {', '.join(open_ones)}",
            f"chmod go= {' '.join(open_ones)}",
        )
    if not present:
        return skipped("permissions", "there is no file with a secret in it")
    return ok("permissions", f"only their owner can read {', '.join(map(str, present))}")


def _existing(folder: Path) -> Path:
    """`folder`, or the nearest folder above it that exists."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())
