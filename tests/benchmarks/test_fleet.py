"""A small day of four processes, as docs/scale.md shows a large one."""

import pytest

from benchmarks.fleet import main

READERS = 200


@pytest.mark.long
@pytest.mark.accept("B14", part="a site, a scheduler and two workers")
def test_four_processes_send_everybody_their_digest_and_the_ledger_adds_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(READERS) == 0
    said = capsys.readouterr().out
    assert f"planned {READERS} = {READERS} sent + 0 failed" in said
    assert "adds up" in said
    assert "different: 0 doubles" in said
