"""Build feeds: the papers of a list, the results of a search, one reader's digests.

Nothing here writes. A feed that does not exist raises an error; it is never an empty feed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlencode

from paperround.core.errors import NotFound
from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason
from paperround.core.languages import marked
from paperround.core.sender import SenderIdentity
from paperround.core.times import midnight_utc
from paperround.core.tokens import Purpose, read_token
from paperround.db.transactions import Database, Transaction
from paperround.delivery.status import DeliveryEntry, DeliveryQuery
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.digests.model import papers_at
from paperround.digests.pages import (
    MOST_ENTRIES,
    Followed,
    all_of,
    find_newest,
    followed_search,
)
from paperround.editions.archive import quiet_reason_text
from paperround.editions.feed_documents import FeedDocument, FeedEntry
from paperround.editions.lists import MailingList
from paperround.editions.model import (
    DeliveryState,
    DigestKind,
    EditionPaper,
    Order,
    Placed,
    page_path,
)
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.formatting import labels_of, shown_text
from paperround.papers.identifiers import addresses_of, page_name
from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore
from paperround.self_service.saved import SavedEntry, saved_of
from paperround.signup.context import SignupContext
from paperround.subscribers.model import Subscriber, SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore

LOOKED_BACK = timedelta(days=60)
"""A paper whose last edition is longer ago than this counts as new when it appears again."""
DAILY = timedelta(days=1)
"""The interval of editions. A feed says so if the list's newest one is older than yesterday
(UTC)."""
MOST_DIGESTS = 30
MOST_ROWS = 300
"""Deliveries of a reader that are read: skipped days have one, too."""
DEFAULT_NAME = "Paperround"
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""The last change of a feed that never had an entry."""

NO_FEED = marked(
    "this feed does not exist or has a new address: find the current one under your choices"
)


def _site_url(sender: SenderIdentity, path: str) -> str:
    return sender.public_url.rstrip("/") + path


# --- a list ------------------------------------------------------------------------------------


def list_feed(
    database: Database, sender: SenderIdentity, list_name: str, *, now: datetime
) -> FeedDocument:
    """Return the papers of a list, each once, most recent first. Raises NotFound."""
    with database.reading() as work:
        mailing_list = work[ListStore].get_public(list_name)
        newest = work[EditionStore].newest(mailing_list.id, by=now)
        held = work[EditionStore].recent(mailing_list.id, limit=1)
        places = _latest_places(work, mailing_list, held[0].day) if held else ()
        ids = [one.paper.paper_id for one in places]
        papers = work[PaperStore].load(ids)
        changed = _last_change(work, ids, *([newest.frozen_at] if newest else ()))
    quiet = quiet_reason_text(newest)
    if newest is not None and now.date() - newest.day > DAILY:
        quiet = f"No edition has been made since {locale_for().long_date(newest.day)}."
        changed = max(changed, midnight_utc(newest.day + 2 * DAILY))
    entries = tuple(
        _edition_entry(sender, papers, one.paper, one.frozen_at, one.paper.reason) for one in places
    )
    return FeedDocument(
        title=mailing_list.title,
        subtitle=f"Trending papers, ranked and explained. {quiet}".strip(),
        address=_site_url(sender, f"/feeds/{quote(mailing_list.name)}"),
        page=_site_url(sender, f"/editions?{urlencode({'list': mailing_list.name})}"),
        publisher=sender.operator or DEFAULT_NAME,
        updated=_last_update(entries, newest.frozen_at if newest else _NEVER),
        changed=changed,
        entries=entries,
    )


def _latest_places(work: Transaction, mailing_list: MailingList, last: date) -> Sequence[Placed]:
    """Return the most recent papers at their first placement, up to the day `last` of the newest
    non-empty edition. A paper may stay in editions for as long as it is a candidate."""
    since = last - max(LOOKED_BACK, 4 * timedelta(days=mailing_list.candidate_days))
    return work[EditionStore].places(
        mailing_list.id, Order.ARRIVED, days=(since, None), limit=MOST_ENTRIES
    )


def _last_update(entries: Iterable[FeedEntry], otherwise: datetime) -> datetime:
    return max((one.updated for one in entries), default=otherwise)


def _last_change(work: Transaction, papers: Collection[PaperId], *moments: datetime) -> datetime:
    """Return when one of these papers last changed, or the last of `moments` if that is later."""
    known = work[PaperStore].last_change(papers) if papers else None
    return max((*moments, known or _NEVER))


def _edition_entry(
    sender: SenderIdentity,
    papers: Mapping[PaperId, Paper],
    paper: EditionPaper,
    moment: datetime,
    reason: str,
) -> FeedEntry:
    """Return the entry of a frozen paper, with its current labels from `papers`."""
    return FeedEntry(
        id=_site_url(sender, f"/papers/{paper.frozen_id or paper.paper_id}"),
        page=_site_url(sender, page_path(paper.name)),
        title=paper.title,
        authors=paper.authors,
        reason=english_reason(reason),
        text=paper.gist,
        categories=labels_of(papers[paper.paper_id]),
        links=paper.links,
        published=moment,
        updated=moment,
        withdrawn=paper.withdrawn,
    )


# --- searches ----------------------------------------------------------------------------------


def search_feed(
    database: Database, sender: SenderIdentity, kind: Followed, text: str, *, now: datetime
) -> FeedDocument:
    """Return the newest papers that have every word of a search, or are on a topic or by an author.
    Raises InvalidInput for a text without a word."""
    name, search = followed_search(kind, text)
    query = all_of(search)
    with database.reading() as work:
        papers = find_newest(work, query, now)[:MOST_ENTRIES]
        changed = _last_change(work, [one.id for one in papers])
    entries = tuple(_paper_entry(sender, one) for one in papers)
    return FeedDocument(
        title=f"Papers {'by' if kind is Followed.AUTHORS else 'on'} {name}",
        subtitle="New papers that contain all of these words."
        if entries
        else "No paper contains all of these words yet.",
        address=_site_url(sender, f"/feeds/{kind}/{quote(name, safe='')}"),
        page=_site_url(sender, f"/search?{urlencode({'q': search.strip()})}"),
        publisher=sender.operator or DEFAULT_NAME,
        updated=_last_update(entries, _NEVER),
        changed=changed,
        entries=entries,
    )


def _paper_entry(sender: SenderIdentity, paper: Paper) -> FeedEntry:
    name = page_name(paper.identifiers, paper.id)
    return FeedEntry(
        id=_site_url(sender, f"/papers/{paper.id}"),
        page=_site_url(sender, page_path(name)),
        title=paper.title,
        authors=paper.authors,
        text=shown_text(paper)[0],
        categories=labels_of(paper),
        links={**addresses_of(paper.identifiers), **paper.links},
        published=paper.counts_from,
        updated=max(paper.counts_from, paper.updated_at or paper.counts_from),
        withdrawn=paper.withdrawn,
    )


# --- personal feeds ----------------------------------------------------------------------------


def personal_feed(
    context: SignupContext, sender: SenderIdentity, token: str, *, now: datetime
) -> FeedDocument:
    """Return the papers a reader was sent, from all lists. Raises NotFound if the feed's address is
    unknown or was replaced."""
    with context.database.reading() as work:
        person = feed_reader(work, context, token)
        entries, changed = sent_papers(work, sender, person.id, now=now)
    return FeedDocument(
        title="Your papers",
        subtitle="The papers from your digests. Keep this address private."
        if entries
        else "Your first digest has not been made yet. Keep this address private.",
        address=_site_url(sender, f"/feeds/me/{token}"),
        page=_site_url(sender, "/"),
        publisher=sender.operator or DEFAULT_NAME,
        updated=_last_update(entries, _NEVER),
        changed=changed,
        entries=entries,
        is_private=True,
    )


def saved_feed(
    context: SignupContext, sender: SenderIdentity, token: str, collection: str = ""
) -> FeedDocument:
    """Return the papers a reader saved, of one collection if it is named, without their notes:
    anybody who knows the address of the feed can read it. Raises NotFound as `personal_feed` does,
    and for a collection that is not there."""
    with context.database.reading() as work:
        person = feed_reader(work, context, token)
        saved = saved_of(work, person.id, collection)[:MOST_ENTRIES]
    if collection and not saved:
        raise NotFound(NO_FEED)
    entries = tuple(_saved_entry(sender, one) for one in saved)
    path = f"/feeds/me/{token}/saved" + (f"/{quote(collection, safe='')}" if collection else "")
    return FeedDocument(
        title=f"Saved papers: {collection}" if collection else "Saved papers",
        subtitle="The papers you saved. Keep this address private."
        if entries
        else "You have not saved any papers yet. Keep this address private.",
        address=_site_url(sender, path),
        page=_site_url(sender, "/"),
        publisher=sender.operator or DEFAULT_NAME,
        updated=_last_update(entries, _NEVER),
        changed=None,  # nothing tells when a paper was removed or put into a collection
        entries=entries,
        is_private=True,
    )


def _saved_entry(sender: SenderIdentity, one: SavedEntry) -> FeedEntry:
    """Return the entry of a saved paper. It is dated by the saving: feed readers that sort by the
    last change would put an old paper below those saved before it."""
    entry, saved_at = _paper_entry(sender, one.paper), one.saved.saved_at
    return replace(entry, published=saved_at, updated=max(entry.updated, saved_at))


def sent_papers(
    work: Transaction, sender: SenderIdentity, reader: SubscriberId, *, now: datetime
) -> tuple[tuple[FeedEntry, ...], datetime]:
    """Return the papers of a reader's latest digests, newest first, each once; and when any of them
    last changed."""
    digests = digests_of(work, reader, now=now)
    sent: dict[PaperId, tuple[EditionPaper, datetime, str]] = {}
    for row in digests:  # a paper keeps its latest entry
        edition, kind = work[EditionStore].get(row.edition_id), DigestKind(row.kind)
        delivery = work[Ledger].find(edition.list_id, reader, kind, row.local_date)
        reasons = delivery.reasons if delivery is not None else {}
        for paper in papers_at(edition, row.positions):
            reason = reasons.get(paper.position, paper.reason)
            sent.setdefault(paper.frozen_id or paper.paper_id, (paper, row.due_at, reason))
    shown = list(sent.values())[: 2 * MOST_ENTRIES]
    ids = [paper.paper_id for paper, _, _ in shown]
    papers = work[PaperStore].load(ids)
    changed = _last_change(work, ids, *(row.sent_at or row.due_at for row in digests))
    return tuple(_edition_entry(sender, papers, *one) for one in shown), changed


def digests_of(work: Transaction, reader: SubscriberId, *, now: datetime) -> list[DeliveryEntry]:
    """Return a reader's latest digests, newest first, neither skipped nor in the future."""
    rows = work[StatusStore].deliveries(
        DeliveryQuery(subscriber_id=reader), before=None, limit=MOST_ROWS
    )
    digests = [
        row
        for row in rows
        if row.state is not DeliveryState.SKIPPED and row.positions and row.due_at <= now
    ]
    return digests[:MOST_DIGESTS]


def feed_reader(work: Transaction, context: SignupContext, token: str) -> Subscriber:
    """Return the reader whose feed this is. Raises NotFound."""
    parts = read_token(token)
    if parts is not None and parts.purpose is Purpose.FEED:
        person = work[SubscriberStore].get(SubscriberId(parts.row))
        may_read = (SubscriberState.ACTIVE, SubscriberState.UNSUBSCRIBED)
        is_reader = person is not None and person.address and person.state in may_read
        if person is not None and is_reader and context.keys.verify(token, person.nonce):
            return person
    raise NotFound(NO_FEED)
