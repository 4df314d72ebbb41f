"""A public Zotero library, asked of a web that answers as Zotero does."""

import json

import pytest

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.plugins.onboarding.zotero import MOST_PAGES, PAGE, place_of, read_zotero
from tests.builders import NOW
from tests.fakes import FakeClient

GROUP = "groups/45"


def address(start: int, place: str = GROUP) -> str:
    return (
        f"https://api.zotero.org/{place}/items/top?v=3&format=csljson&sort=dateAdded"
        f"&direction=desc&limit=100&start={start}"
    )


def items(start: int, count: int) -> bytes:
    numbers = range(start, start + count)
    return json.dumps({"items": [{"title": f"Study {one}"} for one in numbers]}).encode()


def web(*pages: bytes | Exception) -> FakeClient:
    return FakeClient(
        now=NOW, pages={address(number * PAGE): page for number, page in enumerate(pages)}
    )


@pytest.mark.accept("F31", part="Zotero")
@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("12345", "users/12345"),
        (" users/12345 ", "users/12345"),
        ("https://www.zotero.org/groups/45/tides", "groups/45"),
        ("zotero.org/groups/45", "groups/45"),
        ("https://api.zotero.org/users/12345/items?x=1", "users/12345"),
    ],
)
def test_a_library_is_named_by_an_address_or_a_number(written: str, place: str) -> None:
    assert place_of(written) == place


@pytest.mark.parametrize(
    "written",
    ["", "ada", "https://www.zotero.org/ada", "http://127.0.0.1/users/1", "users/1@evil.example",
     "https://evil.example/users/1", "9" * 30],
)  # fmt: skip
def test_anything_else_is_told_where_the_number_stands(written: str) -> None:
    with pytest.raises(InvalidInput, match="Settings, Security") as caught:
        place_of(written)
    assert caught.value.code == "zotero"


@pytest.mark.accept("F31", part="Zotero")
def test_a_library_is_read_page_by_page() -> None:
    client = web(items(0, PAGE), items(PAGE, 3))
    library = read_zotero(GROUP, client)
    assert len(library.works) == PAGE + 3
    assert client.asked == [address(0), address(PAGE)]


@pytest.mark.accept("F31", part="Zotero", mutant="a-work-kept-twice-ends-the-library")
def test_a_work_that_is_in_the_library_twice_does_not_end_it() -> None:
    twice = json.loads(items(0, PAGE))["items"]
    twice[1] = twice[0]
    client = web(json.dumps(twice).encode(), items(PAGE, 3))
    assert len(read_zotero(GROUP, client).works) == PAGE - 1 + 3


def test_of_a_very_long_library_the_newest_works_are_read() -> None:
    client = web(*(items(number * PAGE, PAGE) for number in range(MOST_PAGES + 1)))
    assert len(read_zotero(GROUP, client).works) == MOST_PAGES * PAGE
    assert len(client.asked) == MOST_PAGES


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (FetchFailed("status 403", status=403), "no public library there"),
        (FetchFailed("status 404", status=404), "no public library there"),
        (FetchFailed("did not answer"), "export the library there and upload the file"),
        (b"<html>", "did not return a library"),
        (b'{"items": []}', "no works in that library"),
    ],
)
def test_what_zotero_does_not_give_is_said_with_the_way_out(
    answer: bytes | Exception, why: str
) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        read_zotero(GROUP, web(answer))
    assert caught.value.code == "zotero"
