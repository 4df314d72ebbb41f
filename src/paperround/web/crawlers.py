"""What programs look for at fixed addresses: a map of the site, where not to go, whom to tell of a
hole, the icon."""

from datetime import UTC, date, datetime, time, timedelta
from xml.sax.saxutils import escape

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from paperround.domain.errors import NotFound
from paperround.domain.languages import marked
from paperround.domain.times import format_instant
from paperround.jobs.sitemaps import map_part, map_parts
from paperround.web.answers import KEPT
from paperround.web.home import PATIENT, Home, Present
from paperround.web.templating import static_dir
from paperround.wiring import Runtime

router = APIRouter(include_in_schema=False)

PERSONAL = (
    "/confirm/",
    "/unsubscribe/",
    "/preferences/",
    "/feedback/",
    "/address/",
    "/subscribe/",
    "/subscribe?",
    "/search",
    "/topics/",
    "/authors/",
    "/feeds/me/",
    "/api/",
)
"""No crawler has any business there: pages of one person, and searches without end."""
XML = "application/xml; charset=utf-8"
_MAPS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
VALID_MONTHS = 6


@router.get("/robots.txt")
def robots(home: Home) -> Response:
    """Public pages are for everybody; personal ones are for nobody else."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PERSONAL)]
    lines += ["", f"Sitemap: {_at(home, '/sitemap.xml')}"]
    return PlainTextResponse("\n".join(lines) + "\n", headers=dict(KEPT))


@router.get("/sitemap.xml")
def site_map(home: Home) -> Response:
    """The parts of the map."""
    parts = (f"/sitemaps/{name}.xml" for name in map_parts(home.database))
    each = "".join(f"<sitemap><loc>{_at(home, path)}</loc></sitemap>\n" for path in parts)
    return _xml(f"<sitemapindex {_MAPS}>\n{each}</sitemapindex>\n")


@router.get("/sitemaps/{name}.xml", dependencies=[PATIENT])
def part(home: Home, now: Present, name: str) -> Response:
    """One part of the map."""
    entries = map_part(home.database, name, now=now)
    each = "".join(_entry(home, one.path, one.changed_at) for one in entries)
    return _xml(f"<urlset {_MAPS}>\n{each}</urlset>\n")


def _entry(home: Runtime, path: str, changed_at: datetime | None) -> str:
    changed = f"<lastmod>{changed_at.date()}</lastmod>" if changed_at else ""
    return f"<url><loc>{_at(home, path)}</loc>{changed}</url>\n"


def _at(home: Runtime, path: str) -> str:
    return escape(home.letterhead.public_url.rstrip("/") + path)


def _xml(text: str) -> Response:
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
    return Response(content, headers=dict(KEPT), media_type=XML)


@router.get("/opensearch.xml")
def open_search(home: Home) -> Response:
    """The search, for browsers that keep such (OpenSearch 1.1)."""
    at = f'template="{_at(home, "/search")}?q={{searchTerms}}"'
    return _xml(
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        "<ShortName>Paperround</ShortName>\n<Description>Search papers</Description>\n"
        f'<Url type="text/html" {at}/>\n</OpenSearchDescription>\n'
    )


@router.get("/.well-known/security.txt")
def security(home: Home, now: Present) -> Response:
    """Whom to tell of a hole (RFC 9116). Raises NotFound where nobody is named."""
    contact = home.letterhead.contact
    if not contact:
        raise NotFound(marked("Nobody is named here: PAPERROUND_CONTACT is not set."))
    lines = [
        f"Contact: {contact if '://' in contact else f'mailto:{contact}'}",
        f"Expires: {format_instant(_expires(now.date()))}",
        f"Canonical: {home.letterhead.public_url.rstrip('/')}/.well-known/security.txt",
        "Preferred-Languages: en",
    ]
    return PlainTextResponse("\n".join(lines) + "\n", headers=dict(KEPT))


def _expires(day: date) -> datetime:
    """The start of a month about half a year ahead: the file stays the same for a month."""
    ahead = day.replace(day=1) + timedelta(days=31 * VALID_MONTHS)
    return datetime.combine(ahead.replace(day=1), time(), UTC)


@router.get("/favicon.ico")
def icon() -> Response:
    """The icon, for those who look for it without having read a page."""
    content = (static_dir() / "icon.svg").read_bytes()
    return Response(content, headers=dict(KEPT), media_type="image/svg+xml")
