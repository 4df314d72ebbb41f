"""Keeps a throw-away PostgreSQL server for as long as somebody holds its standard input.

    python postgres_keeper.py PROGRAMS OPTIONS [USER]

It says the folder that the server lives in, and takes an order a line: `make`, `start`, `crash` or
`restart`, answered by `done` or `failed`. When its input ends, because the process that holds it
closed it or died of whatever, it ends the server and removes the folder. It does one thing after
another, so a server that was being started then is there when it is looked for.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SHORT = 30
"""Characters of a folder that a socket may be in: its path has room for 107."""
LONGEST = 60
"""Seconds that an order may take."""

END = ("pg_ctl", "stop", "-w", "-m", "immediate")


class Keeper:
    """A server in a folder of its own, run as `user` where that is not who runs this."""

    def __init__(self, programs: Path, options: str, user: str | None) -> None:
        place = tempfile.gettempdir()
        place = place if len(place) <= SHORT else "/tmp"  # noqa: S108 - mkdtemp makes one of its own
        self.folder = Path(tempfile.mkdtemp(prefix="pr-", dir=place))
        if user is not None:
            shutil.chown(self.folder, user)
        self._programs, self._user = programs, user
        log, settings = str(self.folder / "log"), f"-k {self.folder} {options}"
        start = ("pg_ctl", "start", "-w", "-l", log, "-o", settings)
        make = ("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._steps: Mapping[str, Sequence[tuple[str, ...]]] = {
            "make": (make,),
            "start": (start,),
            "crash": (END, start),
            "restart": (("pg_ctl", "stop", "-w", "-m", "fast"), start),
        }

    def do(self, order: str) -> bool:
        """Carry out an order; whether it could be."""
        return all(self._run(step) for step in self._steps[order])

    def end(self) -> None:
        """End the server, if one runs, and leave nothing of it."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run(END)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, step: tuple[str, ...]) -> bool:
        program, *arguments = step
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        with (self.folder / "output").open("ab") as output:
            ended = subprocess.run(
                command,
                user=self._user,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=LONGEST,
                check=False,
            )
        return ended.returncode == 0


def server_user(effective: int) -> str | None:
    """Whom to run the server as: PostgreSQL refuses root."""
    if effective != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def say(line: str) -> None:
    """Answer with a line. Raises BrokenPipeError where nobody is there to read it."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main(programs: str, options: str, user: str = "") -> None:
    """Keep a server until the input ends."""
    keeper = Keeper(Path(programs), options, user or None)
    try:
        with contextlib.suppress(BrokenPipeError):
            say(str(keeper.folder))
            for order in sys.stdin:
                say("done" if keeper.do(order.strip()) else "failed")
    finally:
        keeper.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
