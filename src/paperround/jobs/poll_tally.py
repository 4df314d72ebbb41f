"""What one poll saw, page by page: for its judgement, and for the history of the feed's runs."""

from paperround.domain.feed_health import Findings, batch_of, name_of
from paperround.domain.feeds import FeedHealth, Page, RunNotes, Shape
from paperround.domain.papers import ParsedBatch, Record


class Tally:
    """What a poll asked for and got. `continues` says that it goes on where another stopped; then
    nobody asks what the batch was, and no names are kept. No record ever is."""

    def __init__(self, *, continues: bool) -> None:
        self._continues = continues
        self._has_unchanged_pages = False
        self._requests = 0
        self._bytes = 0
        self._rejects = 0
        self.names: set[str] = set()
        """Of the papers of the whole batch, as far as it is known."""
        self._papers = self._abstracts = self._authors = 0
        self.asked: set[str] = set()
        """Addresses that answered."""

    def ask(self) -> None:
        """Count a request."""
        self._requests += 1

    def take(self, page: Page, batch: ParsedBatch) -> None:
        """Count an answer and what it held."""
        self.asked.add(page.request.url)
        self._bytes += len(page.body)
        self._has_unchanged_pages |= page.not_modified
        self._rejects += len(batch.rejects)
        for record in batch.records:
            self._count(record)

    def _count(self, record: Record) -> None:
        """A paper that stands on two pages is one paper."""
        if not self._continues:
            name = name_of(record)
            if name in self.names:
                return
            self.names.add(name)
        self._papers += 1
        self._abstracts += bool(record.abstract.strip())
        self._authors += bool(record.authors)

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing was read because nothing had changed."""
        return self._has_unchanged_pages and not self._papers

    def findings(self, *, unseen: int, ended: bool) -> Findings:
        """What the poll found; `ended` says that no page is left to read. The batch is known when
        the poll saw all of it."""
        if self._continues or self._has_unchanged_pages or not ended:
            return Findings(unseen=unseen, batch=None, ended=ended)
        return Findings(unseen=unseen, batch=batch_of(self.names), shape=self._shape)

    @property
    def _shape(self) -> Shape:
        return Shape(
            records=self._papers,
            rejects=self._rejects,
            abstracts=self._abstracts,
            authors=self._authors,
        )

    def notes(self, health: FeedHealth | None) -> RunNotes:
        """For the history: what was asked, how much came back, and how the feed is, None when the
        poll does not tell."""
        counts = {"requests": self._requests, "bytes": self._bytes, "batch": self._papers}
        return RunNotes(counts=counts, health=health)
