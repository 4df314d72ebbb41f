"""The machine that sums papers up, where one is set, put together."""

from typing import TYPE_CHECKING

from paperround.domain.summaries import Wording
from paperround.jobs.summarise import Writing

if TYPE_CHECKING:
    from paperround.wiring import Runtime


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
