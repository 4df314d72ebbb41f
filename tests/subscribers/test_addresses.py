"""Addresses: what is accepted comes through unchanged, what is refused says why."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.subscribers.addresses import parse_address
from tests.web.address_corpus import bad, good

LONGEST_DOMAIN = f"{'b' * 63}.{'c' * 63}.{'d' * 57}.org"


@pytest.mark.accept("S9", part="reading")
@pytest.mark.parametrize(
    ("written", "mailed"),
    [
        ("ada@example.org", "ada@example.org"),
        (" ada@example.org ", "ada@example.org"),
        ("Ada.L+papers@EXAMPLE.Org", "Ada.L+papers@example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("ada@lists.test", "ada@lists.test"),
        ("ada@lab.example", "ada@lab.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@日本x.jp", "ada@xn--x-jn6bt1b.jp"),
        (f"{'a' * 64}@{LONGEST_DOMAIN}", f"{'a' * 64}@{LONGEST_DOMAIN}"),
    ],
)
def test_a_good_address_is_mailed_as_written_with_its_domain_in_ascii(
    written: str, mailed: str
) -> None:
    address = parse_address(written)
    assert address.mailed == mailed
    assert address.written == written.strip()
    assert address.folded == mailed.casefold()
    assert address.domain == mailed.rpartition("@")[2]


@pytest.mark.accept("S9", part="reading")
@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "not an email address"),
        ("ada", "not an email address"),
        ("ada@example", "not an email address"),
        ("ada@@example.org", "not an email address"),
        ("ada..l@example.org", "not an email address"),
        ("ada@[127.0.0.1]", "not an email address"),
        ("Ada <ada@example.org>", "not an email address"),
        ("ada@localhost", "not an email address"),
        (f"{'a' * 65}@example.org", "not an email address"),
        (f"{'a' * 64}@{LONGEST_DOMAIN}x", "not an email address"),
        ("jörg@example.org", "SMTPUTF8"),
        ('"ada l"@example.org', "quotes"),
        ("ada@example.org\r\nBcc: x@example.org", "control characters"),
        ("ada\0@example.org", "control characters"),
        ("ada@аpple.example", "mixes alphabets"),
        ("=?utf-8?q?x?=@example.org", "cannot receive email"),
    ],
)
def test_a_bad_address_is_refused_with_its_reason(written: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse_address(written)


# --- the corpus --------------------------------------------------------------------------------


@pytest.mark.accept("S9", part="corpus")
def test_every_good_address_of_the_corpus_is_read_as_it_should_be_mailed() -> None:
    read = {written: parse_address(written).mailed for written, _ in good()}
    assert read == dict(good())


@pytest.mark.accept("S9", part="corpus")
def test_every_bad_address_of_the_corpus_is_refused_and_not_repeated() -> None:
    for written in bad():
        with pytest.raises(InvalidInput) as refused:
            parse_address(written)
        assert len(str(refused.value)) < 300, ascii(written[:80])
        assert len(written) < 15 or written not in str(refused.value)
