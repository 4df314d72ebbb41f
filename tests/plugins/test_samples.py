"""The sample papers: enough, varied, readable, dated from the day a demo began, and invented."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain
from urllib.parse import urlsplit

import pytest

from paperround.papers.gist import choose_gist
from paperround.papers.identifiers import arxiv_id, doi_identifier
from paperround.papers.merge import repaired
from paperround.papers.model import Record
from paperround.plugins.demo.samples import batch_at

ANCHOR = datetime(2026, 5, 6, 9, 30, tzinfo=UTC)

REAL_ID = re.compile(r"\b\d{4}\.\d{4,5}\b|\b10\.\d{4,9}/|[a-z-]+/\d{7}\b|\barxiv\b", re.IGNORECASE)
ADDRESS = re.compile(r"\b\w+://\S+|\bwww\.\S+|\S+@\S+")


def listed(now: datetime = ANCHOR, anchor: datetime = ANCHOR) -> tuple[Record, ...]:
    return batch_at(anchor=anchor, now=now).records


def by_id(records: tuple[Record, ...]) -> dict[str, Record]:
    return {record.identifiers["local"]: record for record in records}


def everything() -> tuple[Record, ...]:
    return listed(ANCHOR + timedelta(days=30))


def texts(record: Record) -> list[str]:
    said = [record.title, record.abstract, record.comment, record.organization, record.submitter]
    return [*filter(None, said), *record.authors, *record.categories, *record.keywords]


# --- how many, and when ------------------------------------------------------------------------


def test_a_demo_begins_with_ten_days_of_papers() -> None:
    days = Counter(record.listed_on for record in listed())
    assert sum(days.values()) >= 125
    assert set(days) == {ANCHOR.date() - timedelta(days=back) for back in range(10)}
    assert min(days.values()) >= 10


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_the_hour_a_demo_begins_hides_no_paper(hour: int) -> None:
    anchor = ANCHOR.replace(hour=hour, minute=0)
    papers = by_id(listed(anchor, anchor))
    assert papers.keys() == by_id(listed()).keys()
    assert {record.listed_on for record in papers.values()} >= {anchor.date()}


def test_a_demo_left_running_has_new_papers_for_three_more_days() -> None:
    known = [len(listed(ANCHOR.replace(hour=23, minute=59) + timedelta(days=n))) for n in range(5)]
    assert known[0] < known[1] < known[2] < known[3] == known[4]
    assert known[3] - known[0] == 12


def test_nothing_is_dated_later_than_now() -> None:
    for hours in (-100, 0, 1, 40):
        now = ANCHOR + timedelta(hours=hours)
        for record in listed(now):
            counted = [count.captured_at for count in record.counts]
            dates = [record.listed_at, record.published_at, *counted]
            assert all(moment <= now for moment in dates if moment is not None)


def test_papers_are_published_before_they_are_listed_on_their_day() -> None:
    for record in everything():
        assert record.listed_at is not None
        assert record.listed_at.date() == record.listed_on
        assert record.published_at is None or record.published_at < record.listed_at


# --- the same again ----------------------------------------------------------------------------


def test_a_later_now_changes_no_paper_and_keeps_every_count() -> None:
    earlier, later = by_id(listed()), by_id(listed(ANCHOR + timedelta(days=2, minutes=1)))
    for identifier, record in earlier.items():
        again = later[identifier]
        assert again.counts[: len(record.counts)] == record.counts
        assert (again.fingerprint, again.listed_at) == (record.fingerprint, record.listed_at)


def test_the_same_arguments_give_the_same_batch() -> None:
    assert batch_at(anchor=ANCHOR, now=ANCHOR) == batch_at(
        anchor=ANCHOR.astimezone(timezone(timedelta(hours=9))), now=ANCHOR
    )


def test_a_demo_begun_again_lists_unchanged_papers() -> None:
    anew = ANCHOR + timedelta(days=100, hours=5)
    before, after = by_id(listed()), by_id(listed(anew, anew))
    assert {key: one.fingerprint for key, one in before.items()} == {
        key: one.fingerprint for key, one in after.items()
    }


def test_every_paper_has_an_id_and_a_fingerprint_of_its_own() -> None:
    records = everything()
    assert len(by_id(records)) == len({one.fingerprint for one in records}) == len(records)
    assert all(set(one.identifiers) == {"local"} for one in records)


# --- invented, and says so ---------------------------------------------------------------------


def test_every_paper_says_that_it_is_a_sample() -> None:
    assert {record.comment for record in everything()} == {"Invented sample paper"}


def test_no_identifier_could_be_a_real_one() -> None:
    for record in everything():
        name = record.identifiers["local"].removeprefix("samples:")
        assert re.fullmatch(r"sample-\d{4}", name)
        assert arxiv_id(name) is None
        assert doi_identifier(name) is None


def test_no_text_holds_an_id_or_an_address_of_the_world_outside() -> None:
    for text in chain.from_iterable(map(texts, everything())):
        assert not REAL_ID.search(text), text
        assert not ADDRESS.search(text), text


def test_links_lead_to_example_domains_only() -> None:
    links = [link for record in everything() for link in record.links.items()]
    assert {name for name, _ in links} == {"code", "project"}
    for _, address in links:
        parts = urlsplit(address)
        assert parts.scheme == "https"
        assert (parts.hostname or "").endswith("example.org")


# --- readable ----------------------------------------------------------------------------------


def test_every_abstract_gives_a_gist() -> None:
    for record in map(repaired, everything()):
        gist = choose_gist(record.title, record.abstract)
        assert bool(gist) == bool(record.abstract)
        assert not gist.endswith("…")


def test_repair_leaves_no_tex_where_a_reader_looks_first() -> None:
    for record in map(repaired, everything()):
        shown = (record.title, choose_gist(record.title, record.abstract), *record.authors)
        assert not any(sign in text for text in shown for sign in "\\$~"), shown


# --- varied ------------------------------------------------------------------------------------
