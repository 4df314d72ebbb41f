"""Cache what is read once for all readers of an edition, for the pages of one run."""

from datetime import datetime

from paperround.db.transactions import Transaction
from paperround.digests.new_papers import NewPaperCounter, NewSpan, load_counter
from paperround.digests.risen import RisenPapers, load_risen
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import Edition, Order, TrendingPeriod
from paperround.editions.periods import Days
from paperround.editions.store.editions import EditionStore


class EditionCache:
    """Which papers were new, which rose and which weeks had papers, for each edition of a run."""

    def __init__(self) -> None:
        self._counters: dict[tuple[ListId, datetime, NewSpan], NewPaperCounter | None] = {}
        self._risen: dict[tuple[ListId, datetime, TrendingPeriod], RisenPapers | None] = {}
        self._filled: dict[tuple[ListId, Days], bool] = {}

    def has_papers(self, work: Transaction, list_id: ListId, days: Days) -> bool:
        """Return whether a list has an edition with papers on these days."""
        key = list_id, days
        if key not in self._filled:
            found = work[EditionStore].places(list_id, Order.LATEST, days=days, limit=1)
            self._filled[key] = bool(found)
        return self._filled[key]

    def counter(
        self, work: Transaction, edition: Edition, mailing_list: MailingList, span: NewSpan
    ) -> NewPaperCounter | None:
        """Return the counter of the papers that were new in a span."""
        key = mailing_list.id, edition.as_of, span
        if key not in self._counters:
            self._counters[key] = load_counter(work, edition, mailing_list, span)
        return self._counters[key]

    def risen(
        self, work: Transaction, edition: Edition, mailing_list: MailingList, period: TrendingPeriod
    ) -> RisenPapers | None:
        """Return the papers that rose since digests of this period could have held them."""
        key = mailing_list.id, edition.as_of, period
        if key not in self._risen:
            self._risen[key] = load_risen(work, edition, mailing_list, period)
        return self._risen[key]
