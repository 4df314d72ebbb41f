"""Quoted-printable: short lines, whole tokens, and back to the same text."""

import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.digests.render.message import encode

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=400)
TOKEN = st.text("012XYZ-_", min_size=40, max_size=40)
AROUND = st.text("ab é=.\n\t😀", max_size=200)


def decoded(encoded: str) -> str:
    return quopri.decodestring(encoded.encode("ascii")).decode().replace("\r\n", "\n")


@given(TEXT)
def test_every_text_comes_back_from_lines_of_76_ascii_characters(text: str) -> None:
    encoded = encode(text)
    assert decoded(encoded) == text
    assert all(len(line) <= 76 for line in encoded.split("\r\n"))
    assert re.fullmatch(r"[\t\r\n -~]*", encoded)


@given(AROUND, TOKEN, AROUND)
def test_a_soft_break_never_falls_inside_a_token(before: str, token: str, after: str) -> None:
    encoded = encode(f"{before}/{token}/{after}", unbroken=[token])
    assert token in encoded
    assert decoded(encoded) == f"{before}/{token}/{after}"


@given(AROUND, TOKEN, TOKEN, AROUND)
def test_two_tokens_of_one_length_break_the_lines_at_the_same_places(
    before: str, one: str, other: str, after: str
) -> None:
    first = encode(f"{before}/{one}/{after}", unbroken=[one])
    second = encode(f"{before}/{other}/{after}", unbroken=[other])
    assert first.replace(one, "T") == second.replace(other, "T")


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a b ", "a b=20"),
        ("tab\t", "tab=09"),
        ("1 = 1", "1 =3D 1"),
        (".", "=2E"),
        ("From me", "=46rom me"),
        ("é", "=C3=A9"),
        ("a\rb", "a=0Db"),
        ("x" * 77, "x" * 75 + "=\r\nxx"),
        ("x" * 74 + "é", "x" * 74 + "=\r\n=C3=A9"),
        ("x" * 75 + ".y", "x" * 75 + "=\r\n=2Ey"),
    ],
)
def test_what_mail_systems_would_change_is_escaped(text: str, encoded: str) -> None:
    assert encode(text) == encoded
