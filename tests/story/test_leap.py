"""The installed command under a clock that lies, with the library that makes clocks lie."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faketime import library
from tests.story.command_line import SAMPLE, CommandLine


def ahead(home: CommandLine, by: str) -> CommandLine:
    """The same installation while the machine's clock is wrong."""
    lie = {"LD_PRELOAD": library(), "FAKETIME": by, "DONT_FAKE_MONOTONIC": "1"}
    return replace(home, environment=lie)


def is_held(home: CommandLine) -> bool:
    held = home.json("digest", "status")["pace"]["held"]
    assert isinstance(held, bool)
    return held


@pytest.mark.long
@pytest.mark.accept("T5", part="the installed command")
def test_a_clock_forty_hours_ahead_holds_digests_until_it_is_right_or_somebody_says_go(
    tmp_path: Path,
) -> None:
    home = CommandLine(tmp_path, clock=None)
    people = tmp_path / "people.csv"
    people.write_text(
        "email,status,consent_at,consent_source\n"
        "ada@example.org,active,2026-01-05T09:00:00Z,a test\n"
    )
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(people))
    home.run("tick")
    for step in ("-2h", "+2h"):
        ahead(home, step).run("tick")
        assert not is_held(home)
    far = ahead(home, "+40h")
    far.run("tick", exit_code=1)
    assert is_held(home)
    editions = home.json("digest", "status")["lists"][0]["editions"]
    home.run("tick")
    assert not is_held(home)
    assert home.json("digest", "status")["lists"][0]["editions"] == editions
    far.run("tick", exit_code=1)
    far.run("digest", "resume")
    far.run("tick")
    assert not is_held(home)
    assert len(home.outbox) <= 2
