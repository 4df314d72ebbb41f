"""What readers said of some papers is worth something to others, and the reason is true."""

import re
from collections.abc import Sequence

import pytest

from paperround.papers.model import Paper, PaperId
from paperround.personal.rated_texts import RatedTexts
from paperround.personal.reader_scores import LEAST_GAIN, TasteDay
from paperround.personal.views import PersonalView, Taste
from tests.builders import english
from tests.ranking.ranked_papers import occurs, paper

POTS = "Kiln firing of glazed pottery", "We fire pottery in a kiln and glaze it with ash."
SHARDS = "Dating pottery", "Shards of pottery from a kiln are dated by their glaze."
TIDES = "Tides of the ocean", "Ocean currents follow the tides and the salinity of the sea."
SHOT = "Zero-shot transfer", "A zero-shot model that transfers between tasks."
EDITION = [POTS, SHARDS, TIDES, SHOT]


def papers(texts: Sequence[tuple[str, str]], first: int) -> list[Paper]:
    return [
        paper(number, title=title, abstract=abstract)
        for number, (title, abstract) in enumerate(texts, start=first)
    ]


LIKED = {one.id: one for one in papers([SHARDS, TIDES], 101)}
CLAY, SEA = LIKED
BACKGROUND = [f"Notes on subject{n}. It has word{n} and word{n + 1}." for n in range(60)]


@pytest.fixture(scope="module")
def day() -> TasteDay:
    return TasteDay(papers(EDITION, 1), [4.0, 3.0, 2.0, 1.0], BACKGROUND)


def known(ids: Sequence[PaperId]) -> dict[PaperId, Paper]:
    return {id_: LIKED[id_] for id_ in ids if id_ in LIKED}


class Mine:
    """What one reader's taste makes of the papers of a day, by number from 1."""

    def __init__(self, day: TasteDay, taste: Taste) -> None:
        chooser = day.chooser([taste], known)
        (self.pick,) = chooser.picks([PersonalView(taste=taste, size=len(day.ids))])
        self._worth = dict(zip(self.pick.places, self.pick.worth, strict=True))

    def worth(self, number: int) -> float:
        return self._worth[number - 1]

    def reason(self, number: int) -> str:
        return english(self.pick.reasons[list(self.pick.places).index(number - 1)])


def order(day: TasteDay, taste: Taste, size: int = 4) -> list[int]:
    (pick,) = day.chooser([taste], known).picks([PersonalView(taste=taste, size=size)])
    return [place + 1 for place in pick.places]


def reason_of(day: TasteDay, taste: Taste, number: int) -> str:
    return Mine(day, taste).reason(number)


@pytest.mark.accept("F13", part="feedback")
def test_papers_like_a_liked_one_are_worth_more_and_others_are_not(day: TasteDay) -> None:
    mine = Mine(day, Taste(liked=(CLAY,)))
    assert mine.worth(2) > mine.worth(1) > 2
    assert mine.worth(3) < 0.5


@pytest.mark.accept("F13", part="feedback")
def test_less_of_a_paper_takes_from_those_like_it(day: TasteDay) -> None:
    liked = Mine(day, Taste(liked=(SEA,)))
    both = Mine(day, Taste(liked=(SEA,), disliked=(CLAY,)))
    assert both.worth(1) < liked.worth(1)
    assert both.worth(3) > 2


@pytest.mark.accept("F13", part="cold start")
def test_a_topic_alone_is_enough_to_start(day: TasteDay) -> None:
    assert order(day, Taste(topics=("pottery kilns",)))[0] in (1, 2)
    assert order(day, Taste(topics=("ocean salinity",)))[0] == 3


@pytest.mark.accept("F13", part="cold start")
def test_many_readers_asked_together_get_what_each_gets_alone(day: TasteDay) -> None:
    tastes = [Taste(liked=(CLAY,)), Taste(topics=("ocean",)), Taste(liked=(SEA,), disliked=(CLAY,))]
    chooser = day.chooser(tastes, known)
    together = chooser.picks([PersonalView(taste=taste, size=4) for taste in tastes])
    for taste, one in zip(tastes, together, strict=True):
        alone = Mine(day, taste).pick
        assert one.worth == pytest.approx(alone.worth, abs=1e-3)
        assert (one.places, one.reasons) == (alone.places, alone.reasons)


@pytest.mark.accept("F15", part="personal")
def test_the_second_of_two_papers_on_one_thing_waits(day: TasteDay) -> None:
    assert 3 in order(day, Taste(liked=(CLAY, SEA)), size=2)


@pytest.mark.accept("Q9", part="personal")
def test_the_reason_names_a_topic_of_both_papers_and_the_one_that_was_liked(day: TasteDay) -> None:
    reason = reason_of(day, Taste(liked=(CLAY,)), 1)
    found = re.fullmatch("Similar to “Dating pottery”, which you liked: also about (\\w+)", reason)
    assert found is not None
    assert occurs(found[1], *POTS)
    assert occurs(found[1], *SHARDS)


def test_a_paper_that_was_saved_is_told_from_one_that_was_liked(day: TasteDay) -> None:
    reason = reason_of(day, Taste(liked=(CLAY,), saved=(CLAY,)), 1)
    assert reason.startswith("Similar to “Dating pottery”, which you saved: also about ")


@pytest.mark.accept("F62", mutant="near-another-paper-than-it-says")
def test_a_paper_near_a_saved_one_names_that_one(day: TasteDay) -> None:
    both = Taste(liked=(SEA, CLAY), saved=(SEA, CLAY))
    assert reason_of(day, both, 1).startswith("Similar to “Dating pottery”, which you saved: ")
    assert reason_of(day, both, 3).startswith("Similar to “Tides of the ocean”, which you saved: ")


@pytest.mark.accept("F62", mutant="near-ones-own-is-near-what-was-added")
def test_a_paper_near_ones_own_says_so(day: TasteDay) -> None:
    known_here = Taste(liked=(CLAY,), given=(CLAY,), own=(CLAY,))
    by_title = Taste(titles=("Dating pottery",), own=("Dating pottery",))
    assert reason_of(day, known_here, 1).startswith(
        "Similar to your paper “Dating pottery”: also about "
    )
    assert "which you added" in reason_of(day, Taste(liked=(CLAY,), given=(CLAY,)), 1)
    assert reason_of(day, by_title, 2) == "Similar to “Dating pottery”, which you added"


@pytest.mark.accept("Q17", part="topics", mutant="a-weak-likeness-is-a-reason")
def test_a_paper_hardly_worth_more_to_its_reader_gets_no_reason(day: TasteDay) -> None:
    rated = RatedTexts(day._space, day._field)
    rated.add({CLAY: (*SHARDS,)})
    weak, strong = day.reasons(rated, [0, 0], [0, 0], [LEAST_GAIN - 0.1, LEAST_GAIN], {})
    assert (weak, bool(strong)) == ("", True)


def test_a_paper_that_shares_no_topic_gets_no_reason(day: TasteDay) -> None:
    rated = RatedTexts(day._space, day._field)
    rated.add({CLAY: ("Of nothing", "Nothing is said.")})
    assert day.reasons(rated, [0], [0], [3.0], {}) == [""]


def test_no_reason_is_given_for_what_is_not_there_for_the_readers_sake(day: TasteDay) -> None:
    assert reason_of(day, Taste(liked=(CLAY,)), 3) == ""
    assert reason_of(day, Taste(disliked=(CLAY,)), 3) == ""


def test_a_topic_is_named_as_such(day: TasteDay) -> None:
    reason = reason_of(day, Taste(topics=("ocean tides",)), 3)
    assert reason == "Related to “ocean tides”, which you follow"


def test_a_paper_that_lacks_a_word_of_a_topic_is_not_said_to_be_near_it(day: TasteDay) -> None:
    assert reason_of(day, Taste(topics=("ocean acoustics",)), 3) == ""


@pytest.mark.parametrize("topic", ["ocean tides", "Ocean Tides", "OCEAN tides"])
def test_a_topic_is_quoted_as_its_reader_wrote_it(day: TasteDay, topic: str) -> None:
    reason = reason_of(day, Taste(topics=(topic,)), 3)
    assert reason == f"Related to “{topic}”, which you follow"


def test_papers_nobody_knows_any_more_say_nothing(day: TasteDay) -> None:
    gone = Mine(day, Taste(liked=(PaperId(999),)))
    assert [gone.worth(n) for n in range(1, 5)] == [0, 0, 0, 0]


@pytest.mark.accept("F13", part="seeds")
def test_a_paper_somebody_gave_is_named_in_the_reason(day: TasteDay) -> None:
    given = Mine(day, Taste(liked=(CLAY,), given=(CLAY,)))
    assert given.worth(1) == Mine(day, Taste(liked=(CLAY,))).worth(1)
    assert given.reason(1).startswith("Similar to “Dating pottery”, which you added: also about ")


@pytest.mark.accept("F13", part="seeds")
def test_a_title_speaks_like_a_paper_that_has_nothing_else(day: TasteDay) -> None:
    title = "Kilns, glaze and pottery " * 4
    mine = Mine(day, Taste(titles=(title,), topics=("tides",)))
    assert mine.worth(1) > mine.worth(3)
    assert mine.reason(1).startswith(
        "Similar to “Kilns, glaze and pottery Kilns, glaze and…”, which you added: "
    )


@pytest.mark.accept("F13", part="seeds")
def test_a_reason_quotes_names_as_they_stand_in_the_paper() -> None:
    texts = [("Glazing with T2I", "T2I is made for kilns."), POTS, TIDES, SHOT]
    day = TasteDay(papers(texts, 1), [4.0, 3.0, 2.0, 1.0], BACKGROUND)
    assert reason_of(day, Taste(titles=("On t2i",)), 1).endswith(": also about T2I")


@pytest.mark.accept("F13", part="seeds")
def test_what_one_reader_gave_is_only_liked_by_another(day: TasteDay) -> None:
    tastes = [Taste(liked=(CLAY,), given=(CLAY,)), Taste(liked=(CLAY,)), Taste(titles=("Kiln",))]
    picks = day.chooser(tastes, known).picks([PersonalView(taste=one, size=4) for one in tastes])
    gave, liked, title = (english(one.reasons[list(one.places).index(0)]) for one in picks)
    assert "which you added" in gave
    assert "which you liked" in liked
    assert title == "Similar to “Kiln”, which you added"
