"""Write the files of `paperround once`: the newest digest as HTML and Markdown, and a feed of the
papers of all digests.

They are made from the ledger at the end of every run, so an interrupted run leaves nothing out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from paperround.bootstrap import AppContext
from paperround.core.files import atomic_file
from paperround.core.i18n.locale import locale_for
from paperround.core.languages import marked
from paperround.db.transactions import Transaction
from paperround.delivery.store.ledger import Ledger
from paperround.digests.compose import digest_mail, edition_content, without_site
from paperround.digests.model import DigestView, Renderer, title_address
from paperround.digests.render.facts import own_reason_line, votes_line
from paperround.editions.citations import markdown, markdown_blocks
from paperround.editions.feed_documents import FeedDocument, FeedEntry, write_atom
from paperround.editions.labels import (
    LEFT_OUT,
    localized_authors,
    localized_days,
    localized_links,
    localized_new,
)
from paperround.editions.model import DigestKind
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.formatting import web_address
from paperround.self_service.feeds import DEFAULT_NAME, digests_of, sent_papers
from paperround.subscribers.model import SubscriberId

WITHDRAWN = marked("Withdrawn since we sent it:")

READABLE = 0o644
"""The mode of the files: a web server may serve them."""


def write_files(
    app: AppContext,
    renderer: Renderer,
    reader: SubscriberId,
    files: Mapping[str, Path],
    *,
    now: datetime,
) -> list[Path]:
    """Write the `files`, by format, and return those written: none before the first digest."""
    with app.database.reading() as work:
        view = _newest_view(work, app, reader, now)
        feed = _feed(work, app, reader, now)
    if view is None:
        return []
    written = []
    for name, path in files.items():
        match name:
            case "html":
                content = renderer.render(view).html.encode()
            case "markdown":
                content = digest_markdown(view)
            case _:
                content = write_atom(feed)
        with atomic_file(path) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(READABLE)
        written.append(path)
    return written


def _newest_view(
    work: Transaction, app: AppContext, reader: SubscriberId, now: datetime
) -> DigestView | None:
    """Return the reader's newest digest, sent or waiting; None before the first."""
    for row in digests_of(work, reader, now=now):
        edition = work[EditionStore].get(row.edition_id)
        kind = DigestKind(row.kind)
        delivery = work[Ledger].find(edition.list_id, reader, kind, row.local_date)
        if delivery is not None:
            mailing_list = work[ListStore].get(edition.list_name)
            content = edition_content(
                edition, mailing_list.title, app.sender_identity, look=mailing_list.look
            )
            return without_site(digest_mail(content, delivery, app.settings.keys).view)
    return None


def digest_markdown(view: DigestView) -> bytes:
    """Return a digest in Markdown."""
    locale = locale_for(view.language)
    days = localized_days(locale, view.days, view.period)
    blocks = [f"# {markdown(locale.word(view.list_title))}, {days}"]
    if view.new_papers is not None:
        blocks.append(markdown(localized_new(locale, view.new_papers)))
    for number, paper in enumerate(view.papers, start=1):
        address, title = title_address(paper), markdown(paper.title)
        links = [f"[{label}](<{url}>)" for label, url in localized_links(locale, paper)]
        reason = own_reason_line(locale, paper.reason)
        blocks += [
            f"## {number}\\. {f'[{title}](<{address}>)' if address else title}",
            markdown(localized_authors(locale, paper.authors)),
            f"*{markdown(reason)}*" if reason else "",
            markdown(paper.lead_gist or paper.gist),
            " · ".join(filter(None, [votes_line(locale, paper), *links])),
        ]
    for heading, others in ((LEFT_OUT, view.risen), (WITHDRAWN, view.withdrawn)):
        titles = [(markdown(one.title), one.url) for one in others]
        lines = [f"- [{title}](<{url}>)" if url else f"- {title}" for title, url in titles]
        blocks += [f"## {locale.word(heading)}", "\n".join(lines)] if lines else []
    return markdown_blocks([*blocks, *map(markdown, view.acknowledgements)])


def _feed(work: Transaction, app: AppContext, reader: SubscriberId, now: datetime) -> FeedDocument:
    papers, changed = sent_papers(work, app.sender_identity, reader, now=now)
    entries = tuple(map(_own_entry, papers))
    name = app.settings.keys.digest("once feed", str(reader))
    return FeedDocument(
        title="Your papers",
        subtitle="The papers from your digests.",
        address=_urn(name),
        page="",
        publisher=DEFAULT_NAME,
        updated=max((one.updated for one in entries), default=now),
        changed=changed,
        entries=entries,
    )


def _own_entry(entry: FeedEntry) -> FeedEntry:
    """Return an entry whose link and id are those of the paper's own page."""
    pages: Iterator[str] = map(web_address, entry.links.values())
    page = web_address(entry.links.get("abstract", "")) or next(filter(None, pages), "")
    return replace(entry, id=_urn(page or entry.id), page=page)


def _urn(name: str) -> str:
    return uuid5(NAMESPACE_URL, name).urn
