"""The answers of a server, out of the bytes as they come."""

from collections.abc import Iterator
from functools import lru_cache

from paperround.domain.deliveries import Reply
from paperround.mail.wire import LONGEST_LINE, MOST_LINES, WireBroken, as_reply, goes_on


class Answers:
    """Collects bytes and gives the replies that are whole."""

    def __init__(self) -> None:
        self._unread = b""
        self._lines: list[str] = []

    @property
    def begun(self) -> bool:
        """Whether part of an answer has come."""
        return bool(self._unread or self._lines)

    def of(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes. Raises WireBroken for what is none, when it is
        reached: what came before it has been given by then."""
        *whole, self._unread = (self._unread + data).split(b"\n")
        for line in whole:
            if self._lines or line[3:4] == b"-":
                if (reply := self._gather(_text(line))) is not None:
                    yield reply
            else:
                yield _reply(line)
        if len(self._unread) > LONGEST_LINE:
            raise WireBroken("garbage: a line without end")

    def _gather(self, text: str) -> Reply | None:
        self._lines.append(text)
        if goes_on(text):
            if len(self._lines) == MOST_LINES:
                raise WireBroken("garbage: an answer without end")
            return None
        lines, self._lines = self._lines, []
        return as_reply(lines)


def _text(line: bytes) -> str:
    if len(line) > LONGEST_LINE:
        raise WireBroken("garbage: a line without end")
    return line.rstrip(b"\r").decode("utf-8", "replace")


@lru_cache(maxsize=64)
def _reply(line: bytes) -> Reply:
    """A server says the same few lines all day."""
    return as_reply([_text(line)])
