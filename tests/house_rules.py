"""The rules of this house that no linter knows, as functions of a file's text.

A rule looks at one file and yields the lines that break it. test_house_rules.py applies every
rule to the whole tree, and plants a breach of each to see that it is found.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

LONGEST_MODULE = 500

JOB_EDGES = {
    "src/paperround/delivery/deliver.py": "one poisoned mail must not stop the others",
    "src/paperround/plugins/channels/delivery.py": "one broken post must not stop the others",
    "src/paperround/digests/plan.py": "one list's failure must not keep the readers of the others",
    "src/paperround/ops/tick.py": "a step that fails must not keep the others from people",
    "src/paperround/feeds/poll.py": "one feed's failure must not keep the others from being read",
    "src/paperround/feeds/enrich.py": "one service that fails must not keep the others",
    "src/paperround/bounces/intake.py": "one poisonous mail must not keep the others back",
    "src/paperround/signup/worker.py": "a request that fails is put off, and the others go on",
    "src/paperround/ops/queue.py": "one failing job must not stop the others",
    "benchmarks/__main__.py": "one failed benchmark must not throw the others' figures away",
    "src/paperround/plugins/procrastinate/queue.py": "whatever ended a worker, another one begins",
}
"""The only files that may catch every exception, and why."""

READ_THE_CLOCK = (
    "tests/test_clock.py",  # tests the clock itself
    "tests/test_scheduler.py",  # APScheduler compares with the machine's clock
    "tests/story/clocked.py",  # replaces the clock of a process
    "tests/docs/terminal.py",  # replaces the clock of commands
    "tests/story/test_leap.py",  # runs below a library that changes the machine's clock
)

MODEL = re.compile(r"src/paperround/(?:\w+/)+(?:\w+_)?(?:model|policy)\.py")
"""Files whose role is to hold values and rules."""

STORES = re.compile(
    r"src/paperround/(?:db/.*|(?:plugins/)?\w+/store(?:/.*)?(?:\.py)?|plugins/procrastinate/.*)"
)
"""Files that may write SQL."""

IMPURE = frozenset(
    "asyncio http logging multiprocessing os random secrets shutil smtplib socket sqlite3 ssl"
    " subprocess tempfile threading time urllib.request uuid".split()
)

WALL_CLOCK = frozenset(
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today"
    " time.time time.time_ns time.localtime time.gmtime time.ctime".split()
)
ENVIRONMENT = frozenset("os.environ os.environb os.getenv os.getenvb os.putenv".split())
RUNS_BYTES = frozenset(
    "pickle marshal shelve dill cloudpickle jsonpickle joblib pandas.read_pickle os.system os.popen"
    " pty.spawn subprocess.getoutput subprocess.getstatusoutput asyncio.create_subprocess_shell"
    " yaml.load yaml.load_all yaml.unsafe_load yaml.full_load builtins.eval builtins.exec"
    " builtins.compile eval exec compile".split()
)
MOCKS = frozenset("unittest.mock mock pytest_mock respx responses pytest_httpx".split())
TEST_FILE = re.compile(r"tests\.(?:\w+\.)*test_\w+")
SLEEPS = frozenset({"time.sleep", "asyncio.sleep"})
EMPTY_NAMES = frozenset(
    "util utils helper helpers common misc answers parts words things stuff".split()
)
METAPHORS = re.compile(
    r"Room|Desk|Shelf|Shelves|Newsroom|Tongue|Letterhead|Switchboard|Hands|Crew|Staff|Lane|Slip"
    r"|Sheet|Glance|Patience|Verdict|Blame|Deed|Standing|Witness|Harvest|Rhythm|Setback|Wishes"
)
"""Words of an earlier version that no class is named after: each has a plain one."""

# Written so that none of them matches itself.
REGISTRY = re.compile(
    r"p[y]pi\.org|python[h]osted\.org|n[p]mjs\.(org|com)|crates\.[i]o|"
    r"(deb|security|ftp)\.d[e]bian\.org|proxy\.g[o]lang\.org|ruby[g]ems\.org"
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|farm|root|home|Users)/\w|/t[m]p/v/")
LEFTOVER = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")
SQL_CLOCK_FUNCTION = re.compile(
    r"\bfunc\.(?:now|sysdate|(?:current|local)_?(?:time|date|timestamp))$"
)
SECRET = frozenset("secret digest signature mac hmac token nonce password csrf session".split())
"""Words in the names of values that only one side may know."""

AUDIT_CHANGE = re.compile(r"\b(?:UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+\"?audit\b", re.I)
SQL_CLOCK = re.compile(r"\bCURRENT_(?:TIMESTAMP|DATE|TIME)\b|\bnow\(\)|'now'", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A file of the tree: its path from the root, and its text."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node, parents before children; none for a file that is not Python."""
        return list(ast.walk(ast.parse(self.text, self.path))) if self.path.endswith(".py") else []

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: `dt` -> `datetime`, `now` -> `time.time`."""
        return {
            alias.asname or alias.name.split(".")[0]: _target(node, alias)
            for node in self.nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }

    def dotted(self, node: ast.AST) -> str:
        """The full name of what `node` refers to, through import aliases; empty if unnamed."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            left = self.dotted(node.value)
            return f"{left}.{node.attr}" if left else ""
        return ""


def _target(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    if isinstance(node, ast.ImportFrom):
        return f"{node.module}.{alias.name}"
    return alias.name if alias.asname else alias.name.split(".")[0]


@dataclass(frozen=True)
class Rule:
    """What is looked for, where, and what to do instead."""

    name: str
    where: tuple[str, ...]
    find: Callable[[Source], Iterator[int]]
    way_out: str
    allowed: tuple[str, ...] = ()

    def applies(self, path: str) -> bool:
        return path.startswith(self.where) and not path.startswith(self.allowed or ("\0",))

    def breaches(self, source: Source) -> list[str]:
        """One line a breach: where it is, the rule, the way out."""
        if not self.applies(source.path):
            return []
        found = sorted(set(self.find(source)))
        return [f"{source.path}:{line}: {self.name}. {self.way_out}" for line in found]


# --- finders ---------------------------------------------------------------------------------


def imports(names: frozenset[str]) -> Callable[[Source], Iterator[int]]:
    """Finds imports of `names`, or of anything inside them."""

    def find(source: Source) -> Iterator[int]:
        for node in source.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                said = [name for alias in node.names for name in _imported(node, alias)]
                if names.intersection(said):
                    yield node.lineno

    return find


def uses(names: frozenset[str]) -> Callable[[Source], Iterator[int]]:
    """Finds imports of and references to `names`."""

    def find(source: Source) -> Iterator[int]:
        yield from imports(names)(source)
        for node in source.nodes:
            if isinstance(node, ast.Name | ast.Attribute) and source.dotted(node) in names:
                yield node.lineno

    return find


def _imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> list[str]:
    full = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
    parts = full.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def matches(pattern: re.Pattern[str]) -> Callable[[Source], Iterator[int]]:
    """Finds lines of any file that match `pattern`."""

    def find(source: Source) -> Iterator[int]:
        yield from (n for n, line in enumerate(source.lines, 1) if pattern.search(line))

    return find


def sql_clock(source: Source) -> Iterator[int]:
    """Finds `func.now()` and its kin, and strings in which SQL reads the clock."""
    for node in source.nodes:
        if isinstance(node, ast.Attribute):
            read = SQL_CLOCK_FUNCTION.search(source.dotted(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            read = SQL_CLOCK.search(node.value)
        else:
            continue
        if read:
            yield node.lineno


def dated_gzip(source: Source) -> Iterator[int]:
    """Finds `gzip.compress` without `mtime`: it writes the time of day into the bytes.

    Test names made of such bytes differed between the processes that ran them.
    """
    calls = [node for node in source.nodes if isinstance(node, ast.Call)]
    for call in [call for call in calls if source.dotted(call.func) == "gzip.compress"]:
        if all(word.arg != "mtime" for word in call.keywords):
            yield call.lineno


def naive_datetimes(source: Source) -> Iterator[int]:
    """Finds datetimes made without an offset, unless a `noqa: DTZ` says that it is on purpose."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and _is_naive(source, node):
            yield node.lineno


def _is_naive(source: Source, call: ast.Call) -> bool:
    function = source.dotted(call.func)
    named = {keyword.arg for keyword in call.keywords}
    positions = {
        "datetime.datetime": (8, "tzinfo"),
        "datetime.datetime.combine": (3, "tzinfo"),
        "datetime.datetime.fromtimestamp": (2, "tz"),
        "datetime.datetime.utcfromtimestamp": (99, ""),
    }
    on_purpose = "noqa: DTZ" in source.lines[call.lineno - 1]
    if function not in positions or None in named or on_purpose:
        return False
    needed, keyword = positions[function]
    return len(call.args) < needed and keyword not in named


def too_long(source: Source) -> Iterator[int]:
    """Finds the line at which a module becomes too long."""
    if len(source.lines) > LONGEST_MODULE:
        yield LONGEST_MODULE + 1


def broad_excepts(source: Source) -> Iterator[int]:
    """Finds handlers that catch everything and do not end by raising it again."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and not _raises_again(node):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or _is_everything(source, kind) for kind in kinds):
                yield node.lineno


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_everything(source: Source, kind: ast.AST) -> bool:
    return source.dotted(kind).split(".")[-1] in {"Exception", "BaseException"}


def shells(source: Source) -> Iterator[int]:
    """Finds `shell=True` and its like."""
    for node in source.nodes:
        if isinstance(node, ast.keyword) and node.arg == "shell" and not _is_false(node.value):
            yield node.value.lineno


def _is_false(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def loads_pickles(source: Source) -> Iterator[int]:
    """Finds arrays that are read or written with pickles among them, and reading any without saying
    that there must be none."""
    for node in source.nodes:
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not _is_false(node.value):
                yield node.value.lineno
        elif isinstance(node, ast.Call) and source.dotted(node.func) == "numpy.load":
            yield from () if any(w.arg == "allow_pickle" for w in node.keywords) else (node.lineno,)


def pickled_columns(source: Source) -> Iterator[int]:
    """Finds the column type that stores pickles."""
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and "PickleType" in source.dotted(node):
            yield node.lineno


def undocumented(source: Source) -> Iterator[int]:
    """Finds modules and public top-level classes and functions without a docstring."""
    if not source.path.endswith(".py"):
        return  # data that a room reads
    tree = ast.parse(source.text, source.path)
    if not ast.get_docstring(tree):
        yield 1
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in [node for node in tree.body if isinstance(node, kinds)]:
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield node.lineno


def empty_names(source: Source) -> Iterator[int]:
    """Finds modules and folders whose name says nothing."""
    if EMPTY_NAMES.intersection(PurePosixPath(source.path.removesuffix(".py")).parts):
        yield 1


def globals_changed(source: Source) -> Iterator[int]:
    """Finds functions that rebind a module's names."""
    yield from (node.lineno for node in source.nodes if isinstance(node, ast.Global))


def outside_standard_library(source: Source) -> Iterator[int]:
    """Finds models and policies that import anything but the standard library and our packages."""
    for node in source.nodes if MODEL.fullmatch(source.path) else ():
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                library = _imported(node, alias)[0]
                if library not in sys.stdlib_module_names and library != "paperround":
                    yield node.lineno


def impure_models(source: Source) -> Iterator[int]:
    """Finds models and policies that import what reads a clock, chance or the machine."""
    yield from imports(IMPURE)(source) if MODEL.fullmatch(source.path) else ()


def metaphors(source: Source) -> Iterator[int]:
    """Finds classes that are named after a metaphor."""
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and METAPHORS.search(node.name):
            yield node.lineno


def reaches_below_the_store(source: Source) -> Iterator[int]:
    """Finds uses of what a unit of work keeps for the store: its connection and savepoints."""
    for node in () if STORES.fullmatch(source.path) else source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in {"connection", "asks", "part"}:
            yield from (node.lineno,) if source.dotted(node.value) == "work" else ()


def without_a_clock(source: Source) -> Iterator[int]:
    """Finds tests that read the machine's clock, and processes started without a clock."""
    yield from uses(frozenset({"paperround.core.clock.SystemClock"}))(source)
    for call in [node for node in source.nodes if isinstance(node, ast.Call)]:
        if _reads_the_machines_clock(call) or _starts_the_command(source, call):
            yield call.lineno


def _reads_the_machines_clock(call: ast.Call) -> bool:
    return any(
        word.arg == "clock" and isinstance(word.value, ast.Constant) and word.value.value is None
        for word in call.keywords
    )


def _starts_the_command(source: Source, call: ast.Call) -> bool:
    return source.dotted(call.func).startswith("subprocess.") and any(
        isinstance(node, ast.Constant) and node.value == "paperround" for node in ast.walk(call)
    )


def borrows_from_a_test(source: Source) -> Iterator[int]:
    """Finds imports out of a file of tests."""
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and TEST_FILE.fullmatch(node.module or ""):
            yield node.lineno


def mock_fixtures(source: Source) -> Iterator[int]:
    """Finds mock libraries, imported or asked for as a fixture."""
    yield from uses(MOCKS)(source)
    yield from (n.lineno for n in source.nodes if isinstance(n, ast.arg) and n.arg == "mocker")


def secret_comparisons(source: Source) -> Iterator[int]:
    """Finds secrets compared with `==`, which takes longer the more is right; not in SQL."""
    for node in () if STORES.fullmatch(source.path) else source.nodes:
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = [node.left, *node.comparators]
            is_secret = any(SECRET.intersection(_words(side)) for side in sides)
            if is_secret and not any(isinstance(side, ast.Constant) for side in sides):
                yield node.lineno


def _words(node: ast.AST) -> list[str]:
    """The words of the last name in an expression: `kept.key_digest()` has two."""
    node = node.func if isinstance(node, ast.Call) else node
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name.split("_")


def audit_changes(source: Source) -> Iterator[int]:
    """Finds statements that change or delete entries of the audit log."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and _last(source, node.func) in {"update", "delete"}:
            tables = [*node.args[:1], getattr(node.func, "value", node)]
            yield from (node.lineno,) if "audit" in [_last(source, one) for one in tables] else ()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (node.lineno,) if AUDIT_CHANGE.search(node.value) else ()


def _last(source: Source, node: ast.AST) -> str:
    return source.dotted(node).rpartition(".")[2]


# --- the rules -------------------------------------------------------------------------------

SRC = ("src/",)
STORED = ("src/", "migrations/")
PYTHON = ("src/", "tests/", "migrations/", "benchmarks/", ".ci/")
EVERYTHING = ("",)
OLD_AUDIT = "src/paperround/ops/store.py"

RULES = (
    Rule(
        "one clock",
        PYTHON,
        uses(WALL_CLOCK),
        "Take `now` as an argument.",
        allowed=("src/paperround/core/clock.py", "tests/house_rules.py"),
    ),
    Rule(
        "one environment",
        STORED,
        uses(ENVIRONMENT),
        "Take the setting as an argument; config.py reads it.",
        allowed=("src/paperround/config.py",),
    ),
    Rule("no clock in SQL", STORED, sql_clock, "Bind `now` as a parameter."),
    Rule("no clock in gzip", PYTHON, dated_gzip, "Pass mtime=0."),
    Rule("no naive datetime", PYTHON, naive_datetimes, "Give it tzinfo=UTC or a zone."),
    Rule("no long module", PYTHON, too_long, "Cut it along its nouns."),
    Rule(
        "no broad except",
        PYTHON,
        broad_excepts,
        "Name the errors, or add the job edge to JOB_EDGES with its reason.",
        allowed=tuple(JOB_EDGES),
    ),
    Rule(
        "nothing runs bytes",
        PYTHON,
        uses(RUNS_BYTES),
        "Whoever can write the bytes runs code: use JSON.",
    ),
    Rule("no shell", PYTHON, shells, "Pass a list of arguments."),
    Rule("no pickled arrays", STORED, loads_pickles, "Say allow_pickle=False."),
    Rule("no pickled column", STORED, pickled_columns, "Store JSON."),
    Rule("every public thing is documented", SRC, undocumented, "Say what it is in one sentence."),
    Rule("names say something", PYTHON, empty_names, "Name it after what it holds."),
    Rule("no module state", SRC, globals_changed, "Hand the value in."),
    Rule(
        "models need nothing",
        SRC,
        outside_standard_library,
        "Only the standard library and our own packages.",
    ),
    Rule("stores write the SQL", SRC, reaches_below_the_store, "Add a method to a store."),
    Rule("no metaphors", SRC, metaphors, "Take the field's word: docs/glossary.md has ours."),
    Rule("pure models", SRC, impure_models, "Take the value as an argument."),
    Rule(
        "tests set the clock",
        ("tests/",),
        without_a_clock,
        "Use StartedClock or FixedClock; start processes with CommandLine or started(clock=...).",
        allowed=READ_THE_CLOCK,
    ),
    Rule("tests never sleep", ("tests/",), uses(SLEEPS), "Wait for an event, or set the clock."),
    Rule(
        "helpers have files of their own",
        ("tests/", "benchmarks/"),
        borrows_from_a_test,
        "Move what both need into builders, fakes, a conftest or a file beside them.",
    ),
    Rule("no mocks", ("tests/",), mock_fixtures, "Write a small fake that is real code."),
    Rule("no registry host", EVERYTHING, matches(REGISTRY), "Say the package's name only."),
    Rule("no machine path", EVERYTHING, matches(MACHINE_PATH), "Use a relative path."),
    Rule(
        "secrets take the same time",
        SRC,
        secret_comparisons,
        "Compare with hmac.compare_digest.",
        allowed=("src/paperround/ranking/learn.py", "src/paperround/plugins/arxiv_oai.py"),
    ),
    Rule("the audit only grows", STORED, audit_changes, "Add an entry.", allowed=(OLD_AUDIT,)),
    Rule("nothing left over", EVERYTHING, matches(LEFTOVER), "Do it, or leave it out."),
)
