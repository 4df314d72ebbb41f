"""A bad line between a process and its PostgreSQL, or its relay."""

from pathlib import Path

from sqlalchemy import make_url

from tests.reliability.proxy import Proxy, Server

PORT = 5432


def server_of(url: str) -> Server:
    """Where the PostgreSQL of a database's URL listens: the socket in a folder, or a port."""
    address = make_url(url)
    folder = address.query.get("host")
    if isinstance(folder, str):
        return Path(folder) / f".s.PGSQL.{address.port or PORT}"
    return address.host or "127.0.0.1", address.port or PORT


def through(proxy: Proxy, url: str) -> str:
    """The URL of the same database at the other end of `proxy`."""
    address = make_url(url).set(
        drivername="postgresql", host="127.0.0.1", port=proxy.port, query={"sslmode": "disable"}
    )
    return address.render_as_string(hide_password=False)
