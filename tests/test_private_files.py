"""What SQLite keeps of readers is for the account that runs Paperround, whatever its umask."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from paperround.core.files import atomic_file, file_trouble
from paperround.db.engine import opened, writer


@pytest.fixture(autouse=True)
def permissive() -> Iterator[None]:
    """An account whose new files everybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes_while_open(path: Path) -> dict[str, int]:
    with opened(f"sqlite:///{path}") as engine, writer(engine).begin() as connection:
        connection.execute(text("CREATE TABLE kept (address TEXT)"))
        return {one.name: mode(one) for one in path.parent.iterdir()}


def test_the_database_and_what_lies_beside_it_are_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    found = modes_while_open(folder / "paperround.db")
    assert found == {f"paperround.db{end}": 0o600 for end in ("", "-wal", "-shm")}
    assert mode(folder) == 0o700


@pytest.mark.parametrize("before", [0o700, 0o750, 0o755])
def test_a_folder_and_a_file_that_stand_stay_as_they_are(tmp_path: Path, before: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=before)
    (folder / "paperround.db").touch(mode=0o640)
    modes_while_open(folder / "paperround.db")
    assert (mode(folder), mode(folder / "paperround.db")) == (before, 0o640)


def test_looking_for_a_database_makes_none(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'paperround.db'}"):
        assert list(tmp_path.iterdir()) == []


def test_a_refused_file_is_named_with_its_owner_and_who_asks(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)  # too long for a temporary file beside it
    with pytest.raises(OSError, match="too long") as refused, atomic_file(path):
        pass
    assert refused.value.filename == str(path)
    error = PermissionError(13, "Permission denied", str(tmp_path / "digest.html"))
    asks = f"you are {pwd.getpwuid(os.geteuid()).pw_name}, and {tmp_path} belongs to "
    assert file_trouble(error) == (
        f"{tmp_path}/digest.html: Permission denied ({asks}{tmp_path.owner()})"
    )
