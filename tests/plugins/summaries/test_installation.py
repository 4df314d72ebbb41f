"""An installation with a machine, and one without."""

from pathlib import Path

import pytest

from paperround.bootstrap import AppContext
from paperround.config import load_settings
from paperround.core.clock import FixedClock
from paperround.core.errors import Misconfigured
from paperround.papers.gist import choose_gist
from paperround.plugins.summaries.checks import MARK
from tests.http.faults import FaultServer
from tests.plugins.summaries.completions import completion
from tests.sample_database import NOW, fill, record


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return {"PAPERROUND_DATA_DIR": str(tmp_path)}


def home_of(settings: dict[str, str], *, demo: bool = False, **more: str) -> AppContext:
    named = {f"PAPERROUND_SUMMARISE_{name.upper()}": value for name, value in more.items()}
    return AppContext(load_settings(settings | named), FixedClock(NOW), demo=demo)


@pytest.mark.accept("F24", part="off by default")
def test_without_a_setting_nobody_is_asked(settings: dict[str, str]) -> None:
    home = home_of(settings)
    home.summarise()
    assert home.summaries is None
    assert home.gist is choose_gist


def test_a_machine_that_is_set_is_asked_and_its_answer_kept_below_the_data(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with FaultServer({"/": completion("What is present is paper 1.")}) as server:
        home = home_of(settings, url=server.url("/v1"), model="small-1", key="k3y")
        home.prepare()
        fill(home.database, [record(1)])
        home.summarise()
        assert len(server.requests) == 1
    assert home.gist("Paper 1", "We present paper 1.") == f"{MARK}What is present is paper 1."
    assert home.tick_context.gist is home.gist
    assert [path.name for path in tmp_path.iterdir() if path.name == "summaries"]


def test_a_demo_asks_nobody(settings: dict[str, str]) -> None:
    with FaultServer({"/": completion("What is present is paper 1.")}) as server:
        home = home_of(settings, demo=True, url=server.url("/v1"), model="small-1")
        home.prepare()
        fill(home.database, [record(1)])
        home.summarise()
        assert not server.requests


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": "models.example.org"}, "SUMMARISE_URL"),
        ({"url": "https://models.example.org/v1"}, "needs PAPERROUND_SUMMARISE_MODEL"),
        (
            {"url": "http://models.example.org/v1", "model": "m", "key": "k3y"},
            "needs https",
        ),
        ({"url": "https://models.example.org/v1", "model": "m", "budget": "many"}, "BUDGET"),
        ({"url": "https://models.example.org/v1", "model": "m", "seconds": "0"}, "SECONDS"),
    ],
)
def test_half_a_setting_is_refused(
    settings: dict[str, str], more: dict[str, str], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        _ = home_of(settings, demo=False, **more).gist


def test_a_key_is_never_printed(settings: dict[str, str]) -> None:
    home = home_of(settings, url="https://models.example.org/v1", model="m", key="k3y")
    assert "k3y" not in repr(home.settings)
    assert "k3y" not in repr(home.summaries)
