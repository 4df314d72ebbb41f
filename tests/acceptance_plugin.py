"""The part of the test run that knows which test shows which acceptance point.

Every item's `accept` marks are checked against acceptance.toml before it runs, and the outcome of
each marked test is kept in pytest's cache, from where `python -m tests.acceptance` reads it.
"""

import pytest

from tests.acceptance_points import CACHE_KEY, marks, points

WHOLE_TREE = pytest.StashKey[tuple[pytest.Item, ...]]()
"""All tests, also those that are left out; missing when some were named."""

ON_POSTGRES = frozenset({"postgres", "the_postgres"})
"""Fixtures of the server: one of them is among those of every test that cannot do without it."""

_PROPERTY = "accept"
_WORST_LAST = ("passed", "skipped", "failed")


class AcceptanceRecorder:
    """Refuses unknown ids and keeps the last outcome of every marked test."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._known = points()
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Fail a test whose mark names no acceptance point."""
        shown = list(marks(item))
        unknown = [mark.id for mark in shown if mark.id not in self._known]
        if unknown:
            pytest.fail(f"{unknown[0]!r} is not in tests/acceptance.toml", pytrace=False)
        if shown:
            item.user_properties.append((_PROPERTY, True))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of a marked test's phases."""
        if (_PROPERTY, True) in {tuple(pair) for pair in report.user_properties}:
            before = self._outcomes.get(report.nodeid, "passed")
            self._outcomes[report.nodeid] = max(before, report.outcome, key=_WORST_LAST.index)

    def pytest_sessionfinish(self) -> None:
        """Add this run's outcomes to those of earlier runs."""
        cache = getattr(self._config, "cache", None)
        if cache is not None and self._outcomes and not hasattr(self._config, "workerinput"):
            cache.set(CACHE_KEY, {**cache.get(CACHE_KEY, {}), **self._outcomes})


def pytest_configure(config: pytest.Config) -> None:
    """Start recording."""
    config.pluginmanager.register(AcceptanceRecorder(config), "acceptance-recorder")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` runs the long forms of tests, and nothing else; `--without-postgres` leaves out the
    half that tries a database, which one Python does not do otherwise than another."""
    parser.addoption("--long", action="store_true", help="run the long forms of tests only")
    parser.addoption(
        "--without-postgres",
        action="store_true",
        help="leave out tests on PostgreSQL, and of tests on each database that half",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not asked for: long tests by default, all others with `--long`; those on
    PostgreSQL where they are not wanted. What takes a minute begins first: else one process would
    still be at it when the others have nothing left to do."""
    long, without = config.getoption("--long"), config.getoption("--without-postgres")
    if not config.getoption("file_or_dir") and not config.getoption("ignore"):
        config.stash[WHOLE_TREE] = tuple(items)
    wanted, others = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        is_wanted = _is_wanted(item, long=long) and not (without and _needs_postgres(item))
        (wanted if is_wanted else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = sorted(wanted, key=lambda item: item.get_closest_marker("early") is None)


def _is_wanted(item: pytest.Item, *, long: bool) -> bool:
    only_long = item.get_closest_marker("long") is not None
    scales = "long_form" in getattr(item, "fixturenames", ())
    return only_long or scales if long else not only_long


def _needs_postgres(item: pytest.Item) -> bool:
    """Whether it takes a PostgreSQL itself, or is the half on it of a test on each database."""
    chosen = getattr(item, "callspec", None)
    values = () if chosen is None else chosen.params.values()
    is_half = any(isinstance(one, str) and one == "postgres" for one in values)
    return is_half or not ON_POSTGRES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def long_form(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long run: a test that scales takes its big numbers then."""
    return bool(pytestconfig.getoption("--long"))
