"""Python's collector of cycles does not look through what a test process keeps to its end.

That is a million objects: modules, and every test that was collected. Looking through them took a
third of the time of collecting, and a second each time afterwards. So the collector rests while
tests are collected, and what is there then is hidden from it. The programs that do the same
(`paperround ingest` and `serve`, benchmarks) must not do it in here: they would hide the garbage of
the tests before, for good.
"""

import gc

import pytest

YOUNG = 20_000
"""Objects more than before after which the young ones are looked through; Python's own number is
700, for programs that have little memory."""


def pytest_configure(config: pytest.Config) -> None:
    """Let the collector rest."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Hide what is there, and begin."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    gc.enable()
    vars(gc).update(freeze=leave_alone, unfreeze=leave_alone)


def leave_alone() -> None:
    """What stands in for `gc.freeze` from then on."""
