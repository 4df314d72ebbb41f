"""Two papers as one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.merge import joined, may_join
from paperround.papers.model import FeedId, Paper, PaperId, Show
from tests.builders import DAY, NOW, paper

KINDS = st.sets(st.sampled_from(["arxiv", "doi", "biorxiv", "pmid", "title_key"]), min_size=1)


@st.composite
def papers(draw: st.DrawFn, id_: int) -> Paper:
    maybe = st.sampled_from
    return paper(
        id_,
        id=PaperId(id_),
        identifiers={kind: f"{kind}-{id_}" for kind in sorted(draw(KINDS))},
        abstract=draw(maybe(["", f"Abstract {id_}."])),
        show=draw(maybe([*Show])),
        version=draw(maybe([None, 1, 2])),
        updated_at=draw(maybe([None, NOW, datetime(2026, 1, 1, tzinfo=UTC)])),
        listed_on=draw(maybe([None, DAY])),
        counts_from=draw(maybe([NOW, datetime(2026, 2, 1, tzinfo=UTC)])),
        withdrawn=draw(st.booleans()),
    )


@given(papers(1), papers(2))
def test_joining_is_the_same_whichever_is_named_first(one: Paper, other: Paper) -> None:
    assert joined(one, other) == joined(other, one)
    assert may_join(one, other) == may_join(other, one)


@given(papers(1), papers(2))
def test_the_older_stays_and_nothing_it_was_known_by_is_lost(one: Paper, other: Paper) -> None:
    change = joined(other, one)
    assert (change.paper.id, change.gone) == (1, 2)
    assert change.paper.identifiers.keys() == one.identifiers.keys() | other.identifiers.keys()
    assert bool(change.paper.abstract) == bool(one.abstract or other.abstract)


@given(papers(1), papers(2))
def test_an_abstract_is_shown_as_its_own_source_allows(one: Paper, other: Paper) -> None:
    now = joined(one, other).paper
    assert (now.abstract, now.show) in {(it.abstract, it.show) for it in (one, other)}


def test_of_one_abstract_as_much_is_shown_as_either_of_two_papers_allows() -> None:
    hidden = paper(1, id=PaperId(1), identifiers={"arxiv": "1"}, show=Show.LINK)
    shown = paper(
        2, id=PaperId(2), identifiers={"doi": "2"}, abstract=hidden.abstract, show=Show.GIST
    )
    assert joined(hidden, shown).paper.show is Show.GIST


def test_whoever_withdrew_one_of_two_may_take_that_back_of_the_whole() -> None:
    gone = [
        paper(
            n, id=PaperId(n), withdrawn=True, withdrawn_by=(FeedId(9 - n),), identifiers={kind: "1"}
        )
        for n, kind in ((1, "arxiv"), (2, "doi"))
    ]
    assert joined(*gone).paper.withdrawn_by == (FeedId(7), FeedId(8))
    newer = replace(gone[1], withdrawn=False, withdrawn_by=(), updated_at=NOW)
    older = replace(gone[0], updated_at=NOW - timedelta(days=1))
    now = joined(older, newer).paper
    assert (now.withdrawn, now.withdrawn_by) == (False, ())


def test_an_earlier_version_is_kept_even_where_it_lends_its_abstract() -> None:
    title_only = paper(1, id=PaperId(1), version=2, abstract="", identifiers={"title_key": "t"})
    first = paper(2, id=PaperId(2), version=1, identifiers={"arxiv": "2601.00002"})
    change = joined(title_only, first)
    assert (change.paper.version, change.paper.abstract) == (2, first.abstract)
    assert change.lost == first.id


def test_two_ids_of_one_kind_tell_papers_apart_and_titles_do_not() -> None:
    one, other = paper(1), paper(2)
    assert not may_join(one, other)
    journal = replace(other, identifiers={"doi": "10.5555/a", "title_key": "another"})
    assert may_join(one, journal)


@pytest.mark.accept("F41", part="fuller authors", mutant="a-join-loses-authors")
def test_of_two_author_lists_the_fuller_one_is_that_of_the_whole() -> None:
    team = ("Ada Ring", "Bo Stone", "Cy Wood")
    newer = paper(1, id=PaperId(1), identifiers={"arxiv": "1"}, authors=team[:1], updated_at=NOW)
    older = paper(
        2,
        id=PaperId(2),
        identifiers={"doi": "2"},
        authors=team,
        updated_at=NOW - timedelta(days=1),
    )
    assert joined(newer, older).paper.authors == team
    versions = replace(newer, version=2), replace(older, version=1)
    assert joined(*versions).paper.authors == team[:1]
