"""Checks that packages add, as plugins of the group `checks`."""

from datetime import datetime
from importlib.metadata import EntryPoint

import pytest

from paperround.bootstrap import AppContext
from paperround.core.plugins import Plugins
from paperround.doctor import examination
from paperround.doctor.findings import Finding, Level, warn
from paperround.ops.status import Status
from tests.doctor.conftest import Home


def check_tides(context: AppContext, current_status: Status | None, now: datetime) -> list[Finding]:
    """A check as another package has it."""
    assert current_status is not None
    return [warn("tides", f"{context.settings.operator} looks at {now:%Y}")]


def points(**values: str) -> Plugins:
    return Plugins({name: EntryPoint(name, one, "checks") for name, one in values.items()})


def test_a_check_of_a_plugin_is_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    found = points(tides=f"{__name__}:check_tides")
    monkeypatch.setattr(examination, "plugins", lambda _: found)
    assert home.faults(operator="Ada")["tides"].says == "Ada looks at 2026"


def test_a_check_that_cannot_be_loaded_is_a_finding(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = points(waves="paperround.no_such_module:check", tides=f"{__name__}:check_tides")
    monkeypatch.setattr(examination, "plugins", lambda _: found)
    faults = home.faults(operator="Ada")
    assert faults["waves"].level is Level.FAIL
    assert "paperround.no_such_module:check" in faults["waves"].says
    assert "tides" in faults
