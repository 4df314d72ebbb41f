"""The papers a reader saved: their page, notes, collections and files, by a recently mailed link.

Nothing here opens with the link of a digest, which may have been forwarded.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.core.languages import marked
from paperround.core.tokens import Purpose
from paperround.db.transactions import Transaction
from paperround.digests.pages import citation, find_paper
from paperround.editions.citations import Citation, write_bibtex, write_ris
from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore
from paperround.self_service.feedback import give_again
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import TokenHolder, authorized_reader, run_as_reader
from paperround.subscribers.choices import find_paper_by_title
from paperround.subscribers.interests import seed_identifier
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.readers import GivenBy, SavedPaper
from paperround.subscribers.store.saved import SAVE, SavedPapers
from paperround.subscribers.store.subscribers import SubscriberStore

LONGEST_NOTE = 2000
MOST_COLLECTIONS = 200
"""Collections of one reader."""
LONGEST_NAME = 80
"""Characters of the name of a collection."""
PAGE = 50
MOST_PAGES = 1000

SAVED_FILES: Mapping[str, tuple[str, Callable[[Sequence[Citation]], bytes]]] = {
    "bib": ("application/x-bibtex", write_bibtex),
    "ris": ("application/x-research-info-systems", write_ris),
}
"""The media type and the writer of each file of saved papers, by its extension."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEntry:
    """A saved paper, with its reader's note and collections."""

    paper: Paper
    saved: SavedPaper


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage:
    """One page of saved papers, the last one first: all of them, or those of a `collection`.

    `total` is the number of these, `pages` how many pages they fill. `collections` are all names,
    with how many papers each has. `feed` is the token of the reader's feeds.
    """

    entries: tuple[SavedEntry, ...]
    collections: Mapping[str, int]
    collection: str
    total: int
    number: int
    pages: int
    feed: str

    @property
    def first(self) -> int:
        """The number of the first paper on the page."""
        return (self.number - 1) * PAGE + 1


def saved_page(
    context: SignupContext, token: str, *, now: datetime, collection: str = "", number: int = 1
) -> SavedPage:
    """Return a page of the papers that the holder of a recently mailed link saved. Raises
    LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        everything = work[SavedPapers].saved_by(reader.person.id)
        wanted = in_collection(everything, collection)
        pages = max(1, -(-len(wanted) // PAGE))
        number = min(number, pages)
        entries = _entries(work, wanted[(number - 1) * PAGE : number * PAGE])
    return SavedPage(
        entries=entries,
        collections=_counted(everything),
        collection=collection,
        total=len(wanted),
        number=number,
        pages=pages,
        feed=context.keys.token(Purpose.FEED, reader.person.id, reader.person.nonce),
    )


def in_collection(saved: Sequence[SavedPaper], collection: str) -> list[SavedPaper]:
    """Return the papers of a collection; all of them if its name is empty."""
    return [one for one in saved if not collection or collection in one.collections]


def _counted(saved: Sequence[SavedPaper]) -> dict[str, int]:
    counts = Counter(name for one in saved for name in one.collections)
    return dict(sorted(counts.items(), key=lambda one: (one[0].casefold(), one[0])))


def _entries(work: Transaction, saved: Sequence[SavedPaper]) -> tuple[SavedEntry, ...]:
    papers = work[PaperStore].load({one.paper_id for one in saved}) if saved else {}
    return tuple(
        SavedEntry(paper=papers[one.paper_id], saved=one) for one in saved if one.paper_id in papers
    )


def saved_file(
    context: SignupContext,
    token: str,
    public_url: str,
    ending: str,
    *,
    now: datetime,
    collection: str = "",
) -> bytes:
    """Return saved papers with their notes as a file. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        saved = in_collection(work[SavedPapers].saved_by(reader.person.id), collection)
        entries = _entries(work, saved)
    _, write = SAVED_FILES[ending]
    return write([replace(citation(public_url, one.paper), note=one.saved.note) for one in entries])


# --- changing ----------------------------------------------------------------------------------


def add_paper(
    context: SignupContext,
    token: str,
    named: str,
    public_url: str,
    *,
    now: datetime,
    collection: str = "",
) -> None:
    """Save the paper `named` by an identifier, a URL or its title, for the holder of a recently
    mailed link, in a `collection` if they have it. Raises LinkExpired, and InvalidInput for an
    unknown paper.
    """
    with context.database.reading() as work:  # a search would keep a write transaction open
        paper = _find(work, named.strip(), public_url)

    def add(work: Transaction, reader: TokenHolder) -> None:
        person = reader.person.id
        work[SubscriberStore].give_feedback(person, paper, SAVE, now=now)
        saved = work[SavedPapers].saved_by(person)
        if collection in _counted(saved):
            one = next(each for each in saved if each.paper_id == paper)
            names = dict.fromkeys((*one.collections, collection))
            work[SavedPapers].annotate(person, paper, one.note, tuple(names))

    run_as_reader(context, token, add, now=now)


def _find(work: Transaction, named: str, public_url: str) -> PaperId:
    page = public_url.rstrip("/") + "/papers/"
    if named.startswith(page):
        try:
            return find_paper(work, named.removeprefix(page).partition("?")[0]).id
        except NotFound as error:
            raise InvalidInput(error.text, code="named") from None
    identifier = seed_identifier(named)
    found = work[PaperStore].find([identifier]).get(identifier) if identifier else None
    if found is not None:
        return found
    titled = None if identifier else find_paper_by_title(work, named)
    if titled is None:
        raise InvalidInput(marked("This paper is not in our database."), code="named")
    return titled.id


def annotate(
    context: SignupContext,
    token: str,
    paper: PaperId,
    note: str,
    collections: str,
    *,
    now: datetime,
    given: GivenBy | None = None,
) -> None:
    """Replace note and collections (names between commas) of a paper that the holder of a recently
    mailed link saved, and save it, as it was `given`, if it was removed since. Ignores an unknown
    paper.

    Raises LinkExpired, and InvalidInput with code `note` or `collections`.
    """
    text = _CONTROL.sub("", note.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(text) > LONGEST_NOTE:
        raise invalid("note", "a note can have at most %(all)s characters", all=LONGEST_NOTE)

    def write(work: Transaction, reader: TokenHolder) -> None:
        person, known = reader.person.id, work[PaperStore].load([paper]).get(paper)
        if known is None:
            return
        others = [one for one in work[SavedPapers].saved_by(person) if one.paper_id != known.id]
        names = _read_names(collections, _counted(others))
        give_again(work, person, known.id, SAVE, given, now=now)
        work[SavedPapers].annotate(person, known.id, text, names)

    run_as_reader(context, token, write, now=now)


def _read_names(written: str, known: Mapping[str, int]) -> tuple[str, ...]:
    """Return the names between commas, each spelled as a known one that differs in case only."""
    spelled = {one.casefold(): one for one in known}
    names = dict[str, str]()
    for one in written.split(","):
        name = " ".join(one.split())
        if len(name) > LONGEST_NAME or _CONTROL.search(name):
            raise invalid(
                "collections",
                "%(given)s is longer than %(all)s characters or contains unprintable characters",
                given=name[:40],
                all=LONGEST_NAME,
            )
        if name:
            names.setdefault(name.casefold(), spelled.get(name.casefold(), name))
    if len(set(names.values()) | known.keys()) > MOST_COLLECTIONS:
        raise invalid(
            "collections", "you can have at most %(all)s collections", all=MOST_COLLECTIONS
        )
    return tuple(names.values())


def rename_collection(
    context: SignupContext, token: str, collection: str, name: str, *, now: datetime
) -> str:
    """Rename a collection, or dissolve it if the name is empty; its papers stay saved. Return the
    new name. Raises LinkExpired, and InvalidInput (code `collections`)."""

    def rename(work: Transaction, reader: TokenHolder) -> str:
        person = reader.person.id
        saved = work[SavedPapers].saved_by(person)
        known = {one: count for one, count in _counted(saved).items() if one != collection}
        new = _read_names(name.replace(",", " "), known)
        for one in in_collection(saved, collection) if collection else ():
            names = [new if each == collection else (each,) for each in one.collections]
            unique = dict.fromkeys(each for some in names for each in some)
            work[SavedPapers].annotate(person, one.paper_id, one.note, tuple(unique))
        return "".join(new)

    return run_as_reader(context, token, rename, now=now)


def saved_of(work: Transaction, person: SubscriberId, collection: str) -> tuple[SavedEntry, ...]:
    """Return the papers that a person saved, the last one first."""
    return _entries(work, in_collection(work[SavedPapers].saved_by(person), collection))
