"""Whether a key is lost is asked once a minute, not for every sign-up."""

import pytest

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database
from paperround.signup.context import TRUSTED_FOR, KeyCheck
from paperround.subscribers.imports import suppress
from tests.builders import NOW, address

OURS, OTHERS = KeyRing((b"ours" * 8,)), KeyRing((b"others" * 8,))


def test_a_lost_key_is_noticed_within_a_minute(database: Database) -> None:
    check = KeyCheck(OURS)
    with database.writing() as work:
        check.require(work, now=NOW)
        suppress(work, OTHERS, address(), reason="complaint", now=NOW)
        check.require(work, now=NOW + TRUSTED_FOR / 2)
        for moment in (NOW + TRUSTED_FOR, NOW + TRUSTED_FOR, NOW - TRUSTED_FOR):
            with pytest.raises(Misconfigured, match=OTHERS.current.id):
                check.require(work, now=moment)
