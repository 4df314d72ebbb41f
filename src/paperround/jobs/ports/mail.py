"""Mail: words, bytes, and the way out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from paperround.domain.deliveries import DeliveryId, Envelope, Outcome
from paperround.domain.digests import DigestMail, DigestView, Rendered
from paperround.domain.notices import NoticeMail


class Renderer(Protocol):
    """Turns a digest into words and into the exact bytes that will be sent."""

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""
        ...

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason."""
        ...

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """The message of a notice, CRLF line ends; raises RenderingFailed with the reason."""
        ...


class Mailer(Protocol):
    """Sends a batch: envelopes in, one outcome an envelope out, in any order.

    Everything but socket work happens on the caller's thread: `envelopes` is pulled, `before_dot`
    called and outcomes yielded there, so the caller needs no locks. `before_dot(ids)` is called
    once all of those messages' bodies are about to end and must commit their mark; only the ids it
    returns get their final dot, the others' connections are dropped without it. Outcomes that came
    before a call are yielded before it. At most one marked, unanswered dot a connection exists at
    any time. Closing the generator early finishes nothing new and waits for the open dots.

    None among the envelopes says that more may leave in a moment: the mailer goes on with what is
    under way, and asks again when something was heard, or after a hundredth of a second.

    Once `stopping` says so, no other mail is offered: mails that were taken up and are on no wire
    have no outcome.
    """

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        stopping: Callable[[], bool] = ...,
    ) -> Iterator[Outcome]: ...


class Resolver(Protocol):
    """Asks the DNS."""

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at `name`, the strings of each joined; none where there are none.

        Raises FetchFailed when nobody answers, as all of these do.
        """
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a host, of both kinds."""
        ...

    def exchangers(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for a domain (MX), the preferred first; none where it names
        none."""
        ...

    def hosts(self, address: str) -> tuple[str, ...]:
        """The names that an address has (PTR)."""
        ...

    def answers_for(self, host: str) -> bool:
        """Whether the system is told about the name of a host, be it that there is no such host."""
        ...
