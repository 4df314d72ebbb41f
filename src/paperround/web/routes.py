"""Every router of the site, in the order they are asked."""

from fastapi import APIRouter

from paperround.web import (
    admin_audit,
    admin_deliveries,
    admin_feeds,
    editions_api,
    health,
    metrics,
    outbox,
    pages,
    search,
    self_service,
    signup,
)

COOKIELESS = ("/subscribe", "/confirm/", "/unsubscribe/", "/preferences/", "/feedback/", "/api/")
"""Routes that never read a cookie, and are posted to from mail programs and other people's pages.
Their power comes from a token in the address, or from a key in a header."""

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    metrics.router,
    signup.router,
    signup.api,
    self_service.router,
    pages.router,
    search.router,
    search.api,
    editions_api.api,
    outbox.router,
    admin_feeds.router,
    admin_deliveries.router,
    admin_audit.router,
)
