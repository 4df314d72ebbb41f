"""The file of the DKIM keys."""

import pytest

from paperround.delivery.dkim.keys import KeyFile
from paperround.delivery.dkim.signer import Algorithm
from paperround.delivery.dkim.signers import write_key_file
from tests.builders import NOW
from tests.doctor.conftest import Home

BOOK = KeyFile().with_first([Algorithm.ED25519], "s1", now=NOW)


@pytest.mark.accept("F35", part="doctor")
def test_a_key_that_cannot_be_read_is_found(home: Home) -> None:
    (home.folder / "data" / "dkim.json").write_text("{}")
    (home.folder / "data" / "dkim.json").chmod(0o600)
    assert "dkim.json" in home.faults()["dkim"].says


@pytest.mark.accept("F35", part="doctor")
def test_keys_that_others_can_read_are_found(home: Home) -> None:
    write_key_file(home.folder / "data" / "dkim.json", BOOK)
    (home.folder / "data" / "dkim.json").chmod(0o644)
    assert "dkim.json" in home.faults()["permissions"].says
