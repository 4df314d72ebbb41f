"""The order of a digest is decided when its papers are chosen: whatever shows it later agrees."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.system_mail import sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import digest_mail, edition_content, new_subscriber_digest
from paperround.digests.model import DigestMail, DigestPaper
from paperround.digests.publish import publish
from paperround.digests.render.composer import MailRenderer
from paperround.editions.model import DigestKind, Edition
from paperround.editions.sections import Section
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Count, Record, Show
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.trending import TrendingRanker
from paperround.self_service.feedback import papers_of_digest
from paperround.subscribers.model import Preferences
from tests.digests.messages import sender_identity
from tests.digests.reading import modern_parts
from tests.fakes import SENDER_IDENTITY
from tests.personal.personal_ranking import person
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe
from tests.self_service.readers import digest_link, digests, signup_context

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def listed(number: int, votes: int | None, hours: int, **changes: object) -> Record:
    """A paper that was listed so many hours ago."""
    at = NOW - hours * HOUR
    counts = () if votes is None else (Count(signal="upvotes", value=votes, captured_at=NOW),)
    return record(number, listed_at=at, listed_on=at.date(), counts=counts, **changes)


@pytest.fixture
def mixed(database: SqlDatabase) -> SqlDatabase:
    """Ada follows a topic, which one paper of few votes is on; bob follows nothing."""
    subscribe(database, "bob")
    subscribe(database, "ada", wish=Preferences(topics=("kites",)))
    fill(
        database,
        [
            listed(1, None, 3),
            listed(2, 9, 5),
            listed(3, 60, 60),
            listed(4, 44, 5, organization="Kite Lab"),
            listed(5, None, 60),
            listed(6, 2, 40, title="Kites over graphs", abstract="We fly kites. They fly well."),
            listed(7, 0, 6),
        ],
    )
    return database


def publish_it(database: SqlDatabase) -> Edition:
    return publish(
        database=database,
        ranker=TrendingRanker(),
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW,
        personal_ranking=PersonalRanking(),
    ).edition


def mail_of(database: SqlDatabase, edition: Edition, name: str) -> DigestMail:
    with database.reading() as work:
        stored = work[EditionStore].get(edition.id)
        who = person(database, name)
        slip = work[Ledger].find(edition.list_id, who, DigestKind.DIGEST, edition.day)
    assert slip is not None
    return digest_mail(edition_content(stored, "Trending", SENDER_IDENTITY), slip, IDENTITY.keys)


def outline(mail: DigestMail) -> dict[Section | None, list[str]]:
    """The numbers of the papers in each section, in order."""
    found: dict[Section | None, list[str]] = {}
    for one in mail.view.papers:
        found.setdefault(one.section, []).append(one.title.removeprefix("Paper "))
    return found


@pytest.mark.accept("F18", part="sections")
def test_everybody_gets_what_trends_before_what_is_new(mixed: SqlDatabase) -> None:
    edition = publish_it(mixed)
    assert outline(mail_of(mixed, edition, "bob")) == {
        Section.TRENDING: ["4", "2"],
        Section.RISING: ["3", "Kites over graphs"],
        Section.NEW: ["1", "7"],
        Section.OLDER: ["5"],
    }


@pytest.mark.accept("F18", part="for you")
def test_what_a_reader_follows_comes_first_and_leads_the_subject(mixed: SqlDatabase) -> None:
    mail = mail_of(mixed, publish_it(mixed), "ada")
    assert [*outline(mail)] == [one for one in Section if one is not Section.CHOSEN]
    assert outline(mail)[Section.FOR_YOU] == ["Kites over graphs"]
    subject = MailRenderer(sender_identity()).render(mail.view).subject
    assert subject == "Kites over graphs · 7 papers, 30 Jan"


@pytest.mark.accept("F18", part="numbers", mutant="a-mail-is-numbered-otherwise")
def test_the_number_of_a_feedback_link_is_that_of_its_paper(mixed: SqlDatabase) -> None:
    publish_it(mixed)
    rows = digests(mixed, now=NOW)
    assert len(rows) == 2
    for row in rows:
        form = papers_of_digest(signup_context(mixed), digest_link(row))
        assert form is not None
        name = row.address.partition("@")[0]
        with mixed.reading() as work:
            edition = work[EditionStore].get(row.edition_id)
        mail = mail_of(mixed, edition, name)
        html = modern_parts(MailRenderer(sender_identity()).compose(mail))[1]
        places = re.findall(r"<h2[^>]*>(\d+)\. .*?>([^<]+)</a>.*?/more/p(\d+)", html, re.DOTALL)
        expected = [(str(n), one.title, str(n)) for n, one in enumerate(form.papers, start=1)]
        assert places == expected


@pytest.mark.accept("F18", part="sections")
def test_a_new_reader_is_shown_the_order_that_they_will_get(mixed: SqlDatabase) -> None:
    edition = publish_it(mixed)
    with mixed.reading() as work:
        trending = work[ListStore].get("trending")
    notice = sample_notice(IDENTITY, SystemMailKind.TEST, now=NOW)
    fresh = new_subscriber_digest(edition, trending, notice, SENDER_IDENTITY, IDENTITY.keys)
    assert outline(fresh) == outline(mail_of(mixed, edition, "bob"))


@pytest.mark.accept("F18", part="facts")
@pytest.mark.postgres
def test_what_a_mail_tells_of_a_paper_is_frozen_with_its_edition(mixed: SqlDatabase) -> None:
    edition = publish_it(mixed)
    frozen = {one.title: one for one in edition.papers}
    assert frozen["Paper 4"].organization == "Kite Lab"
    assert frozen["Paper 4"].listed == (NOW - 5 * HOUR).isoformat()
    assert frozen["Kites over graphs"].lead_gist == "We fly kites. They fly well."
    with mixed.reading() as work:
        assert work[EditionStore].get(edition.id).papers == edition.papers


@pytest.mark.postgres
@pytest.mark.accept("F18", part="sections")
def test_a_mail_that_the_release_before_planned_keeps_its_order(mixed: SqlDatabase) -> None:
    """It froze no listing, and numbered the papers in the order of the ranking."""
    edition = publish_it(mixed)
    ranked = [one.position for one in edition.papers]
    with mixed.writing() as work:
        work.connection.execute(update(db.edition_papers).values(details=None))
        work.connection.execute(update(db.deliveries).values(positions=ranked, parts=None))
    mail = mail_of(mixed, edition, "bob")
    assert [one.title for one in mail.view.papers] == [one.title for one in edition.papers]
    assert all(one.age is None and not one.lead_gist for one in mail.view.papers)
    html = MailRenderer(sender_identity()).render(mail.view).html
    assert "aria-level" not in html
    assert html.count("<h2") == 7


def test_two_sentences_are_shown_only_where_the_source_lets_us(mixed: SqlDatabase) -> None:
    edition = publish_it(mixed)
    limited = [_as_shown(edition, show).lead_gist for show in (Show.FULL, Show.GIST, Show.LINK)]
    assert limited == ["One. Two.", "", ""]


def _as_shown(edition: Edition, show: Show) -> DigestPaper:
    changed = replace(edition.papers[0], gist="One.", lead_gist="One. Two.", show=show)
    whole = replace(edition, papers=(changed, *edition.papers[1:]))
    return edition_content(whole, "T", SENDER_IDENTITY).papers[1]
