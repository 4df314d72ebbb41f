"""The enricher `figures`: the picture that Hugging Face has for a paper.

arXiv does not allow others to show its figures, so nothing is fetched from there. Fetched are only
pictures that users uploaded to Hugging Face, or that Hugging Face makes for links to a paper, and
only for papers whose source lets us show the whole abstract.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from paperround.core.rates import Rate
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import Paper, PaperFigure, ParsedBatch, Reject, Show
from paperround.plugins.figures.png import NotAPicture, reencoded

HOSTS = frozenset({"cdn-uploads.huggingface.co", "cdn-thumbnails.huggingface.co"})
"""The hosts of Hugging Face with pictures of papers."""
_KINDS = ("media", "thumbnail")
"""The links of a paper that may be a picture, the better one first."""


class Figures:
    """Fetches the picture of one paper. It is decoded and encoded again, or refused."""

    name: str = "figures"
    kinds: tuple[str, ...] = ("arxiv",)
    limiter: str = "huggingface-pictures"
    size: int = 1
    budget: tuple[Rate, ...] = (Rate(500, timedelta(days=1)),)

    def knows(self, paper: Paper) -> bool:
        """Whether the paper has a picture that may be shown."""
        return paper.show is Show.FULL and _address(paper) is not None

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for one picture."""
        url = _address(papers[0]) or ""
        return FetchRequest(url=url, limiter=self.limiter, interval_seconds=1.0)

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """The picture, or a reject with the reason why it cannot be used."""
        if urlsplit(page.url).hostname not in HOSTS:
            return _refused(page, "it redirects to another host")
        try:
            width, height, content = reencoded(page.body)
        except NotAPicture as problem:
            return _refused(page, str(problem))
        figure = PaperFigure(paper=papers[0].id, width=width, height=height, content=content)
        return ParsedBatch(figures=(figure,))


def _address(paper: Paper) -> str | None:
    """The address of the best picture, None without one."""
    for url in (paper.links.get(kind, "") for kind in _KINDS):
        parts = urlsplit(url)
        is_ours = parts.scheme == "https" and parts.netloc in HOSTS
        if is_ours and parts.path.lower().endswith(".png"):
            return url
    return None


def _refused(page: Page, detail: str) -> ParsedBatch:
    reject = Reject(reason="no-picture", detail=detail, position=1, excerpt=page.request.url)
    return ParsedBatch(rejects=(reject,))
