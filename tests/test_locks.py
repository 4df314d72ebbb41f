"""The requirement files: everything pinned, everything hashed, nothing said twice differently."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")
ENTRY = re.compile(
    r"[a-z0-9][a-z0-9-]*==[\w.]+(?: ; [^\\]+)?(?: *\\\n    --hash=sha256:[0-9a-f]{64})+"
)


def entries(name: str) -> list[str]:
    """Each requirement with its continuation lines."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry]


def pins(name: str) -> set[str]:
    return {entry.split()[0] for entry in entries(name)}


@pytest.mark.accept("C1")
@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    loose = [entry for entry in entries(name) if not ENTRY.fullmatch(entry)]
    assert not loose, f"./run lock writes {name} anew: {loose[:3]}"


def test_development_uses_the_packages_that_users_get() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("_", "-") for line in declared}
    locked = {pin.split("==")[0] for pin in pins("requirements-dev.txt")}
    assert names <= locked, f"./run lock: {sorted(names - locked)} are not locked"
