"""Find the papers that would follow in a longer digest, by its reader's current choices."""

from dataclasses import replace

from paperround.db.transactions import Transaction
from paperround.delivery.ledger_model import DeliveryContent
from paperround.digests.build import BuildContext, DigestReader, load_builder
from paperround.digests.model import NEXT_TITLES, covered_days, papers_at, period_covered
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, EditionPaper, TrendingPeriod
from paperround.subscribers.model import Subscription


def next_papers(
    work: Transaction,
    context: BuildContext,
    edition: Edition,
    mailing_list: MailingList,
    subscription: Subscription,
    delivery: DeliveryContent,
) -> tuple[EditionPaper, ...]:
    """Return the papers after those of `delivery`, best first, without those its reader was sent.

    They are computed on request. The tail of an edition is kept for three days; later, only papers
    that the edition shows are left.
    """
    period, day = period_covered(delivery), delivery.local_date
    days = covered_days(period, day) if period is TrendingPeriod.MONTH else None
    longer = replace(subscription.preferences, size=NEXT_TITLES)
    reader = DigestReader(
        subscription=replace(subscription, preferences=longer), day=day, due_at=context.now
    )
    builder = load_builder(work, context, edition, mailing_list, [reader], (period, days))
    mailed = [one.paper_id for one in papers_at(edition, delivery.positions)]
    return builder.next_papers(reader, mailed)
