"""Which papers rose since an earlier edition, and what is said of them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from paperround.core.reasons import freeze
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import Edition, EditionId, EditionState, Ranked
from paperround.editions.rank_changes import dated, find_risers
from paperround.papers.model import PaperId
from tests.builders import NOW, edition_paper, english, paper

LIST = MailingList(id=ListId(1), name="trending", title="Trending papers", size=2)
TODAY = date(2026, 1, 30)  # a Friday

Votes = dict[int, int | None]
"""Papers in order of their places, with their votes."""


def edition(papers: Votes, days: int = 1) -> Edition:
    """The edition of so many days ago."""
    return Edition(
        id=EditionId(1),
        list_id=LIST.id,
        list_name=LIST.name,
        day=TODAY - timedelta(days=days),
        cut="0",
        as_of=NOW,
        frozen_at=NOW,
        cut_at=NOW,
        ranker="test",
        state=EditionState.PLANNED,
        papers=tuple(
            replace(edition_paper(place, PaperId(number)), votes=votes)
            for place, (number, votes) in enumerate(papers.items(), start=1)
        ),
    )


def ranked(papers: Votes) -> list[Ranked]:
    return [
        Ranked(paper=paper(id=PaperId(number)), score=0.0, parts={}, reason="", votes=votes)
        for number, votes in papers.items()
    ]


def told(today: Votes, before: Edition, *, known: tuple[int, ...] = ()) -> dict[int, str]:
    ids = [PaperId(number) for number in known]
    found = find_risers(ranked(today), before, LIST, day=TODAY, known=ids)
    return {int(number): english(words) for number, words in found.items()}


BEFORE: Votes = {1: 50, 2: 40, 3: 30, 4: 20}


@pytest.mark.accept("F14", part="risers")
def test_a_paper_that_came_into_the_top_says_so_with_its_new_votes() -> None:
    found = told({1: 60, 4: 1055, 2: 40, 3: 30}, edition(BEFORE))
    assert found == {4: "Rose since yesterday: 1,055 votes, 1,035 new"}


@pytest.mark.accept("F14", part="risers")
@pytest.mark.parametrize(
    ("days", "said"),
    [(1, "yesterday"), (2, "Wednesday"), (3, "Tuesday"), (6, "Saturday"), (7, None)],
)
def test_the_day_it_rose_since_is_named(days: int, said: str | None) -> None:
    found = told({1: 60, 4: 55, 2: 40}, edition(BEFORE, days))
    assert found == ({} if said is None else {4: f"Rose since {said}: 55 votes, 35 new"})


@pytest.mark.accept("F14", part="risers")
def test_a_paper_that_stood_in_the_top_did_not_rise() -> None:
    assert told({2: 90, 1: 50, 3: 30, 4: 20}, edition(BEFORE)) == {}


@pytest.mark.accept("F14", part="risers")
def test_a_paper_that_is_still_below_the_top_did_not_rise() -> None:
    assert told({1: 50, 2: 40, 4: 39, 3: 30}, edition(BEFORE)) == {}


@pytest.mark.accept("F14", part="risers")
def test_a_paper_did_not_rise_where_others_only_left() -> None:
    assert told({3: 31, 4: 20}, edition(BEFORE)) == {}
    assert told({3: 31, 2: 40}, edition(BEFORE)) == {3: "Rose since yesterday: 31 votes, 1 new"}


@pytest.mark.accept("F14", part="risers")
@pytest.mark.parametrize("votes", [30, 29, None])
def test_a_paper_did_not_rise_without_a_new_vote(votes: int | None) -> None:
    assert told({3: votes, 1: 50, 2: 40}, edition(BEFORE)) == {}


@pytest.mark.accept("F14", part="risers")
def test_a_paper_that_nobody_knew_then_is_new_and_did_not_rise() -> None:
    assert told({9: 99, 1: 50, 2: 40}, edition(BEFORE)) == {}


@pytest.mark.accept("F14", part="risers")
def test_a_paper_from_below_the_edition_rose_by_nobody_knows_how_many_votes() -> None:
    found = told({9: 99, 1: 50, 2: 40}, edition(BEFORE), known=(9,))
    assert found == {9: "Rose since yesterday: 99 votes"}


@pytest.mark.accept("F14", part="risers")
def test_votes_that_were_unknown_then_are_not_called_new() -> None:
    found = told({4: 1, 1: 50, 2: 40}, edition(BEFORE | {4: None}))
    assert found == {4: "Rose since yesterday: 1 vote"}


@pytest.mark.accept("F14", part="risers")
def test_a_paper_stood_where_its_near_duplicate_stood() -> None:
    (best, *others) = ranked({9: 99, 2: 40, 3: 30})
    of_the_top = [replace(best, folded=(PaperId(1),)), *others]
    of_below = [replace(best, folded=(PaperId(4),)), *others]
    known = [PaperId(9)]
    assert find_risers(of_the_top, edition(BEFORE), LIST, day=TODAY, known=known) == {}
    found = find_risers(of_below, edition(BEFORE), LIST, day=TODAY, known=known)
    assert english(found[PaperId(9)]) == "Rose since yesterday: 99 votes, 79 new"


@pytest.mark.accept("F14", part="risers")
def test_two_places_of_one_work_are_the_better_one() -> None:
    twice = edition(BEFORE)
    joined = replace(twice.papers[3], paper_id=PaperId(1), frozen_id=PaperId(4))
    before = replace(twice, papers=(*twice.papers[:3], joined))
    assert told({1: 99, 2: 40, 3: 30}, before) == {}


@pytest.mark.accept("F14", part="risers")
def test_the_longest_words_fit_into_a_reason() -> None:
    found = told({1: 60, 4: 99_999_999, 2: 40}, edition(BEFORE, 2))
    assert len(found[4]) <= 90


def test_whoever_has_no_mail_every_day_is_told_the_weekday() -> None:
    thursday = TODAY - timedelta(days=1)
    rose = dated(freeze("risen.yesterday", votes=5), thursday)
    assert english(rose) == "Rose since Thursday: 5 votes"
    voted = freeze("votes.since_yesterday", votes=5, gained=2)
    assert dated(voted, thursday) == voted
