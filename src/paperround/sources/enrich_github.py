"""How many stars the code of a paper has, as GitHub counts them.

https://docs.github.com/en/rest/repos/repos#get-a-repository; without a key an address may ask 60
times an hour, and a repository that was renamed answers with a redirect.
"""

import json
import re
from collections.abc import Sequence
from datetime import timedelta

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.limits import Rate
from paperround.domain.papers import Count, LooseCount, Paper, ParsedBatch
from paperround.sources.entries import BadEntry, counts_of
from paperround.sources.polling import read

BASE = "https://api.github.com/repos"

_REPOSITORY = re.compile(
    r"https?://(?:www\.)?github\.com/([A-Za-z0-9-]{1,39})/([A-Za-z0-9._-]{1,100}?)(?:\.git)?(?:[/?#].*)?",
    re.ASCII,
)


class Github:
    """The enricher `github`."""

    name: str = "github"
    limiter: str = "github"
    kinds: tuple[str, ...] = ()
    size: int = 1
    budget: tuple[Rate, ...] = (Rate(50, timedelta(hours=1)),)

    def knows(self, paper: Paper) -> bool:
        """Papers whose code stands there."""
        return _repository(paper) is not None

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """One repository."""
        return FetchRequest(
            url=f"{BASE}/{_repository(papers[0])}",
            headers={"accept": "application/vnd.github+json"},
            limiter=self.limiter,
            interval_seconds=1.0,
        )

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """The stars of the repository, as a count of the paper."""
        kind, value = next(iter(papers[0].identifiers.items()))
        counts = read(page, _stars)
        return ParsedBatch(
            loose_counts=(LooseCount(kind=kind, value=value, counts=counts, position=1),)
        )


def _stars(body: bytes) -> tuple[Count, ...]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or "stargazers_count" not in answer:
        raise InvalidInput("the answer is no repository of GitHub")
    try:
        return counts_of(answer, None, {"stargazers_count": "github_stars"})
    except BadEntry as problem:
        raise InvalidInput(problem.detail) from None


def _repository(paper: Paper) -> str | None:
    """`owner/name` of the paper's code, None when it is not on GitHub."""
    found = _REPOSITORY.fullmatch(paper.links.get("code", ""))
    is_name = found is not None and found[2] not in {".", ".."}
    return f"{found[1]}/{found[2]}" if found is not None and is_name else None
