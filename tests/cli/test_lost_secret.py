"""A service that starts without the secret of the emails it sent."""

import re
import shutil
from pathlib import Path

import pytest

from paperround.bootstrap import AppContext
from paperround.cli.process import warn_of_lost_secret
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.tokens import KeyRing
from paperround.db.transactions import SqlDatabase
from tests.builders import NOW, seed_list
from tests.databases import opened, sqlite_template
from tests.delivery.paced import planned

__all__ = ["sqlite_template"]

SECRET = "s" * 40


@pytest.fixture
def service(tmp_path: Path, sqlite_template: Path) -> AppContext:
    """A service with its secret, and one digest whose links were made with another."""
    made = AppContext(Settings(data_dir=tmp_path, secret_key=SECRET), FixedClock(NOW))
    shutil.copy(sqlite_template, made.settings.database_file)
    return made


def test_a_new_service_has_lost_nothing(
    service: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_lost_secret(service)
    assert caplog.text == ""


def test_a_secret_that_is_gone_is_named_with_what_to_do(
    service: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(f"sqlite:///{service.settings.database_file}") as engine:
        seed_list(SqlDatabase(engine))
        planned(SqlDatabase(engine), one=1)
    warn_of_lost_secret(service)
    assert re.search("the secret [0-9a-f]{4} of earlier emails is gone", caplog.text)
    assert "add it back to the end of PAPERROUND_SECRET_KEY" in caplog.text


def test_a_secret_that_signs_no_more_is_not_gone(
    service: AppContext, caplog: pytest.LogCaptureFixture
) -> None:
    first = KeyRing((SECRET.encode(),)).key_ids[0]
    with opened(f"sqlite:///{service.settings.database_file}") as engine:
        seed_list(SqlDatabase(engine))
        planned(SqlDatabase(engine), one=1)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE deliveries SET key_id = '{first}'")
    ring = Settings(data_dir=service.settings.data_dir, secret_key=f"{'n' * 40},{SECRET}")
    warn_of_lost_secret(AppContext(ring, FixedClock(NOW)))
    assert caplog.text == ""
