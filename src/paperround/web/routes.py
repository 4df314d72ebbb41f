"""Every router of the site, in the order they are asked: what most people look at comes first."""

from fastapi import APIRouter

from paperround.web import (
    admin_audit,
    admin_channels,
    admin_deliveries,
    admin_feeds,
    editions_api,
    feeds,
    files,
    followed,
    health,
    hooks,
    hugging_face,
    judging,
    library,
    metrics,
    outbox,
    pages,
    papers_api,
    search,
    self_service,
    signup,
    signup_api,
    trying,
)
from paperround.web.guard import HOOKS

COOKIELESS = (
    "/subscribe",
    "/confirm/",
    "/unsubscribe/",
    "/preferences",
    "/feedback/",
    "/address/",
    "/api/",
    HOOKS,
)
"""Routes that never read a cookie, and are posted to from mail programs, other people's pages and
providers of mail. Their power comes from a token in the address, a key in a header, a signature."""

API: tuple[APIRouter, ...] = (
    signup_api.api,
    search.api,
    editions_api.api,
    papers_api.api,
    admin_feeds.router,
    admin_deliveries.router,
    admin_channels.router,
    admin_audit.router,
)
"""Those below /api/v1. Programs that know Hugging Face's names have routers of their own."""

PUBLIC: tuple[APIRouter, ...] = (
    pages.router,
    signup.router,
    trying.router,
    followed.router,
    search.router,
    files.router,
    feeds.router,
    search.api,
    editions_api.api,
    papers_api.api,
    hugging_face.api,
)
"""Those whose answers are the same for everybody, but for the ones behind a link of one's own."""

ROUTERS: tuple[APIRouter, ...] = (
    signup_api.api,
    files.router,
    pages.router,
    signup.router,
    health.router,
    metrics.router,
    trying.router,
    self_service.router,
    library.router,
    judging.router,
    feeds.router,
    followed.router,
    search.router,
    search.api,
    editions_api.api,
    papers_api.api,
    hugging_face.api,
    outbox.router,
    hooks.router,
    admin_feeds.router,
    admin_deliveries.router,
    admin_channels.router,
    admin_audit.router,
)
