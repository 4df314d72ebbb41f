"""From a frozen edition and a ledger row to the mail, as each source's terms allow."""

from dataclasses import replace

import pytest

from paperround.core.reasons import freeze
from paperround.core.sender import SenderIdentity
from paperround.db.transactions import SqlDatabase
from paperround.digests.compose import ARXIV_THANKS, digest_mail, edition_content, without_site
from paperround.digests.model import DigestMail, LeftOutPaper, WithdrawnPaper
from paperround.digests.publish import draft
from paperround.digests.render.composer import MailRenderer
from paperround.papers.model import Show
from paperround.ranking.rank import ListRanking, rank_list
from tests.digests.builders import edition
from tests.digests.composing import SAMPLE_DELIVERY
from tests.digests.messages import sender_identity, view
from tests.fakes import SENDER_IDENTITY, NewestFirst
from tests.sample_database import IDENTITY, NOW, fill, record


def mail(sender_identity: SenderIdentity = SENDER_IDENTITY, **first: object) -> DigestMail:
    papers = edition(3).papers
    changed = replace(papers[0], **first)  # type: ignore[arg-type]
    whole = replace(edition(3), papers=(changed, *papers[1:]))
    return digest_mail(
        edition_content(whole, "Trending papers", sender_identity), SAMPLE_DELIVERY, IDENTITY.keys
    )


def ranked(database: SqlDatabase) -> ListRanking:
    return rank_list(
        database=database, ranker=NewestFirst(), list_name="trending", day=None, now=NOW
    )


@pytest.mark.accept("F51", part="mail")
def test_a_source_that_allows_a_link_only_gets_no_sentence(database: SqlDatabase) -> None:
    fill(database, [record(1, show=Show.LINK), record(2, show=Show.GIST)])
    linked, gisted = sorted(draft(ranked(database), "manual", NOW).papers, key=lambda p: p.title)
    assert (linked.gist, linked.show) == ("", Show.LINK)
    assert gisted.gist == "We present paper 2."


@pytest.mark.accept("F51", part="mail")
def test_a_sentence_frozen_before_the_terms_changed_is_not_shown() -> None:
    assert mail(gist="A sentence.", show=Show.LINK).view.papers[0].gist == ""
    assert mail(gist="A sentence.", show=Show.FULL).view.papers[0].gist == "A sentence."


@pytest.mark.accept("F51", part="mail")
def test_arxiv_is_thanked_where_its_papers_stand() -> None:
    assert mail().view.acknowledgements == ()
    assert mail(identifiers={"arxiv": "2601.00001"}).view.acknowledgements == (ARXIV_THANKS,)


def test_a_contact_that_is_a_page_is_not_written_to() -> None:
    page = replace(SENDER_IDENTITY, contact="https://papers.example.org/contact")
    assert mail().list_unsubscribe_mail is not None
    assert mail(page).list_unsubscribe_mail is None


def test_a_reader_s_own_reason_changes_their_mail_alone() -> None:
    sheet = edition_content(edition(3), "Trending papers", SENDER_IDENTITY)
    followed = freeze("author.followed", name="Ada Ring")
    own = replace(SAMPLE_DELIVERY, reasons={2: followed})
    theirs, shared = (
        digest_mail(sheet, slip, IDENTITY.keys).view for slip in (own, SAMPLE_DELIVERY)
    )
    assert theirs.papers[1].reason == followed
    assert theirs.papers[0] is sheet.papers[1]
    assert all(one is sheet.papers[n] for n, one in enumerate(shared.papers, start=1))


@pytest.mark.accept("F08", part="told to readers", mutant="every-reader-hears-of-a-feed")
@pytest.mark.parametrize(
    ("quiet", "size", "says"),
    [
        ("feed-stale", 4, "A source is late today, so there may be fewer papers than usual."),
        ("feed-failed", 4, "A source could not be read today, so there may be fewer papers than"),
        ("feed-failed", 3, ""),
        ("holiday", 4, ""),
        (None, 4, ""),
    ],
)
def test_readers_hear_of_a_feed_only_where_it_left_them_few_papers(
    quiet: str | None, size: int, says: str
) -> None:
    whole = replace(edition(3), quiet_reason=quiet, sources=("arxiv-ml: stale, nothing yet",))
    sheet = edition_content(whole, "Trending papers", SENDER_IDENTITY, size=size)
    slip = replace(SAMPLE_DELIVERY, positions=(1, 2, 3))
    thin = digest_mail(sheet, slip, IDENTITY.keys).view.thin
    assert thin.startswith(says)
    assert bool(thin) == bool(says)


def test_a_view_without_a_site_leads_to_the_authors_pages_alone() -> None:
    site = "https://papers.example.org/papers/"
    rose = [LeftOutPaper(title=f"Kites {n}", url=site + n, votes=9) for n in ("2601.00007", "12")]
    withdrawn = WithdrawnPaper(title="A kite", url=f"{site}hep-th/9901001")
    shown = without_site(view(2, risen=tuple(rose), withdrawn=(withdrawn,)))
    assert [one.url for one in shown.risen] == ["https://arxiv.org/abs/2601.00007"]
    assert [one.url for one in shown.withdrawn] == ["https://arxiv.org/abs/hep-th/9901001"]
    rendered = MailRenderer(sender_identity()).render(shown)
    assert "papers.example.org" not in rendered.text + rendered.html
