"""What the admin API takes and says of channels. What it says masks every secret but the key of a
webhook that was made just now."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from paperround.domain.channels import ChannelKind
from paperround.domain.deliveries import DeliveryState
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.posts import PostOutcome
from paperround.domain.subscribers import Preferences
from paperround.jobs.channels import Changes, Order, Standing, read_interests, wish_fields
from paperround.web.models import Instant, Said, Taken, changes_like

CHANNEL_EXAMPLE: dict[str, Any] = {
    "kind": "slack",
    "hook": "https://hooks.slack.com/services/T0000/B0000/XXXXXXXX",
    "list": "trending",
    "name": "lab-slack",
    "hour": 9,
    "timezone": "Europe/Berlin",
    "interests": ["keyword:protein folding"],
}

Kind = Annotated[ChannelKind, Field(strict=False, description="What stands at the other end.")]
Name = Annotated[str, Field(min_length=1, max_length=60, description="Unique among channels.")]
Hook = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="Address or bot token. A secret: never shown again.",
    ),
]
Chat = Annotated[str, Field(max_length=60, description="Of telegram: @name or a number.")]
Key = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Of webhook: its key; left out, one is made."),
]
Zone = Annotated[str | None, Field(max_length=60, description="Null: the list's.")]
Hour = Annotated[int | None, Field(ge=0, le=23, description="In that zone.")]
HowOften = Annotated[str, Field(max_length=20, description="daily, weekdays or weekly:mon.")]
Size = Annotated[int | None, Field(ge=1, le=50, description="Papers in a post.")]
Floor = Annotated[float | None, Field(strict=False, description="Least score of a paper.")]
Words = Annotated[
    list[Annotated[str, Field(max_length=320)]], Field(default_factory=list, max_length=200)
]
Several = list[Said]
AtOnce = Annotated[bool, Field(description="Post the newest edition now, not at the next hour.")]


class _Described(Taken):
    """What may be said of a channel, whether it is made or changed."""

    name: Name = ""
    chat: Chat = ""
    key: Key = ""
    timezone: Zone = None
    hour: Hour = None
    frequency: HowOften = "daily"
    size: Size = None
    floor: Floor = None
    topics: Words
    interests: Words


def _without_empty_defaults(schema: dict[str, Any]) -> None:
    """Of what is left out: that it is empty is no default that could be sent."""
    for field in schema["properties"].values():
        if field.get("default") == "":
            del field["default"]
    schema["examples"] = [CHANNEL_EXAMPLE]


class ChannelBody(_Described):
    """A channel as an operator describes it."""

    model_config = ConfigDict(json_schema_extra=_without_empty_defaults)

    kind: Kind
    hook: Hook
    list: Annotated[str, Field(min_length=1, max_length=60)] = DEFAULT_LIST
    at_once: AtOnce = False

    def order(self) -> Order:
        """The channel that is asked for; raises InvalidInput that names the field."""
        fields = self.model_dump(exclude_none=True)
        wish: dict[str, Any] = _wish(fields)
        return Order(
            kind=self.kind,
            hook=self.hook,
            list_name=self.list,
            name=self.name,
            chat=self.chat,
            key=self.key,
            wish=Preferences(**wish),
            interests=read_interests(self.interests),
            at_once=self.at_once,
        )


class ChannelChanges(_Described):
    """What is to change of a channel. What is left out stays; topics and interests are replaced
    whole."""

    model_config = changes_like({"frequency": "weekly:fri", "size": 5}, {"topics": ["cs.LG"]})

    hook: Hook = ""

    def changes(self) -> Changes:
        """The changes that are asked for; raises InvalidInput that names the field."""
        given = self.model_dump(exclude_unset=True)
        nulls = {name: None for name, value in given.items() if value is None}
        told = given.get("interests")
        return Changes(
            name=given.get("name"),
            hook=given.get("hook"),
            chat=given.get("chat"),
            key=given.get("key"),
            wish={**_wish(given), **nulls},
            interests=None if told is None else read_interests(told),
        )


def _wish(given: dict[str, Any]) -> dict[str, object]:
    """The preferences among the fields that were given."""
    row = {name: str(given[name]) for name in ("timezone", "hour", "frequency") if given.get(name)}
    if given.get("hour") == 0:
        row["hour"] = "0"
    fields = wish_fields(row, size=given.get("size"), floor=given.get("floor"))
    return fields | ({"topics": tuple(given["topics"])} if "topics" in given else {})


class ChannelAnswer(BaseModel):
    """A channel: where it leads, masked, how it stands, and what it gets."""

    id: int
    name: str
    kind: ChannelKind
    list: str
    hook: str
    state: str
    paused_at: Instant | None
    stopped_at: Instant | None
    stopped_why: Said
    timezone: str | None
    hour: int | None
    frequency: str
    size: int | None
    floor: float | None
    topics: Several
    interests: Several
    due_at: Instant | None
    created_at: Instant

    @classmethod
    def of(cls, one: Standing) -> "ChannelAnswer":
        """The answer that shows it."""
        return cls(**_shown(one))


class NewChannelAnswer(ChannelAnswer):
    """A channel that was made just now. `key` signs the posts of a webhook; nobody is shown it
    again."""

    key: str | None

    @classmethod
    def made(cls, one: Standing) -> "NewChannelAnswer":
        """The answer that shows it, and its key."""
        return cls(**_shown(one), key=one.channel.hook.key or None)


class ChannelPage(BaseModel):
    """Channels, by id."""

    items: list[ChannelAnswer]
    next_cursor: str | None


class ChannelMoved(BaseModel):
    """Whether a channel was paused or resumed by this call."""

    name: str
    state: str
    changed: bool


class TrialAnswer(BaseModel):
    """What became of a test."""

    state: DeliveryState
    reason: Said
    code: int | None
    reply: Said

    @classmethod
    def of(cls, outcome: PostOutcome) -> "TrialAnswer":
        """The answer that shows it."""
        return cls(
            state=outcome.state, reason=outcome.reason, code=outcome.code, reply=outcome.said
        )


def _shown(one: Standing) -> dict[str, Any]:
    channel, wish = one.channel, one.wish
    weekday = f":{wish.weekday}" if wish.weekday else ""
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.hook.kind,
        "list": channel.list_name,
        "hook": channel.hook.shown,
        "state": channel.state,
        "paused_at": channel.paused_at,
        "stopped_at": channel.stopped_at,
        "stopped_why": channel.stopped_why,
        "timezone": wish.timezone,
        "hour": wish.hour,
        "frequency": f"{wish.frequency.value}{weekday}",
        "size": wish.size,
        "floor": wish.floor,
        "topics": list(wish.topics),
        "interests": [str(interest) for interest in one.interests],
        "due_at": one.due_at,
        "created_at": channel.created_at,
    }
