"""Hold editions, and let an editor change and approve them before they go out.

    frozen ─► held ─► drop, choose, note (and undo) ─► approve, or the hold ends ─► planned

Every change is one transaction that locks the edition while it is held, and is audited. Readers see
what was changed: in their digests and on the page of the edition.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.db.transactions import Database, Transaction, write
from paperround.digests.cancel import audit_target
from paperround.digests.pages import find_paper
from paperround.editions.model import (
    FIRST_CHOSEN,
    Edition,
    EditionPaper,
    EditionState,
    EditorsChanges,
    TailPaper,
)
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.held import HeldEditions
from paperround.editions.store.history import VOTES, HistoryStore
from paperround.editions.store.lists import ListStore
from paperround.papers.gist import GistChooser, choose_gist
from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore
from paperround.personal.ranking import edition_paper, tail_of, with_gist
from paperround.subscribers.interests import seed_identifier

LONGEST_HOLD = 12 * 60
"""Minutes. Readers wait this long, and the digests of a day must be sent on that day."""
LONGEST_NOTE = 300
MOST_CHOSEN = 5
"""The most papers an editor can choose for an edition, so that most of a digest stays personal."""

Details = Mapping[str, str | int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRef:
    """Names an edition of a list. Without `day` or `cut`: the only one that is held."""

    list_name: str
    day: date | None = None
    cut: str | None = None


def check_hold(minutes: int) -> int:
    """Return the minutes of a hold. Raises InvalidInput (code `minutes`)."""
    if not 0 <= minutes <= LONGEST_HOLD:
        raise invalid(
            "minutes",
            "an edition can be held for 0 to %(most)s minutes, not %(some)s",
            most=LONGEST_HOLD,
            some=minutes,
        )
    return minutes


def set_hold(database: Database, list_name: str, minutes: int, *, by: str, now: datetime) -> int:
    """Hold future editions of a list for `minutes` (0: do not hold them); return the previous
    value. Raises NotFound, and InvalidInput for a number out of range."""
    check_hold(minutes)

    def change(work: Transaction) -> int:
        mailing_list = work[ListStore].get(list_name)
        before = mailing_list.hold_minutes
        if before != minutes:
            work[ListStore].set_hold(mailing_list.id, minutes)
            details: Details = {"before": before, "after": minutes}
            work[AuditStore].add(by, "set hold", list_name, details, now=now)
        return before

    return write(database, change)


def find_edition(work: Transaction, ref: EditionRef, *, now: datetime) -> Edition:
    """Return an edition, even one that is held or cancelled. Raises NotFound, and InvalidInput
    (code `held`) if several held ones match."""
    mailing_list = work[ListStore].get(ref.list_name)
    if ref.day is not None and ref.cut is not None:
        found = work[EditionStore].find(mailing_list.id, ref.day, ref.cut)
        if found is None:
            raise NotFound(
                f"the list {ref.list_name} has no edition of {ref.day} with the cut {ref.cut}"
            )
        return work[EditionStore].get(found.id)
    held = held_editions(work, ref.list_name, now=now)
    matching = [one for one in held if ref.day in (None, one.day) and ref.cut in (None, one.cut)]
    if not matching:
        raise NotFound(
            f"no edition of {ref.list_name} is held"
            + (f" on {ref.day}" if ref.day else "")
            + ": `paperround digest hold` sets how long later ones are held"
        )
    if len(matching) > 1:
        names = ", ".join(f"{one.day} (cut {one.cut})" for one in matching)
        raise InvalidInput(
            f"{len(matching)} editions of {ref.list_name} are held: {names}. Name one with --date "
            "and --cut",
            code="held",
        )
    return matching[0]


def held_editions(work: Transaction, list_name: str, *, now: datetime) -> list[Edition]:
    """Return the editions of a list that are held, the oldest first. Raises NotFound."""
    list_id = work[ListStore].get(list_name).id
    ids = work[HeldEditions].held(list_id, now=now)
    return [work[EditionStore].get(one) for one in ids]


def approve(database: Database, ref: EditionRef, *, by: str, now: datetime) -> Edition:
    """Release a held edition now; return it. Raises NotFound, and InvalidInput unless it is
    held."""

    def end(work: Transaction, edition: Edition) -> Edition:
        work[HeldEditions].approve(edition.id, now=now)
        _note(work, edition, "approve edition", {}, by=by, now=now)
        return work[EditionStore].get(edition.id)

    return _change(database, ref, end, now=now)


def drop(
    database: Database, ref: EditionRef, paper: str, *, by: str, now: datetime, undo: bool = False
) -> Edition:
    """Leave a paper out of a held edition, or put it back; return the edition.

    `paper` is its number, arXiv id or a link. Raises NotFound for one that the edition does not
    rank, and InvalidInput for one that was chosen and for the last one left.
    """

    def change(work: Transaction, edition: Edition) -> Edition:
        edits, target = edition.edits, find_named_paper(work, paper)
        dropped = _dropped_ids(work, edition, target)
        is_dropped = bool(dropped & {*edits.dropped})
        if is_dropped is not undo:
            return edition
        if undo:
            kept = tuple(one for one in edits.dropped if one not in dropped)
            changed = replace(edits, dropped=kept)
        else:
            _require_droppable(edition, target)
            changed = replace(edits, dropped=(*edits.dropped, *sorted(dropped)))
        action = "undo drop" if undo else "drop paper"
        return _store(work, edition, changed, action, {"paper": target.id}, by=by, now=now)

    return _change(database, ref, change, now=now)


def find_named_paper(work: Transaction, name: str) -> Paper:
    """Return the paper with this number or identifier, or with a page at this link: here, on arXiv,
    on Hugging Face or at its source. Raises NotFound."""
    identifier = seed_identifier(name.strip().partition("#")[0])
    if identifier is not None:
        id_ = work[PaperStore].find([identifier]).get(identifier)
        if id_ is not None:
            return work[PaperStore].load([id_])[id_]
    name = name.partition("?")[0].partition("#")[0].rstrip("/")
    return find_paper(work, name.rpartition("/papers/")[2])


def _dropped_ids(work: Transaction, edition: Edition, paper: Paper) -> set[PaperId]:
    """Return the ids under which the edition ranks a paper. Raises NotFound if it does not."""
    of_edition = (*edition.papers, *edition.dropped)
    ids = {one.frozen_id or one.paper_id for one in of_edition if one.paper_id == paper.id}
    if not ids and any(one.paper_id == paper.id for one in work[EditionStore].tail(edition.id)):
        ids = {paper.id}
    if not ids:
        raise NotFound(f"the edition does not rank the paper {paper.id}")
    return ids


def _require_droppable(edition: Edition, paper: Paper) -> None:
    if any(one.paper_id == paper.id and one.is_chosen for one in edition.papers):
        raise InvalidInput(
            f"the paper {paper.id} was chosen by an editor: undo that first", code="paper"
        )
    if [one.paper_id for one in edition.papers] == [paper.id]:
        raise InvalidInput(
            "an edition needs at least one paper: to stop all of it, use `paperround digest "
            "cancel`",
            code="paper",
        )


def choose(
    database: Database,
    ref: EditionRef,
    paper: str,
    *,
    by: str,
    now: datetime,
    undo: bool = False,
    gist: GistChooser = choose_gist,
) -> Edition:
    """Put a paper first for every reader who was not sent it and did not mute it, or undo that;
    return the edition.

    `paper` names any paper we have, whatever its rank. Raises NotFound, and InvalidInput for one
    that was dropped or withdrawn, and for too many.
    """

    def change(work: Transaction, edition: Edition) -> Edition:
        target = find_named_paper(work, paper)
        known = {one.paper_id: one.position for one in edition.papers if one.is_chosen}
        if (target.id in known) is not undo:
            return edition
        if undo:
            position = known[target.id]
            work[HeldEditions].remove_chosen(edition.id, position)
        else:
            _require_choosable(work, edition, target, len(known))
            position = _freeze_chosen(work, edition, target, gist)
        edits = edition.edits
        others = tuple(one for one in edits.chosen if one != position)
        notes = {at: text for at, text in edits.notes.items() if not (undo and at == position)}
        changed = replace(edits, chosen=others if undo else (*others, position), notes=notes)
        action = "undo pin" if undo else "pin paper"
        return _store(work, edition, changed, action, {"paper": target.id}, by=by, now=now)

    return _change(database, ref, change, now=now)


def _require_choosable(work: Transaction, edition: Edition, paper: Paper, count: int) -> None:
    if paper.id in {*edition.edits.dropped, *(one.paper_id for one in edition.dropped)}:
        raise InvalidInput(f"the paper {paper.id} was dropped: undo that first", code="paper")
    if work[PaperStore].withdrawn_among({paper.id}):
        raise InvalidInput(f"the paper {paper.id} was withdrawn", code="paper")
    if count >= MOST_CHOSEN:
        raise InvalidInput(f"at most {MOST_CHOSEN} papers of an edition are chosen", code="paper")


def _freeze_chosen(work: Transaction, edition: Edition, paper: Paper, gist: GistChooser) -> int:
    """Store the texts of a paper that the edition does not show; return its position."""
    for one in edition.papers:
        if one.paper_id == paper.id:
            return one.position
    tail = tail_of(work, edition, gist)
    position = next((one.position for one in tail if one.paper_id == paper.id), None)
    if position is not None:
        frozen = tail.frozen(position)
    else:
        position = max((FIRST_CHOSEN - 1, *edition.edits.chosen)) + 1
        votes = work[HistoryStore].latest([paper.id], by=edition.as_of)
        place = TailPaper(
            position=position, paper_id=paper.id, votes=votes.get(paper.id, {}).get(VOTES)
        )
        frozen = with_gist(edition_paper(place, paper), paper, gist)
    work[HeldEditions].add_chosen(edition.id, frozen)
    return position


def add_note(
    database: Database,
    ref: EditionRef,
    text: str,
    *,
    by: str,
    now: datetime,
    paper: str | None = None,
) -> Edition:
    """Add a note for readers to a held edition, below its heading or at one of its papers; an empty
    text deletes the note. Returns the edition.

    Raises NotFound for a paper that the edition does not show, InvalidInput unless the text is a
    single line.
    """
    text = text.strip()
    if not (text == "" or text.isprintable()) or len(text) > LONGEST_NOTE:
        raise InvalidInput(f"a note is one line of at most {LONGEST_NOTE} characters", code="text")

    def change(work: Transaction, edition: Edition) -> Edition:
        edits, details = edition.edits, dict[str, str | int]()
        if paper is None:
            before, changed = edits.note, replace(edits, note=text)
        else:
            shown = _shown_paper(work, edition, paper)
            before, details["paper"] = shown.note, shown.paper_id
            others = {at: one for at, one in edits.notes.items() if at != shown.position}
            changed = replace(edits, notes=others | ({shown.position: text} if text else {}))
        if before == text:
            return edition
        details |= {"before": before, "after": text}
        action = "add note" if text else "undo note"
        return _store(work, edition, changed, action, details, by=by, now=now)

    return _change(database, ref, change, now=now)


def _shown_paper(work: Transaction, edition: Edition, paper: str) -> EditionPaper:
    target = find_named_paper(work, paper)
    found = next((one for one in edition.papers if one.paper_id == target.id), None)
    if found is None:
        raise NotFound(f"the edition does not show the paper {target.id}")
    return found


def _change(
    database: Database,
    ref: EditionRef,
    change: Callable[[Transaction, Edition], T],
    *,
    now: datetime,
) -> T:
    """Lock a held edition and return what `change` returns for it."""

    def change_held(work: Transaction) -> T:
        edition = find_edition(work, ref, now=now)
        if not work[HeldEditions].lock_held(edition.id, now=now):
            raise InvalidInput(_why_not_held(edition), code="held")
        return change(work, work[EditionStore].get(edition.id))

    return write(database, change_held)


def _why_not_held(edition: Edition) -> str:
    name = f"the edition of {edition.day} (cut {edition.cut})"
    if edition.state is EditionState.CANCELLED:
        return f"{name} was cancelled"
    if edition.went_at is None:
        return f"{name} was not held: use `paperround digest hold` to hold later ones"
    return f"{name} was released, so it can no longer be changed"


def _store(
    work: Transaction,
    edition: Edition,
    edits: EditorsChanges,
    action: str,
    details: Details,
    *,
    by: str,
    now: datetime,
) -> Edition:
    work[HeldEditions].edit(edition.id, edits)
    _note(work, edition, action, details, by=by, now=now)
    return work[EditionStore].get(edition.id)


def _note(
    work: Transaction, edition: Edition, action: str, details: Details, *, by: str, now: datetime
) -> None:
    target = audit_target(edition.list_name, edition.day, edition.cut)
    work[AuditStore].add(by, action, target, details, now=now)
