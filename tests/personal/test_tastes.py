"""What a reader said, made into a taste."""

from paperround.papers.model import PaperId
from paperround.personal.matches import ReaderPreferences
from paperround.personal.views import MOST_PAPERS, Taste, taste_of
from paperround.subscribers.interests import Interest, InterestKind

ONE, TWO = PaperId(1), PaperId(2)
NOTHING = ReaderPreferences()
POTTERY = ReaderPreferences(topics=("pottery",))
TITLE = (Interest(kind=InterestKind.SEED, value="A title"),)


def test_more_and_save_are_likes_and_less_is_none() -> None:
    assert taste_of([(ONE, "more"), (ONE, "save"), (TWO, "less")], POTTERY) == Taste(
        liked=(ONE,), saved=(ONE,), disliked=(TWO,), topics=("pottery",)
    )


def test_who_saved_a_paper_and_wants_less_of_it_does_not_like_it() -> None:
    assert taste_of([(ONE, "save"), (ONE, "less")], NOTHING) == Taste(disliked=(ONE,))


def test_of_very_many_papers_the_latest_count() -> None:
    said = [(PaperId(number), "more") for number in range(MOST_PAPERS + 5)]
    assert taste_of(said, NOTHING).liked[0] == PaperId(5)


def test_who_said_nothing_has_no_taste() -> None:
    assert not taste_of([], NOTHING)
    assert taste_of([], POTTERY)


def test_papers_a_reader_gave_are_liked_until_they_want_less_of_one() -> None:
    given = taste_of(
        [(TWO, "less")],
        ReaderPreferences(interests=TITLE, seeds=(ONE, TWO), unlike=(PaperId(3),)),
    )
    assert given == Taste(
        liked=(ONE,), disliked=(PaperId(3), TWO), given=(ONE,), titles=("A title",)
    )


def test_a_paper_that_was_given_and_liked_is_one_and_given_ones_go_first() -> None:
    said = [(PaperId(number), "more") for number in range(MOST_PAPERS)]
    taste = taste_of(said, ReaderPreferences(seeds=(ONE, PaperId(999))))
    assert taste.liked[:3] == (ONE, PaperId(999), PaperId(2))
    assert len(taste.liked) == MOST_PAPERS


def test_a_title_alone_is_a_taste() -> None:
    assert taste_of([], ReaderPreferences(interests=TITLE))
