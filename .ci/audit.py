"""Ask the OSV database whether a locked package has a known hole: audit.py LOCK ...

Exit 0: every locked package was looked up and none has an advisory, or no advisory source could be
reached, and then the answer begins with `not audited:`. Exit 1: an advisory, or an answer that
leaves packages out. An answer that audited nothing is never a clean one.
"""

import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

SOURCE = "https://api.osv.dev/v1/querybatch"
PATIENCE_SECONDS = 20
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([\w.+!-]+)", re.MULTILINE)

Package = tuple[str, str]


class NotAudited(Exception):
    """No advisory source answered."""


def locked(paths: Sequence[Path]) -> list[Package]:
    """The (name, version) of every pin, those of other platforms included."""
    found = {pin for path in paths for pin in PIN.findall(path.read_text(encoding="utf-8"))}
    return sorted(found)


def ask(packages: Sequence[Package], source: str) -> list[list[str]]:
    """The advisory ids of each package, in order. Raises NotAudited when nobody answers."""
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in packages
    ]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(source, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError) as error:
        raise NotAudited(f"{source} cannot be asked ({error})") from error
    return [[advisory["id"] for advisory in result.get("vulns", [])] for result in results]


def verdict(packages: Sequence[Package], advisories: Sequence[Sequence[str]]) -> list[str]:
    """What is wrong with the answer: packages left out, packages with advisories."""
    if not packages:
        return ["no package is locked: nothing was audited"]
    if len(advisories) != len(packages):
        return [f"{len(packages)} packages are locked but {len(advisories)} were audited"]
    return [
        f"{name} {version}: {', '.join(ids)}"
        for (name, version), ids in zip(packages, advisories, strict=True)
        if ids
    ]


def main(paths: Sequence[str], source: str = SOURCE) -> int:
    """Print the verdict; the exit code."""
    packages = locked([Path(path) for path in paths])
    try:
        problems = verdict(packages, ask(packages, source) if packages else [])
    except NotAudited as error:
        print(f"not audited: {error}; {len(packages)} locked packages were not looked up")
        return 0
    for problem in problems:
        print(f"audit: {problem}")
    if not problems:
        print(f"audited: {len(packages)} of {len(packages)} locked packages, no advisory")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
