"""What readers write of their work lifts papers close to it, and the reason names their words."""

import re
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from paperround.core.i18n.localize import english_reason
from paperround.db.transactions import SqlDatabase
from paperround.digests.model import DigestView
from paperround.editions.sections import Section
from paperround.papers.model import Paper, PaperId
from paperround.personal.matches import NO_MATCHES, Matches, ReaderPreferences
from paperround.personal.own_words import (
    LEAST_LIKENESS,
    PairIndex,
    likeness_of,
    shared_phrases,
    statement_bag,
)
from paperround.personal.reader_scores import TasteDay
from paperround.personal.views import PersonalView, Taste
from paperround.ranking.text_space import bag_of, space_and_texts
from paperround.ranking.topic_names import spaced
from paperround.subscribers.interests import InterestKind, interest
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english
from tests.digests.personal import mailed, narrow, publish_it
from tests.personal.personal_ranking import filler, person
from tests.ranking.ranked_papers import paper
from tests.sample_database import NOW, fill, record, subscribe

POTS = (
    "Ash glazes",
    "Wood-fired kilns colour pottery. A wood-fired kiln leaves ash, and ash is glaze.",
)
TIDES = "Tides of the ocean", "Ocean currents follow the tides and the salinity of the sea."
BEES = "Bees in orchards", "Wild bees visit an orchard. Pollination by bees depends on hedges."
EDITION = [POTS, TIDES, BEES]
BACKGROUND = [f"Notes on subject{n}. It has word{n} and word{n + 1}." for n in range(60)]
POTTER = "I am a potter and I work on pottery from a wood-fired kiln. My group studies ash glaze."


def papers() -> list[Paper]:
    return [
        paper(number, title=title, abstract=abstract)
        for number, (title, abstract) in enumerate(EDITION, start=1)
    ]


@pytest.fixture(scope="module")
def day() -> TasteDay:
    return TasteDay(papers(), [1.0, 1.0, 1.0], BACKGROUND)


def none_of(ids: Sequence[PaperId]) -> dict[PaperId, Paper]:
    """The papers that readers rated, of which there are none."""
    return {}


class Mine:
    """What one reader's statements make of the papers of a day, by their titles."""

    def __init__(
        self, day: TasteDay, matches: Matches = NO_MATCHES, *, focus: str = "", avoid: str = ""
    ) -> None:
        taste = Taste(focus=focus, avoid=avoid)
        view = PersonalView(taste=taste, size=3, matches=matches)
        (pick,) = day.chooser([taste], none_of).picks([view])
        self.order = [EDITION[place][0] for place in pick.places]
        self.worth = dict(zip(self.order, pick.worth, strict=True))
        self.reasons = dict(zip(self.order, map(english, pick.reasons), strict=True))


# --- lifting -----------------------------------------------------------------------------------


@pytest.mark.accept("F59", part="ranking", mutant="a-statement-is-not-read")
def test_a_paper_close_to_what_a_reader_writes_rises_and_the_others_do_not(day: TasteDay) -> None:
    mine = Mine(day, focus=POTTER)
    assert mine.order[0] == "Ash glazes"
    assert mine.worth["Ash glazes"] > 2
    assert mine.worth["Tides of the ocean"] <= 0
    assert mine.worth["Bees in orchards"] <= 0


@pytest.mark.accept("F59", part="reason", mutant="ones-own-words-are-not-named")
def test_the_reason_names_the_phrases_that_the_paper_shares(day: TasteDay) -> None:
    reasons = Mine(day, focus=POTTER).reasons
    assert reasons["Ash glazes"] == "Close to your work: “ash glazes” and “wood-fired kiln”"
    assert reasons["Tides of the ocean"] == ""


@pytest.mark.accept("Q9", part="own words")
def test_every_word_of_a_reason_stands_in_the_paper(day: TasteDay) -> None:
    reason = Mine(day, focus=POTTER).reasons["Ash glazes"]
    for phrase in re.findall("“(.+?)”", reason):
        assert spaced(phrase) in spaced(*POTS)


@pytest.mark.accept("F59", part="ranking", mutant="what-is-said-around-a-subject-counts")
def test_who_writes_and_how_they_say_it_weigh_nothing() -> None:
    said = (
        "I am a researcher and I mainly work on kilns. My research group is interested in glaze. "
        "As an engineer I would like to read everything about ash, as a bone engineer does."
    )
    assert sorted(statement_bag(said)) == ["ash", "bone", "glaze", "kilns"]


def test_words_that_are_often_prose_may_be_a_subject() -> None:
    subject = "group equivariant networks, radiance fields, working memory and creative writing"
    assert {"group", "fields", "working", "writing"} <= statement_bag(subject).keys()


def test_a_phrase_does_not_run_from_one_line_into_the_next() -> None:
    lines = [interest(InterestKind.FOCUS, "ash"), interest(InterestKind.FOCUS, "glaze")]
    focus = ReaderPreferences(interests=tuple(lines)).focus
    assert shared_phrases(focus, spaced("Ash glaze"), len) == []


@pytest.mark.accept("F59", part="floor", mutant="a-weak-likeness-lifts")
def test_a_statement_about_something_else_lifts_nothing_and_explains_nothing(day: TasteDay) -> None:
    compilers = " ".join(f"compiler{number}" for number in range(60))
    mine = Mine(day, focus=f"We write {compilers} by the sea")
    assert max(mine.worth.values()) <= 0
    assert set(mine.reasons.values()) == {""}


@pytest.mark.accept("F59", part="floor", mutant="unknown-words-do-not-count")
def test_one_known_word_among_many_unknown_ones_is_a_weak_likeness() -> None:
    texts = ["\n".join(one) for one in EDITION] + BACKGROUND
    space, field = space_and_texts(list(map(bag_of, texts)), len(EDITION))
    pairs = PairIndex(texts[: len(EDITION)])
    alone, lost = "salinity", "compilers, parsers, lexers, linkers, loaders, macros, and salinity"
    near, far = likeness_of([alone, lost], space, field, pairs)[:, 1]
    assert near > 2 * far > 0


@pytest.mark.accept("F59", part="ranking", mutant="pairs-of-words-do-not-count")
def test_words_side_by_side_count_more_than_the_same_words_apart() -> None:
    together, apart = "The ash glaze of a pot", "Glaze of a pot, and the ash"
    space, field = space_and_texts(list(map(bag_of, [together, apart, *BACKGROUND])), 2)
    row = likeness_of(["ash glazes"], space, field, PairIndex([together, apart]))[0]
    assert row[0] == pytest.approx(row[1] + 0.2, abs=0.01)


def test_a_phrase_is_found_in_the_singular_and_the_plural_and_quoted_as_the_paper_has_it() -> None:
    found = shared_phrases("protein language model", spaced("Protein language models"), len)
    assert found == ["protein language models"]


@pytest.mark.parametrize("text", ["", "!?", "I work.", "models", "的", "x" * 1000, "(" * 1000])
def test_a_statement_that_says_nothing_changes_nothing(day: TasteDay, text: str) -> None:
    mine = Mine(day, focus=text, avoid=text)
    assert max(mine.worth.values(), default=0) <= 0
    assert not any(mine.reasons.values())


def test_a_reader_gets_the_same_whoever_else_is_asked_for(day: TasteDay) -> None:
    tastes = [Taste(focus=POTTER), Taste(topics=("ocean",)), Taste(focus="bees", avoid="tides")]
    views = [PersonalView(taste=one, size=3) for one in tastes]
    together = day.chooser(tastes, none_of).picks(views)
    for one, found in zip(views, together, strict=True):
        (alone,) = day.chooser([one.taste], none_of).picks([one])
        assert (found.places, found.reasons) == (alone.places, alone.reasons)
        assert found.worth == pytest.approx(alone.worth, abs=1e-3)


# --- leaving out -------------------------------------------------------------------------------


@pytest.mark.accept("F59", part="leaving out", mutant="what-to-leave-out-is-not-read")
def test_what_a_reader_is_not_interested_in_sinks_by_what_it_would_have_risen(
    day: TasteDay,
) -> None:
    rises, sinks = Mine(day, focus=POTTER), Mine(day, avoid=POTTER)
    assert sinks.order[-1] == "Ash glazes"
    assert sinks.worth["Ash glazes"] == pytest.approx(-rises.worth["Ash glazes"], abs=1e-3)
    assert sinks.worth["Tides of the ocean"] == sinks.worth["Bees in orchards"] == 0
    assert set(sinks.reasons.values()) == {""}


@pytest.mark.accept("F59", part="leaving out", mutant="what-is-followed-by-name-sinks-too")
def test_what_a_reader_follows_by_name_does_not_sink(day: TasteDay) -> None:
    for matches in (Matches(followed=1), Matches(wanted=1)):
        followed = Mine(day, matches, avoid=POTTER)
        assert followed.order[0] == "Ash glazes"
        assert followed.worth["Ash glazes"] == 0


def test_a_statement_and_what_to_leave_out_of_it_are_weighed_against_each_other(
    day: TasteDay,
) -> None:
    both = Mine(
        day, focus="Pottery, ash glaze, bees, orchards and hedges", avoid="pottery and kilns"
    )
    assert both.order[0] == "Bees in orchards"


# --- in a digest -------------------------------------------------------------------------------


@pytest.fixture
def readers(database: SqlDatabase) -> SqlDatabase:
    """Ada and bob. Of today's twelve papers the last one is about kilns; an edition shows five."""
    subscribe(database, "ada", "bob", wish=Preferences(size=4))
    fill(database, filler(30, 901), NOW - timedelta(days=30))
    fill(database, [record(1, title=POTS[0], abstract=POTS[1])], NOW)
    fill(database, filler(11, 2), NOW + timedelta(hours=1))
    narrow(database, 5)
    return database


def write(database: SqlDatabase, kind: InterestKind, text: str) -> None:
    """Ada writes it on the page of her choices."""
    with database.writing() as work:
        mine = [interest(kind, text)]
        work[SubscriberStore].set_interests(person(database, "ada"), mine, now=NOW)


def digest_of(database: SqlDatabase, who: str = "ada") -> DigestView:
    return mailed(database, publish_it(database), who)


@pytest.mark.postgres
@pytest.mark.accept("F59", part="digest", mutant="a-statement-stays-on-the-page")
def test_a_digest_brings_the_paper_from_behind_the_edition_and_says_why(
    readers: SqlDatabase,
) -> None:
    write(readers, InterestKind.FOCUS, POTTER)
    first = digest_of(readers).papers[0]
    assert first.title == POTS[0]
    assert first.section is Section.FOR_YOU
    assert english_reason(first.reason).startswith("Close to your work: “ash glazes”")
    assert first.score == pytest.approx(sum(first.parts.values()))
    assert POTS[0] not in [one.title for one in digest_of(readers, "bob").papers]


@pytest.mark.postgres
@pytest.mark.accept("F59", part="digest")
def test_a_digest_puts_what_to_leave_out_last(readers: SqlDatabase) -> None:
    write(readers, InterestKind.AVOID, "Notes on tides, all about tides")
    titles = [one.title for one in digest_of(readers).papers]
    assert "Notes on tides" not in titles[:-1]
    assert len(titles) == 4


def test_likeness_below_the_floor_is_that_of_chance() -> None:
    texts = ["\n".join(one) for one in EDITION] + BACKGROUND
    space, field = space_and_texts(list(map(bag_of, texts)), len(EDITION))
    row = likeness_of([POTTER], space, field, PairIndex(texts[: len(EDITION)]))[0]
    assert np.flatnonzero(row >= LEAST_LIKENESS).tolist() == [0]
