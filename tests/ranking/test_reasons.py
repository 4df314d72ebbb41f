from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from paperround.editions.model import Candidate
from paperround.ranking.trending import LONGEST
from tests.builders import english
from tests.ranking.ranked_papers import NOW, by_number, candidate, listed, occurs, only, rank, seen


def reason(one: Candidate) -> str:
    return english(only(rank([one])).reason)


@pytest.mark.accept("F12", part="reason")
def test_votes_won_since_yesterday_are_told() -> None:
    risen = candidate(1, seen(42, hours_ago=24), seen(82), **listed(2))
    assert reason(risen) == "82 votes, 40 since yesterday"


def test_votes_won_today_are_told_in_hours() -> None:
    risen = candidate(1, seen(5, hours_ago=5), seen(9), **listed(2))
    assert reason(risen) == "9 votes, 4 of them within 5 hours"


def test_where_all_votes_are_new_their_hours_are_told() -> None:
    first = candidate(1, seen(0, hours_ago=8), seen(42), **listed(2))
    assert reason(first) == "42 votes in 8 hours"


def test_votes_won_over_days_are_told_in_days() -> None:
    risen = candidate(1, seen(5, hours_ago=72), seen(9), **listed(4))
    assert reason(risen) == "9 votes, 4 of them within 3 days"


def test_first_votes_are_told_with_the_hour_when_it_is_known() -> None:
    fresh = candidate(1, seen(14), counts_from=NOW - timedelta(hours=5, minutes=30))
    assert reason(fresh) == "14 votes in 6 hours"


def test_first_votes_of_an_earlier_day_name_the_day() -> None:
    listed_at = NOW - timedelta(hours=14)
    early = candidate(1, seen(60, 5), counts_from=listed_at, listed_on=listed_at.date())
    assert reason(early) == "60 votes in its first 9 hours, listed 29 Jan"
    first = candidate(1, seen(6, 13), counts_from=listed_at, listed_on=listed_at.date())
    assert reason(first) == "6 votes in its first hour, listed 29 Jan"


def test_a_listing_without_an_hour_is_told_by_its_day() -> None:
    assert reason(candidate(1, seen(1))) == "1 vote, new today"
    assert reason(candidate(1, seen(3), **listed(1))) == "3 votes, listed yesterday"


def test_votes_counted_long_ago_say_when() -> None:
    stale = candidate(1, seen(1200, hours_ago=48), **listed(3))
    assert reason(stale) == "1,200 votes (as of 28 Jan)"


def test_taken_back_votes_are_not_boasted_of() -> None:
    fallen = candidate(1, seen(9, hours_ago=24), seen(7), **listed(3))
    assert reason(fallen) == "7 votes, listed 3 days ago"


@pytest.mark.accept("Q17", part="ranking", mutant="a-paper-without-votes-tells-some")
@pytest.mark.parametrize("votes", [(), (seen(0),)])
def test_where_nothing_speaks_for_a_paper_no_reason_is_given(votes: tuple[Any, ...]) -> None:
    assert reason(candidate(1, *votes)) == ""


TOPIC = "Optical Flow"
BACKGROUND = ["whales sing in the deep"] * 119 + ["optical flow of krill"]


def on_topic(number: int, term: str = TOPIC) -> Candidate:
    text = f"{term} and {term}. Case {'abcdefghij'[number]}{number}."
    return candidate(number, title=f"{term}: part {number}", abstract=text)


def others(count: int) -> list[Candidate]:
    return [candidate(50 + n, abstract=f"River {n}x.") for n in range(count)]


@pytest.mark.accept("Q9", part="terms")
@pytest.mark.accept("Q17", part="ranking", mutant="a-topic-is-told-with-numbers")
def test_a_rising_topic_is_named_without_numbers() -> None:
    ranking = rank([on_topic(n) for n in range(1, 5)] + others(16), background=BACKGROUND)
    item = by_number(ranking)[1]
    assert english(item.reason) == "Rising topic: “optical flow”"
    assert occurs("optical flow", item.paper.title, item.paper.abstract)


def test_without_earlier_papers_no_topic_is_known_to_rise() -> None:
    ranking = rank([on_topic(n) for n in range(1, 5)] + others(16))
    assert {item.reason for item in ranking.items} == {""}


def test_a_term_too_long_for_the_line_is_not_quoted() -> None:
    term = "counterfactualizations electroencephalographically misreconstructibilities-again"
    ranking = rank([on_topic(n, term) for n in range(1, 5)] + others(16), background=BACKGROUND)
    assert all(term not in english(item.reason) for item in ranking.items)
    assert all(len(english(item.reason)) <= LONGEST for item in ranking.items)


@pytest.mark.parametrize("title", ["Paper 1", "Optical-flow of rivers", "Non-optical flow"])
def test_a_term_that_the_title_does_not_name_is_no_reason(title: str) -> None:
    first = on_topic(1)
    other = replace(first, paper=replace(first.paper, title=title))
    papers = [other, *(on_topic(n) for n in range(2, 6)), *others(16)]
    items = by_number(rank(papers, background=BACKGROUND))
    assert "optical flow" in english(items[2].reason)
    assert items[1].reason == ""
