"""What a record does to the papers there are."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.merge import (
    add_fingerprint,
    earlier_text,
    has_fingerprint,
    key_of,
    may_merge_by_title,
    merge_changes,
    merged,
    new_paper,
    repaired,
)
from paperround.papers.model import FeedId, Paper, PaperId, PaperWrite, Record, Show

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)


def record(**changes: object) -> Record:
    base = Record(
        title="A study",
        abstract="We study.",
        identifiers={"arxiv": "2601.00001"},
        authors=("Ada Lovelace",),
        listed_on=date(2026, 1, 29),
        version=1,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def paper(one: Record) -> Paper:
    return new_paper(PaperId(1), one, key_of(one), NOW).paper


def after(*records: Record) -> Paper:
    known = paper(records[0])
    for one in records[1:]:
        write = merged(known, one, same_feed=True, now=NOW)
        known = write.paper if write else known
    return known


def change(known: Paper, one: Record, *, same_feed: bool = True) -> PaperWrite:
    write = merged(known, one, same_feed=same_feed, now=NOW)
    assert write is not None
    return write


def test_a_paper_counts_from_its_listing() -> None:
    assert paper(record()).counts_from == datetime(2026, 1, 29, tzinfo=UTC)


def test_the_instant_of_the_listing_is_better_than_its_day() -> None:
    listed_at = datetime(2026, 1, 29, 5, 55, tzinfo=UTC)
    assert paper(record(listed_at=listed_at)).counts_from == listed_at


def test_a_paper_without_a_listing_counts_from_its_first_ingest() -> None:
    assert paper(record(listed_on=None)).counts_from == NOW


@pytest.mark.accept("I9")
def test_a_listing_far_in_the_future_is_not_believed() -> None:
    assert paper(record(listed_on=date(9000, 1, 1))).counts_from == NOW
    assert paper(record(listed_on=date(9000, 1, 1))).listed_on is None
    far = NOW + timedelta(days=400)
    assert paper(record(published_at=far)).published_at is None


def test_a_date_may_be_a_day_ahead_and_no_more() -> None:
    day, more = NOW + timedelta(hours=24), NOW + timedelta(hours=24, minutes=1)
    assert paper(record(published_at=day)).published_at == day
    assert paper(record(published_at=more)).published_at is None


def test_only_a_lower_version_is_an_earlier_text() -> None:
    def versioned(number: int) -> Record:
        return record(version=number)

    known = paper(versioned(2))
    texts = [earlier_text(known, one) for one in map(versioned, (1, 2, 3))]
    assert [text is not None for text in texts] == [True, False, False]


def test_a_feed_that_dates_a_paper_anew_with_every_edit_makes_it_no_younger() -> None:
    first, again, ahead = date(2026, 1, 2), date(2026, 1, 20), date(9000, 1, 1)
    known = after(*(record(listed_on=day, title=f"A study {day}") for day in (first, again, ahead)))
    assert known.listed_on == first
    assert known.counts_from.date() == first


def test_a_listing_that_is_not_believed_does_not_make_a_known_paper_new() -> None:
    known = after(record(listed_on=None), record(listed_on=date(9000, 1, 1), title="A new study"))
    assert (known.listed_on, known.counts_from) == (None, NOW)


@pytest.mark.accept("I9")
@given(st.permutations([1, 2, 3]))
def test_versions_in_any_order_end_with_the_last_one(order: list[int]) -> None:
    known = after(*(record(version=n, title=f"A study, version {n}") for n in order))
    assert (known.version, known.title) == (3, "A study, version 3")


@pytest.mark.accept("I9")
def test_the_same_record_again_changes_nothing() -> None:
    assert merged(paper(record()), record(), same_feed=True, now=NOW) is None


def test_another_feed_s_text_of_the_same_version_does_not_replace_ours() -> None:
    other = record(abstract="We  study, flattened.")
    assert merged(paper(record()), other, same_feed=False, now=NOW) is None


def test_a_feed_may_correct_its_own_text() -> None:
    correction = record(abstract="We study harder.")
    write = merged(paper(record()), correction, same_feed=True, now=NOW)
    assert write is not None
    assert write.text_changed
    assert write.paper.abstract == "We study harder."


def test_an_abstract_that_was_missing_is_taken_from_anybody() -> None:
    bare = paper(record(abstract=""))
    other = record(title="A STUDY", show=Show.GIST)
    taken = change(bare, other, same_feed=False).paper
    assert (taken.title, taken.abstract, taken.show) == ("A study", "We study.", Show.GIST)


def test_of_one_abstract_that_two_feeds_carry_as_much_is_shown_as_either_allows() -> None:
    hidden, shown = record(show=Show.LINK), record(show=Show.FULL)
    assert change(paper(hidden), shown, same_feed=False).paper.show is Show.FULL
    assert merged(paper(shown), hidden, same_feed=False, now=NOW) is None
    newer = replace(hidden, version=2)
    assert change(paper(shown), newer, same_feed=False).paper.show is Show.FULL
    assert change(paper(shown), hidden, same_feed=True).paper.show is Show.LINK


@pytest.mark.accept("I9")
def test_an_older_record_never_replaces_a_newer_text() -> None:
    undated = record(version=None, abstract="Now.")
    dated = replace(undated, updated_at=NOW - timedelta(days=1))
    for newer, older in (
        (dated, replace(dated, updated_at=NOW - timedelta(days=2), abstract="Then.")),
        (undated, replace(undated, listed_on=date(2026, 1, 28), abstract="Then.")),
    ):
        assert after(newer, older).abstract == "Now."
        assert after(older, newer).abstract == "Now."


def test_a_date_that_is_not_believed_makes_no_text_newer() -> None:
    dated = record(updated_at=NOW)
    far = record(updated_at=NOW + timedelta(days=400), abstract="From the future.")
    assert merged(paper(dated), far, same_feed=False, now=NOW) is None


def test_a_newer_version_without_an_abstract_keeps_the_old_one() -> None:
    known = after(record(show=Show.LINK), record(version=2, title="A better study", abstract=""))
    assert (known.title, known.abstract) == ("A better study", "We study.")
    assert known.show is Show.LINK


def test_a_correction_brings_its_comment_licence_and_links() -> None:
    first = record(comment="8 pages", licence="CC-BY-4.0", links={"code": "https://a.example/1"})
    links = {"code": "https://a.example/2", "pdf": "https://a.example/p"}
    known = after(first, record(version=2, comment="9 pages", licence="CC0-1.0", links=links))
    assert (known.comment, known.licence, known.links) == ("9 pages", "CC0-1.0", links)
    silent = after(first, record(version=2))
    assert (silent.comment, silent.licence) == ("8 pages", "CC-BY-4.0")
    assert silent.links == first.links


def test_what_is_known_is_kept_and_what_is_new_is_added() -> None:
    more = record(
        identifiers={"arxiv": "2601.00001", "doi": "10.1/a"},
        categories=("cs.LG",),
        links={"code": "https://code.example/a"},
        listed_on=date(2026, 1, 28),
    )
    known = after(record(categories=("cs.CL",)), more)
    assert known.identifiers["doi"] == "10.1/a"
    assert known.categories == ("cs.CL", "cs.LG")
    assert known.links == {"code": "https://code.example/a"}
    assert known.listed_on == date(2026, 1, 28)
    assert known.counts_from == datetime(2026, 1, 28, tzinfo=UTC)


@given(st.permutations([1, 2, 3]))
def test_a_version_after_a_withdrawn_one_brings_the_paper_back(order: list[int]) -> None:
    assert not after(*(record(version=n, withdrawn=n == 2) for n in order)).withdrawn


def test_any_feed_may_say_that_a_paper_is_withdrawn() -> None:
    gone = record(version=None, withdrawn=True)
    assert change(paper(record()), gone, same_feed=False).paper.withdrawn


ARCHIVE, JOURNAL, CATALOGUE = FeedId(1), FeedId(2), FeedId(3)
GONE = Record(title="", identifiers={"arxiv": "2601.00001"}, withdrawn=True, announces=False)
BACK = replace(GONE, withdrawn=False)


def told(*news: tuple[FeedId, Record], known: Paper | None = None) -> Paper:
    """What becomes of a paper of the archive when feeds say this of it, one after another."""
    first = record()
    known = known or new_paper(PaperId(1), first, key_of(first), NOW, feed=ARCHIVE).paper
    for feed, one in news:
        write = merged(known, one, same_feed=feed == ARCHIVE, now=NOW, feed=feed)
        known = write.paper if write else known
    return known


@pytest.mark.accept("I10", part="taken back")
def test_a_withdrawal_is_taken_back_by_whoever_said_it() -> None:
    gone = told((JOURNAL, GONE))
    assert (gone.withdrawn, gone.withdrawn_by) == (True, (JOURNAL,))
    assert told((CATALOGUE, BACK), known=gone) == gone
    assert told((JOURNAL, BACK), known=gone) == told()


@given(st.permutations([JOURNAL, CATALOGUE]))
def test_a_withdrawal_that_two_said_is_taken_back_by_both(order: list[FeedId]) -> None:
    gone = told((CATALOGUE, GONE), (JOURNAL, GONE))
    assert gone.withdrawn_by == (JOURNAL, CATALOGUE)
    first, second = order
    half = told((first, BACK), known=gone)
    assert (half.withdrawn, half.withdrawn_by) == (True, (second,))
    assert not told((first, BACK), (second, BACK), known=gone).withdrawn


def test_a_corrected_text_takes_back_what_its_own_feed_said() -> None:
    correction = record(abstract="We study harder.")
    assert told((JOURNAL, GONE), (ARCHIVE, correction)).withdrawn
    assert not told((ARCHIVE, GONE), (ARCHIVE, correction)).withdrawn
    unknown = replace(told((ARCHIVE, GONE)), withdrawn_by=())
    assert not told((ARCHIVE, correction), known=unknown).withdrawn
    assert told((ARCHIVE, BACK), known=unknown).withdrawn


def test_a_newer_text_brings_a_paper_back_whoever_withdrew_it() -> None:
    back = told((JOURNAL, GONE), (ARCHIVE, record(version=2)))
    assert (back.withdrawn, back.withdrawn_by) == (False, ())


def test_only_works_that_no_id_tells_apart_merge_by_title() -> None:
    known = paper(record())
    assert may_merge_by_title(record(identifiers={"doi": "10.1/a"}), known)
    assert may_merge_by_title(record(identifiers={}), known)
    assert not may_merge_by_title(record(identifiers={"arxiv": "2601.00002"}), known)


def test_a_title_merges_works_with_ids_only_when_author_and_year_are_known() -> None:
    named = record(identifiers={"doi": "10.1/a"})
    assert may_merge_by_title(named, paper(record()))
    for vague in (
        replace(named, authors=()),
        replace(named, authors=("?",)),
        replace(named, listed_on=None),
        replace(named, authors=(), identifiers={}),
    ):
        assert not may_merge_by_title(vague, paper(record()))
    bare = record(identifiers={}, authors=(), listed_on=None)
    assert may_merge_by_title(bare, paper(bare))
    assert not may_merge_by_title(replace(named, authors=()), paper(bare))


def test_a_title_without_letters_still_has_a_key_of_its_own() -> None:
    assert key_of(record(title="???")) != key_of(record(title="!!!"))


def test_two_writes_to_one_paper_are_one_write() -> None:
    better = record(version=2, title="A better study")
    first = change(paper(record()), better)
    both = merge_changes(first, change(first.paper, replace(better, abstract="More.")))
    assert both.text_changed
    assert (both.paper.title, both.paper.abstract) == ("A better study", "More.")


def test_a_feed_remembers_the_last_eight_fingerprints_of_a_paper() -> None:
    known = None
    for number in range(9):
        known = add_fingerprint(known, f"f{number}")
    assert known == "f1 f2 f3 f4 f5 f6 f7 f8"
    assert has_fingerprint(known, "f1")
    assert not has_fingerprint(known, "f0")
    assert not has_fingerprint(known, "f")
    assert not has_fingerprint(None, "f1")


def test_a_record_without_a_title_withdraws_a_paper_and_leaves_its_texts() -> None:
    known = new_paper(PaperId(1), record(), "", NOW).paper
    gone = Record(title="", identifiers={"arxiv": "2601.00001"}, withdrawn=True, announces=False)
    for same_feed in (False, True):
        change = merged(known, gone, same_feed=same_feed, now=NOW)
        assert change is not None
        assert change.paper == replace(known, withdrawn=True)
        assert not change.text_changed


def test_a_text_that_says_its_version_replaces_one_that_does_not() -> None:
    silent = record(version=None, title="A study?", abstract="We may study.")
    for known, one in ((paper(silent), record()), (paper(record()), silent)):
        write = merged(known, one, same_feed=True, now=NOW)
        now = write.paper if write else known
        assert (now.version, now.title, now.abstract) == (1, "A study", "We study.")


def test_a_withdrawal_that_says_no_version_is_believed_and_stays() -> None:
    gone = record(version=None, withdrawn=True)
    assert change(paper(record()), gone).paper.withdrawn
    assert change(paper(gone), record()).paper.withdrawn


def test_a_colon_that_arxiv_keeps_among_the_authors_is_nobody() -> None:
    listed = repaired(record(authors=("NVIDIA", ":", "Ada Lovelace", " ", "李明")))
    assert listed.authors == ("NVIDIA", "Ada Lovelace", "李明")


@pytest.mark.parametrize(
    "listed", [("Ada Lovelace et al.",), ("Ada Lovelace", "et al"), ("Ada Lovelace, et. al.",)]
)
def test_et_al_is_no_author_and_keeps_no_second_source_from_naming_them(
    listed: tuple[str, ...],
) -> None:
    short = repaired(record(authors=listed))
    assert short.authors == ("Ada Lovelace",)
    assert change(paper(short), record(authors=TEAM), same_feed=False).paper.authors == TEAM


def test_names_that_look_like_et_al_stay() -> None:
    names = ("Beret Al", "Margaret Alba", "Et Alvarez")
    assert repaired(record(authors=names)).authors == names


TEAM = ("Ada Lovelace", "Grace Hopper", "Alan Turing")
SHORT = pytest.mark.parametrize(
    "some",
    [(), TEAM[:1], ("Lovelace, Ada", "GRACE HOPPER"), TEAM[::2], TEAM[1:]],
    ids=["nobody", "first", "spelled", "first-and-last", "without-the-first"],
)


@pytest.mark.accept("F41", part="fuller authors", mutant="the-first-authors-stay")
@SHORT
def test_a_second_source_that_names_more_authors_completes_them(some: tuple[str, ...]) -> None:
    known, fuller = paper(record(authors=some)), record(authors=TEAM)
    assert change(known, fuller, same_feed=False).paper == replace(known, authors=TEAM)


@pytest.mark.accept("F41", part="fuller authors", mutant="a-newer-text-loses-authors")
@SHORT
def test_a_text_that_names_fewer_authors_takes_none_away(some: tuple[str, ...]) -> None:
    known = paper(record(authors=TEAM, version=None, updated_at=NOW - timedelta(days=1)))
    edited = record(authors=some, version=None, title="A study, edited", updated_at=NOW)
    for same_feed in (True, False):
        now = change(known, edited, same_feed=same_feed).paper
        assert (now.title, now.authors) == ("A study, edited", TEAM)


@pytest.mark.accept("F41", part="fuller authors", mutant="authors-lose-their-order")
@pytest.mark.parametrize(
    "others",
    [
        ("Grace Hopper", "Ada Lovelace", "Alan Turing"),
        ("A. Lovelace", "Grace Hopper", "Alan Turing"),
        ("Grace Hopper", "Alan Turing", "Kurt Gödel"),
        ("Ada Lovelace",),
    ],
    ids=["another-order", "an-initial", "somebody-missing", "fewer"],
)
def test_names_in_another_order_or_of_others_complete_nothing(others: tuple[str, ...]) -> None:
    known = paper(record(authors=TEAM[:2]))
    assert merged(known, record(authors=others), same_feed=False, now=NOW) is None


@pytest.mark.accept("F41", part="fuller authors", mutant="an-old-version-names-the-authors")
def test_the_newest_version_says_who_wrote_it() -> None:
    first, second = record(version=1, authors=TEAM), record(version=2, authors=TEAM[:2])
    for records in ((first, second), (second, first)):
        assert after(*records).authors == TEAM[:2]
