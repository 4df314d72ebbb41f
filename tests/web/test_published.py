"""The copies of an edition that tests of pages work on are no other than what was made."""

import shutil
from pathlib import Path

import pytest

from paperround.config import Settings
from tests.web.conftest import running, sql
from tests.web.published import Published, name_alike, published


@pytest.mark.slow
def test_a_database_that_was_copied_is_as_one_that_was_made(
    settings: Settings, sqlite_template: Path, tmp_path: Path
) -> None:
    kept, found = Published(tmp_path), []
    for name in ("made", "copied", "by itself"):
        home = tmp_path / name
        home.mkdir()
        shutil.copy(sqlite_template, home / "paperround.db")
        with running(settings.model_copy(update={"data_dir": home})) as site:
            here = site.runtime
            name_alike(sql(here))
            made = published(here) if name == "by itself" else kept.publish(here, sql(here))
            found.append((made, site.dump(), site.client.get("/").text.partition("stamp")[0]))
    assert len(kept.editions) == 1
    assert found[0] == found[1] == found[2]
