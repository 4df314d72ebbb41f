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
