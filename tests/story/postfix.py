"""A Postfix of a test's own: its programs are Debian's, everything else stands in a folder.

Mail for some domains goes to the servers a test names, all other mail to one of them.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

import pytest

from tests.story.serving import free_port
from tests.waiting import until

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = relay.papers.example.org
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{{ {routes} }}
default_transport = smtp:[127.0.0.1]:{port}
local_transport = error:nobody lives here
alias_maps =
smtp_host_lookup = native
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running mail server."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """What SMTP_URL says to send through it."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it wrote down."""
        return (self.folder / "log").read_text()


@contextmanager
def postfix(port: int, routes: Mapping[str, int]) -> Iterator[Postfix]:
    """A Postfix that hands mail for the domains of `routes` to those ports of this machine, and all
    other mail to `port`. Skips where there is none, or nobody may start it."""
    program = shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None or os.geteuid() != 0:
        pytest.skip("needs Debian's package `postfix`, and to be root to start it")
    with tempfile.TemporaryDirectory(prefix="postfix-") as name:
        server = Postfix(free_port(), Path(name))
        _write(server, port, routes)
        command = [program, "-c", str(server.folder / "conf")]
        subprocess.run([*command, "start"], check=True, capture_output=True)
        try:
            until(_greeting_of(server))
            yield server
        finally:
            subprocess.run([*command, "stop"], check=True, capture_output=True)


def _write(server: Postfix, port: int, routes: Mapping[str, int]) -> None:
    folder = server.folder
    folder.chmod(0o755)
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    told = ", ".join(f"{{ {domain} = smtp:[127.0.0.1]:{to} }}" for domain, to in routes.items())
    main = MAIN.format(folder=folder, routes=told, port=port)
    (folder / "conf" / "main.cf").write_text(main)
    (folder / "conf" / "master.cf").write_text(MASTER.format(port=server.port))


def _greeting_of(server: Postfix) -> Callable[[], bool | None]:
    def look() -> bool | None:
        with suppress(OSError), create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            return sock.recv(3) == b"220" or None
        return None

    return look
