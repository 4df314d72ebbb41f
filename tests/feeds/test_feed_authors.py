"""Authors as feeds list them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.feeds.formats.feed_authors import authors_of
from paperround.feeds.formats.feed_items import read_feed

ADA, CHARLES, ALAN = "Ada Lovelace", "Charles Babbage", "Alan Turing"


@pytest.mark.accept("F06", part="addresses of authors")
@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("ada@x.example (Ada Lovelace)", [ADA]),
        ("Ada Lovelace <ada@x.example>", [ADA]),
        ("Ada Lovelace (ada@x.example)", [ADA]),
        ('"Ada Lovelace" <mailto:ada@x.example>', [ADA]),
        ("ada@x.example Ada Lovelace", [ADA]),
        ("ada@x.example", []),
        ("mailto:ada@x.example", []),
        ("Lovelace, Ada (ada@x.example); Babbage, Charles", [ADA, CHARLES]),
        ("Ada Lovelace <ada@x.example>, Charles Babbage <c@x.example>", [ADA, CHARLES]),
    ],
)
def test_the_address_of_an_author_is_not_kept(said: str, names: list[str]) -> None:
    assert authors_of([said]) == names


@pytest.mark.accept("F06", part="addresses of authors")
@pytest.mark.parametrize(
    "body",
    [
        (
            "<rss><channel><item><title>A</title><author>ada@x.example (Ada Lovelace)</author>"
            "</item></channel></rss>"
        ),
        (
            "<rss><channel><item><title>A & b</title><author>ada@x.example (Ada Lovelace)</author>"
            "<b></item></channel></rss>"
        ),
        (
            "<feed><entry><title>A</title><author><name>Ada Lovelace (ada@x.example)</name>"
            "<email>ada@x.example</email></author></entry></feed>"
        ),
        (
            '{"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "A", "authors": '
            '[{"name": "Ada Lovelace <ada@x.example>"}]}]}'
        ),
    ],
)
def test_no_kind_of_feed_brings_an_address_of_an_author(body: str) -> None:
    (record,) = read_feed(body.encode(), "https://x.example/").records
    assert record.authors == (ADA,)


@pytest.mark.accept("F06", part="author lists")
@pytest.mark.parametrize(
    ("said", "names"),
    [
        (f"{ADA}, {CHARLES}", [ADA, CHARLES]),
        (f"{ADA}, {CHARLES}, and {ALAN}", [ADA, CHARLES, ALAN]),
        (f"{ADA}, {CHARLES} and {ALAN}", [ADA, CHARLES, ALAN]),
        (f"{ADA} and {CHARLES}", [ADA, CHARLES]),
        (f"{ADA} & Jan van der Berg", [ADA, "Jan van der Berg"]),
        ("Lovelace, Ada; Babbage, Charles", [ADA, CHARLES]),
        (f"{ADA};{CHARLES}; ", [ADA, CHARLES]),
        ("M&uuml;ller, Ada; Babbage, Charles", ["Ada Müller", CHARLES]),
        (
            "Lovelace, A., Babbage, C. D., van der Berg, J.-P.",
            ["A. Lovelace", "C. D. Babbage", "J.-P. van der Berg"],
        ),
        (
            "Lovelace, A., The Moon Study Group, Babbage, C",
            ["A. Lovelace", "The Moon Study Group", "C Babbage"],
        ),
    ],
)
def test_a_list_of_authors_in_one_element_is_parted(said: str, names: list[str]) -> None:
    assert authors_of([said]) == names


@pytest.mark.accept("F06", part="author lists")
@pytest.mark.parametrize(
    "said",
    [
        "Lovelace, Ada",
        "Lovelace, Ada, Babbage",
        "Lovelace, A., Jr.",
        "Food and Drug Administration",
        "National Oceanic and Atmospheric Administration",
        "Department of Health and Human Services",
        "Bureau of Seas and Moons",
        "Simon and Garfunkel",
        "Moon Lab, Inc.",
    ],
)
def test_what_may_be_one_author_stays_whole(said: str) -> None:
    assert authors_of([said]) == [said]


@given(said=st.lists(st.text(alphabet="aA. ,;&@<>()and\0\ud800", max_size=30), max_size=3))
def test_whatever_is_said_of_authors_names_come_out(said: list[str]) -> None:
    for name in authors_of(said):
        assert name.encode()
        assert name == " ".join(name.split())
