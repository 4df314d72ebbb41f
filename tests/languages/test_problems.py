"""What is wrong is said in the language of the page: every sentence that is raised is read back."""

from collections.abc import Iterator

import pytest

from paperround.domain.errors import InvalidInput
from paperround.domain.interests import InterestKind, bounded, interest, interests_in
from paperround.domain.keywords import read_keywords
from paperround.domain.subscribers import Address, Preferences
from paperround.domain.times import parse_date, place_zone
from paperround.domain.topics import read_topics
from paperround.jobs.choices import checked
from paperround.languages.extraction import OTHERS
from paperround.languages.frozen import problem_said
from paperround.languages.tongue import tongue
from paperround.mail.addresses import EmailAddresses
from paperround.mail.domains import refused_domains
from paperround.sources.library import read_library
from paperround.sources.zotero import place_of
from paperround.web.choices import ChoicesForm, wished
from tests.builders import NOW
from tests.mail.address_corpus import bad

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
    return str(raised.value)


def problems() -> Iterator[str]:
    book = EmailAddresses()
    yield from (problem_of(lambda one=one: book.read(one)) for one in bad())
    refused = refused_domains("disposable, bad.example")
    for domain in ("mailinator.com", "bad.example"):
        named = Address(written="a", mailed="a", folded="a", domain=domain)
        said = problem_of(lambda named=named: refused.require_kept(named))
        yield from (said, f"{said}; did you mean gmail.com?")
    yield from (problem_of(lambda one=one: read_keywords(one)) for one in SEARCHES)
    yield from (
        problem_of(lambda one=one: checked(wished(one, Preferences()), zone="UTC", now=NOW))
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
        library = read_library(content)
        yield from (one.detail for one in (*library.refused, *library.unread))


@pytest.mark.accept("F26", part="errors")
@pytest.mark.parametrize("language", OTHERS)
def test_every_problem_of_a_form_is_said_in_every_language(language: str) -> None:
    english = set(problems())
    assert len(english) > 50
    assert [one for one in english if problem_said(tongue(language), one) == one] == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("line 1,234: a quote opens at character 3 and is not closed",
         "Zeile 1.234: bei Zeichen 3 beginnt ein Zitat, das nicht endet"),
        ("your search: it names no word to look for",
         "Ihre Suche: sie nennt kein Wort, nach dem zu suchen wäre"),
        ('"it\'s" is not a whole number', "„it's“ ist keine ganze Zahl"),
        ("what nobody raises", "what nobody raises"),
    ],
)  # fmt: skip
def test_a_problem_is_said_with_its_values(english: str, german: str) -> None:
    assert problem_said(tongue("de"), english) == german
    assert problem_said(tongue("en"), english) == english


def test_what_somebody_wrote_is_never_taken_for_more_than_a_value() -> None:
    """A value that looks like a form of its own stays what it is."""
    written = "line 3: there is nothing in it' is not a number"
    said = problem_said(tongue("de"), f"{written!r} is not a whole number")
    assert "line 3: there is nothing in it" in said


@pytest.mark.parametrize("value", [r"'\x'", r"'\u12'", r"'\N{nothing}'", r"'\d'"])
def test_what_looks_quoted_and_is_not_stays_as_it_is(value: str) -> None:
    """Nobody quoted it: somebody wrote it so."""
    written = f"{value} is not a number"
    assert value[1:-1] in problem_said(tongue("de"), written)
