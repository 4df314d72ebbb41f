"""The wheel depends on the source alone, not on when or where it is built."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (
    ["pyproject.toml", "README.md", "LICENSE", "alembic.ini"],
    ["src", "templates", "translations", "migrations"],
)
"""The files and the folders that a wheel is made of."""


def built_wheel(source: Path, out: Path) -> bytes:
    folders = ["--outdir", str(out), str(source)]
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", *folders]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return wheel.read_bytes()


def copied_source(to: Path) -> Path:
    files, folders = SOURCE
    to.mkdir()
    for name in files:
        shutil.copyfile(ROOT / name, to / name)
    for name in folders:
        clean = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, to / name, ignore=clean, copy_function=shutil.copyfile)
    return to


@pytest.mark.accept("C6", mutant="a-wheel-holds-the-time-it-was-built")
@pytest.mark.slow
def test_the_same_source_in_another_folder_at_another_time_makes_the_same_wheel(
    tmp_path: Path,
) -> None:
    now, later = copied_source(tmp_path / "now"), copied_source(tmp_path / "another-folder")
    for path in later.rglob("*.*"):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    assert built_wheel(now, tmp_path / "1") == built_wheel(later, tmp_path / "2")
