"""Papers and editions to be taken away as files. Nothing here changes anything."""

from datetime import date

from paperround.domain.citations import Citation, CitedEdition
from paperround.domain.editions import page_name, page_path
from paperround.domain.errors import NotFound
from paperround.domain.languages import marked
from paperround.domain.papers import Paper
from paperround.jobs.site import edition_page, paper_id, shown_text
from paperround.store.unit_of_work import Database


def cited_paper(database: Database, public_url: str, name: str) -> Citation:
    """The paper called `name`, its id or its arXiv id. Raises NotFound."""
    with database.reading() as work:
        id_ = paper_id(work, name)
        paper = work.papers.load([id_]).get(id_) if id_ is not None else None
    if paper is None:
        raise NotFound(marked("There is no such paper here."))
    return citation(public_url, paper)


def citation(public_url: str, paper: Paper) -> Citation:
    """The paper with its address on this site, and as much text as may be shown."""
    text, is_gist = shown_text(paper)
    path = page_path(page_name(paper.identifiers, paper.id))
    return Citation(paper=paper, text=text, is_gist=is_gist, page=public_url.rstrip("/") + path)


def cited_edition(
    database: Database, public_url: str, list_name: str, day: date, cut: str | None
) -> CitedEdition:
    """The edition of (list, day, cut), or the day's last one. Raises NotFound."""
    found = edition_page(database, list_name, day, cut)
    with database.reading() as work:
        papers = work.papers.load([one.paper_id for one in found.edition.papers])
    path = f"/editions/{list_name}/{day}" + ("" if cut is None else f"/{cut}")
    return CitedEdition(
        title=found.mailing_list.title,
        edition=found.edition,
        quiet=found.quiet,
        page=public_url.rstrip("/") + path,
        citations=tuple(citation(public_url, papers[one.paper_id]) for one in found.edition.papers),
    )
