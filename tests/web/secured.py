"""The headers of every answer."""

from paperround.web.admin.session import SEND_ORIGIN
from paperround.web.security import HEADERS


def secured(headers: dict[str, str]) -> bool:
    """Whether an answer has them all. Pages with an operator's form tell our own site alone where
    the form comes from."""
    wanted = {name.decode(): value.decode() for name, value in HEADERS}
    wanted["strict-transport-security"] = "max-age=31536000"
    if headers.get("referrer-policy") == SEND_ORIGIN["referrer-policy"]:
        wanted |= SEND_ORIGIN
    return wanted.items() <= headers.items() and "server" not in headers
