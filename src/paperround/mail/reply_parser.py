"""SMTP replies from the bytes of a connection, however they are cut."""

from collections.abc import Iterator
from functools import lru_cache

from paperround.domain.deliveries import Reply
from paperround.domain.replies import parse_reply

LONGEST_LINE = 4096
MOST_LINES = 100


class GarbageReply(Exception):
    """The server sent something that is no SMTP reply."""


class ReplyParser:
    """Collects bytes and gives complete replies. `lines` are those of the last one."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._unread = b""
        self._begun: list[bytes] = []

    @property
    def has_begun(self) -> bool:
        """Whether part of a reply has come."""
        return bool(self._unread or self._begun)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes. Raises GarbageReply where one is invalid, after the
        valid ones before it."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._begun.append(line)
            if not _goes_on(line):
                self.lines, self._begun = self._begun, []
                yield _reply(*self.lines)
            elif len(self._begun) == MOST_LINES:
                raise GarbageReply("an answer without end")
        if len(self._unread) > LONGEST_LINE:
            raise GarbageReply("a line without end")


def _goes_on(line: bytes) -> bool:
    """Whether more lines of the same reply follow (RFC 5321 section 4.2.1)."""
    return line[3:4] == b"-" and line[:3].isdigit()


@lru_cache(maxsize=64)
def _reply(*lines: bytes) -> Reply:
    """The reply that `lines` are. A server says the same few all day."""
    if max(map(len, lines)) > LONGEST_LINE:
        raise GarbageReply("a line without end")
    try:
        return parse_reply([line.rstrip(b"\r").decode("utf-8", "replace") for line in lines])
    except ValueError as error:
        raise GarbageReply(str(error)) from None
