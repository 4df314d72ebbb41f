"""The API refuses a query parameter that it does not know: a misspelt filter filters nothing, and
the answer would look right."""

from collections.abc import Iterator

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

UNKNOWN = "unknown_parameter"
"""What such an error is called among those of the library that checks fields."""


async def _refuse_unknown(request: Request) -> None:
    known = sorted(set(_names(request.scope["route"].dependant)))
    unknown = sorted(request.query_params.keys() - set(known))
    if not unknown:
        return
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    message = f"There is no such query parameter here: {takes}."
    raise RequestValidationError(
        [{"type": UNKNOWN, "loc": ("query", name), "msg": message} for name in unknown]
    )


def _names(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a handler, and of all that it depends on."""
    for field in dependant.query_params:
        yield field.alias
    for one in dependant.dependencies:
        yield from _names(one)


KNOWN_NAMES_ONLY = Depends(_refuse_unknown)
"""Among the dependencies of a router: its routes take the query parameters they name, no other."""
