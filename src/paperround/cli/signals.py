"""SIGTERM and SIGINT: the first asks to finish what is in hand, the second ends at once."""

import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paperround.wiring import Runtime

STOPS = (signal.SIGTERM, signal.SIGINT)


def leave_on_signals() -> None:
    """SIGTERM and Ctrl-C end the process the orderly way. A server hands them back at its end."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    for number in STOPS:
        signal.signal(number, leave)


def finish_on_signals(home: "Runtime") -> None:
    """From now on a signal makes `home` finish the mails in hand and take up no others."""

    def finish(number: int, _: FrameType | None) -> None:
        if home.stopping.is_set():
            raise SystemExit(128 + number)
        home.stop_sending()

    for number in STOPS:
        signal.signal(number, finish)
