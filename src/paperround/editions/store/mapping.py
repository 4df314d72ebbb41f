"""Convert rows to editions and their papers, and back."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import Row

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason, localize_source
from paperround.db.mapping import columns_of, value_of
from paperround.editions.model import (
    EditionPaper,
    EditionState,
    EditionSummary,
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
    """Return what readers shared, of its column."""
    if column is None:
        return SharedSaves()
    club = column["club"] and JournalClub(**column["club"])
    return SharedSaves(readers=dict(column["readers"]), club=club)


_DETAILS = ("listed", "lead_gist", "organization", "stars")
"""Fields of a frozen paper that share a column: mails show them, and nothing searches them."""


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
    del columns["frozen_id"], columns["withdrawn"]  # computed when it is read
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
