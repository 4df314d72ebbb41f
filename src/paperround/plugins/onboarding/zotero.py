"""Read a public Zotero library with Zotero's API (version 3), as CSL-JSON, newest first."""

import re
from dataclasses import replace

from paperround.core.errors import FetchFailed, UnreadableFile, invalid
from paperround.core.languages import marked
from paperround.feeds.formats.charsets import text_of_bytes
from paperround.http.model import FetchRequest, HttpClient
from paperround.plugins.onboarding.library_formats import Library, read_json

API = "https://api.zotero.org"
CODE = "zotero"
"""The form field of the errors."""

MOST_PAGES = 3
PAGE = 100
"""Works per page, Zotero's maximum."""

_PLACE = re.compile(
    r"(?:https?://)?(?:www\.|api\.)?(?:zotero\.org/)?(users|groups)/(\d{1,12})(?:[/?#].*)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,12}")


def place_of(text: str) -> str:
    """Parse an address or user number into `users/123` or `groups/45`.

    Raises InvalidInput (code `zotero`) that says where to find the number.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return f"users/{text}"
    match = _PLACE.fullmatch(text)
    if match is None:
        raise invalid(
            CODE,
            "enter the address of a group, such as zotero.org/groups/12345, or your userID, a "
            "number that zotero.org shows under Settings, Security",
        )
    return f"{match[1].lower()}/{match[2]}"


def read_zotero(place: str, client: HttpClient) -> Library:
    """Return the newest works of the public library at `place`, at most 300.

    Raises InvalidInput (code `zotero`) when Zotero does not return any.
    """
    found = page = _fetch_page(client, place, 0)
    for number in range(1, MOST_PAGES):
        if page.size < PAGE:
            break
        page = _fetch_page(client, place, number * PAGE)
        found = replace(found, works=found.works + page.works, refused=found.refused + page.refused)
    if not (found.works or found.refused):
        raise invalid(CODE, "there are no works in that library")
    return replace(found, called=marked("Zotero library"))


def _fetch_page(client: HttpClient, place: str, start: int) -> Library:
    url = f"{API}/{place}/items/top?v=3&format=csljson&sort=dateAdded&direction=desc"
    try:
        page = client.get(FetchRequest(url=f"{url}&limit={PAGE}&start={start}"))
        return read_json(text_of_bytes(page.body))
    except UnreadableFile:
        raise invalid(
            CODE,
            "Zotero did not return a library: export it there and upload the file",
        ) from None
    except FetchFailed as error:
        if error.status in (403, 404):
            raise invalid(
                CODE,
                "Zotero has no public library there: make it public, or export it and upload the "
                "file",
            ) from None
        raise invalid(
            CODE,
            "Zotero is not responding: export the library there and upload the file instead",
        ) from None
