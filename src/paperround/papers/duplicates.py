"""Two papers that turn out to be one work. Pure: two papers -> one paper and what to move.

A record may carry identifiers of several known papers (a journal's DOI beside an arXiv id), or
the title, first author and year of one and the identifier of another. Then they are one work,
unless they hold two different ids of one kind: those stay apart whatever a record says of them.

The older paper, the one with the smaller id, goes on under its id; the other's leads to it. Of the
texts the newer one stands, as if all records had come to one paper in the first place.
"""

from dataclasses import dataclass, replace

from paperround.papers.identifiers import canonical
from paperround.papers.merge import earliest, latest, order, says_more
from paperround.papers.model import Paper, PaperId, PaperWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperJoin:
    """What joining does: `paper` is what stays, `gone` the id that leads to it from now on.

    `text_differs`: the texts that do not stand are kept as a version.
    """

    paper: Paper
    gone: PaperId
    title_of_gone: bool
    abstract_of_gone: bool
    text_differs: bool

    @property
    def write(self) -> PaperWrite:
        """The write that gives the paper that stays its values. What the sources wrote moves with
        the texts."""
        return PaperWrite(
            paper=self.paper,
            is_new=False,
            text_changed=False,
            title_key=self.paper.identifiers.get("title_key", ""),
            canonical=canonical(self.paper.identifiers),
            raw_title=None,
            raw_abstract=None,
            raw_title_stays=True,
            raw_abstract_stays=True,
        )


def may_join(one: Paper, other: Paper) -> bool:
    """Whether the papers may be one work: no kind of identifier tells them apart.

    No two papers share an id, so two ids of one kind are always different ones.
    """
    kinds = one.identifiers.keys() & other.identifiers.keys()
    return not kinds - {"title_key"}


def joined(one: Paper, other: Paper) -> PaperJoin:
    """The two as one paper, whichever is named first."""
    kept, gone = sorted((one, other), key=lambda paper: paper.id)
    stated = says_more(gone.version, kept.version)
    age = order(gone.version, kept.version) or order(gone.updated_at, kept.updated_at)
    newer, older = (gone, kept) if (stated or age) > 0 else (kept, gone)
    said = (newer,) if age != 0 and not stated else (newer, older)  # else nobody has the last word
    withdrawn_by = tuple(sorted({feed for one in said for feed in one.withdrawn_by}))
    spoken = newer if newer.abstract or not older.abstract else older
    # A listing says when a paper counts from; without one, its first ingest does.
    listed = [one for one in (kept, gone) if one.listed_on is not None]
    paper = replace(
        kept,
        identifiers={**gone.identifiers, **kept.identifiers},
        title=newer.title,
        abstract=spoken.abstract,
        show=spoken.show,
        authors=newer.authors or older.authors,
        categories=tuple(dict.fromkeys(kept.categories + gone.categories)),
        keywords=kept.keywords or gone.keywords,
        links={**older.links, **newer.links},
        counts_from=min(one.counts_from for one in listed or (kept, gone)),
        listed_on=earliest(kept.listed_on, gone.listed_on),
        published_at=earliest(kept.published_at, gone.published_at),
        updated_at=latest(kept.updated_at, gone.updated_at),
        version=latest(kept.version, gone.version),
        withdrawn=any(one.withdrawn for one in said),
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
        abstract_of_gone=spoken is gone,
        text_differs=(kept.title, kept.abstract) != (gone.title, gone.abstract),
    )
