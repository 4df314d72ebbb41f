"""Papers, feeds and their runs, on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.errors import Conflict, NotFound
from paperround.db.transactions import Database
from paperround.editions.store.candidates import CandidateStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, PaperId, Reject
from paperround.papers.store.papers import PaperStore
from tests.builders import (
    HOUR,
    NOW,
    listing,
    observation,
    paper,
    seed_list,
    seed_papers,
    window,
    write,
)
from tests.races import at_once


def test_a_saved_paper_is_loaded_as_it_was(database: Database) -> None:
    full = paper(
        1,
        abstract="Ünïcode, \\LaTeX{} and a tab\t.",
        keywords=("counting", "things"),
        links={"pdf": "https://papers.example/1.pdf", "abstract": "https://papers.example/1"},
        published_at=NOW - 3 * HOUR,
        updated_at=NOW - timedelta(microseconds=7),
        version=2,
        withdrawn=True,
        withdrawn_by=(FeedId(3), FeedId(7)),
        comment="12 pages",
        licence="CC-BY-4.0",
        organization="North Lab",
        submitter="u-17",
    )
    with database.writing() as work:
        real = work[PaperStore].save([write(full)], now=NOW)[full.id]
    with database.reading() as work:
        assert work[PaperStore].load([real]) == {real: replace(full, id=real)}


def test_mappings_keep_the_order_they_were_written_in(database: Database) -> None:
    links = {"pdf": "https://p.example/1", "abstract": "https://p.example/2"}
    with database.writing() as work:
        real = work[PaperStore].save([write(paper(1, links=links))], now=NOW)[PaperId(-1)]
        assert list(work[PaperStore].load([real])[real].links) == ["pdf", "abstract"]


def test_a_paper_is_found_by_each_of_its_identifiers(database: Database) -> None:
    (one,) = seed_papers(database, 1)
    with database.reading() as work:
        wanted = {("arxiv", "2603.00001"), ("doi", "2603.00001"), ("arxiv", "2603.00009")}
        assert work[PaperStore].find(wanted) == {("arxiv", "2603.00001"): one}


def test_three_thousand_identifiers_are_found_at_once(database: Database) -> None:
    ids = seed_papers(database, 300)
    wanted = {("arxiv", f"2603.{number:05}") for number in range(1, 3001)}
    with database.reading() as work:
        assert sorted(work[PaperStore].find(wanted).values()) == sorted(ids)


@pytest.mark.accept("F39", part="last change")
def test_papers_know_when_one_of_them_last_changed_or_was_listed(database: Database) -> None:
    one, other = seed_papers(database, 2)
    with database.writing() as work:
        papers = work[PaperStore]
        assert papers.last_change([]) is None
        assert papers.last_change([one, other]) == NOW
        known = papers.load([one])[one]
        papers.save([write(replace(known, keywords=("graphs",)))], now=NOW + HOUR)
        assert papers.last_change([one, other]) == NOW + HOUR
        feed = work[FeedStore].get_or_create("another", "feed", now=NOW)
        papers.list_papers(feed.id, [listing(one)], now=NOW + 2 * HOUR)
        papers.list_papers(feed.id, [listing(one)], now=NOW + 3 * HOUR)
        assert papers.last_change([one, other]) == NOW + 2 * HOUR
        assert papers.last_change([other]) == NOW


def test_looking_for_nothing_finds_nothing(database: Database) -> None:
    with database.writing() as work:
        assert work[PaperStore].find([]) == {}
        assert work[PaperStore].load([]) == {}
        assert work[PaperStore].save([], now=NOW) == {}


def test_an_update_keeps_the_first_seen_paper_and_finds_its_new_identifier(
    database: Database,
) -> None:
    (one,) = seed_papers(database, 1)
    with database.writing() as work:
        old = work[PaperStore].load([one])[one]
        new = replace(old, identifiers={**old.identifiers, "doi": "10.1/x"}, version=2)
        assert work[PaperStore].save([write(new)], now=NOW + HOUR) == {}
    with database.reading() as work:
        assert work[PaperStore].load([one]) == {one: new}
        assert work[PaperStore].find([("doi", "10.1/x")]) == {("doi", "10.1/x"): one}
        assert work[PaperStore].count() == 1


def test_two_papers_may_share_a_title_key_and_the_first_one_keeps_it(database: Database) -> None:
    first, second = paper(1), paper(2)
    key = first.identifiers["title_key"]
    second = replace(second, identifiers={**second.identifiers, "title_key": key})
    with database.writing() as work:
        real = work[PaperStore].save([write(first), write(second)], now=NOW)
        assert work[PaperStore].find([("title_key", key)]) == {("title_key", key): real[first.id]}


@pytest.mark.accept("D2")
def test_a_new_paper_with_a_taken_identifier_is_a_conflict(database: Database) -> None:
    seed_papers(database, 1)
    with pytest.raises(Conflict), database.writing() as work:
        work[PaperStore].save([write(paper(1))], now=NOW)
    with database.reading() as work:
        assert work[PaperStore].count() == 1


@pytest.mark.accept("D2")
def test_a_paper_cannot_be_given_an_identifier_of_another_one(database: Database) -> None:
    one, two = seed_papers(database, 2)
    with database.reading() as work:
        old = work[PaperStore].load([one, two])
    taken = {**old[one].identifiers, "arxiv": old[two].identifiers["arxiv"]}
    with pytest.raises(Conflict), database.writing() as work:
        work[PaperStore].save([write(replace(old[one], identifiers=taken))], now=NOW)
    with database.reading() as work:
        assert work[PaperStore].load([one, two]) == old


@pytest.mark.accept("D2")
def test_a_paper_changed_by_many_at_once_keeps_every_change(database: Database) -> None:
    one, two = seed_papers(database, 2)

    def add(number: int) -> str:
        ids = [one, two] if number % 2 else [two, one]
        with database.writing() as work:
            found = work[PaperStore].load(ids, for_update=True).values()
            more = [replace(old, categories=(*old.categories, f"c{number}")) for old in found]
            work[PaperStore].save([write(new) for new in more], now=NOW)
        return "won"

    assert at_once(8, add) == ["won"] * 8
    with database.reading() as work:
        for paper in work[PaperStore].load([one, two]).values():
            assert sorted(paper.categories) == sorted(["cs.LG", *(f"c{n}" for n in range(8))])


def test_a_withdrawn_paper_is_no_candidate_until_it_comes_back(database: Database) -> None:
    (one,) = seed_papers(database, 1)
    default = seed_list(database)
    seen = []
    for withdrawn in (True, False):
        with database.writing() as work:
            gone = replace(work[PaperStore].load([one])[one], withdrawn=withdrawn)
            work[PaperStore].save([write(gone)], now=NOW)
            seen.append(len(work[CandidateStore].candidates(default, window())))
    assert seen == [0, 1]


def test_a_feed_knows_the_fingerprint_it_last_listed_a_paper_with(database: Database) -> None:
    one, two = seed_papers(database, 2)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        other = work[FeedStore].get_or_create("arxiv", "arxiv", now=NOW)
        work[PaperStore].list_papers(feed.id, [listing(one, "f2")], now=NOW + HOUR)
        assert work[PaperStore].fingerprints(feed.id, [one, two]) == {one: "f2", two: "f1"}
        assert work[PaperStore].fingerprints(other.id, [one, two]) == {}


def test_an_observation_known_already_changes_nothing(database: Database) -> None:
    (one,) = seed_papers(database, 1)
    default = seed_list(database)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        seen = [(one, observation(3)), (one, observation(9, signal="comments"))]
        assert work[PaperStore].observe(feed.id, seen) == 2
        assert work[PaperStore].observe(feed.id, [(one, observation(4)), *seen]) == 0
        (candidate,) = work[CandidateStore].candidates(default, window())
    assert [one.value for one in candidate.observations] == [9, 3]


def test_an_edition_does_not_know_what_was_observed_later(database: Database) -> None:
    (one,) = seed_papers(database, 1)
    default = seed_list(database)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        late = observation(5, at=NOW + timedelta(microseconds=1))
        work[PaperStore].observe(feed.id, [(one, observation(3, at=NOW)), (one, late)])
        (candidate,) = work[CandidateStore].candidates(default, window(as_of=NOW))
    assert candidate.observations == (replace(observation(3, at=NOW), scale="hf"),)


def test_candidates_count_from_after_the_start_up_to_the_cut(database: Database) -> None:
    default = seed_list(database)
    span = window(days=1)
    moments = [span.start, span.start + HOUR, span.as_of, span.as_of + HOUR]
    papers = [paper(n, counts_from=at) for n, at in enumerate(moments, start=1)]
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
        found = [one.paper.id for one in work[CandidateStore].candidates(default, span)]
    assert found == [real[PaperId(-2)], real[PaperId(-3)]]


def test_a_list_sees_only_its_feeds_and_categories(database: Database) -> None:
    one, two = seed_papers(database, 2)
    default = seed_list(database)
    with database.writing() as work:
        other = work[FeedStore].get_or_create("arxiv", "arxiv", now=NOW)
        work[PaperStore].list_papers(other.id, [listing(two)], now=NOW)
        of_feed = work[CandidateStore].candidates(replace(default, feeds=(other.id,)), window())
        of_field = work[CandidateStore].candidates(
            replace(default, categories=("cs.LG",)), window()
        )
        of_none = work[CandidateStore].candidates(
            replace(default, categories=("math.NT",)), window()
        )
    assert [item.paper.id for item in of_feed] == [two]
    assert [item.paper.id for item in of_field] == [one, two]
    assert of_none == []


def test_the_background_is_earlier_papers_newest_first(database: Database) -> None:
    ages = {1: 3, 2: 1, 3: 2, 4: 0}
    papers = [paper(n, counts_from=NOW - age * HOUR) for n, age in ages.items()]
    with database.writing() as work:
        work[PaperStore].save([write(one) for one in papers], now=NOW)
        texts = work[PaperStore].background(NOW, limit=2)
    assert [text.splitlines()[0] for text in texts] == [
        "A study of 2 things",
        "A study of 3 things",
    ]


def test_a_reject_is_kept_once_a_feed_wherever_it_stood(database: Database) -> None:
    reject = Reject(reason="no-title", detail="it has no title", position=3, excerpt="{}")
    moved = replace(reject, position=9)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        run = work[FeedStore].start_run(feed.id, source="day.jsonl", now=NOW)
        assert work[FeedStore].keep_rejects(run, [reject, moved], now=NOW) == 1
        again = work[FeedStore].start_run(feed.id, source="day.jsonl", now=NOW + HOUR)
        assert work[FeedStore].keep_rejects(again, [moved], now=NOW + HOUR) == 0
        work[FeedStore].finish_run(again, state="done", counts={"records": 0}, error=None, now=NOW)


def test_rejects_of_no_run_are_refused(database: Database) -> None:
    with pytest.raises(NotFound), database.writing() as work:
        work[FeedStore].keep_rejects(77, [], now=NOW)


def test_it_is_known_which_papers_had_been_read_by_then(database: Database) -> None:
    one, other = seed_papers(database, 2)
    with database.writing() as work:
        real = work[PaperStore].save([write(paper(3, counts_from=NOW - HOUR))], now=NOW + HOUR)
        (later,) = real.values()
        asked = [one, later, PaperId(999)]
        assert work[PaperStore].known_by(asked, NOW) == {one}
        assert work[PaperStore].known_by(asked, NOW + HOUR) == {one, later}
        assert work[PaperStore].known_by([one, other], NOW - HOUR) == frozenset()
