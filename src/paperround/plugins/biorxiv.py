"""Poll bioRxiv and medRxiv: every version posted in the last days.

The size of pages varies (30 rows at times, 100 at others), so each page begins where the one before
ended, until one is empty or the announced total is reached. The interval is the same for all pages
of a poll. Requests are unconditional: an unchanged page would not say where the next one begins,
and new papers are on the last page.

Both share the details API: `{"messages": [...], "collection"}`. A row of the collection is one
version of a paper. An error may come with status 200, as plain text or as a message, and is never
an empty result. Dates may be unpadded, and numbers may be text.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import midnight_utc, require_utc
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    batch_of,
    day_of,
    doi_of,
    storable,
    text_of,
    title_of,
    with_fingerprint,
)
from paperround.feeds.formats.registry import Format
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    PublishingSchedule,
    Source,
    any_of,
    days_setting,
    listed,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch, Record, Show
from paperround.papers.text import clean
from paperround.plugins.catalogues import CatalogueResponse, excerpt_of, json_of

_CREATIVE_COMMONS = "https://creativecommons.org"
_CC0 = f"{_CREATIVE_COMMONS}/publicdomain/zero/1.0/"
_LICENCES: Mapping[str, str] = {
    "cc0": _CC0,
    "cc0_ng": _CC0,
    "cc_no": "All rights reserved",
    **{
        f"cc_{terms}": f"{_CREATIVE_COMMONS}/licenses/{terms.replace('_', '-')}/4.0/"
        for terms in ("by", "by_sa", "by_nd", "by_nc", "by_nc_sa", "by_nc_nd")
    },
}

_OK = "ok"
_NOTHING = "no posts found"
_SAID = 200
_VERSION = re.compile(r"\s*0{0,3}([1-9]\d{0,3})\s*", re.ASCII)
_TOTAL = re.compile(r"\s*(\d{1,9})\s*", re.ASCII)
_MOST_COUNTED = 10**9
_WITHDRAWN = re.compile(r"\s*\[?withdrawn\]?\s*:", re.IGNORECASE)
_FAMILY_FIRST = re.compile(r"\A([^,]+), ?([^,]+)\Z")
_ASIDE = re.compile(r"\([^()]*\)")
_JOINTS = re.compile(r"[\s_/-]+")


def read_answer(content: bytes, subjects: Collection[str] = ()) -> CatalogueResponse:
    """The papers of a response, only those of `subjects` (as `subject_of` writes them) if given.

    Its total may be too high, so that the last page is empty. Raises InvalidInput if it is an error
    or not a response of this API.
    """
    said = json_of(content)
    if not isinstance(said, dict):
        raise InvalidInput("the JSON is not a response of the details API")
    messages = said.get("messages")
    message = messages[0] if isinstance(messages, list) and messages else None
    if not isinstance(message, dict):
        raise InvalidInput("the JSON is not a response of the details API: it has no messages")
    stated = message.get("status")
    status = storable(stated).strip().casefold() if isinstance(stated, str) else ""
    rows = said.get("collection", [] if status == _NOTHING else None)
    if status not in {_OK, _NOTHING}:
        raise InvalidInput(f"the API rejected the query: {clean(status, limit=_SAID)!r}")
    if not isinstance(rows, list):
        raise InvalidInput("the answer has no collection of papers")
    batch = batch_of(rows, partial(_records, subjects=subjects), excerpt_of)
    return CatalogueResponse(batch=batch, rows=len(rows), total=_total(message))


def subject_of(text: str) -> str:
    """One spelling of a subject: `Cell-Biology` and `cell_biology` are `cell biology`.

    Text in parentheses is left out: `infectious diseases (except hiv/aids)`.
    """
    return _JOINTS.sub(" ", _ASIDE.sub(" ", text).casefold()).strip()


def _total(message: Mapping[str, Any]) -> int | None:
    """The number of rows on all pages, written as a number or as text."""
    value = message.get("total")
    match = _TOTAL.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        return int(match[1])
    return value if type(value) is int and 0 <= value < _MOST_COUNTED else None


def _records(row: object, subjects: Collection[str]) -> list[Record]:
    if not isinstance(row, dict):
        raise BadEntry("not-a-paper", "the row is not an object")
    category = text_of(row, "category")
    if subjects and subject_of(category or "") not in subjects:
        return []
    title, version = title_of(row), _version(row)
    posted = day_of(row, "date")  # when this version was posted, by the clock of the service
    is_first = version is None or version == 1
    stated = (text_of(row, "license") or "").strip()
    licence = _LICENCES.get(stated.casefold(), stated) or None  # an unknown word stays as it is
    is_open = licence is not None and licence.startswith(_CREATIVE_COMMONS)
    is_withdrawn = "withdraw" in (text_of(row, "type") or "").casefold()
    record = Record(
        title=title,
        abstract=text_of(row, "abstract") or "",
        identifiers=_identifiers(row),
        authors=_authors(row),
        categories=(category.strip(),) if category else (),
        listed_on=posted if is_first else None,
        published_at=_midnight(posted) if is_first else None,
        updated_at=None if is_first else _midnight(posted),
        version=version,
        withdrawn=is_withdrawn or _WITHDRAWN.match(title) is not None,
        licence=licence,
        organization=text_of(row, "author_corresponding_institution"),
        # Every Creative Commons licence allows showing the unchanged abstract. Without one, the
        # authors keep all rights, and only title and link are shown.
        show=Show.FULL if is_open else Show.LINK,
        announces=is_first,
    )
    return [with_fingerprint(record)]


def _version(row: Entry) -> int | None:
    """The version, from 1 to 9999; None for a row that names none."""
    value = row.get("version")
    if value is None or value == "":
        return None
    match = _VERSION.fullmatch(str(value)) if isinstance(value, (str, int)) else None
    if match is None:
        raise BadEntry("bad-version", f"version must be a number from 1, not {value!r:.40}")
    return int(match[1])


def _midnight(day: date | None) -> datetime | None:
    return midnight_utc(day) if day else None


def _identifiers(row: Entry) -> dict[str, str]:
    """The paper's own DOI, and that of the journal's article if the service knows it."""
    own, published = (doi_of(text_of(row, key) or "") for key in ("doi", "published"))
    if own is None:
        raise BadEntry("no-id", "the row has no DOI")
    return dict([*([published] if published and published[0] == "doi" else []), own])


def _authors(row: Entry) -> tuple[str, ...]:
    """The names in order; semicolons separate them.

    `Lovelace, A. K.` is A. K. Lovelace; a name without a comma, or with two, stays as it is.
    """
    names = (" ".join(one.split()) for one in (text_of(row, "authors") or "").split(";"))
    return tuple(_FAMILY_FIRST.sub(r"\2 \1", name) for name in names if name)


# The subjects of bioRxiv and medRxiv, in the spelling of `subject_of`.
#
# They are listed so that a misspelt one is refused: it would never bring a paper. Add a subject
# here when one of the servers does.

_BIORXIV = """
animal behavior and cognition, biochemistry, bioengineering, bioinformatics, biophysics,
cancer biology, cell biology, clinical trials, developmental biology, ecology, epidemiology,
evolutionary biology, genetics, genomics, immunology, microbiology, molecular biology,
neuroscience, paleontology, pathology, pharmacology and toxicology, physiology, plant biology,
scientific communication and education, synthetic biology, systems biology, zoology
"""
_MEDRXIV = """
addiction medicine, allergy and immunology, anesthesia, cardiovascular medicine,
dentistry and oral medicine, dermatology, emergency medicine, endocrinology, epidemiology,
forensic medicine, gastroenterology, genetic and genomic medicine, geriatric medicine,
health economics, health informatics, health policy,
health systems and quality improvement, hematology, hiv aids, infectious diseases,
intensive care and critical care medicine, medical education, medical ethics, nephrology,
neurology, nursing, nutrition, obstetrics and gynecology,
occupational and environmental health, oncology, ophthalmology, orthopedics, otolaryngology,
pain medicine, palliative medicine, pathology, pediatrics, pharmacology and therapeutics,
primary care research, psychiatry and clinical psychology, public and global health,
radiology and imaging, rehabilitation medicine and physical therapy, respiratory medicine,
rheumatology, sexual and reproductive health, sports medicine, surgery, toxicology,
transplantation, urology
"""

SUBJECTS = frozenset(
    " ".join(name.split()) for listed in (_BIORXIV, _MEDRXIV) for name in listed.split(",")
)
"""Names in lower case, with a space for a slash, a dash or an underscore."""


_MESSAGES = re.compile(rb'\{\s*"messages"\s*:\s*\[\s*\{\s*"(?:status|category|interval|cursor)"')
FORMAT = Format(
    read=lambda content: read_answer(content).batch,
    recognise=lambda body: bool(_MESSAGES.match(body)),
)
"""The format `biorxiv`: a saved response of the details API, also of medRxiv."""


# --- the source -----------------------------------------------------------------------------

BASE = "https://api.biorxiv.org/details"
SERVERS = ("biorxiv", "medrxiv")

_MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _BiorxivPlace:
    index: int = 0
    start: int = 0
    since: date
    until: date
    servers: tuple[str, ...]
    subjects: tuple[str, ...]


class Biorxiv(Source[_BiorxivPlace]):
    """The source `biorxiv`."""

    kind: str = "biorxiv"
    settings: ClassVar[Mapping[str, Setting]] = {
        "server": Setting(
            "biorxiv (default), medrxiv, or both, separated by a comma.",
            values=any_of(SERVERS),
            many=True,
            default=SERVERS[0],
        ),
        "categories": Setting(
            "Only papers of these subjects, separated by commas "
            "(neuroscience,cell biology); all of them if left out.",
            values=any_of(sorted(SUBJECTS)),
            many=True,
        ),
        "days": days_setting(),
    }
    # By 20:00 in New York on the next working day. On Saturdays and Sundays, by the service's
    # clock, few papers are posted or none.
    rhythm = PublishingSchedule(zone=ZoneInfo("America/New_York"), at=time(20), all_day=True)
    place = _BiorxivPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """The server's own feed of these subjects."""
        server = (listed(feed.settings.get("server", "").lower()) or SERVERS)[0]
        named = listed(feed.settings.get("categories", ""))
        subjects = "+".join(quote_plus(one.replace(" ", "_")) for one in named) or "all"
        host = quote_plus(server)
        return PublicAddress(
            feed=f"https://connect.{host}.org/{host}_xml.php?subject={subjects}",
            page=f"https://www.{host}.org/",
        )

    def first(self, state: FeedState, now: datetime) -> _BiorxivPlace:
        """The first page of the first server."""
        settings = state.settings
        return _BiorxivPlace(
            since=oldest_day(state, now, days=self.days_back(settings)),
            until=require_utc(now).date(),
            servers=self.chosen(settings, "server", str.lower),
            subjects=self.chosen(settings, "categories", subject_of),
        )

    def request(self, place: _BiorxivPlace, state: FeedState) -> FetchRequest:
        """The request for the rows from a place on."""
        path = f"{place.servers[place.index]}/{place.since}/{place.until}/{place.start}/json"
        url = f"{(state.url or BASE).rstrip('/')}/{path}"
        return FetchRequest(url=url, limiter="biorxiv", interval_seconds=1.0)

    def read_page(
        self, page: Page, place: _BiorxivPlace
    ) -> tuple[ParsedBatch, _BiorxivPlace | None]:
        """The papers of a response; raises FetchFailed if it is not a list of papers."""
        answer = read(page, partial(read_answer, subjects=frozenset(place.subjects)))
        # The next page begins after the rows of this one; after a page without rows, the next
        # server.
        end = place.start + answer.rows
        if not answer.rows and answer.total and not place.start:
            raise FetchFailed(
                f"{place.servers[place.index]} returned no papers though it announced "
                f"{answer.total:,}: ask again later"
            )
        if not answer.rows or (answer.total is not None and end >= answer.total):
            is_last = place.index + 1 >= len(place.servers)
            return answer.batch, None if is_last else replace(place, index=place.index + 1, start=0)
        if end >= _MOST_ROWS:
            span = f"{place.since} to {place.until}"
            raise FetchFailed(f"there are more than {_MOST_ROWS:,} papers from {span}")
        return answer.batch, replace(place, start=end)
