"""A reader's library: what is known of it, and what is kept."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.db.transactions import Database
from paperround.plugins.onboarding.library import LibraryPreview, keep_seeds, preview_library
from paperround.plugins.onboarding.library_formats import GivenWork, Library
from paperround.self_service.preferences import open_choices
from paperround.signup.context import SignupContext
from paperround.subscribers.interests import MOST_INTERESTS, InterestKind
from tests.builders import NOW, address
from tests.sample_database import fill, record
from tests.self_service.readers import joined, link, post, request_link, signup_context, visitor

GIVEN = Library(
    called="BibTeX",
    works=(
        GivenWork(title="Somewhere else called otherwise", identifiers={"arxiv": "2601.00001"}),
        GivenWork(title="on TIDES, and moons!"),
        GivenWork(title="Unheard of"),
        GivenWork(identifiers={"doi": "10.1000/unheard"}),
        GivenWork(title="Journal copy", identifiers={"doi": "10.1000/known"}),
        GivenWork(title="—"),
    ),
)


@pytest.fixture
def here(database: Database) -> SignupContext:
    """A reader, and three papers."""
    fill(database, [record(1), record(2, title="On tides and moons")], NOW)
    fill(database, [record(3, identifiers={"arxiv": "2601.00003", "doi": "10.1000/known"})], NOW)
    here = signup_context(database)
    joined(here)
    return here


def choosing(here: SignupContext) -> str:
    request_link(here, address(), visitor(), now=NOW)
    (mail,) = post(here.database, now=NOW)
    return link(mail)


def understood(here: SignupContext, token: str, library: Library = GIVEN) -> LibraryPreview:
    return preview_library(here, token, library, now=NOW)


def kept(here: SignupContext, token: str) -> list[str]:
    choices = open_choices(here, token, now=NOW)
    return [one.value for one in choices.interests if one.kind is InterestKind.SEED]


@pytest.mark.accept("F31", part="matched", mutant="a-title-matches-no-paper")
def test_works_are_matched_with_papers_by_any_identifier_and_by_title(here: SignupContext) -> None:
    found = understood(here, choosing(here))
    assert [(one.seed, one.title) for one in found.known] == [
        ("arxiv:2601.00001", "Paper 1"),
        ("arxiv:2601.00002", "On tides and moons"),
        ("arxiv:2601.00003", "Paper 3"),
    ]
    assert [one.seed for one in found.titles] == ["Unheard of"]
    assert [one.seed for one in found.identifiers] == ["doi:10.1000/unheard"]
    assert [one.position for one in found.refused] == [6]


@pytest.mark.accept("F31", part="shown first")
def test_nothing_is_kept_before_the_reader_says_so(here: SignupContext) -> None:
    token = choosing(here)
    seeds = [one.seed for one in understood(here, token).works]
    assert kept(here, token) == []
    assert keep_seeds(here, token, seeds, now=NOW) == 5
    assert sorted(kept(here, token)) == sorted(seeds)
    assert keep_seeds(here, token, seeds, now=NOW) == 0
    assert all(one.already for one in understood(here, token).works)


@pytest.mark.accept("F31", part="room")
def test_what_has_no_room_is_refused_as_a_whole_and_nothing_is_lost(here: SignupContext) -> None:
    token = choosing(here)
    many = [f"Study number {number}" for number in range(MOST_INTERESTS - 1)]
    assert keep_seeds(here, token, many, now=NOW) == MOST_INTERESTS - 1
    assert understood(here, token).room == 1
    with pytest.raises(InvalidInput, match="2 are ticked, but there is room for 1"):
        keep_seeds(here, token, ["One more", "And another"], now=NOW)
    assert len(kept(here, token)) == MOST_INTERESTS - 1


def test_titles_that_read_like_signs_and_identifiers_stay_titles(here: SignupContext) -> None:
    odd = Library(called="x", works=(GivenWork(title="- Less of this"), GivenWork(title="x" * 900)))
    found = understood(here, choosing(here), odd)
    assert [one.seed for one in found.titles] == ["Less of this", "x" * 300]


def test_a_seed_that_cannot_be_is_refused(here: SignupContext) -> None:
    with pytest.raises(InvalidInput):
        keep_seeds(here, choosing(here), ["\0"], now=NOW)
