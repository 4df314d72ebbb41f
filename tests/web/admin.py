"""Programs that use the admin API, with keys and from addresses of their own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from secrets import token_hex, token_urlsafe
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI
from starlette.testclient import TestClient

from paperround.access.model import NewKey, Scope, digest_of, key_text
from paperround.access.store import KeyStore
from paperround.bootstrap import AppContext
from paperround.feeds.fetcher import FeedContext
from paperround.http.model import FetchRequest, Page
from tests.builders import NOW

FEEDS = "/api/v1/admin/feeds"
PUBLIC_URL = "https://papers.example"


def key_for(runtime: AppContext, *scopes: Scope) -> str:
    """The text of a new key with these scopes. It is stored as it is, so that the audit holds only
    what a test does."""
    prefix = token_hex(4)
    text = key_text(prefix, token_urlsafe(32))
    new = NewKey(
        name="tests",
        prefix=prefix,
        digest=digest_of(text),
        scopes=frozenset(scopes),
        expires_at=None,
    )
    with runtime.database.writing() as work:
        work[KeyStore].add(new, now=NOW)
    return text


def bearer(key: str | None) -> dict[str, str]:
    """The headers that show `key`."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def program(app: FastAPI, key: str | None, *, at: str = "203.0.113.7") -> TestClient:
    """A program at the address `at` that shows `key` with every request."""
    return TestClient(
        app,
        base_url=PUBLIC_URL,
        headers=bearer(key),
        client=(at, 4711),
        raise_server_exceptions=False,
    )


def fields_of(answer: httpx.Response) -> list[str]:
    """The fields that a problem names."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return [one["field"] for one in answer.json()["errors"]]


@dataclass
class Service:
    """Every service of the world: answers what `says` holds for a part of the address."""

    says: dict[str, bytes | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request.url)
        found: Iterable[bytes | Exception] = (
            answer for part, answer in self.says.items() if part in request.url
        )
        answer = next(iter(found), b"[]")
        if isinstance(answer, Exception):
            raise answer
        return Page(
            request=request,
            url=request.url,
            status=200,
            headers={},
            body=answer,
            fetched_at=NOW,
        )


@dataclass(frozen=True)
class Staffed(AppContext):
    """An installation whose feeds are read from `service`, without waiting for a turn."""

    service: Service = field(default_factory=Service)

    @cached_property
    def feed_context(self) -> FeedContext:
        return replace(super().feed_context, client=self.service, pause=lambda _: None)


def feed_body(name: str = "arxiv-ml", **changes: Any) -> Mapping[str, Any]:
    """A feed that can be created."""
    return {"name": name, "kind": "arxiv", "settings": {"categories": "cs.LG"}, **changes}
