"""What readers look at before anything is mailed, put together."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from paperround.domain.summaries import Wording
from paperround.jobs.choices import SuggestedTopics
from paperround.jobs.preview import DigestPreviewer
from paperround.jobs.summarise import Writing

if TYPE_CHECKING:
    from paperround.wiring import Runtime


class ForReaders:
    """The part of a runtime that the pages of readers need."""

    @cached_property
    def previewer(self) -> DigestPreviewer:
        """What makes a digest to look at."""
        home = cast("Runtime", self)
        return DigestPreviewer(
            database=home.database,
            identity=home.identity,
            ranker=home.ranker,
            letterhead=home.letterhead,
            renderer=home.renderer,
            gist=home.gist,
            opinions=home.opinions,
        )

    @cached_property
    def topics(self) -> SuggestedTopics:
        """Topics to choose from, of what the papers here are about."""
        return SuggestedTopics(cast("Runtime", self).database)


def writing_of(home: "Runtime") -> Writing | None:
    """What summing papers up needs; None where no machine is set."""
    from paperround.summarise.chat import ChatSummariser, opened_place
    from paperround.summarise.shelf import Shelf

    settings, service = home.settings, home.settings.summary_service
    if service is None:
        return None
    base, model = service
    wording = Wording(model=model, language=settings.summarise_language)
    client = home.client_for(opened_place(base), seconds=settings.summarise_seconds)
    return Writing(
        database=home.database,
        ranker=home.ranker,
        summariser=ChatSummariser(client, base, wording, settings.summarise_key),
        shelf=Shelf(settings.data_dir / "summaries", wording),
        wording=wording,
        budget=settings.summary_budget,
    )
