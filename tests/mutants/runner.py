"""Apply one patch to a copy of the tree, run its test there, and judge what happened."""

import compileall
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

COPIED = (
    ".ci",
    "src",
    "tests",
    "migrations",
    "templates",
    "translations",
    "docs",
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "alembic.ini",
    "requirements.txt",
    "requirements-dev.txt",
    "run",
    "compose.yaml",
    "deploy",
    "tools",
    "Dockerfile",
)
PATIENCE_SECONDS = 300
WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
"""Plugins of pytest that no test here needs: the second takes a second to import."""


class Result(StrEnum):
    """How a mutant ended. Only `caught` is good."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED: its test stayed green with the code broken"
    STALE = "STALE: the text to break is not there exactly once"
    BROKEN = "BROKEN: its test could not run, so it proves nothing"
    RED_BEFORE = "RED BEFORE: its test fails on the unbroken code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A patch (`before` -> `after` in `file`), the test that must fail, and what that shows."""

    name: str
    file: str
    before: str
    after: str
    test: str
    shows: str


def read_mutants(folder: Path) -> list[Mutant]:
    """The mutants of every TOML file in `folder`, file by file by name, each in its order.

    Raises ValueError when two files have a mutant of the same name.
    """
    found: dict[str, Mutant] = {}
    for path in sorted(folder.glob("*.toml")):
        for name, row in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{path.name} has a mutant {name!r}, and so has a file before it")
            found[name] = Mutant(name=name, **row)
    return list(found.values())


def is_stale(mutant: Mutant, root: Path) -> bool:
    """Whether the text to break does not stand exactly once in its file."""
    path = root / mutant.file
    return not path.exists() or path.read_text(encoding="utf-8").count(mutant.before) != 1


@contextmanager
def applied(mutant: Mutant, root: Path) -> Iterator[None]:
    """The tree with the patch in it; as it was afterwards."""
    path = root / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(mutant.before, mutant.after), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(whole, encoding="utf-8")


def run_tests(tests: Sequence[str], root: Path) -> int:
    """pytest's exit code for `tests` in the tree at `root`: 0 green, 1 red, else none ran."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", *WITHOUT, *tests]
    path = os.pathsep.join([str(root / "src"), str(root)])
    environment = {**os.environ, "PYTHONPATH": path}
    try:
        result = subprocess.run(
            command,
            cwd=root,
            env=environment,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1
    return result.returncode


def judge(mutant: Mutant, root: Path, *, known_green: bool = False) -> Result:
    """Break the tree at `root`, run the test, mend it again.

    `known_green` says that the test was seen to pass on the unbroken tree.
    """
    if is_stale(mutant, root):
        return Result.STALE
    if not known_green and run_tests([mutant.test], root) != 0:
        return Result.RED_BEFORE
    with applied(mutant, root):
        code = run_tests([mutant.test], root)
    return {0: Result.SURVIVED, 1: Result.CAUGHT}.get(code, Result.BROKEN)


def copy_tree(root: Path, target: Path, names: Sequence[str] = COPIED) -> None:
    """Copy what tests need; the tree itself is never patched. What is compiled here once, no run
    has to compile again."""
    for name in names:
        if (root / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(root / name, target / name, ignore=ignored)
        elif (root / name).exists():
            shutil.copy(root / name, target / name)
    for name in {"src", "tests"} & set(names):
        compileall.compile_dir(target / name, quiet=2)
