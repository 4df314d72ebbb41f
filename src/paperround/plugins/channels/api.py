"""The admin API for channels, with the functions of `paperround channels`."""

from typing import Annotated

from fastapi import Depends, Response

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.plugins.channels.admin import ChannelAdmin, channel_admin
from paperround.plugins.channels.model import Channel
from paperround.plugins.channels.resource import (
    ChannelAnswer,
    ChannelBody,
    ChannelChanges,
    ChannelMoved,
    NewChannelAnswer,
    TrialAnswer,
)
from paperround.plugins.channels.store import ChannelStore
from paperround.subscribers.model import SubscriberId
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import CursorPage
from paperround.web.paging import Paging, RowNumber

PREFIX = "/api/v1/admin/channels"

router = keyed_router(
    PREFIX,
    "admin: channels",
    reading=Scope.CHANNELS_READ,
    writing=Scope.CHANNELS_WRITE,
    outside=("try_channel",),
)


async def _admin(app: App, now: Now, actor: Actor) -> ChannelAdmin:
    return channel_admin(app, now=now, by=actor)


Admin = Annotated[ChannelAdmin, Depends(_admin)]


@router.get("", summary="List channels")
def list_channels(app: App, paging: Paging) -> CursorPage[ChannelAnswer]:
    """Every channel, by id, with its masked address and its state."""
    after = SubscriberId(paging.last_id("channels") or 0)
    with app.database.reading() as work:
        found = work[ChannelStore].page(after, limit=paging.rows)
    return paging.page("channels", found, ChannelAnswer.of)


@router.post(
    "",
    summary="Create a channel",
    status_code=201,
    responses={
        201: {"headers": {"Location": {"schema": {"type": "string"}, "description": "Its address"}}}
    },
)
def create_channel(
    app: App, admin: Admin, body: ChannelBody, response: Response
) -> NewChannelAnswer:
    """Post a list to a channel, from its next hour or at once."""
    created = admin.add(body.kind, body.list, body.settings(), at_once=body.at_once)
    if body.at_once:
        app.plan()
    response.headers["Location"] = f"{PREFIX}/{created.id}"
    return NewChannelAnswer.of(created)


@router.get("/{channel_id}", summary="Read a channel")
def read_channel(app: App, channel_id: RowNumber) -> ChannelAnswer:
    """One channel. Its posts are at `/subscribers/{id}/deliveries`."""
    return ChannelAnswer.of(_channel(app, channel_id))


@router.patch("/{channel_id}", summary="Change a channel")
def change_channel(admin: Admin, channel_id: RowNumber, body: ChannelChanges) -> ChannelAnswer:
    """Change the fields that are given. A new hook restarts a channel that was stopped."""
    return ChannelAnswer.of(admin.change(SubscriberId(channel_id), body.settings()))


@router.delete("/{channel_id}", summary="Delete a channel", status_code=204)
def delete_channel(admin: Admin, channel_id: RowNumber) -> None:
    """Delete a channel with its secrets. The history of its posts stays in the ledger."""
    admin.remove(SubscriberId(channel_id))


@router.post("/{channel_id}/test", summary="Test a channel")
def try_channel(admin: Admin, channel_id: RowNumber) -> TrialAnswer:
    """Post a test message now and show the result."""
    return TrialAnswer.of(admin.test(SubscriberId(channel_id)))


@router.post("/{channel_id}/pause", summary="Pause a channel")
def pause_channel(app: App, admin: Admin, channel_id: RowNumber) -> ChannelMoved:
    """Post nothing there until it is resumed."""
    return _change_result(app, channel_id, admin.pause(SubscriberId(channel_id)))


@router.post("/{channel_id}/resume", summary="Resume a channel")
def resume_channel(app: App, admin: Admin, channel_id: RowNumber) -> ChannelMoved:
    """Resume a channel that was paused, or that was stopped because its hook was gone."""
    changed = admin.resume(SubscriberId(channel_id))
    if changed:
        app.wake()
    return _change_result(app, channel_id, changed)


def _change_result(app: AppContext, number: int, changed: bool) -> ChannelMoved:
    channel = _channel(app, number)
    return ChannelMoved(name=channel.name, state=channel.state, changed=changed)


def _channel(app: AppContext, number: int) -> Channel:
    with app.database.reading() as work:
        return work[ChannelStore].get(SubscriberId(number))
