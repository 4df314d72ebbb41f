"""The house rules hold in the whole tree, and each of them finds what it is there to find."""

import ast
import os
import re
import statistics
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.house_rules import RULES, Rule, Source

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "src/paperround"
LONGEST_MEDIAN = 9
LONG_FUNCTION = 50
UNFILLED = re.compile(r"\{(?!BERT\})[A-Z][A-Z_]+\}")

BY_NAME = {rule.name: rule for rule in RULES}
TEXTS = (".py .md .toml .txt .html .ini .yaml .yml .json .csv .sh .css .js .cfg .in").split()
LICENCES = ("LICENSE",)

PLANTS = [
    ("one clock", "src/a.py", "from datetime import datetime as d\nx = d.now"),
    ("one clock", "tests/a.py", "import datetime as dt\nx = dt.date.today()"),
    ("one clock", "migrations/a.py", "from time import time\nx = time()"),
    ("one clock", "benchmarks/a.py", "import time as t\nx = t.time_ns"),
    ("one environment", "src/paperround/core/a.py", "from os import environ"),
    ("one environment", "src/a.py", "import os as o\nx = o.getenv('A')"),
    ("no clock in SQL", "src/a.py", "import sqlalchemy as sa\nx = sa.func.now()"),
    ("no clock in SQL", "migrations/a.py", "x = func.current_timestamp()"),
    ("no clock in SQL", "migrations/a.py", "x = text('DEFAULT current_timestamp')"),
    ("no clock in SQL", "src/a.py", "x = \"SELECT datetime('now')\""),
    ("no clock in gzip", "tests/a.py", "from gzip import compress as c\nx = c(b'')"),
    ("no naive datetime", "tests/a.py", "from datetime import datetime\nx = datetime(2026, 1, 1)"),
    ("no naive datetime", "src/a.py", "import datetime\nx = datetime.datetime.combine(d, t)"),
    ("no naive datetime", "src/a.py", "import datetime as d\nx = d.datetime.fromtimestamp(1)"),
    ("no long module", "tests/a.py", "x = 1\n" * 501),
    ("no broad except", "src/a.py", "try: x\nexcept: pass"),
    ("no broad except", "tests/a.py", "try: x\nexcept (OSError, BaseException): pass"),
    ("no broad except", "src/a.py", "try: x\nexcept Exception as e: pass"),
    ("nothing runs bytes", "src/a.py", "from pickle import loads"),
    ("nothing runs bytes", "src/a.py", "import yaml\nx = yaml.load(y)"),
    ("nothing runs bytes", "tests/a.py", "x = eval('1')"),
    ("nothing runs bytes", "src/a.py", "import subprocess as s\nx = s.getoutput('ls')"),
    ("nothing runs bytes", "src/a.py", "from joblib import load"),
    ("no shell", "src/a.py", "run('ls', shell=True)"),
    ("no pickled arrays", "src/a.py", "import numpy as np\nx = np.load(y, allow_pickle=True)"),
    ("no pickled arrays", "src/a.py", "import numpy as np\nx = np.load(y)"),
    ("no pickled column", "migrations/a.py", "import sqlalchemy as sa\nx = sa.PickleType()"),
    ("every public thing is documented", "src/a.py", "x = 1"),
    ("every public thing is documented", "src/a.py", "'''Doc.'''\ndef f(): pass"),
    ("every public thing is documented", "src/a.py", "'''Doc.'''\nclass C: pass"),
    ("names say something", "src/paperround/core/utils.py", ""),
    ("names say something", "tests/helpers/a.py", ""),
    ("no module state", "src/a.py", "def f():\n    global x\n    x = 1"),
    ("models need nothing", "src/paperround/feeds/model.py", "import pydantic"),
    ("models need nothing", "src/paperround/bounces/policy.py", "import sqlalchemy"),
    ("stores write the SQL", "src/paperround/feeds/poll.py", "x = work.connection.execute(y)"),
    ("no metaphors", "src/paperround/signup/a.py", "class Desk: pass"),
    ("pure models", "src/paperround/feeds/model.py", "import random"),
    ("pure models", "src/paperround/bounces/policy.py", "def f():\n    from os.path import exists"),
    ("tests set the clock", "tests/a.py", "from paperround.core.clock import SystemClock"),
    ("tests set the clock", "tests/a.py", "home = CommandLine(folder, clock=None)"),
    ("tests set the clock", "tests/a.py", "from subprocess import run\nrun([x, 'paperround'])"),
    ("tests never sleep", "tests/a.py", "import time\ntime.sleep(1)"),
    ("tests never sleep", "tests/a.py", "from asyncio import sleep as nap\nnap(1)"),
    ("helpers have files of their own", "tests/a.py", "from tests.web.test_pages import keep"),
    ("no mocks", "tests/a.py", "from unittest.mock import Mock"),
    ("no mocks", "tests/a.py", "def test_x(mocker): pass"),
    ("no registry host", "docs/a.md", "see https://py" + "pi.org/project/x"),
    ("no registry host", "requirements.txt", "--index-url https://files.python" + "hosted.org"),
    ("no machine path", "docs/a.md", "cd /wo" + "rk/main"),
    ("no machine path", "src/a.py", "x = '/ho" + "me/alice'"),
    ("secrets take the same time", "src/a.py", "x = given == kept.digest"),
    ("secrets take the same time", "src/a.py", "if csrf_token(x) != y: pass"),
    ("the audit only grows", "src/a.py", "from x import tables as db\ny = delete(db.audit)"),
    ("the audit only grows", "src/a.py", "x = tables.audit.update()"),
    ("the audit only grows", "migrations/a.py", "op.execute('DELETE FROM audit')"),
    ("nothing left over", "docs/a.md", "TO" + "DO: write this"),
]  # fmt: skip

INNOCENTS = [
    ("one clock", "src/a.py", "import time\nx = time.monotonic()"),
    ("one clock", "src/paperround/core/clock.py", "import datetime\nx = datetime.datetime.now"),
    ("one environment", "src/paperround/config.py", "import os\nx = os.environ"),
    ("no clock in SQL", "src/a.py", "x = func.count(now)"),
    ("no clock in gzip", "tests/a.py", "import gzip\nx = gzip.compress(b'', mtime=0)"),
    ("no naive datetime", "src/a.py", "import datetime\nx = datetime.datetime(1, 1, 1, tzinfo=z)"),
    ("no naive datetime", "src/a.py", "import datetime\nx = datetime.datetime(*a, **k)"),
    ("no long module", "src/a.py", "x = 1\n" * 500),
    ("no broad except", "src/paperround/ops/queue.py", "try: x\nexcept Exception: pass"),
    ("no broad except", "src/a.py", "try: x\nexcept BaseException:\n    undo()\n    raise"),
    ("nothing runs bytes", "src/a.py", "import re\nx = re.compile('a')"),
    ("no shell", "src/a.py", "run(['ls'], shell=False)"),
    ("no pickled arrays", "src/a.py", "import numpy\nx = numpy.load(y, allow_pickle=False)"),
    ("every public thing is documented", "src/a.py", "'''Doc.'''\ndef _f(): pass"),
    ("stores write the SQL", "src/paperround/feeds/store/a.py", "x = work.connection.execute(y)"),
    ("pure models", "src/paperround/feeds/model.py", "def f(secrets): return secrets[0]"),
    ("models need nothing", "src/paperround/feeds/model.py", "from paperround.papers import x"),
    ("no machine path", "docs/a.md", "https://example.org/work/page"),
    ("secrets take the same time", "src/a.py", "x = hmac.compare_digest(token, kept)"),
    ("secrets take the same time", "src/a.py", "x = kind == 'token'"),
    ("secrets take the same time", "src/paperround/feeds/store/a.py", "x = c.token == token"),
    ("the audit only grows", "src/a.py", "x = insert(db.audit)\ny = select(db.audit)"),
    ("the audit only grows", "src/a.py", "x = delete(db.answers)"),
]  # fmt: skip


@cache
def tree() -> tuple[Source, ...]:
    """Every text file of the project, caches and environments left out."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in _files()
        if path.suffix in TEXTS or not path.suffix
    )


def _files() -> Iterator[Path]:
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if _is_ours(Path(folder) / name)]
        yield from (Path(folder) / file for file in sorted(files) if file not in LICENCES)


def _is_ours(folder: Path) -> bool:
    hidden = folder.name.startswith(".") and folder.name not in {".ci", ".github"}
    made = {"__pycache__", "dist", "build", "node_modules", "paperround-data"}
    return not (hidden or folder.name in made or folder.suffix == ".egg-info")


class Overview(NamedTuple):
    """What one look at each file says of the tree."""

    breaches: Mapping[str, list[str]]
    """By the rule's name."""

    lengths: list[tuple[int, str]]
    """Of the package's functions."""

    libraries: Mapping[str, str]
    """A file of the package that imports each."""

    classes: Mapping[str, list[str]]
    """The files of the package that define a class of each public name."""

    unfilled: list[str]
    """Where a string of the package shows `{CONSTANT}`, because its f is missing."""


@cache
def overview() -> Overview:
    """Each file is read into a tree of nodes once, and that is let go of: together these take
    hundreds of megabytes."""
    breaches: dict[str, list[str]] = {rule.name: [] for rule in RULES}
    lengths: list[tuple[int, str]] = []
    libraries: dict[str, str] = {}
    classes = defaultdict[str, list[str]](list)
    unfilled: list[str] = []
    for source in map(replace, tree()):
        for rule in RULES:
            breaches[rule.name] += rule.breaches(source)
        if source.path.startswith(PACKAGE):
            lengths += function_lengths(source)
            libraries |= dict.fromkeys(third_party(source), source.path)
            unfilled += unfilled_strings(source)
            for node in source.nodes:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    classes[node.name].append(source.path)
    return Overview(breaches, lengths, libraries, classes, unfilled)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name.replace(" ", "-"))
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    breaches = overview().breaches[rule.name]
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.mark.accept("C4")
@pytest.mark.parametrize(
    "name", ["nothing runs bytes", "no shell", "no pickled arrays", "no pickled column"]
)
def test_nothing_turns_bytes_into_code(name: str) -> None:
    looked_at = [source for source in tree() if BY_NAME[name].applies(source.path)]
    assert len([source for source in looked_at if source.path.startswith(PACKAGE)]) > 20
    assert not overview().breaches[name]


@pytest.mark.accept("A3", part="lint", mutant="a-key-is-compared-as-a-text")
@pytest.mark.accept("A5", part="only grows", mutant="the-audit-forgets")
@pytest.mark.parametrize("name", ["secrets take the same time", "the audit only grows"])
def test_secrets_are_compared_safely_and_the_audit_only_grows(name: str) -> None:
    assert len([source for source in tree() if BY_NAME[name].applies(source.path)]) > 300
    assert not overview().breaches[name]


def test_a_planted_breach_is_found() -> None:
    found = [BY_NAME[name].breaches(Source(path, text)) for name, path, text in PLANTS]
    missed = [plant for plant, breaches in zip(PLANTS, found, strict=True) if not breaches]
    assert missed == []
    assert all(
        one[0].startswith(f"{path}:") for one, (_, path, _) in zip(found, PLANTS, strict=True)
    )


def test_an_innocent_line_is_left_alone() -> None:
    accused = [BY_NAME[name].breaches(Source(path, text)) for name, path, text in INNOCENTS]
    assert not any(accused), accused


def test_every_rule_has_a_planted_breach() -> None:
    assert {name for name, _, _ in PLANTS} == set(BY_NAME)


def test_the_name_of_a_class_means_one_thing() -> None:
    classes = overview().classes
    assert len(classes) > 500
    assert {name: files for name, files in classes.items() if len(files) > 1} == {}


def unfilled_strings(source: Source) -> list[str]:
    """Where a string contains `{CONSTANT}` literally; `{BERT}` in BibTeX is meant so."""
    return [
        f"{source.path}:{node.lineno}"
        for node in source.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if UNFILLED.search(node.value)
    ]


def test_no_string_shows_the_name_of_a_constant() -> None:
    assert unfilled_strings(Source("src/a.py", 'x = "at most {LONGEST} s"'))
    assert not unfilled_strings(Source("src/a.py", 'x = f"at most {LONGEST} s"'))
    assert overview().unfilled == []


def function_lengths(source: Source) -> list[tuple[int, str]]:
    """Lines of each function from `def` to its end, its docstring left out, and where it is."""
    return [
        (node.end_lineno - node.lineno + 1 - _docstring_lines(node), f"{source.path}:{node.lineno}")
        for node in source.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None or not first.end_lineno:
        return 0
    return first.end_lineno - first.lineno + 1


def test_functions_are_small() -> None:
    lengths = overview().lengths
    median = statistics.median(length for length, _ in lengths)
    long = [where for length, where in lengths if length > LONG_FUNCTION]
    assert median <= LONGEST_MEDIAN, f"the median function has {median} lines"
    assert len(long) < 0.02 * len(lengths), f"too many long functions: {long}"


def third_party(source: Source) -> Iterator[str]:
    """The top-level packages that a file imports from outside."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_every_library_has_one_owner_and_is_declared() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    owned = {name for contract in contracts for name in contract.get("forbidden_modules", [])}
    project = settings["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {line.split(">")[0].split("[")[0].replace("python-", "") for line in declared}
    names |= {"dns"} if "dnspython" in names else set()
    ours = {*sys.stdlib_module_names, "paperround"}
    used = {name: path for name, path in overview().libraries.items() if name not in ours}
    unowned = {name: path for name, path in used.items() if name not in owned}
    undeclared = {name: path for name, path in used.items() if name.replace("_", "-") not in names}
    assert not unowned, f"give each a contract in pyproject.toml: {unowned}"
    assert not undeclared, f"add each to the dependencies in pyproject.toml: {undeclared}"
