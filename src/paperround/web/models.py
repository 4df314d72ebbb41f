"""Request and response models of the admin API. Requests are validated strictly: unknown and
read-only fields and wrong types are errors."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from paperround.core.languages import marked
from paperround.core.times import format_instant
from paperround.feeds.model import FeedHealth
from paperround.feeds.preview import Fate, FeedPreview
from paperround.papers.model import Show

MOST_PREVIEWED = 50
"""The most papers, and the most rejects, in a preview."""


Instant = Annotated[
    datetime,
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
PrintableText = Annotated[
    str, AfterValidator(lambda text: text.encode("utf-8", "replace").decode())
]
"""User content, without lone surrogates, which JSON can contain and UTF-8 cannot."""
Identifiers = Annotated[
    dict[str, str],
    BeforeValidator(
        lambda known: {kind: one for kind, one in known.items() if kind != "title_key"}
    ),
]
"""A paper's identifiers, without internal ones."""

FeedName = Annotated[str, Field(min_length=1, max_length=60, description="Unique among feeds.")]
Kind = Annotated[str, Field(min_length=1, max_length=60, description="The source that reads it.")]


def example_config(example: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a model with this example. An example contains no null, because
    FastAPI would omit it."""
    return ConfigDict(json_schema_extra={"examples": [example]})


FEED_EXAMPLE: dict[str, Any] = {
    "name": "arxiv-ml",
    "kind": "arxiv",
    "url": None,
    "settings": {"categories": "cs.LG,cs.CL"},
    "show": None,
    "enabled": True,
}


# --- requests ----------------------------------------------------------------------------------


class StrictBody(BaseModel):
    """A request body without type conversion or unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


class FeedBody(StrictBody):
    """A feed as an operator describes it."""

    model_config = example_config(FEED_EXAMPLE)

    name: FeedName
    kind: Kind
    url: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="An address to use instead of the source's own; null for its own.",
        ),
    ] = None
    settings: Annotated[
        dict[PrintableText, Annotated[str, Field(max_length=2000)]],
        Field(max_length=50, description="Settings of the source, all as text."),
    ] = Field(default_factory=dict)
    show: Annotated[
        Annotated[Show, Field(strict=False)] | None,
        Field(description="How much of an abstract may be shown; null leaves that to the paper."),
    ] = None
    enabled: Annotated[bool, Field(description="Whether it is polled.")] = True


def patch_config(*examples: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a PATCH body: omitted fields stay, so they have no default."""

    def without_defaults(schema: dict[str, Any]) -> None:
        for field in schema["properties"].values():
            field.pop("default", None)
        schema["examples"] = [*examples]

    return ConfigDict(json_schema_extra=without_defaults)


class FeedChanges(FeedBody):
    """The changes to a feed. Omitted fields stay as they are; `settings` are replaced as a
    whole."""

    model_config = patch_config({"enabled": False}, {"settings": {"categories": "cs.LG"}})

    name: FeedName = ""
    kind: Kind = ""


# --- responses ---------------------------------------------------------------------------------


class Resource(BaseModel):
    """A response of the admin API and of `--json`. Each field is read from the attribute of the
    same name, or from the path in its validation alias."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the resource for `value`."""
        return cls.model_validate(value)


R = TypeVar("R")


class CursorPage(Resource, Generic[R]):
    """A page of a collection. `next_cursor` leads to the next page; null at the end."""

    items: list[R]
    next_cursor: str | None


def value_of(first: str, *path: str | int, default: Any = ...) -> Any:
    """Return a field that is read from this path of attributes."""
    return Field(default, validation_alias=AliasPath(first, *path))


class FeedAnswer(Resource):
    """A feed: its settings and its status."""

    id: int
    name: str
    kind: str
    url: str | None
    settings: dict[str, str]
    show: Show | None
    enabled: bool
    health: FeedHealth
    reason: str
    failures: int
    next_at: Instant | None
    expects_at: Instant | None
    last_good_at: Instant | None
    last_news_at: Instant | None
    created_at: Instant


class RunAnswer(Resource):
    """One poll of a feed."""

    id: int
    source: str
    state: str
    counts: dict[str, int]
    names: dict[str, list[PrintableText]]
    health: FeedHealth | None
    error: PrintableText | None
    started_at: Instant
    finished_at: Instant | None


class RejectAnswer(Resource):
    """A rejected entry, as it was stored."""

    id: int
    run: int
    reason: PrintableText
    detail: PrintableText
    position: int
    excerpt: PrintableText
    created_at: Instant


class RejectCount(BaseModel):
    """How many entries were rejected for one reason."""

    reason: str
    count: int


class ReadResult(Resource):
    """The result of reading a source. `records` = `new` + `changed` + `unchanged`."""

    records: int
    new: int
    changed: int
    unchanged: int
    observations: int
    rejects: Annotated[
        list[RejectCount],
        BeforeValidator(lambda all_: [{"reason": why, "count": all_[why]} for why in sorted(all_)]),
    ]


class IngestAnswer(ReadResult):
    """The result of reading one file."""

    papers_total: int


class PollAnswer(ReadResult):
    """The result of one poll. `error` says why it ended early; null if it did not."""

    feed: str
    health: FeedHealth
    reason: PrintableText
    error: PrintableText | None
    next_at: Instant


class PreviewPaper(Resource):
    """A paper as its source has it now. `show` is how much of it the feed would show; `becomes` is
    `nothing` for an update to an unknown paper."""

    title: PrintableText = value_of("record", "title")
    identifiers: dict[str, PrintableText] = value_of("record", "identifiers")
    authors: list[PrintableText] = value_of("record", "authors")
    listed_on: date | None = value_of("record", "listed_on")
    show: Show = value_of("record", "show")
    becomes: Fate


class FreshReject(Resource):
    """An entry that cannot be used, with its place in the input, counted from 1."""

    reason: PrintableText
    detail: PrintableText
    position: int
    excerpt: PrintableText


class PreviewAnswer(BaseModel):
    """The first page of a feed: the first of its papers and rejects, how many there are of each,
    whether the source has more pages, and how it answered (`url`, `bytes`, `seconds`)."""

    papers: list[PreviewPaper]
    papers_total: int
    new_total: int
    known_total: int
    rejects: list[FreshReject]
    rejects_total: int
    has_more: bool
    url: PrintableText
    bytes: int
    seconds: float

    @classmethod
    def of(cls, preview: FeedPreview, most: int | None = MOST_PREVIEWED) -> "PreviewAnswer":
        """Return the response for `preview` with at `most` this many papers and rejects."""
        return cls(
            papers=[PreviewPaper.of(one) for one in preview.papers[:most]],
            papers_total=len(preview.papers),
            new_total=preview.count(Fate.NEW),
            known_total=preview.count(Fate.KNOWN),
            rejects=[FreshReject.of(one) for one in preview.rejects[:most]],
            rejects_total=len(preview.rejects),
            has_more=preview.next is not None,
            url=preview.page.url,
            bytes=len(preview.page.body),
            seconds=round(preview.seconds, 3),
        )


class ImportAnswer(Resource):
    """The result of an import, as names of feeds. A reject's reason is the invalid field."""

    new: list[str]
    changed: list[str]
    unchanged: list[str]
    rejects: list[FreshReject]


class FeedFile(StrictBody):
    """All feeds, in the format of `export` and `import`."""

    model_config = example_config({"feeds": [FEED_EXAMPLE]})

    feeds: list[FeedBody]


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(examples=["settings.categories"])
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(examples=["about:blank"])
    code: str = Field(examples=["invalid"], description="A stable code.")
    title: str = Field(examples=[marked("Not valid")])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["Not valid: settings.categories"])
    errors: list[FieldProblem] | None = Field(
        default=None, description="The invalid fields, if any."
    )
