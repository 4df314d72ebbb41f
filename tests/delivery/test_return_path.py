"""Return addresses: short, unforgeable, deaf to case, and over after thirty days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.tokens import KeyRing
from paperround.delivery.return_path import (
    LONGEST_LOCAL,
    TAG_LENGTH,
    TagUse,
    make_tag,
    read_tag,
    tag_of,
    tagged,
    verify_tag,
)

OLD, NEW = b"old secret, long enough to be one", b"new secret, long enough to be one"
RING = KeyRing((OLD,))
DAY = date(2026, 3, 2)
BOUNCES = "bounces@example.org"


def tag(use: TagUse = TagUse.DELIVERY, row: int = 7, day: date = DAY) -> str:
    return make_tag(RING, use, row, nonce="nonce", day=day)


@pytest.mark.accept("F36", part="return address")
@given(
    st.sampled_from(TagUse),
    st.integers(0, 2**40 - 1),
    st.dates(date(2020, 1, 1), date(2190, 1, 1)),
    st.text(max_size=30),
)
def test_every_tag_has_one_length_and_names_its_mail(
    use: TagUse, row: int, day: date, nonce: str
) -> None:
    made = make_tag(RING, use, row, nonce=nonce, day=day)
    parts = read_tag(made)
    assert len(made) == TAG_LENGTH
    assert parts is not None
    assert (parts.use, parts.row, parts.day, parts.key_id) == (use, row, day, RING.current.id)
    assert verify_tag(RING, made, nonce)


@pytest.mark.accept("F36", part="return address")
def test_an_address_is_short_enough_and_survives_a_change_of_case() -> None:
    address = tagged(BOUNCES, tag())
    assert len(address.rpartition("@")[0]) <= LONGEST_LOCAL
    for written in (address, address.upper(), address.title(), f" {address} "):
        found = tag_of(BOUNCES, written)
        assert found == tag()
        assert verify_tag(RING, found, "nonce")


def test_a_tag_lives_on_after_the_key_is_rotated_and_dies_with_it() -> None:
    assert verify_tag(KeyRing((NEW, OLD)), tag(), "nonce")
    assert not verify_tag(KeyRing((NEW,)), tag(), "nonce")
    assert not verify_tag(RING, tag(), "another nonce")


def test_an_older_key_makes_the_same_tag_again() -> None:
    rotated = KeyRing((NEW, OLD))
    key = RING.current.id
    again = make_tag(rotated, TagUse.DELIVERY, 7, nonce="nonce", day=DAY, key_id=key)
    assert again == tag()


@pytest.mark.accept("F36", part="return address")
def test_no_changed_letter_is_believed() -> None:
    made = tag()
    for place, letter in enumerate(made):
        forged = made[:place] + ("a" if letter != "a" else "b") + made[place + 1 :]
        assert not verify_tag(RING, forged, "nonce")


@pytest.mark.parametrize("text", ["", "short", "x" * 31, "x" * 33, "é" * 32, "=" * 32, "1" * 32])
def test_what_cannot_be_a_tag_is_none(text: str) -> None:
    assert read_tag(text) is None
    assert not verify_tag(RING, text, "nonce")


@pytest.mark.parametrize(
    ("use", "days", "good"),
    [
        (TagUse.DELIVERY, 0, True),
        (TagUse.DELIVERY, 30, True),
        (TagUse.DELIVERY, 31, False),
        (TagUse.NOTICE, 31, False),
        (TagUse.DELIVERY, -1, True),
        (TagUse.DELIVERY, -2, False),
        (TagUse.LEAVE, 4000, True),
    ],
)
def test_what_came_back_counts_for_thirty_days_and_leaving_for_ever(
    use: TagUse, days: int, good: bool
) -> None:
    parts = read_tag(tag(use))
    assert parts is not None
    assert parts.is_good_on(DAY + timedelta(days=days)) is good


@pytest.mark.parametrize(
    "written",
    [
        "bounces@example.org",
        "other+x@example.org",
        "bounces+x@example.com",
        "bounces+x@mail.example.org",
        "",
        "+x@example.org",
    ],
)
def test_other_addresses_have_no_tag(written: str) -> None:
    assert tag_of(BOUNCES, written) == ""


def test_a_cut_tag_is_a_tag_and_a_bad_one() -> None:
    cut = tag_of(BOUNCES, tagged(BOUNCES, tag()[:-1]))
    assert cut
    assert read_tag(cut) is None
