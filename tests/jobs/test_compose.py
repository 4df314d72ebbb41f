"""From a frozen edition and a ledger row to the mail, as each source's terms allow."""

from dataclasses import replace
from datetime import date

import pytest

from paperround.domain.digests import DigestMail, Letterhead
from paperround.domain.editions import EditionId
from paperround.domain.ledger import Slip
from paperround.domain.papers import Show
from paperround.domain.tokens import read_token
from paperround.jobs.compose import ARXIV_THANKS, digest_mail, sheet_of
from paperround.jobs.publish import draft, unfrozen
from paperround.jobs.rank import ListRanking, rank_list
from paperround.store.unit_of_work import SqlDatabase
from tests.domain.test_digests import edition
from tests.fakes import LETTERHEAD, NewestFirst
from tests.jobs.conftest import IDENTITY, NOW, fill, record

SLIP = Slip(
    row=7,
    edition_id=EditionId(1),
    address="ada@example.org",
    positions=(1, 2),
    local_date=date(2026, 1, 30),
    message_id="<x@papers.example>",
    dated=NOW,
    key_id=IDENTITY.keys.current.id,
    nonce="nonce",
)


def mail(letterhead: Letterhead = LETTERHEAD, **first: object) -> DigestMail:
    papers = edition(3).papers
    changed = replace(papers[0], **first)  # type: ignore[arg-type]
    whole = replace(edition(3), papers=(changed, *papers[1:]))
    return digest_mail(sheet_of(whole, "Trending papers", letterhead), SLIP, IDENTITY.keys)


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


def test_an_arxiv_paper_has_its_addresses(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    (paper,) = unfrozen(draft(ranked(database), "manual", NOW), "trending").papers
    assert paper.links["abstract"] == "https://arxiv.org/abs/2601.00001"
    assert paper.links["pdf"] == "https://arxiv.org/pdf/2601.00001"


def test_every_personal_link_is_bound_to_its_row() -> None:
    view = mail().view
    token = view.links.unsubscribe.rpartition("/")[2]
    parts = read_token(token)
    assert parts is not None
    assert parts.row == SLIP.row
    assert IDENTITY.keys.verify(token, SLIP.nonce)
    assert view.links.one_click == view.links.unsubscribe


def test_a_contact_that_is_a_page_is_not_written_to() -> None:
    page = replace(LETTERHEAD, contact="https://papers.example.org/contact")
    assert mail().list_unsubscribe_mail is not None
    assert mail(page).list_unsubscribe_mail is None


def test_what_is_left_of_the_edition_is_counted() -> None:
    assert mail().view.more_papers == 1


def test_the_feedback_link_is_the_readers_own() -> None:
    links = mail().view.links
    assert links.feedback == links.unsubscribe.replace("/unsubscribe/", "/feedback/")


def test_a_digest_says_how_its_sources_were_doing() -> None:
    told = replace(edition(1), sources=("arXiv: fresh",))
    sheet = sheet_of(told, "Trending papers", LETTERHEAD)
    view = digest_mail(sheet, replace(SLIP, positions=(1,)), IDENTITY.keys).view
    assert view.sources == ("arXiv: fresh",)


def test_a_reader_s_own_reason_changes_their_mail_alone() -> None:
    sheet = sheet_of(edition(3), "Trending papers", LETTERHEAD)
    own = replace(SLIP, reasons={2: "You follow Ada Ring"})
    theirs, shared = (digest_mail(sheet, slip, IDENTITY.keys).view for slip in (own, SLIP))
    assert theirs.papers[1].reason == "You follow Ada Ring"
    assert theirs.papers[0] is sheet.papers[1]
    assert all(one is sheet.papers[n] for n, one in enumerate(shared.papers, start=1))
