"""What a run of deliver came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paperround.domain.ledger import LedgerTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReport:
    """The ledger's totals after the run, and why it stopped early, if it did.

    `digests` and `others` count, by state, what became of the mails of this run; `troubles`, by
    reason, those of them that were not sent; `expired` those whose life had ended before it.
    """

    totals: LedgerTotals
    notices: LedgerTotals
    digests: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    troubles: Mapping[str, int] = field(default_factory=dict)
    expired: int = 0
    stopped: str | None = None
