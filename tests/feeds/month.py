"""December 2025 as the services would have answered, with invented papers.

    arXiv      RSS of three categories, their listings, OAI-PMH: announced on working days
    Daily Papers     lists that grow through their day
    bioRxiv    a few rows a day

What goes wrong: two storms of 429 and one of 503, a week in which the RSS of cs.CV stands still, a
holiday that no calendar of ours has (25 December), a paper that moves to another day's list and one
that comes late to it (as happened on 17 December 2025), half a day without arXiv, four days without
Daily Papers and almost five without bioRxiv, longer than their feeds look back.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from urllib.parse import parse_qs, urlsplit

from paperround.core.errors import FetchFailed
from paperround.http.model import FetchRequest, Page
from tests.feeds.arxiv_samples import item, listing, rss
from tests.feeds.feed_context import RunningClock
from tests.plugins.biorxiv_samples import NOTHING, collection, row

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST = date(2025, 12, 1)
DAYS = tuple(FIRST + number * DAY for number in range(31))
CHRISTMAS = date(2025, 12, 25)
CATEGORIES = {"cs.AI": 10_000, "cs.CV": 20_000, "hep-th": 30_000}
SETS = {"cs": ("cs.AI", "cs.CV"), "physics:hep-th": ("hep-th",)}
MOVED, LATE = "2512.90001", "2512.90002"
OAI_PAGE = 60


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2025, 12, day, hour, minute, tzinfo=UTC)


def moment(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@dataclass(frozen=True)
class Storm:
    """A service that answers nothing but an error for some time; None is no answer at all."""

    service: str
    begin: datetime
    end: datetime
    status: int | None
    retry_after: float | None = None


STANDSTILL = (at(8), at(13))
OUTAGE = Storm("arxiv", at(18, 4), at(18, 16), None)
NO_LISTS = Storm("huggingface", at(19, 12), at(23, 12), None)
NO_PREPRINTS = Storm("biorxiv", at(24, 2), at(28, 20), None)
STORMS = (
    Storm("arxiv", at(3, 6), at(3, 7), 429, 1800),
    Storm("huggingface", at(10, 12), at(10, 13), 503),
    Storm("arxiv", at(22, 5, 20), at(22, 6, 20), 429),
    OUTAGE,
    NO_LISTS,
    NO_PREPRINTS,
)


@dataclass(frozen=True)
class Asked:
    """One request as a service saw it."""

    service: str
    request: FetchRequest
    begin: datetime
    end: datetime
    status: int | None
    retry_after: float | None = None
    etag: str | None = None


# --- what there is -----------------------------------------------------------------------------


def announced(day: date) -> bool:
    return day.weekday() < 5 and day != CHRISTMAS


@cache
def papers_of(category: str, day: date) -> tuple[str, ...]:
    """The identifiers of a batch; Tuesday's is the big one."""
    first = CATEGORIES[category] + 40 * (day - FIRST).days
    count = 18 if day.weekday() == 1 else 12
    return tuple(f"2512.{first + n:05}" for n in range(count)) if announced(day) else ()


def latest(now: datetime) -> date | None:
    """The day of the newest batch that is out; it is readable five minutes past midnight in New
    York."""
    out = [day for day in DAYS if announced(day) and moment(day, 5, 5) <= now]
    return out[-1] if out else None


def title_of(arxiv: str) -> str:
    return f"Study {arxiv.replace('.', ' ')} of an invented thing"


@dataclass(frozen=True)
class Listed:
    """A paper of Daily Papers: on which list from when on, and what it says of that."""

    arxiv: str
    day: date
    since: datetime
    submitted_at: datetime
    until: datetime = field(default=datetime.max.replace(tzinfo=UTC))


@cache
def daily_papers() -> tuple[Listed, ...]:
    lists = []
    for number, day in enumerate(DAYS):
        if day.weekday() > 4:
            continue
        for k in range(2 if day == CHRISTMAS else 6):
            known = papers_of("cs.AI", day - DAY) if k == 0 and day > FIRST else ()
            arxiv = known[0] if known else f"2512.{40_000 + 10 * number + k:05}"
            lists.append(Listed(arxiv, day, moment(day, 1 + 3 * k), moment(day, 1 + 3 * k)))
    move = at(17, 9)
    lists += [
        Listed(MOVED, date(2025, 12, 16), at(16, 6), at(16, 6), until=move),
        Listed(MOVED, date(2025, 12, 17), move, move),
        Listed(LATE, date(2025, 12, 17), at(18, 7), at(17, 10)),
    ]
    return tuple(lists)


def preprints(day: date) -> range:
    """Numbers of the rows that bioRxiv posts at 15:00 UTC of a day."""
    first = 100 * (day - FIRST).days
    return range(first, first + (4 if day.weekday() < 5 else 1))


def everything() -> set[tuple[str, str]]:
    """Every paper that was announced anywhere in the month, by an identifier."""
    arxiv = {one for category in CATEGORIES for day in DAYS for one in papers_of(category, day)}
    arxiv |= {one.arxiv for one in daily_papers()}
    rows = {("biorxiv", row(n)["doi"]) for day in DAYS for n in preprints(day)}
    return {("arxiv", one) for one in arxiv} | rows


# --- how it is answered ------------------------------------------------------------------------


def arxiv_rss(category: str, now: datetime) -> bytes:
    """One day's batch; nothing on a holiday, though a weekend keeps Friday's."""
    begin, end = STANDSTILL
    if category == "cs.CV" and begin <= now < end:
        now = begin
    day = latest(now)
    if day is None or moment(CHRISTMAS, 5, 5) <= now < moment(CHRISTMAS + DAY, 5, 5):
        return rss()
    return rss(*(item(f"{one}v1", title=title_of(one)) for one in papers_of(category, day)))


def arxiv_listing(category: str, now: datetime) -> bytes:
    day = latest(now) or date(2025, 11, 28)
    count = sum(len(papers_of(one, day)) for one in SETS.get(category, (category,)))
    return listing(f"{day:%A}, {day.day} {day:%B} {day.year}", count)


def arxiv_oai(query: dict[str, list[str]], now: datetime) -> bytes:
    token = query.get("resumptionToken", [""])[0]
    name, since, skip = token.split("/") if token else (query["set"][0], query["from"][0], "0")
    days = [d for d in DAYS if str(d) >= since and moment(d, 3, 30) <= now]
    found = [(d, one) for d in days for cat in SETS[name] for one in papers_of(cat, d)]
    start = int(skip)
    if not found:
        return _oai('<error code="noRecordsMatch"/>')
    more = f"{name}/{since}/{start + OAI_PAGE}" if start + OAI_PAGE < len(found) else ""
    records = "".join(_oai_record(d, one) for d, one in found[start : start + OAI_PAGE])
    return _oai(f"<ListRecords>{records}<resumptionToken>{more}</resumptionToken></ListRecords>")


def _oai(inner: str) -> bytes:
    return f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{inner}</OAI-PMH>'.encode()


def _oai_record(day: date, arxiv: str) -> str:
    created = day - (3 if day.weekday() == 0 else 1) * DAY
    return (
        f"<record><header><identifier>oai:arXiv.org:{arxiv}</identifier>"
        f"<datestamp>{day}</datestamp><setSpec>x</setSpec></header><metadata><arXiv>"
        f"<id>{arxiv}</id><created>{created}</created><authors><author>"
        "<keyname>Lovelace</keyname><forenames>Ada</forenames></author></authors>"
        f"<title>{title_of(arxiv)}</title><categories>cs.AI</categories>"
        "<abstract>We study.</abstract></arXiv></metadata></record>"
    )


def hf_list(day: date, now: datetime) -> bytes:
    on = [one for one in daily_papers() if one.day == day and one.since <= now < one.until]
    return json.dumps([_hf_item(one, now) for one in on]).encode()


def _hf_item(one: Listed, now: datetime) -> dict[str, object]:
    paper = {
        "id": one.arxiv,
        "title": title_of(one.arxiv),
        "summary": "We study.",
        "authors": [{"name": "Ada Lovelace"}],
        "upvotes": min(int((now - one.since) / (12 * HOUR)), 9),
        "submittedOnDailyAt": one.submitted_at.isoformat().replace("+00:00", "Z"),
    }
    return {"paper": paper, "numComments": 0}


def biorxiv_rows(path: str, now: datetime) -> bytes:
    interval = re.search(r"/(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)/(\d+)", path)
    assert interval is not None
    begin, end, start = interval[1], interval[2], int(interval[3])
    days = [day for day in DAYS if begin <= str(day) <= end and moment(day, 15) <= now]
    rows = [
        row(n, date=str(day), title=f"Assay {n} of an invented cell")
        for day in days
        for n in preprints(day)
    ]
    return collection(*rows[start : start + 30], total=len(rows)) if rows else NOTHING


# --- the services ------------------------------------------------------------------------------


@dataclass
class Month:
    """A client for all services of the month. Every answer takes half a second."""

    clock: RunningClock
    asked: list[Asked] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        begin = self.clock.now()
        service = _service(request.url)
        storm = next((s for s in STORMS if s.service == service and s.begin <= begin < s.end), None)
        if storm is not None:
            self._note(service, request, begin, storm.status, storm.retry_after)
            raise FetchFailed(
                f"{service} did not answer", status=storm.status, retry_after=storm.retry_after
            )
        body = _body(request.url, begin)
        etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"' if service != "biorxiv" else None
        same = etag is not None and request.headers.get("If-None-Match") == etag
        self._note(service, request, begin, 304 if same else 200, etag=etag)
        return Page(
            request=request,
            url=request.url,
            status=304 if same else 200,
            headers={} if etag is None else {"etag": etag},
            body=b"" if same else body,
            fetched_at=self.clock.now(),
        )

    def _note(
        self,
        service: str,
        request: FetchRequest,
        begin: datetime,
        status: int | None,
        retry_after: float | None = None,
        etag: str | None = None,
    ) -> None:
        self.clock.moment += timedelta(seconds=0.5 if status else 30)
        self.asked.append(
            Asked(service, request, begin, self.clock.now(), status, retry_after, etag)
        )


def _service(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return {"huggingface.co": "huggingface", "api.biorxiv.org": "biorxiv"}.get(host, "arxiv")


def _body(url: str, now: datetime) -> bytes:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if parts.hostname == "huggingface.co":
        return hf_list(date.fromisoformat(query["date"][0]), now)
    if parts.hostname == "api.biorxiv.org":
        return biorxiv_rows(parts.path, now)
    if parts.hostname == "oaipmh.arxiv.org":
        return arxiv_oai(query, now)
    pieces = parts.path.split("/")
    return arxiv_listing(pieces[2], now) if pieces[1] == "list" else arxiv_rss(pieces[2], now)
