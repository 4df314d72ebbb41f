"""Convert rows to editions and their papers, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from sqlalchemy import Row

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason, localize_source
from paperround.core.reasons import join_reasons
from paperround.db.mapping import columns_of, value_of
from paperround.editions.model import (
    CHOSEN,
    EditionPaper,
    EditionState,
    EditionSummary,
    EditorsChanges,
    JournalClub,
    NewEdition,
    SharedSaves,
    TailPaper,
)
from paperround.papers.model import PaperId, Show


def edition_columns(edition: NewEdition) -> dict[str, Any]:
    """Return the columns of an edition to freeze."""
    columns = columns_of(edition) | {
        "state": EditionState.FROZEN,
        "sources": [localize_source(locale_for(), one) for one in edition.sources],
        "source_codes": list(edition.sources),
        "shared": _shared_column(edition.shared),
    }
    del columns["papers"], columns["tail"]  # in tables of their own
    return columns


def _shared_column(shared: SharedSaves) -> dict[str, Any] | None:
    """Return the column of what readers shared; None if they shared nothing."""
    if not shared:
        return None
    club = shared.club and columns_of(shared.club)
    return {"readers": [list(one) for one in shared.readers.items()], "club": club}


def shared_of(column: Mapping[str, Any] | None) -> SharedSaves:
    """Return what readers shared, from its column."""
    if column is None:
        return SharedSaves()
    club = column["club"] and JournalClub(**column["club"])
    return SharedSaves(readers=dict(column["readers"]), club=club)


def edits_column(edits: EditorsChanges) -> dict[str, Any] | None:
    """Return the column of what an editor changed; None for nothing."""
    if not edits:
        return None
    return columns_of(edits) | {"notes": [list(one) for one in edits.notes.items()]}


def edits_of(column: Mapping[str, Any] | None) -> EditorsChanges:
    """Return what an editor changed, from its column."""
    if column is None:
        return EditorsChanges()
    return EditorsChanges(
        note=column["note"],
        dropped=tuple(map(PaperId, column["dropped"])),
        chosen=tuple(column["chosen"]),
        notes=dict(column["notes"]),
    )


def edited(
    papers: Sequence[EditionPaper], behind: Sequence[EditionPaper], edits: EditorsChanges
) -> tuple[tuple[EditionPaper, ...], tuple[EditionPaper, ...]]:
    """Return the papers that an edition shows after these edits, and those of `papers` it leaves
    out. A paper that an editor chose may be `behind`, below the cut."""
    if not edits:
        return tuple(papers), ()
    noted = {
        one.position: replace(one, note=edits.notes.get(one.position, ""))
        for one in (*behind, *papers)
    }
    chosen = [noted[at] for at in edits.chosen if at in noted]
    shown = [replace(one, reason=join_reasons(CHOSEN, one.reason)) for one in chosen]
    gone = []
    for one in papers:
        if {one.paper_id, one.frozen_id} & set(edits.dropped):
            gone.append(one)
        elif one.position not in edits.chosen:
            shown.append(noted[one.position])
    return tuple(shown), tuple(gone)


_DETAILS = ("listed", "lead_gist", "organization", "stars")
"""Fields of a frozen paper that share a column: emails show them, and no query uses them."""


def paper_columns(edition: int, paper: EditionPaper) -> dict[str, Any]:
    """Return the columns of a frozen paper."""
    known = columns_of(paper)
    details = {name: known.pop(name) for name in _DETAILS}
    columns = known | {
        "edition_id": edition,
        "links": dict(paper.links),
        "identifiers": dict(paper.identifiers),
        "parts": dict(paper.parts),
        "reason": english_reason(paper.reason),
        "reason_codes": paper.reason,
        "details": {name: value for name, value in details.items() if value not in ("", None)},
    }
    del columns["frozen_id"], columns["withdrawn"], columns["note"]  # computed when it is read
    return columns


def summary_of(row: Row[Any]) -> EditionSummary:
    """Return the edition summary of a row."""
    return value_of(EditionSummary, row, top_title=row.top_title or "")


def frozen_paper(row: Row[Any]) -> EditionPaper:
    """Return a frozen paper, with later merges and withdrawals."""
    return EditionPaper(
        position=row.position,
        paper_id=PaperId(row.into_id or row.paper_id),
        frozen_id=None if row.into_id is None else PaperId(row.paper_id),
        title=row.title,
        authors=tuple(row.authors),
        gist=row.gist,
        links=row.links,
        identifiers=row.identifiers,
        score=row.score,
        parts=row.parts,
        reason=row.reason_codes or row.reason,
        votes=row.votes,
        comments=row.comments,
        show=Show(row.show),
        withdrawn=row.withdrawn_at is not None,
        **(row.details or {}),
    )


def tail_columns(tail: Sequence[TailPaper]) -> dict[str, Any]:
    """Return the columns of a tail, its papers as lists without keys to save space."""
    places = [
        [
            one.position,
            one.paper_id,
            one.score,
            one.parts,
            english_reason(one.reason),
            one.votes,
            one.comments,
        ]
        for one in tail
    ]
    return {"places": places, "reason_codes": [one.reason for one in tail]}


def tail_of(row: Row[Any]) -> tuple[TailPaper, ...]:
    """Return the tail of a row."""
    return tuple(
        TailPaper(
            position=position,
            paper_id=PaperId(paper),
            score=score,
            parts=parts,
            reason=code or reason,
            votes=votes,
            comments=comments,
        )
        for (position, paper, score, parts, reason, votes, comments), code in zip_longest(
            row.places, row.reason_codes or ()
        )
    )
