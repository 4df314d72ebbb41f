"""What readers look at before anything is mailed, put together."""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from paperround.jobs.preview import DigestPreviewer
from paperround.jobs.suggesting import SuggestedTopics

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
