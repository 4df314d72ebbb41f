"""Whether a key is lost is asked once a minute, not for every sign-up."""

import pytest

from paperround.domain.errors import Misconfigured
from paperround.domain.tokens import KeyRing
from paperround.jobs.desk import KEPT, KeyCheck
from paperround.jobs.subscribers import suppress
from paperround.store.unit_of_work import Database
from tests.builders import NOW, address

OURS, OTHERS = KeyRing((b"ours" * 8,)), KeyRing((b"others" * 8,))


def test_a_lost_key_is_noticed_within_a_minute(database: Database) -> None:
    check = KeyCheck(OURS)
    with database.writing() as work:
        check.require(work, now=NOW)
        suppress(work, OTHERS, address(), reason="complaint", now=NOW)
        check.require(work, now=NOW + KEPT / 2)
        for moment in (NOW + KEPT, NOW + KEPT, NOW - KEPT):
            with pytest.raises(Misconfigured, match=OTHERS.current.id):
                check.require(work, now=moment)
