"""Papers that cite what a reader wrote, saved or added rise, say so, and name the right work."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from paperround.core.i18n.localize import english_reason
from paperround.core.reasons import freeze
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.store.erasure import Erasure
from paperround.digests.model import DigestPaper, DigestView
from paperround.editions.sections import Section
from paperround.ops.cleanup import clean_up
from paperround.papers.enrichment import WATCHED
from paperround.papers.model import PaperId
from paperround.papers.references import CitedName, title_name
from paperround.personal.citing import LIFTS, CitingGroup, CitingPapers, cited_works
from paperround.personal.matches import MOST_LIFT
from paperround.personal.selection import ScoredPapers, pick_papers, with_empty_paper
from paperround.personal.views import PaperIndex, PersonalView, in_order
from paperround.subscribers.interests import InterestKind, interest
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import everything_kept
from tests.digests.builders import edition
from tests.digests.personal import mailed, narrow, publish_it, slip_of
from tests.personal.personal_ranking import filler, like, person
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

HOUR = timedelta(hours=1)
OWN: CitedName = ("arxiv", "2401.00077")
OTHER: CitedName = ("arxiv", "2401.00078")
CITING = "A quiet study of nothing in common"


@pytest.fixture
def author(database: SqlDatabase) -> SqlDatabase:
    """Ada reads, and bob. Of today's twelve papers the last one cites a work that is not known
    here, and another paper, saved by nobody; an edition shows five."""
    subscribe(database, "ada", "bob", wish=Preferences(size=4))
    earlier = [record(900, title="Dating pottery"), *filler(20, 901)]
    fill(database, earlier, NOW - timedelta(days=30))
    cited = (OWN, ("arxiv", "2601.00900"), ("doi", "10.1000/elsewhere"))
    fill(database, [record(1, title=CITING, abstract="Short.", references=cited)], NOW)
    fill(database, filler(11, 2), NOW + HOUR)
    narrow(database, 5)
    return database


def name_papers(database: SqlDatabase, who: str, *seeds: str) -> None:
    """Somebody names papers on the page of their choices."""
    wanted = [interest(InterestKind.SEED, one) for one in seeds]
    with database.writing() as work:
        work[SubscriberStore].set_interests(person(database, who), wanted, now=NOW)


def digest_of(database: SqlDatabase, who: str = "ada") -> DigestView:
    """What somebody is mailed of today's edition."""
    return mailed(database, publish_it(database), who)


def citing_paper(database: SqlDatabase) -> DigestPaper:
    """The citing paper as ada is mailed it."""
    return next(one for one in digest_of(database).papers if one.title == CITING)


@pytest.mark.postgres
@pytest.mark.accept("F62", mutant="a-citing-paper-stays-where-it-was")
def test_a_paper_that_cites_the_readers_own_rises_and_names_it(author: SqlDatabase) -> None:
    name_papers(author, "ada", "+2401.00077")
    view = digest_of(author)
    assert view.papers[0].title == CITING
    assert english_reason(view.papers[0].reason) == "Cites your paper “arXiv:2401.00077”"
    assert view.papers[0].section is Section.FOR_YOU
    assert CITING not in [one.title for one in digest_of(author, "bob").papers]


@pytest.mark.accept("F62", mutant="every-citation-is-of-ones-own")
def test_a_paper_that_cites_something_else_says_nothing(author: SqlDatabase) -> None:
    name_papers(author, "ada", "+2401.00078", "2401.00079")
    view = digest_of(author)
    assert not any("cites" in one.parts or "cites" in one.reason for one in view.papers)


@pytest.mark.accept("F62", mutant="a-saved-paper-is-called-ones-own")
def test_what_cites_a_saved_paper_names_that_paper(author: SqlDatabase) -> None:
    like(author, "ada", "Dating pottery", "save")
    paper = citing_paper(author)
    assert english_reason(paper.reason) == "Cites “Dating pottery”, which you saved"


def test_what_cites_an_added_paper_names_that_paper(author: SqlDatabase) -> None:
    name_papers(author, "ada", "2601.00900")
    paper = citing_paper(author)
    assert english_reason(paper.reason) == "Cites “Dating pottery”, which you added"


def test_a_paper_one_wrote_comes_before_one_that_was_saved(author: SqlDatabase) -> None:
    like(author, "ada", "Dating pottery", "save")
    name_papers(author, "ada", "+2401.00077")
    paper = citing_paper(author)
    assert english_reason(paper.reason) == "Cites your paper “arXiv:2401.00077”"
    assert paper.parts["cites"] == LIFTS["yours"]


def test_a_liked_paper_is_not_looked_for_among_references(author: SqlDatabase) -> None:
    like(author, "ada", "Dating pottery", "more")
    assert not any("cites" in one.parts for one in digest_of(author).papers)


def test_a_paper_with_less_like_it_is_no_reason(author: SqlDatabase) -> None:
    name_papers(author, "ada", "-2601.00900")
    assert not any("cites" in one.parts for one in digest_of(author).papers)


@pytest.mark.accept("F62", mutant="a-title-of-ones-own-is-not-found")
def test_a_work_that_is_known_by_its_title_alone_is_found_by_it(database: SqlDatabase) -> None:
    subscribe(database, "ada", wish=Preferences(size=4))
    title = title_name("ON DATING POTTERY by lamplight")
    assert title is not None
    fill(database, [record(1, title=CITING, references=(title,)), *filler(11, 2)], NOW)
    name_papers(database, "ada", "+On dating pottery, by lamplight")
    paper = citing_paper(database)
    assert english_reason(paper.reason) == "Cites your paper “On dating pottery, by lamplight”"


def test_a_title_that_many_works_have_names_none() -> None:
    assert title_name("Deep learning") is None


# --- parts -------------------------------------------------------------------------------------


@pytest.mark.accept("Q9", part="personal")
@pytest.mark.accept("F62", mutant="the-lift-of-a-citation-is-no-part")
def test_the_lift_is_a_part_of_the_score(author: SqlDatabase) -> None:
    name_papers(author, "ada", "+2401.00077")
    for paper in digest_of(author).papers:
        assert paper.score == round(sum(paper.parts.values()), 4)
        assert ("cites" in paper.parts and paper.parts["cites"] > 0) == (paper.title == CITING)


@pytest.mark.accept("F62", mutant="citations-add-up-without-end")
def test_the_lift_is_bounded_however_much_a_paper_cites() -> None:
    groups = (CitingGroup(0b11, "yours", "A"), CitingGroup(0b10, "saved", "B"))
    assert CitingPapers(groups).lift_of(1) == LIFTS["yours"] <= MOST_LIFT
    assert CitingPapers(groups[1:]).lift_of(1) == LIFTS["saved"]
    assert CitingPapers(groups[1:]).lift_of(0) == 0


@pytest.mark.accept("F62", mutant="what-cites-comes-before-all")
def test_a_paper_far_below_the_others_stays_below_them() -> None:
    index = PaperIndex(edition(5).papers)
    scores = [paper.score for paper in index.papers]
    citing = CitingPapers((CitingGroup(1 << 4, "saved", "A"),))
    pick = in_order(PersonalView(size=5, citing=citing), index)
    lifted = sorted(range(5), key=lambda at: -(scores[at] + citing.lift_of(at)))
    assert [*pick.places] == lifted
    assert freeze("cites.saved", title="A") == citing.reason(4)


@pytest.mark.accept("F62", mutant="a-citing-paper-stays-where-ones-taste-puts-it")
def test_a_citation_counts_beside_a_taste() -> None:
    scores, worth = np.array([3.0, 2.0, 1.0]), np.array([[0.0, 0.5, 0.0]], dtype=np.float32)
    day = ScoredPapers(scores=scores, costs=with_empty_paper(np.zeros((3, 3))), shown=3)
    view = PersonalView(size=3, citing=CitingPapers((CitingGroup(0b100, "saved", "A"),)))
    assert pick_papers(day, worth, [view]).places.tolist() == [[0, 2, 1]]


@pytest.mark.accept("F62", mutant="a-citing-paper-behind-the-edition-is-not-looked-at")
def test_a_paper_behind_the_edition_is_looked_at() -> None:
    scores = np.arange(40, 0, -1) / 100
    day = ScoredPapers(scores=scores, costs=with_empty_paper(np.zeros((40, 40))), shown=2)
    view = PersonalView(size=1, citing=CitingPapers((CitingGroup(1 << 39, "saved", "A"),)))
    found = pick_papers(day, np.zeros((1, 40), dtype=np.float32), [view])
    assert found.places.tolist() == [[39]]


def test_places_are_found_by_the_name_and_by_the_paper_it_is() -> None:
    two, three, known = PaperId(2), PaperId(3), PaperId(9)
    cited = cited_works(
        [(two, OWN, None), (three, OTHER, known), (two, OTHER, known)], [two, three]
    )
    assert cited == {OWN: 0b01, OTHER: 0b11, known: 0b11}


# --- what is kept ------------------------------------------------------------------------------


@pytest.mark.accept("F62", mutant="references-are-kept-for-ever")
def test_references_go_when_their_paper_is_no_news(author: SqlDatabase) -> None:
    clean_up(database=author, identity=IDENTITY, now=NOW + WATCHED - HOUR)
    assert references(author) == 3
    clean_up(database=author, identity=IDENTITY, now=NOW + WATCHED + HOUR)
    assert references(author) == 0


def test_references_of_old_papers_are_never_kept(author: SqlDatabase) -> None:
    fill(author, [record(950)], NOW - WATCHED - HOUR)
    fill(author, [record(950, references=(OTHER,))], NOW)
    assert references(author) == 3


def test_an_export_tells_what_one_wrote_and_why_a_paper_came_and_an_erasure_leaves_nothing(
    author: SqlDatabase,
) -> None:
    name_papers(author, "ada", "+2401.00077")
    edition_of_today = publish_it(author)
    slip: DeliveryContent = slip_of(author, edition_of_today, "ada")
    ada = person(author, "ada")
    assert any("cites.yours" in one for one in slip.reasons.values())
    with author.reading() as work:
        told = everything_kept(work, ada)
    assert "+arxiv:2401.00077" in str(told["interests"])
    assert "Cites your paper" in str(told["deliveries"])
    with author.writing() as work:
        work[Erasure].erase(ada, now=NOW + 2 * HOUR)
    with author.reading() as work:
        for table in (db.interests, db.deliveries):
            rows = work.connection.execute(select(table)).all()
            assert "2401.00077" not in str(rows)


def references(database: SqlDatabase) -> int:
    with database.reading() as work:
        counted = select(func.count()).select_from(db.paper_references)
        return work.connection.execute(counted).scalar_one()
