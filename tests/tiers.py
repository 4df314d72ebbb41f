"""Which tests a run takes.

    ./run test              the quick ones, under five minutes: see `is_quick`
    ./run test --all        all but the long ones
    ./run test-long         the long ones: kill loops, big tables, other dates
    ./run test-everything   all, the long ones, and the deliberate breaks

Whoever names files, or chooses with `-k` or `-m`, gets all that is named but for the long ones.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent

DEAR = frozenset(
    {"benchmarks", "browser", "db", "evaluate", "migrations", "mutants", "reliability", "story"}
)
"""Folders whose tests start processes or browsers, or work through real data. Only those that are
marked `quick` belong to a quick run."""

ON_BOTH_ENGINES = frozenset({"contracts", "db", "migrations"})
"""Folders whose tests try SQLite and PostgreSQL. Elsewhere the PostgreSQL half repeats what they
show, so it waits for `./run test-everything` unless it is marked `postgres`."""

USES_POSTGRES = frozenset({"postgres", "the_postgres"})
"""Fixtures of the server: one of them is among those of every test that cannot do without it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose tests."""
    parser.addoption("--all", action="store_true", help="run all tests but the long ones")
    parser.addoption("--long", action="store_true", help="run the long forms of tests only")
    parser.addoption(
        "--both-engines",
        action="store_true",
        help="run every test of a database on PostgreSQL too, not only those that must differ",
    )
    parser.addoption("--without-browser", action="store_true", help="leave out tests in a browser")
    parser.addoption(
        "--without-postgres",
        action="store_true",
        help="leave out tests on PostgreSQL, and of tests on each database that half",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import files that have nothing for a quick run."""
    if not takes_quick_ones(config) or collection_path.suffix != ".py":
        return None
    if not collection_path.name.startswith("test_") or folder_of(collection_path) not in DEAR:
        return None
    return b"pytest.mark.quick" not in collection_path.read_bytes() or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for. What takes a minute begins first: else one process would
    still be at it when the others have nothing left to do."""
    wanted, others = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        (wanted if is_wanted(item, config) else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = sorted(wanted, key=lambda item: item.get_closest_marker("early") is None)


def names_some(config: pytest.Config) -> bool:
    """Whether somebody said which files or tests they want."""
    return any(config.getoption(name) for name in ("file_or_dir", "ignore", "keyword", "markexpr"))


def takes_quick_ones(config: pytest.Config) -> bool:
    """Whether nothing was said, and so only quick tests are wanted."""
    return not (config.getoption("all") or config.getoption("long") or names_some(config))


def is_wanted(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether this run takes the test."""
    only_long = item.get_closest_marker("long") is not None
    if config.getoption("long"):
        return only_long or "long_form" in getattr(item, "fixturenames", ())
    if only_long or (uses_postgres(item) and config.getoption("without_postgres")):
        return False
    if folder_of(item.path) == "browser" and config.getoption("without_browser"):
        return False
    if takes_quick_ones(config):
        return is_quick(item)
    return bool(config.getoption("file_or_dir")) or is_told_once(item, config)


def is_quick(item: pytest.Item) -> bool:
    """Whether a newcomer's run takes it: cheap ones, the contracts of both databases, and of
    stories, crashes and pages those that are marked."""
    if item.get_closest_marker("quick") is not None:
        return True
    if item.get_closest_marker("slow") is not None or folder_of(item.path) in DEAR:
        return False
    return not uses_postgres(item) or folder_of(item.path) == "contracts"


def is_told_once(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether it is no mere repetition on PostgreSQL of what the contracts show there."""
    if config.getoption("both_engines") or not is_half_on_postgres(item):
        return True
    return folder_of(item.path) in ON_BOTH_ENGINES or bool(item.get_closest_marker("postgres"))


def is_half_on_postgres(item: pytest.Item) -> bool:
    """Whether it is the half on PostgreSQL of a test on each database."""
    chosen = getattr(item, "callspec", None)
    return chosen is not None and "postgres" in map(str, chosen.params.values())


def uses_postgres(item: pytest.Item) -> bool:
    """Whether it needs a PostgreSQL."""
    names = getattr(item, "fixturenames", ())
    return is_half_on_postgres(item) or not USES_POSTGRES.isdisjoint(names)


def folder_of(path: Path) -> str:
    """The folder of `tests` that a file is in; empty for files directly in it or elsewhere."""
    inside = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return inside[0] if len(inside) > 1 else ""


@pytest.fixture(scope="session")
def long_form(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long run: a test that scales takes its big numbers then."""
    return bool(pytestconfig.getoption("--long"))
