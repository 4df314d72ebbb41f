"""Pages as answers: what may be kept by a cache, and what never may."""

from collections.abc import Mapping
from secrets import token_hex
from types import MappingProxyType

from fastapi import Response

from paperround.web.languages import page_language
from paperround.web.problems import HTML
from paperround.web.templating import render
from paperround.wiring import Runtime

KEPT = MappingProxyType({"cache-control": "public, max-age=60"})
"""Public pages change with an edition; a minute more does no harm."""
OURS: Mapping[str, str] = MappingProxyType({})
"""Nothing said: the guard says `no-store`."""

STAMP = f"stamp-{token_hex(16)}"
"""Stands in a public page where the stamp of its form goes, until somebody gets the page. Nobody
who writes a title can guess it."""

MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail carries its styles inside, as mail programs need it, and may do nothing else."""


def public(home: Runtime, template: str, **values: object) -> Response:
    """A page that is the same for everybody, and may be kept for a minute. A form's stamp, where
    one is named, is that of the moment at which somebody gets the page."""
    stamped = {name: STAMP if name == "stamp" else value for name, value in values.items()}
    return _page(home, template, 200, KEPT, stamped)


def private(home: Runtime, template: str, *, status: int = 200, **values: object) -> Response:
    """A page for whoever asked, which no cache keeps."""
    return _page(home, template, status, OURS, values)


def mail(html: str) -> Response:
    """A mail as it would look, shut off from the site around it."""
    return Response(html, headers={"content-security-policy": MAIL_POLICY}, media_type=HTML)


def _page(
    home: Runtime,
    template: str,
    status: int,
    headers: Mapping[str, str],
    values: Mapping[str, object],
) -> Response:
    html = render(template, site=home.letterhead, demo=home.demo, **values)
    spoken = {"content-language": page_language(), "vary": "accept-language"}
    return Response(html, status, {**headers, **spoken}, media_type=HTML)
