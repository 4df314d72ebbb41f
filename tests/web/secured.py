"""The headers of every answer."""

from paperround.web.security import HEADERS


def secured(headers: dict[str, str]) -> bool:
    wanted = {name.decode(): value.decode() for name, value in HEADERS}
    wanted["strict-transport-security"] = "max-age=31536000"
    return wanted.items() <= headers.items() and "server" not in headers
