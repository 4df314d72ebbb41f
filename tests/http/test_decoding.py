import contextlib
import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, FetchRefused
from paperround.http.client import decode_body

TEXT = b"Trending papers in your inbox. " * 100


def bare(data: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


ENCODED = {
    "": TEXT,
    "identity": TEXT,
    "gzip": gzip.compress(TEXT, mtime=0),
    "X-GZIP": gzip.compress(TEXT, mtime=0),
    "deflate": zlib.compress(TEXT),
    "identity, deflate": bare(TEXT),
}


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("encoding", ENCODED)
def test_a_body_is_the_same_however_it_was_encoded_and_cut(encoding: str, size: int) -> None:
    chunks = cut(ENCODED[encoding], size)
    assert decode_body(chunks, encoding=encoding, limit=len(TEXT)) == TEXT


@pytest.mark.accept("I2", part="size")
@pytest.mark.parametrize("encoding", ENCODED)
def test_one_byte_too_many_is_refused(encoding: str) -> None:
    with pytest.raises(FetchRefused, match="body of more than"):
        decode_body([ENCODED[encoding]], encoding=encoding, limit=len(TEXT) - 1)


@pytest.mark.accept("I2", part="layers")
@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "gzip, identity, gzip"])
def test_two_layers_are_refused_unread(encoding: str) -> None:
    with pytest.raises(FetchRefused, match="more than once"):
        decode_body(iter([]), encoding=encoding, limit=9)


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "aes128gcm", "\x1b[31m"])
def test_an_encoding_nobody_asked_for_is_refused_without_repeating_it(encoding: str) -> None:
    with pytest.raises(FetchRefused, match="none of gzip, deflate") as caught:
        decode_body(iter([b"x"]), encoding=encoding, limit=9)
    assert encoding not in str(caught.value)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_that_ends_early_is_an_error(encoding: str) -> None:
    with pytest.raises(FetchFailed, match="ends early"):
        decode_body([ENCODED[encoding][:-1]], encoding=encoding, limit=99_999)


@pytest.mark.parametrize("chunks", [[b"x"], [b"", b"x"]])
def test_something_after_the_end_of_a_compressed_body_is_an_error(chunks: list[bytes]) -> None:
    with pytest.raises(FetchFailed, match="extra data at its end"):
        decode_body([ENCODED["gzip"] + chunks[0], *chunks[1:]], encoding="gzip", limit=99_999)


def test_an_empty_body_may_call_itself_compressed() -> None:
    assert decode_body(iter([]), encoding="gzip", limit=9) == b""


@given(st.lists(st.binary(min_size=1)), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_give_a_body_within_bounds_or_an_error(
    chunks: list[bytes], encoding: str
) -> None:
    with contextlib.suppress(FetchFailed):
        assert len(decode_body(chunks, encoding=encoding, limit=50)) <= 50
