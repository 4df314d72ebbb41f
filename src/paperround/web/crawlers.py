"""What programs look for at fixed addresses: where not to go, and the icon."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from paperround.web.answers import KEPT
from paperround.web.templating import static_dir

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


@router.get("/robots.txt")
def robots() -> Response:
    """Public pages are for everybody; personal ones are for nobody else."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PERSONAL)]
    return PlainTextResponse("\n".join(lines) + "\n", headers=dict(KEPT))


@router.get("/favicon.ico")
def icon() -> Response:
    """The icon, for those who look for it without having read a page."""
    content = (static_dir() / "icon.svg").read_bytes()
    return Response(content, headers=dict(KEPT), media_type="image/svg+xml")
