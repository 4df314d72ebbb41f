"""Subscribers from the files of other list software; each program's importer is a plugin."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.core.errors import InvalidInput
from paperround.core.plugins import plugins
from paperround.papers.model import Reject
from paperround.subscribers.import_files import Found, Row, decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """When and how people agreed, in the words of the operator, who answers for it."""

    at: datetime | None = None
    source: str | None = None


Importer = tuple[Callable[[str], list[Found]], Callable[[Row, ConsentRecord], Row]]
"""What finds the entries of a program's file, and what makes rows of ours of them."""


def read_foreign(content: bytes, origin: str, vouched: ConsentRecord) -> list[Found]:
    """The people of a file that the program `origin` wrote.

    The file's own date of consent precedes the vouched one, the vouched source the name of the
    program. Raises InvalidInput when the file is not of that kind, or no importer is called
    `origin`.
    """
    find, translate = _importer(origin)
    people = list[Found]()
    for found in find(decoded(content)):
        if isinstance(found, Reject):
            people.append(found)
            continue
        try:
            people.append(replace(found, row=translate(found.row, vouched)))
        except InvalidInput as problem:
            people.append(found.reject(problem))
    return people


def _importer(origin: str) -> Importer:
    importers = plugins("importers")
    if origin not in importers:
        raise InvalidInput(f"there is no importer {origin!r}: known are {', '.join(importers)}")
    found: Importer = importers[origin]
    return found
