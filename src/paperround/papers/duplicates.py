"""Join two papers that are one work. Pure: two papers -> one paper and what to move.

A record may carry identifiers of several known papers (a journal's DOI and an arXiv id), or the
title, first author and year of one and the identifier of another. Then they are one work, unless
they have two different ids of one kind.

The older paper (smaller id) keeps its id; the other id redirects to it. The newer text wins, as if
every record had been merged into one paper from the start.
"""

from dataclasses import dataclass, replace

from paperround.papers.merge import earliest, latest, order, order_known
from paperround.papers.model import Paper, PaperId, PaperWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperJoin:
    """The result of a join: `paper` remains, the id `gone` redirects to it.

    `text_differs`: store the text that lost as a version.
    """

    paper: Paper
    gone: PaperId
    title_of_gone: bool
    abstract_of_gone: bool
    text_differs: bool

    @property
    def write(self) -> PaperWrite:
        """The write that saves the remaining paper. Raw texts move with their repaired texts."""
        return PaperWrite(
            paper=self.paper,
            is_new=False,
            text_changed=False,
            raw_title=None,
            raw_abstract=None,
            raw_title_stays=True,
            raw_abstract_stays=True,
        )


def may_join(one: Paper, other: Paper) -> bool:
    """Whether two papers may be one work: they have no kind of identifier in common.

    No two papers share an id, so two ids of one kind always differ.
    """
    return not (one.identifiers.keys() & other.identifiers.keys()) - {"title_key"}


def joined(one: Paper, other: Paper) -> PaperJoin:
    """The two papers joined; the order of the arguments does not matter."""
    kept, gone = sorted((one, other), key=lambda paper: paper.id)
    stated = order_known(gone.version, kept.version)
    age = order(gone.version, kept.version) or order(gone.updated_at, kept.updated_at)
    newer, older = (gone, kept) if (stated or age) > 0 else (kept, gone)
    # Without a known order of the two texts, a withdrawal of either counts.
    decisive = (newer,) if age != 0 and not stated else (newer, older)
    withdrawn_by = tuple(sorted({feed for one in decisive for feed in one.withdrawn_by}))
    abstract_from = newer if newer.abstract or not older.abstract else older
    # A paper counts from its listing, or from its first ingest if it has none.
    listed = [one for one in (kept, gone) if one.listed_on is not None]
    paper = replace(
        kept,
        identifiers={**gone.identifiers, **kept.identifiers},
        title=newer.title,
        abstract=abstract_from.abstract,
        show=abstract_from.show,
        authors=newer.authors or older.authors,
        categories=tuple(dict.fromkeys(kept.categories + gone.categories)),
        keywords=kept.keywords or gone.keywords,
        links={**older.links, **newer.links},
        counts_from=min(one.counts_from for one in listed or (kept, gone)),
        listed_on=earliest(kept.listed_on, gone.listed_on),
        published_at=earliest(kept.published_at, gone.published_at),
        updated_at=latest(kept.updated_at, gone.updated_at),
        version=latest(kept.version, gone.version),
        withdrawn=any(one.withdrawn for one in decisive),
        withdrawn_by=withdrawn_by,
        comment=newer.comment or older.comment,
        licence=newer.licence or older.licence,
        organization=kept.organization or gone.organization,
        submitter=kept.submitter or gone.submitter,
    )
    return PaperJoin(
        paper=paper,
        gone=gone.id,
        title_of_gone=newer is gone,
        abstract_of_gone=abstract_from is gone,
        text_differs=(kept.title, kept.abstract) != (gone.title, gone.abstract),
    )
