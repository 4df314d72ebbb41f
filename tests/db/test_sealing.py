"""What rests sealed: closed to whoever has no secret, open to those who have, after a rotation
too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db.encryption import SecretCipher, encryption_key_id

OLD, NEW = b"old secret, long enough to be one", b"new secret, long enough to be one"


def seal(*secrets: bytes) -> SecretCipher:
    return SecretCipher(lambda: KeyRing(secrets))


def no_keys() -> KeyRing:
    raise AssertionError("somebody asked for the secret")


@given(st.text(max_size=200))
def test_what_is_sealed_is_opened_as_it_was(text: str) -> None:
    kept = seal(OLD).seal(text)
    assert seal(OLD).open(kept) == text
    assert kept.isascii()
    assert len(text) < 4 or text not in kept


def test_no_two_seals_are_alike() -> None:
    assert seal(OLD).seal("the same") != seal(OLD).seal("the same")


def test_every_secret_of_the_ring_opens_and_the_first_one_seals() -> None:
    before = seal(OLD).seal("kept")
    ring = seal(NEW, OLD)
    assert ring.open(before) == "kept"
    assert ring.is_stale(before)
    assert not ring.is_stale(ring.seal("kept"))
    assert encryption_key_id(ring.seal("kept")) == KeyRing((NEW,)).current.id


def test_a_secret_that_is_gone_is_named() -> None:
    kept, name = seal(OLD).seal("kept"), KeyRing((OLD,)).current.id
    with pytest.raises(Misconfigured, match=f"the secret {name}, which is gone"):
        seal(NEW).open(kept)
    assert not seal(NEW).is_stale(kept)
    with pytest.raises(Misconfigured, match=name):
        SecretCipher().open(kept)


def test_no_changed_letter_is_believed() -> None:
    kept = seal(OLD).seal("kept")
    start = kept.rindex(":") + 1
    for place in range(start, len(kept) - 4):
        forged = kept[:place] + ("A" if kept[place] != "A" else "B") + kept[place + 1 :]
        with pytest.raises(Misconfigured):
            seal(OLD).open(forged)


def test_text_from_before_anything_was_sealed_is_read_without_a_secret() -> None:
    plain = SecretCipher(no_keys)
    assert plain.open("https://hooks.slack.com/services/x") == "https://hooks.slack.com/services/x"
    assert seal(OLD).is_stale("in the clear")
    assert SecretCipher().open(SecretCipher().seal("in the clear")) == "in the clear"
    assert not SecretCipher().is_stale("in the clear")
