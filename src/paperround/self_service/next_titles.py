"""The papers that come after those of a digest, for the holder of its link."""

from dataclasses import dataclass
from datetime import date, datetime

from paperround.delivery.store.ledger import Ledger
from paperround.digests.build import BuildContext
from paperround.digests.next_papers import next_papers
from paperround.editions.model import EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.self_service.preview import DigestPreviewer
from paperround.signup.magic_links import digest_owner, reader_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTitles:
    """The papers after those of one digest, the best first."""

    list_title: str
    local_date: date
    papers: tuple[EditionPaper, ...]


def next_titles(previewer: DigestPreviewer, token: str, *, now: datetime) -> NextTitles | None:
    """Return the papers after those of the digest a link came with; None if the link is forged or
    the reader was erased.

    The order depends on what this reader was sent and likes, so the page is behind their link.
    """
    identity = previewer.identity
    with previewer.database.reading() as work:
        owner = digest_owner(work, identity.keys, token)
        reader = owner and reader_of(work, owner.subscriber_id, list_id=owner.list_id)
        delivery = owner and work[Ledger].get(owner.delivery)
        if not owner or not reader or not delivery:
            return None
        context = BuildContext(
            identity=identity, now=now, personal_ranking=previewer.personal_ranking
        )
        papers = next_papers(
            work,
            context,
            work[EditionStore].get(owner.edition_id),
            reader.mailing_list,
            reader.subscription,
            delivery,
        )
    return NextTitles(
        list_title=reader.mailing_list.title, local_date=owner.local_date, papers=papers
    )
