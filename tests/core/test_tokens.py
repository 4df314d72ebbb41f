"""Signed links: fixed length, unforgeable, revocable, and alive after a key rotation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.tokens import TOKEN_LENGTH, KeyRing, Purpose, read_token

OLD, NEW = b"old secret, long enough to be one", b"new secret, long enough to be one"
RING = KeyRing((OLD,))


@given(st.sampled_from(Purpose), st.integers(0, 2**48 - 1), st.text(max_size=30))
def test_every_token_has_one_length_and_names_its_row(
    purpose: Purpose, row: int, nonce: str
) -> None:
    token = RING.token(purpose, row, nonce)
    parts = read_token(token)
    assert len(token) == TOKEN_LENGTH
    assert parts is not None
    assert (parts.purpose, parts.row) == (purpose, row)
    assert RING.verify(token, nonce)


def test_a_token_lives_on_after_the_key_is_rotated() -> None:
    token = RING.token(Purpose.UNSUBSCRIBE, 7, "nonce")
    assert KeyRing((NEW, OLD)).verify(token, "nonce")


def test_a_token_dies_with_its_key_and_with_its_nonce() -> None:
    token = RING.token(Purpose.UNSUBSCRIBE, 7, "nonce")
    assert not KeyRing((NEW,)).verify(token, "nonce")
    assert not RING.verify(token, "another nonce")


def test_no_flipped_bit_is_believed() -> None:
    token = RING.token(Purpose.UNSUBSCRIBE, 7, "nonce")
    for place, letter in enumerate(token):
        forged = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert not RING.verify(forged, "nonce")


@pytest.mark.parametrize("text", ["", "short", "x" * 39, "x" * 41, "é" * 40, "=" * 40, " " * 40])
def test_what_cannot_be_a_token_is_none(text: str) -> None:
    assert read_token(text) is None
    assert not RING.verify(text, "nonce")


def test_an_older_key_can_sign_the_same_bytes_again() -> None:
    before = RING.token(Purpose.UNSUBSCRIBE, 7, "nonce")
    rotated = KeyRing((NEW, OLD))
    assert rotated.token(Purpose.UNSUBSCRIBE, 7, "nonce", RING.current.id) == before


def test_keyed_hashes_differ_by_purpose_and_by_key() -> None:
    hashes = {
        RING.digest("suppression", "a@example.org"),
        RING.digest("message-id", "a@example.org"),
        KeyRing((NEW,)).digest("suppression", "a@example.org"),
    }
    assert len(hashes) == 3


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="have the same id"):
        KeyRing((NEW, OLD, NEW))


def test_no_secret_shows_in_a_repr() -> None:
    assert OLD.decode() not in repr(RING.current)


def test_a_ring_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        KeyRing(())
