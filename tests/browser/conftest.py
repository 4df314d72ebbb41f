"""Debian's Chromium, and somebody who sits before it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.person import MILLISECONDS
from tests.browser.tour import Tour, touring
from tests.story.serving import Served, serving

expect.set_options(timeout=MILLISECONDS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder; its loop must not outlive it, for the sake of other tests."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium: install Debian's package `chromium`")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """An installation of the test's own, with today's sample papers."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """A site with every kind of page, for the tests of a file that change nothing."""
    with touring(tmp_path_factory.mktemp("tour")) as here:
        yield here
