"""The part of the test run that knows which test shows which acceptance point.

Every item's `accept` marks are checked against acceptance.toml before it runs, and the outcome of
each marked test is kept in pytest's cache, from where `python -m tests.acceptance` reads it.
"""

import pytest

from tests.acceptance_points import CACHE_KEY, marks, points

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
    """`--long` runs the long forms of tests, and nothing else."""
    parser.addoption("--long", action="store_true", help="run the long forms of tests only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not asked for: long tests by default, all others with `--long`."""
    wanted, others = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        is_wanted = _is_wanted(item, long=config.getoption("--long"))
        (wanted if is_wanted else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = wanted


def _is_wanted(item: pytest.Item, *, long: bool) -> bool:
    only_long = item.get_closest_marker("long") is not None
    scales = "long_form" in getattr(item, "fixturenames", ())
    return only_long or scales if long else not only_long


@pytest.fixture(scope="session")
def long_form(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long run: a test that scales takes its big numbers then."""
    return bool(pytestconfig.getoption("--long"))
