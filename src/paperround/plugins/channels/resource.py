"""Request and response models of the admin API for channels. Responses mask every secret, except
the key of a new webhook."""

from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.model import DeliveryState
from paperround.plugins.channels.model import ChannelKind, ChannelSettings
from paperround.web.models import (
    Instant,
    PrintableText,
    Resource,
    StrictBody,
    patch_config,
    value_of,
)

CHANNEL_EXAMPLE: dict[str, Any] = {
    "kind": "slack",
    "hook": "https://hooks.slack.com/services/T0000/B0000/XXXXXXXX",
    "list": "trending",
    "name": "lab-slack",
    "hour": 9,
    "timezone": "Europe/Berlin",
    "interests": ["keyword:protein folding"],
}

Hook = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="Address or bot token. A secret: never shown again.",
    ),
]
Words = Annotated[
    list[Annotated[str, Field(max_length=320)]], Field(default_factory=list, max_length=200)
]
TextList = list[PrintableText]


class _ChannelFields(StrictBody):
    """Fields of a channel that can be set on creation and changed later."""

    name: str = Field("", min_length=1, max_length=60, description="Unique among channels.")
    chat: str = Field("", max_length=60, description="For Telegram: @name or a number.")
    key: str = Field(
        "",
        min_length=1,
        max_length=200,
        description="For a webhook: its key. Default: a new key.",
    )
    timezone: str | None = Field(None, max_length=60, description="Null: the list's.")
    hour: int | None = Field(None, ge=0, le=23, description="In that time zone.")
    frequency: str = Field(
        "daily", max_length=20, description="daily, weekdays, weekly:mon or monthly."
    )
    size: int | None = Field(None, ge=1, le=50, description="Papers in a post.")
    floor: float | None = Field(None, strict=False, description="The minimum score of a paper.")
    topics: Words
    interests: Words

    def settings(self) -> ChannelSettings:
        """Return the settings that were sent."""
        return cast("ChannelSettings", self.model_dump(exclude_unset=True))


def _without_empty_defaults(schema: dict[str, Any]) -> None:
    """Remove empty defaults, which a client could not send."""
    for field in schema["properties"].values():
        if field.get("default") == "":
            del field["default"]
    schema["examples"] = [CHANNEL_EXAMPLE]


class ChannelBody(_ChannelFields):
    """A channel as an operator describes it."""

    model_config = ConfigDict(json_schema_extra=_without_empty_defaults)

    kind: ChannelKind = Field(strict=False, description="The service it posts to.")
    hook: Hook
    list: str = Field(DEFAULT_LIST, min_length=1, max_length=60)
    at_once: bool = Field(
        False, description="Post the newest edition now, not at the channel's next hour."
    )


class ChannelChanges(_ChannelFields):
    """What is to change of a channel. What is left out stays; topics and interests are replaced
    whole."""

    model_config = patch_config({"frequency": "weekly:fri", "size": 5}, {"topics": ["cs.LG"]})

    hook: Hook = ""


class ChannelAnswer(Resource):
    """A channel: its masked address, its state, and what it gets."""

    id: int
    name: str
    kind: ChannelKind = value_of("hook", "kind")
    list: str = value_of("list_name")
    hook: str = value_of("hook", "shown")
    state: str
    paused_at: Instant | None
    stopped_at: Instant | None
    stopped_why: PrintableText
    timezone: str | None = value_of("wish", "timezone")
    hour: int | None = value_of("wish", "hour")
    frequency: str = value_of("wish", "frequency_text")
    size: int | None = value_of("wish", "size")
    floor: float | None = value_of("wish", "floor")
    topics: TextList = value_of("wish", "topics")
    interests: Annotated[TextList, BeforeValidator(lambda found: [str(one) for one in found])]
    due_at: Instant | None
    created_at: Instant


class NewChannelAnswer(ChannelAnswer):
    """A channel that was made just now. `key` signs the posts of a webhook; nobody is shown it
    again."""

    key: Annotated[str | None, BeforeValidator(lambda key: key or None)] = value_of("hook", "key")


class ChannelMoved(BaseModel):
    """Whether a channel was paused or resumed by this call."""

    name: str
    state: str
    changed: bool


class TrialAnswer(Resource):
    """The result of a test."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    state: DeliveryState = value_of("verdict", "state")
    reason: PrintableText = value_of("verdict", "reason")
    code: int | None = value_of("reply", "code", default=None)
    reply: PrintableText = value_of("reply", "text", default="")
