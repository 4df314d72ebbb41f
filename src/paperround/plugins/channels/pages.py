"""The admin page of channels."""

from fastapi import Response

from paperround.plugins.channels.store import ChannelStore
from paperround.subscribers.model import SubscriberId
from paperround.web.admin.session import Visit, operator_router

router = operator_router()

SHOWN = 200
"""The most channels on the page."""


@router.get("/channels")
def show_channels(visit: Visit) -> Response:
    """Show every channel: its masked address and its state."""
    with visit.database.reading() as work:
        found = work[ChannelStore].page(SubscriberId(0), limit=SHOWN)
    return visit.page("channels.html", channels=found)
