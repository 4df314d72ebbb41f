"""What Hugging Face knows of a paper of arXiv: votes, code, its stars, and the project's page.

Its API answers 404 for a paper nobody indexed there, and has no count of comments.
"""

from collections.abc import Sequence
from datetime import timedelta

from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.limits import Rate
from paperround.domain.papers import Paper, ParsedBatch
from paperround.sources.answers import news_of
from paperround.sources.hf_daily import read_hf_paper
from paperround.sources.polling import read

BASE = "https://huggingface.co/api/papers"


class HuggingFace:
    """The enricher `huggingface`."""

    name: str = "huggingface"
    limiter: str = "huggingface"
    kinds: tuple[str, ...] = ("arxiv",)
    size: int = 1
    budget: tuple[Rate, ...] = (
        Rate(100, timedelta(minutes=5)),  # of 500 that the service grants to one address
        Rate(10_000, timedelta(days=1)),
    )

    def knows(self, paper: Paper) -> bool:
        """Papers of arXiv, by its new ids."""
        return "/" not in paper.identifiers.get("arxiv", "/")

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """One paper."""
        return FetchRequest(
            url=f"{BASE}/{papers[0].identifiers['arxiv']}",
            limiter=self.limiter,
            interval_seconds=1.0,
        )

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of the paper; raises FetchFailed when it is of another one."""
        return news_of(read(page, read_hf_paper), papers=papers, kinds=self.kinds)
