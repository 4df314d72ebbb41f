"""One line that tells how far a test run is, instead of a page of dots."""

import sys
import time
from collections import Counter

import pytest

STEPS = 20
"""Lines of a run whose output is no terminal."""


class Progress:
    """Counts tests as they end, and shows the count: on a terminal in one line that changes."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._total = self._ended = self._failed = self._shown = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Learn from a process how many there are; each of them has the same."""
        self._total = len(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn how many there are where no other processes run them."""
        self._total = self._total or len(session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Print no dot for a test that passed or was skipped."""
        if report.skipped:
            return "skipped", "", "SKIPPED"
        return ("passed", "", "PASSED") if report.passed and report.when == "call" else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test."""
        self._failed += report.failed
        if report.when != "teardown":
            return
        self._ended += 1
        step = self._ended * STEPS // max(self._total, 1)
        if self._is_terminal or step > self._shown:
            self._shown = step
            self._show()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was skipped: a line for each reason, and not for each place."""
        skipped = terminalreporter.stats.get("skipped", [])
        for reason, count in Counter(map(_reason, skipped)).most_common():
            terminalreporter.write_line(f"skipped {count}: {reason}")

    def _show(self) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        took = f"{minutes}:{seconds:02}"
        line = f"{self._ended} of {self._total} tests, {self._failed} failed, {took}"
        end = "\r" if self._is_terminal and self._ended < self._total else "\n"
        sys.stderr.write(line + end)
        sys.stderr.flush()


def _reason(report: pytest.TestReport) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")


def pytest_configure(config: pytest.Config) -> None:
    """Show it where a run is quiet, and only in the process that was started."""
    if config.option.verbose < 0 and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(), "progress")
