"""Models of lists in the admin API and of `paperround lists --json`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from paperround.editions.lists import ListSettings, MailingList, SignupPolicy
from paperround.editions.manage_lists import feeds_by_name
from paperround.papers.model import FeedId
from paperround.web.models import (
    Instant,
    PrintableText,
    Resource,
    StrictBody,
    example_config,
    patch_config,
)

LIST_EXAMPLE: dict[str, Any] = {
    "name": "robots",
    "title": "Robots this week",
    "description": "Papers on robots, for the lab.",
    "feeds": [],
    "categories": ["cs.RO"],
    "search": "robot* NOT survey",
    "cuts": ["06:00"],
    "zone": "Europe/Berlin",
    "size": 8,
    "frequencies": ["weekly"],
    "look": {"from_name": "Robots weekly", "colour": "#7a1f1f"},
    "signup": "domains",
    "domains": ["lab.example.org"],
    "private": True,
}

_DEFAULTS = ListSettings(title="")

Line = Annotated[PrintableText, Field(max_length=600)]
Words = Annotated[list[Annotated[PrintableText, Field(max_length=100)]], Field(max_length=100)]


class LookBody(StrictBody):
    """How emails of a list differ from the installation's; an empty text means no difference."""

    from_name: Annotated[Line, Field(description="The name before the sender's address.")] = ""
    colour: Annotated[Line, Field(description="The colour of links, like #0a55b8.")] = ""
    logo_url: Annotated[Line, Field(description="A picture above the papers; an https URL.")] = ""
    reply_to: Annotated[Line, Field(description="The address that replies go to.")] = ""
    intro: Annotated[Line, Field(description="A line above the papers.")] = ""
    footer: Annotated[Line, Field(description="A line below the papers.")] = ""


class LookChanges(LookBody):
    """The changes to a look. Omitted fields stay as they are."""

    model_config = patch_config({"colour": "#7a1f1f"})


class ListBody(StrictBody):
    """A list as an operator describes it."""

    title: Line
    description: Line = ""
    feeds: Words = Field(default_factory=list, description="Feeds by name; empty for all.")
    categories: Words = Field(
        default_factory=list,
        description="A paper must have one of these categories; empty for any.",
    )
    search: Annotated[
        PrintableText,
        Field(max_length=4000, description="Only papers that this search finds may enter."),
    ] = ""
    cuts: Words = Field(
        default_factory=lambda: list(_DEFAULTS.cuts),
        description="Times of day at which editions are made, 1 to 4.",
    )
    zone: Annotated[Line, Field(description="The time zone of the cuts and the default hour.")] = (
        "UTC"
    )
    default_hour: Annotated[
        int | None,
        Field(description="The default delivery hour; null for the installation's."),
    ] = None
    size: Annotated[int, Field(description="Papers in a digest, unless a reader chooses.")] = 12
    edition_size: Annotated[int, Field(description="Papers that an edition shows.")] = 60
    candidate_days: Annotated[
        int, Field(description="How many days after its listing a paper may appear.")
    ] = 7
    frequencies: Words = Field(
        default_factory=list, description="daily, weekdays, weekly, monthly; empty for all."
    )
    languages: Words = Field(default_factory=list, description="Offered languages; empty for all.")
    look: LookBody = LookBody()
    signup: Annotated[
        Annotated[SignupPolicy, Field(strict=False)],
        Field(description="Who may sign up."),
    ] = SignupPolicy.OPEN
    domains: Words = Field(
        default_factory=list, description="With `signup` domains: the allowed domains."
    )
    private: Annotated[
        bool, Field(description="Whether its archive opens only from links in its emails.")
    ] = False


class NewListBody(ListBody):
    """A new list. Its name is part of URLs and never changes."""

    model_config = example_config(LIST_EXAMPLE)

    name: Annotated[Line, Field(description="Lowercase letters, digits and hyphens.")]


class ListChanges(ListBody):
    """The changes to a list. Omitted fields stay as they are, in `look` too; arrays are
    replaced."""

    model_config = patch_config({"title": "Robots"}, {"look": {"intro": ""}, "signup": "closed"})

    title: Line = ""
    look: LookChanges = LookChanges()


class ListLookAnswer(Resource):
    """How emails of a list differ from the installation's."""

    from_name: str
    colour: str
    logo_url: str
    reply_to: str
    intro: str
    footer: str


class ListDetails(Resource):
    """A list with its settings, how long its editions are held, and whether it is paused or
    archived."""

    name: str
    title: str
    description: str
    feeds: list[str]
    categories: list[str]
    search: str
    cuts: list[str]
    zone: str
    default_hour: int | None
    size: int
    edition_size: int
    candidate_days: int
    frequencies: list[str]
    languages: list[str]
    look: ListLookAnswer
    signup: SignupPolicy
    domains: list[str]
    private: bool
    hold_minutes: int
    paused_at: Instant | None
    archived_at: Instant | None

    @classmethod
    def shown(cls, one: MailingList, names: Mapping[FeedId, str]) -> "ListDetails":
        """Return the resource of a list, with its feeds by name. Deleted ones are left out."""
        own = {name: getattr(one, name) for name in cls.model_fields if name != "feeds"}
        return cls(**own, feeds=feeds_by_name(one, names))
