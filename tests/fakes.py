"""Small real implementations of the jobs' Protocols, for tests that need a say in what happens."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from paperround.core.errors import FetchFailed, RenderingFailed
from paperround.core.interfaces import Worker
from paperround.core.sender import SenderIdentity
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.system_mail_model import NoticeMail
from paperround.digests.model import DigestMail, DigestView, Rendered
from paperround.editions.model import Candidate, DeliveryId, Ranked, Ranking
from paperround.http.model import FetchRequest, Page
from paperround.http.resolver import Resolver

ACCEPTED = Reply(250, "2.0.0", "queued")
SENDER_IDENTITY = SenderIdentity(
    mail_from="Paperround <digest@paperround.example>",
    envelope_from="digest@paperround.example",
    public_url="https://papers.example.org",
    operator="The Reading Group",
    postal_address="1 Paper Street, Pressburg",
    contact="people@papers.example.org",
)


class NewestFirst:
    """A ranker that needs no thought: the later a paper counts from, the higher it stands."""

    name = "newest-first/1"

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],  # noqa: ARG002 - the Protocol hands it over
        as_of: datetime,
        submitter_cap: int,  # noqa: ARG002 - the Protocol hands it over
    ) -> Ranking:
        order = sorted(
            candidates, key=lambda one: (-one.paper.counts_from.timestamp(), one.paper.id)
        )
        items = tuple(
            Ranked(
                paper=one.paper, score=-float(place), parts={"place": -float(place)}, reason="new"
            )
            for place, one in enumerate(order)
        )
        return Ranking(ranker=self.name, as_of=as_of, items=items)


@dataclass
class FakeResolver(Resolver):
    """A DNS that holds what `held` says, texts by name, addresses by host and hosts by address, and
    `mail` hosts by domain; it answers nobody while it is `silent`, and says nothing of what is
    `unheard` of."""

    held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent: bool = False
    mail: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unheard: tuple[str, ...] = ()

    def texts(self, name: str) -> tuple[str, ...]:
        return self._answer(name)

    def addresses(self, name: str) -> tuple[str, ...]:
        return self._answer(name)

    def hosts(self, address: str) -> tuple[str, ...]:
        return self._answer(address)

    def exchangers(self, name: str) -> tuple[str, ...]:
        return self.mail.get(name, ()) if not self.silent else self._answer(name)

    def answers_for(self, host: str) -> bool:
        return not self.silent and host not in self.unheard

    def _answer(self, name: str) -> tuple[str, ...]:
        if self.silent:
            raise FetchFailed(f"the DNS did not answer for {name} in time")
        return self.held.get(name, ())


@dataclass
class FakeClient:
    """A web that holds what `pages` says by address, or raises it; `asked` is what it was asked.
    A page in `moved` answers from another address; each has the same `headers`."""

    now: datetime
    pages: dict[str, bytes | Exception] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request.url)
        found = self.pages.get(request.url)
        if found is None:
            raise FetchFailed("the host has nothing there (status 404)", status=404)
        if isinstance(found, Exception):
            raise found
        return Page(
            request=request,
            url=self.moved.get(request.url, request.url),
            status=200,
            headers=self.headers,
            body=found,
            fetched_at=self.now,
        )


@dataclass
class PlainRenderer:
    """Bytes that name what they were made of. Recipients in `poisoned` raise their error."""

    poisoned: dict[str, Exception] = field(default_factory=dict)

    def render(self, view: DigestView) -> Rendered:
        titles = "\n".join(paper.title for paper in view.papers)
        return Rendered(subject=view.list_title, preheader="", text=titles, html=titles)

    def compose(self, mail: DigestMail) -> bytes:
        if mail.recipient in self.poisoned:
            raise self.poisoned[mail.recipient]
        titles = [paper.title.encode() for paper in mail.view.papers]
        return b"\r\n".join([mail.message_id.encode(), mail.recipient.encode(), *titles, b""])

    def compose_notice(self, mail: NoticeMail) -> bytes:
        if mail.recipient in self.poisoned:
            raise self.poisoned[mail.recipient]
        view = mail.view
        words = [mail.message_id, mail.recipient, view.list_title, view.subject, view.action_url]
        return "\r\n".join([*words, *view.details, ""]).encode()


def broken_template() -> RenderingFailed:
    """What a renderer says of a mail it cannot make."""
    return RenderingFailed("the template needs a title")


@dataclass
class ScriptedMailer:
    """Answers each envelope as `script` says, and keeps what it accepted."""

    script: Callable[[Envelope], Outcome]
    offered: list[Envelope] = field(default_factory=list)
    marked: list[DeliveryId] = field(default_factory=list)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        for envelope in filter(None, envelopes):
            self.offered.append(envelope)
            outcome = self.script(envelope)
            if outcome.phase is not Phase.DOT:
                yield outcome
            elif envelope.id in before_dot([envelope.id]):
                self.marked.append(envelope.id)
                yield outcome


@dataclass
class PatientMailer:
    """Offers everything it can get, runs `meanwhile`, and only then asks for the dots."""

    meanwhile: Callable[[], None]
    accepted: list[Envelope] = field(default_factory=list)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        waiting = []
        for envelope in filter(None, envelopes):
            waiting.append(envelope)
            self.meanwhile()
        if not waiting:
            return
        permitted = before_dot([envelope.id for envelope in waiting])
        for envelope in waiting:
            if envelope.id in permitted:
                self.accepted.append(envelope)
                yield accepting(envelope)


def accepting(envelope: Envelope) -> Outcome:
    """A server that takes everything."""
    return Outcome(id=envelope.id, phase=Phase.DOT, reply=ACCEPTED)


HERE = Worker(host="here", pid=1, started="boot/1")


@dataclass
class Neighbours:
    """Processes of one host; those in `dead` are gone."""

    me: Worker = HERE
    dead: set[int] = field(default_factory=set)

    def current(self) -> Worker:
        return self.me

    def is_dead(self, worker: Worker) -> bool:
        return worker.host == self.me.host and worker.pid in self.dead
