"""The admin page of channels."""

from fastapi import Request, Response

from paperround.plugins.channels.store import ChannelStore
from paperround.subscribers.model import SubscriberId
from paperround.web.admin.session import admin_page, operator_router
from paperround.web.context import App

router = operator_router()

SHOWN = 200
"""Channels on the page, more than anybody has."""


@router.get("/channels")
def show_channels(app: App, request: Request) -> Response:
    """Show every channel: where it leads, masked, and how it stands."""
    with app.database.reading() as work:
        found = work[ChannelStore].page(SubscriberId(0), limit=SHOWN)
    return admin_page(request, "channels.html", channels=found)
