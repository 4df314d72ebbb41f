"""The exceptions of Paperround.

    PaperroundError
    ├── InvalidInput        invalid user input; the message names it and how to fix it
    │   ├── AlreadyTaken    a unique name is already in use
    │   ├── UnknownFormat
    │   └── UnreadableFile
    ├── SignupClosed        nobody may sign up for this list
    ├── NotFound            a list, edition, subscriber ... that does not exist
    ├── Conflict            another transaction changed the same rows first
    │   └── EditionCancelled   nothing is planned for a cancelled edition
    ├── LeaseLost           a leased row was changed, or leased to another worker
    ├── Misconfigured       a setting is missing, weak or contradictory
    ├── DatabaseFailed      the database is down, full or locked; nothing was written
    ├── SchemaOutOfDate     the database is not at the revision this version needs
    │   └── MovedAway          it is part of a move, or a copy: an operator has to decide
    ├── FetchFailed         a source could not be read; `permanent` tells whether to retry
    │   ├── FetchRefused    the address or the response is not allowed
    │   │   └── FetchWithheld   the check before the body failed; nothing was posted
    │   └── Unanswered      a request was sent and got no response
    ├── InvalidSignature    the signature of a message does not verify
    ├── RateLimited         too many requests; retry after `retry_after` seconds
    │   └── SharedLimitReached            too many requests from all clients together
    └── RenderingFailed     an email could not be rendered; the others continue

Retry loops only read `permanent`: true means that a retry cannot succeed.
The text of an error is for a person: it names the problem and what to do. The first line of a
class docstring is the default text.
"""

from paperround.core.languages import marked


class PaperroundError(Exception):
    """Something Paperround knows about went wrong."""

    permanent = True

    def __init__(self, message: str | None = None) -> None:
        self.text = message or (type(self).__doc__ or "").strip().splitlines()[0]
        """Same as `str(self)`, but keeps the parameters of a translatable text."""
        super().__init__(self.text)


class InvalidInput(PaperroundError):
    """The input is not what it should be."""

    def __init__(self, message: str | None = None, *, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code
        """A short code for counting errors when many inputs are read at once."""


def invalid(code: str, message: str, /, **params: object) -> InvalidInput:
    """Return an InvalidInput whose `message` pages can translate."""
    return InvalidInput(marked(message, **params), code=code)


class AlreadyTaken(InvalidInput):
    """Another one is called that already."""


class UnknownFormat(InvalidInput):
    """The format of the file could not be recognised."""


class UnreadableFile(InvalidInput):
    """The file could not be read."""


class SignupClosed(PaperroundError):
    """This list takes no sign-ups."""


class NotFound(PaperroundError):
    """There is no such thing."""


class Conflict(PaperroundError):
    """Somebody else changed the same rows first."""

    permanent = False


class EditionCancelled(Conflict):
    """The edition was cancelled, so nothing of it is planned."""


class LeaseLost(PaperroundError):
    """What was lent to us was changed, or lent to another, meanwhile."""

    permanent = False


class Misconfigured(PaperroundError):
    """A setting is missing or wrong. The text lists each of several `faults` on its own line."""

    def __init__(self, *faults: str) -> None:
        head = f"{len(faults)} settings are wrong:"
        super().__init__("\n  ".join([head, *faults] if len(faults) > 1 else faults))
        self.faults = faults


class DatabaseFailed(PaperroundError):
    """The database could not do its work."""

    permanent = False


class SchemaOutOfDate(PaperroundError):
    """The database has another schema than this version needs."""


class MovedAway(SchemaOutOfDate):
    """The database was moved, is being moved, or is a copy of another: nothing may be sent."""


class FetchFailed(PaperroundError):
    """A source could not be read.

    `status` is the HTTP status, if any; `retry_after` is the wait the server requested, in seconds.
    """

    permanent = False

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class FetchRefused(FetchFailed):
    """The address or the response is not allowed. The text does not reveal what listens there."""

    permanent = True


class FetchWithheld(FetchRefused):
    """The check just before the body was sent failed, so nothing was posted."""


class Unanswered(FetchFailed):
    """The body was sent but no response came, so the server may have accepted it."""

    permanent = True


class InvalidSignature(PaperroundError):
    """The signature does not verify. The text is for the log: the sender gets no reason."""


class RateLimited(PaperroundError):
    """Too many requests for now. `limit` names the limit, in messages for operators."""

    permanent = False

    def __init__(self, message: str, *, retry_after: float, limit: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limit = limit


class SharedLimitReached(RateLimited):
    """Too many requests from all clients together; this client did nothing wrong."""


class RenderingFailed(PaperroundError):
    """The mail could not be made."""
