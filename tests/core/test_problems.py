"""What is wrong is told in the language of the page."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import paperround
from paperround.core.errors import InvalidInput, invalid
from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import localize_error
from paperround.core.languages import marked
from paperround.core.times import parse_date, place_zone
from paperround.papers.topics import read_topics
from paperround.plugins.onboarding.library_formats import read_library
from paperround.plugins.onboarding.zotero import place_of
from paperround.subscribers.addresses import parse_address, refused_domains
from paperround.subscribers.choices import checked
from paperround.subscribers.interests import InterestKind, bounded, interest, interests_in
from paperround.subscribers.keywords import read_keywords
from paperround.subscribers.model import Address, Preferences
from paperround.web.preferences_form import ChoicesForm, parse_preferences
from tests.builders import NOW
from tests.web.address_corpus import bad
from tools.words import OTHERS

SEARCHES = (
    '"open', '""', "title:", "a or b", "a)", "(a", "a AND", "AND a", "NOT", "()", "x*",
    "feed:arxiv", "after:2026-01-01", "-survey", "the", "(" * 12 + "a", "+", "x" * 301,
    " ".join(f"w{n}" for n in range(41)),
)  # fmt: skip
FIELDS = (
    {"hour": "noon"},
    {"size": "many"},
    {"floor": "high"},
    {"floor": "1e9"},
    {"paused_until": "soon"},
    {"frequency": "hourly"},
    {"language": "xx"},
)
LIBRARIES = (b"\0\0", b" ", b"[{", b"[{}, 1]")
ENTRIES = (
    b"@misc{a, title = {x}\n@misc{b, note = {n}}\n@misc{c, title = {t} {u}}\nwords",
    b"TY  - JOUR\nER  -\nAU  - A\nER  -\nwords",
    b'[{"title": ""}]',
    b"?!\n" + b"x" * 1001,
)


def problem_of(do: object) -> str:
    with pytest.raises(InvalidInput) as raised:
        do()  # type: ignore[operator]
    return raised.value.text


def problems() -> Iterator[str]:
    yield from (problem_of(lambda one=one: parse_address(one)) for one in bad())
    refused = refused_domains("disposable, bad.example")
    for domain in ("mailinator.com", "bad.example"):
        named = Address(written=f"a@{domain}", mailed=f"a@{domain}")
        said = problem_of(lambda named=named: refused.require_kept(named))
        yield said
    yield from (problem_of(lambda one=one: read_keywords(one)) for one in SEARCHES)
    yield from (
        problem_of(
            lambda one=one: checked(
                parse_preferences(one, Preferences(), now=NOW), zone="UTC", now=NOW
            )
        )
        for one in (ChoicesForm.model_validate(fields) for fields in FIELDS)
    )
    for wish in (Preferences(size=99), Preferences(hour=24), Preferences(floor=float("inf"))):
        yield problem_of(lambda wish=wish: checked(wish, zone="UTC", now=NOW))
    many = [interest(InterestKind.TOPIC, f"topic {n}") for n in range(201)]
    yield problem_of(lambda: bounded(many))
    yield problem_of(lambda: interests_in(InterestKind.KEYWORD, 'a\n"open'))
    yield problem_of(lambda: interest(InterestKind.TOPIC, "it's " * 99))
    yield problem_of(lambda: interest(InterestKind.SEED, ";"))
    yield problem_of(lambda: read_topics(["x" * 101]))
    yield problem_of(lambda: read_topics([f"topic {n}" for n in range(51)]))
    yield problem_of(lambda: parse_date("soon"))
    yield from (problem_of(lambda one=one: place_zone(one)) for one in ("Nowhere", "Factory"))
    yield problem_of(lambda: place_of("me"))
    yield from (problem_of(lambda one=one: read_library(one)) for one in LIBRARIES)
    for content in ENTRIES:
        yield from (one.detail for one in read_library(content).refused)


@pytest.mark.accept("F26", part="errors")
@pytest.mark.parametrize("language", OTHERS)
def test_every_problem_of_a_form_is_said_in_every_language(language: str) -> None:
    english = set(problems())
    assert len(english) > 50
    assert [one for one in english if localize_error(locale_for(language), one) == one] == []


@pytest.mark.parametrize(
    ("error", "english", "german"),
    [
        (
            invalid(
                "line",
                "line %(at)s: %(problem)s",
                at=1234,
                problem=marked("the quote at character %(at)s is not closed", at=3),
            ),
            "line 1,234: the quote at character 3 is not closed",
            "Zeile 1.234: Das Anführungszeichen bei Zeichen 3 wird nicht geschlossen",
        ),
        (
            invalid("size", "%(given)s is not a whole number", given="it's"),
            '"it\'s" is not a whole number',
            "„it's“ ist keine ganze Zahl",
        ),
        (InvalidInput("what nobody marked"), "what nobody marked", "what nobody marked"),
    ],
)
def test_an_error_is_told_with_its_values(error: InvalidInput, english: str, german: str) -> None:
    assert str(error) == english
    assert localize_error(locale_for("en"), error) == english
    assert localize_error(locale_for("de"), error) == german


@given(st.text(max_size=60))
def test_what_a_reader_wrote_is_told_as_it_is(given_text: str) -> None:
    error = invalid("size", "%(given)s is not a whole number", given=given_text)
    assert localize_error(locale_for("de"), error) == f"„{given_text}“ ist keine ganze Zahl"


# --- errors that readers meet --------------------------------------------------------------------

READERS = """
access/rate_limiter core/times digests/pages editions/store/lists
editions/archive editions/periods feeds/formats/bibtex
feeds/formats/references feeds/formats/registry feeds/formats/ris
papers/topics plugins/onboarding/library plugins/onboarding/library_formats
plugins/onboarding/routes plugins/onboarding/zotero plugins/outbox_pages
self_service/change_address self_service/feeds
signup/limits subscribers/addresses subscribers/choices subscribers/interests
subscribers/keywords web/context web/pages web/preferences_form web/search
web/security web/self_service web/signup
""".split()
"""Modules whose errors readers meet."""

RAISED = frozenset(
    "InvalidInput UnknownFormat UnreadableFile NotFound RateLimited SharedLimitReached"
    " HTTPException BadEntry".split()
)
OF_OPERATORS = (
    "begins with none of",
    "is not a time",
    "a web page",
    "OPML",
    "_why_unknown(",
    "no entry that begins with TY",
    "scope outbox:read",
    "write disposable, domains",
    "paperround lists restore",
    "they have not confirmed",
    "their current address",
    "not because of a bounce",
)
"""What only operators meet, and stays English."""


def unmarked(path: Path) -> Iterator[str]:
    """Errors of a module whose text is a bare constant or f-string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in RAISED:
            continue
        for one in node.args:
            if isinstance(one, ast.JoinedStr) or (
                isinstance(one, ast.Constant) and isinstance(one.value, str) and " " in one.value
            ):
                yield ast.unparse(one)


def test_every_error_that_readers_meet_is_marked_for_translation() -> None:
    source = Path(paperround.__file__).parent
    found = [
        f"{name}: {text}"
        for name in READERS
        for text in unmarked(source / f"{name}.py")
        if not any(words in text for words in OF_OPERATORS)
    ]
    assert found == []
