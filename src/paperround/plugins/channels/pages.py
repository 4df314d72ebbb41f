"""The admin page of channels."""

from fastapi import Request, Response

from paperround.plugins.channels.store import ChannelStore
from paperround.subscribers.model import SubscriberId
from paperround.web.admin.session import admin_page, operator_router
from paperround.web.context import App

router = operator_router()

SHOWN = 200
"""The most channels on the page."""


@router.get("/channels")
def show_channels(app: App, request: Request) -> Response:
    """Show every channel: its masked address and its state."""
    with app.database.reading() as work:
        found = work[ChannelStore].page(SubscriberId(0), limit=SHOWN)
    return admin_page(request, "channels.html", channels=found)
