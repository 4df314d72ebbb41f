"""Dump and load a PostgreSQL database with its own programs, `pg_dump` and `pg_restore`.

The password is passed in a file that only its owner can read: every account on the machine can see
the arguments of a program.
"""

import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import make_url

from paperround.core.errors import InvalidInput


def dump_database(url: str, target: Path) -> None:
    """Write a dump of the database in PostgreSQL's custom format. Raises InvalidInput when
    `pg_dump` is missing or fails."""
    _run("pg_dump", url, "--format=custom", f"--file={target}")


def load_database(url: str, dump: Path) -> None:
    """Load a dump into an empty database, all of it or nothing. Raises InvalidInput when
    `pg_restore` is missing or fails."""
    _run("pg_restore", url, "--single-transaction", str(dump))


def _run(program: str, url: str, *arguments: str) -> None:
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    known = conninfo_to_dict(address)
    password = str(known.pop("password", None) or "")
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as passwords:  # mode 0600
        if password:
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            passwords.write(f"*:*:*:*:{escaped}\n")
            passwords.flush()
            known["passfile"] = passwords.name
        target = make_conninfo(**{name: str(value) for name, value in known.items() if value})
        try:
            done = subprocess.run(  # noqa: S603
                [program, "--no-owner", "--no-privileges", f"--dbname={target}", *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",  # messages of a server may be in another encoding
                check=False,
            )
        except FileNotFoundError as error:
            raise InvalidInput(
                f"{program} is not installed here: install PostgreSQL's client programs (on "
                "Debian `apt-get install postgresql-client`), or run it where the database is"
            ) from error
        except OSError as error:
            raise InvalidInput(f"{program} cannot be run: {error.strerror}") from error
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise InvalidInput(f"{program} failed: {reason}")
