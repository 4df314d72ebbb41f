"""One connected socket that cannot use more than its budget, however slowly bytes trickle."""

import ssl
from socket import socket

from paperround.domain.errors import FetchFailed
from paperround.net.limits import Budget

_CHUNK = 64 * 1024


class Wire:
    """Reads and writes of one connection. Raises FetchFailed and FetchRefused, never OSError."""

    def __init__(self, sock: socket, budget: Budget) -> None:
        self._sock = sock
        self._budget = budget

    def protect(self, context: ssl.SSLContext, host: str) -> None:
        """Put TLS around the connection; the certificate must be `host`'s."""
        try:
            self._sock.settimeout(self._budget.seconds())
            # An end without TLS's own goodbye may be somebody cutting the answer short.
            self._sock = context.wrap_socket(
                self._sock, server_hostname=host.removesuffix("."), suppress_ragged_eofs=False
            )
        except OSError as error:
            raise self._failed(error) from None

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._sock.settimeout(self._budget.seconds())
            self._sock.sendall(data)
        except OSError as error:
            raise self._failed(error) from None

    def read(self) -> bytes:
        """The next bytes, none at the end of the connection."""
        try:
            self._sock.settimeout(self._budget.seconds())
            data = self._sock.recv(_CHUNK)
        except OSError as error:
            raise self._failed(error) from None
        self._budget.spend(len(data))
        return data

    def close(self) -> None:
        """Free the socket."""
        self._sock.close()

    def _failed(self, error: OSError) -> FetchFailed:
        match error:
            case TimeoutError():
                return self._budget.out_of_time()
            case ssl.SSLCertVerificationError():
                return FetchFailed("shows a certificate that we cannot trust")
            case ssl.SSLError():
                return FetchFailed("broke its TLS connection")
            case _:
                return FetchFailed("broke the connection")
