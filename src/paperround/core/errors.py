"""Every error Paperround raises on purpose.

    PaperroundError
    ├── InvalidInput        what somebody gave us is wrong; the message names it and the way out
    │   ├── AlreadyTaken    a name that only one may have is another's already
    │   ├── UnknownFormat
    │   └── UnreadableFile
    ├── NotFound            a list, edition, subscriber ... that does not exist
    ├── Conflict            somebody else changed the same thing first
    │   └── EditionCancelled   nothing is planned of an edition that was cancelled
    ├── LeaseLost           what was lent to us was changed, or lent to another
    ├── Misconfigured  a setting is missing, weak or contradictory
    ├── DatabaseFailed      the database is down, full or locked; nothing was written
    ├── SchemaOutOfDate     the database is not at the revision this code needs
    │   └── MovedAway          it takes part in a move, or is a copy: a person has to say what holds
    ├── FetchFailed         a source could not be read; `permanent` says whether to try again
    │   ├── FetchRefused    we will not ask that address, or not take that answer
    │   └── Unanswered      what we posted is out, and nobody said whether it was taken
    ├── Forged              a message is not proven to come from whom it names
    ├── RateLimited         too many requests for now; `retry_after` seconds
    │   └── Crowded            too many requests of all clients together
    └── RenderingFailed     one mail could not be made; the others go on

`permanent` is all a retry loop reads: true means that trying again cannot help.
The text of an error is for a person: it names the thing and says what to do.
"""

from paperround.core.languages import marked


class PaperroundError(Exception):
    """Something Paperround knows about went wrong."""

    permanent = True

    def __init__(self, message: str | None = None) -> None:
        self.text = message or (type(self).__doc__ or "").strip().splitlines()[0]
        """What `str` gives, with its parameters where a page translates it."""
        super().__init__(self.text)


class InvalidInput(PaperroundError):
    """The input is not what it should be."""

    def __init__(self, message: str | None = None, *, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code
        """A short word for counting, where many inputs are read at once."""


def invalid(code: str, message: str, /, **params: object) -> InvalidInput:
    """The error of what a reader gave. Pages translate `message`."""
    return InvalidInput(marked(message, **params), code=code)


class AlreadyTaken(InvalidInput):
    """Another one is called that already."""


class UnknownFormat(InvalidInput):
    """The format of the file could not be recognised."""


class UnreadableFile(InvalidInput):
    """The file could not be read."""


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
    """A setting is missing or wrong. Of several `faults` the text has a line for each."""

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

    `status` is the HTTP status when there was one, `retry_after` the seconds it asked us to wait.
    """

    permanent = False

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class FetchRefused(FetchFailed):
    """We do not connect there, or do not take what is sent. Says nothing of what listens there."""

    permanent = True


class FetchWithheld(FetchRefused):
    """Nothing was posted: what is asked before the body said no."""


class NameNotFound(FetchFailed):
    """The DNS does not know the name of a server, or does not answer."""


class Unanswered(FetchFailed):
    """What we posted may have been taken: its body was on the way, and no answer came."""

    permanent = True


class InvalidSignature(PaperroundError):
    """Nothing proves who sent this. Its text is for the log: whoever sent it learns no reason."""


class RateLimited(PaperroundError):
    """Too many requests for now. `limit` names what was counted, where an operator is told."""

    permanent = False

    def __init__(self, message: str, *, retry_after: float, limit: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limit = limit


class Crowded(RateLimited):
    """Too many requests of all clients together: this one did nothing wrong."""


class RenderingFailed(PaperroundError):
    """The mail could not be made."""
