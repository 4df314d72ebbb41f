"""What every test may use. The environment is scrubbed, real data is read in place."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("paperround", deadline=None)
settings.load_profile("paperround")

pytest_plugins = ["tests.acceptance_plugin"]

TEST_DATA = "PAPERROUND_TEST_DATA"


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person running the tests reaches them."""
    for name in list(os.environ):
        if name.startswith("PAPERROUND_") and name != TEST_DATA:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; tests that need it are skipped where it is missing."""
    return real_data_folder()


def real_data_folder() -> Path:
    named = os.environ.get(TEST_DATA)
    if not named:
        pytest.skip(f"needs real data: set {TEST_DATA} to the folder that holds it")
    folder = Path(named)
    if not (folder / "seed").is_dir():
        pytest.skip(f"needs real data: {TEST_DATA}={named} holds no seed folder")
    return folder
