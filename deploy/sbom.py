"""The parts of an installation as CycloneDX JSON: sbom.py LOCK OUT.

Run by the Python whose packages are listed. Every package must be the one the lock names; the
project itself is the only part without an entry there. The same installation always gives the
same bytes: they hold no time and no serial number.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

PROJECT = "paperround"
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?P<rest>.*(?:\n +--hash=.*)*)",
    re.MULTILINE,
)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

Package = tuple[str, str]


class NotTheLock(Exception):
    """What is installed differs from what is locked."""


def locked(text: str) -> dict[Package, list[str]]:
    """The SHA-256 sums of the files that each (name, version) of a lock may come from."""
    return {
        (canonical(entry["name"]), entry["version"]): HASH.findall(entry["rest"])
        for entry in ENTRY.finditer(text)
    }


def canonical(name: str) -> str:
    """A package's name in the one spelling that all its spellings share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(found: Iterable[Distribution]) -> list[Package]:
    """The (name, version) of every distribution, sorted."""
    return sorted({(canonical(part.name), part.version) for part in found})


def bill(parts: Iterable[Package], lock: Mapping[Package, list[str]]) -> dict[str, object]:
    """The bill of materials. Raises NotTheLock that names every stranger."""
    listed = list(parts)
    strangers = [part for part in listed if part not in lock and part[0] != PROJECT]
    if strangers:
        names = ", ".join(f"{name} {version}" for name, version in strangers)
        raise NotTheLock(f"installed but not locked: {names}")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": [_component(part, lock.get(part, [])) for part in listed],
    }


def _component(part: Package, hashes: list[str]) -> dict[str, object]:
    """One entry. A lock names the file of every platform, so their sums are properties."""
    name, version = part
    return {
        "type": "application" if name == PROJECT else "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "properties": [{"name": "lock:sha256", "value": value} for value in hashes],
    }


def main(lock: str, out: str) -> int:
    """Write the bill; the exit code."""
    try:
        parts = bill(installed(distributions()), locked(Path(lock).read_text(encoding="utf-8")))
    except NotTheLock as error:
        sys.stderr.write(f"sbom: {error}\n")
        return 1
    Path(out).write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
