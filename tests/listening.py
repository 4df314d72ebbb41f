"""A server of tests: listens on 127.0.0.1 while its `with` block lasts."""

import socket
from threading import Event, Thread
from typing import Self


class Listener:
    """Hands every connection to `meet`, in the thread that accepts them; what goes on longer has a
    thread among `threads`, which are waited for at the end. `stopping` is set before that."""

    def __init__(self, name: str, *, port: int = 0, receives: int = 0) -> None:
        """`receives`: bytes of the buffer of what arrives, where that matters."""
        self.stopping = Event()
        self.threads: list[Thread] = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receives:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(200)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = Thread(target=self._accept, name=f"{name}-acceptor", daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the acceptor
        self._acceptor.join()
        self.hang_up()
        for thread in self.threads:
            thread.join()
        self._listener.close()

    def wait(self) -> None:
        """Serve until the process ends."""
        self._acceptor.join()

    def meet(self, sock: socket.socket) -> None:
        """Begin with a connection, and come back at once."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """End every connection that is open now."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            self.meet(sock)
