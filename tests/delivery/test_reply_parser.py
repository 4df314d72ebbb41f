"""Answers as the bytes of them come: in halves, in crowds, and without end."""

import pytest

from paperround.delivery.replies import LONGEST_LINE, MOST_LINES, GarbageReply, ReplyParser

GROUP = b"250 2.0.0 taken\r\n250-2.1.0 ok\r\n250 2.1.0 go on\r\n550 5.1.1 no\r\n354 go on\r\n"


def codes(parser: ReplyParser, data: bytes) -> list[int]:
    return [reply.code for reply in parser.feed(data)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16])
def test_the_same_is_read_however_it_is_cut(size: int) -> None:
    parser = ReplyParser()
    pieces = [GROUP[at : at + size] for at in range(0, len(GROUP), size)]
    found = [reply for piece in pieces for reply in parser.feed(piece)]
    assert found == list(ReplyParser().feed(GROUP))
    assert not parser.has_begun


@pytest.mark.parametrize("half", [b"2", b"250 o", b"250 ok\r", b"250-one\r\n", b"250-one\r\n250"])
def test_half_an_answer_is_none_and_is_known_to_have_begun(half: bytes) -> None:
    parser = ReplyParser()
    assert codes(parser, half) == []
    assert parser.has_begun


def test_what_came_before_garbage_counts() -> None:
    parser = ReplyParser()
    replies = parser.feed(b"250 ok\r\nwhat is this\r\n")
    assert next(replies).code == 250
    with pytest.raises(GarbageReply):
        next(replies)


@pytest.mark.parametrize(
    "endless",
    [
        b"2" * (LONGEST_LINE + 1),
        b"250 " + b"x" * LONGEST_LINE + b"\r\n",
        b"250-more\r\n" * MOST_LINES,
        b"250-more\r\n450 no\r\n",
        b"\r\n",
    ],
)
def test_what_is_no_answer_is_garbage(endless: bytes) -> None:
    with pytest.raises(GarbageReply):
        list(ReplyParser().feed(endless))
