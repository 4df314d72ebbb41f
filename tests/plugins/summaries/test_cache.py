"""What machines said, kept in files."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperround.plugins.summaries.checks import Wording
from paperround.plugins.summaries.service import SummaryCache

OURS = Wording(model="small-1")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_what_was_put_is_found_again_for_the_same_text_wording_and_model(tmp_path: Path) -> None:
    SummaryCache(tmp_path / "new", OURS).put("Foo", "We say foo.", "Foo ist süß.")
    assert SummaryCache(tmp_path / "new", OURS).get("Foo", "We say foo.") == "Foo ist süß."
    for other in (Wording(model="small-2"), Wording(model="small-1", language="German")):
        assert SummaryCache(tmp_path / "new", other).get("Foo", "We say foo.") is None
    assert SummaryCache(tmp_path / "new", OURS).get("Foo", "We say bar.") is None
    assert SummaryCache(tmp_path / "new", OURS).get("Bar", "We say foo.") is None


def test_nothing_to_show_is_kept_too_and_a_second_answer_replaces_the_first(tmp_path: Path) -> None:
    shelf = SummaryCache(tmp_path, OURS)
    shelf.put("Foo", "", "")
    assert shelf.get("Foo", "") == ""
    shelf.put("Foo", "", "Foo.")
    assert shelf.get("Foo", "") == "Foo."
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_file_that_cannot_be_read_or_kept_is_as_if_there_were_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = SummaryCache(tmp_path / "shelf", OURS)
    shelf.put("Foo", "", "Foo.")
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    path.write_bytes(b"\xff\xfe")
    assert shelf.get("Foo", "") is None
    path.unlink()
    path.mkdir()
    assert shelf.get("Foo", "") is None
    shelf.put("Foo", "", "Foo.")
    assert "cannot be read" in caplog.text
    assert "cannot be cached" in caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    (tmp_path / "file").write_text("in the way")
    SummaryCache(tmp_path / "file", OURS).put("Foo", "", "Foo.")


def test_what_is_old_is_dropped(tmp_path: Path) -> None:
    shelf = SummaryCache(tmp_path / "shelf", OURS)
    shelf.forget(before=NOW)
    for title in ("Old", "New"):
        shelf.put(title, "", f"{title}.")
    for path in (tmp_path / "shelf").glob("??/*"):
        age = timedelta(days=9 if path.read_text() == "Old." else 1)
        os.utime(path, ((NOW - age).timestamp(),) * 2)
    shelf.forget(before=NOW - timedelta(days=5))
    assert (shelf.get("Old", ""), shelf.get("New", "")) == (None, "New.")
