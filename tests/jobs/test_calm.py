"""While many values are made the collector of cycles rests, and then goes on."""

import gc

import pytest

from paperround.jobs.calm import Calm


def test_the_collector_rests_until_the_last_of_several_workers_is_done() -> None:
    calm = Calm()
    assert gc.isenabled()
    with calm():
        with calm():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_after_a_failure_the_collector_goes_on() -> None:
    calm = Calm()
    with pytest.raises(ValueError, match="broken"), calm():
        raise ValueError("broken")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with Calm()():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
