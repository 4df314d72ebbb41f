"""From a frozen edition and one ledger row to the mail: the same row, always the same mail."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from paperround.domain.digests import (
    DigestMail,
    DigestPaper,
    DigestView,
    Letterhead,
    PersonalLinks,
    WithdrawnPaper,
)
from paperround.domain.editions import Edition, EditionPaper
from paperround.domain.ledger import Claimed, Slip
from paperround.domain.papers import Show
from paperround.domain.return_path import TagUse, make_tag, tagged
from paperround.domain.tokens import KeyRing, Purpose

ARXIV_THANKS = "Thank you to arXiv for use of its open access interoperability."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """An edition ready to be cut into digests. Its papers are made once and shared by all mails,
    so that a renderer knows two digests with the same papers without comparing their texts."""

    edition: Edition
    list_title: str
    letterhead: Letterhead
    papers: Mapping[int, DigestPaper]


def sheet_of(edition: Edition, list_title: str, letterhead: Letterhead) -> Sheet:
    """The sheet of `edition` as `letterhead` sends it."""
    return Sheet(
        edition=edition,
        list_title=list_title,
        letterhead=letterhead,
        papers={
            paper.position: _paper(paper, letterhead.public_url) for paper in edition.all_papers
        },
    )


def slip_of(claimed: Claimed) -> Slip:
    """The slip of a ledger row."""
    return Slip(
        row=claimed.id,
        edition_id=claimed.edition_id,
        address=claimed.address,
        positions=claimed.positions,
        local_date=claimed.local_date,
        message_id=claimed.message_id,
        dated=claimed.dated,
        key_id=claimed.key_id,
        nonce=claimed.nonce,
        reasons=claimed.reasons,
        parts=claimed.parts,
        withdrawn=claimed.withdrawn,
    )


def digest_mail(sheet: Sheet, slip: Slip, keys: KeyRing) -> DigestMail:
    """The digest of `slip`, ready for a renderer. Raises Misconfigured when its key is lost."""
    token = keys.token(Purpose.UNSUBSCRIBE, slip.row, slip.nonce, slip.key_id)
    return DigestMail(
        view=_view(sheet, slip, token),
        recipient=slip.address,
        message_id=slip.message_id,
        dated=slip.dated,
        list_unsubscribe_mail=_leaving_by_mail(sheet.letterhead, slip, keys),
    )


def _leaving_by_mail(letterhead: Letterhead, slip: Slip, keys: KeyRing) -> str | None:
    """Where a mail ends the subscription: an address of this digest alone, which needs nobody to
    read it; else the contact, who has to."""
    to = letterhead.contact
    if letterhead.bounce_address:
        day = slip.dated.date()
        tag = make_tag(keys, TagUse.LEAVE, slip.row, nonce=slip.nonce, day=day, key_id=slip.key_id)
        to = tagged(letterhead.bounce_address, tag)
    return f"{to}?subject=unsubscribe" if "@" in to else None


def _view(sheet: Sheet, slip: Slip, token: str) -> DigestView:
    edition, letterhead = sheet.edition, sheet.letterhead
    base = letterhead.public_url
    papers = tuple(_chosen(sheet, slip, position) for position in slip.positions)
    unsubscribe = f"{base}/unsubscribe/{token}"
    return DigestView(
        list_name=edition.list_name,
        list_title=sheet.list_title,
        day=slip.local_date,
        papers=papers,
        links=PersonalLinks(
            unsubscribe=unsubscribe,
            preferences=f"{base}/preferences/{token}",
            one_click=unsubscribe,
            feedback=f"{base}/feedback/{token}",
        ),
        web_url=f"{base}/editions/{edition.list_name}/{edition.day.isoformat()}/{edition.cut}",
        subscribe_url=f"{base}/",
        operator=letterhead.operator,
        postal_address=letterhead.postal_address,
        contact=letterhead.contact,
        more_papers=_left_of(edition, slip.positions),
        sources=edition.sources,
        withdrawn=tuple(
            WithdrawnPaper(title=one.title, url=f"{base}/papers/{one.page}")
            for one in slip.withdrawn
        ),
        acknowledgements=_acknowledgements(edition, slip.positions),
        privacy_url=letterhead.privacy_url,
        imprint_url=letterhead.imprint_url,
    )


def _left_of(edition: Edition, positions: tuple[int, ...]) -> int:
    """How many papers the edition shows that the mail does not."""
    shown = len(edition.papers)
    return shown - sum(position <= shown for position in positions)


def _chosen(sheet: Sheet, slip: Slip, position: int) -> DigestPaper:
    """The paper that all mails share, unless this reader has a reason or parts of their own."""
    paper = sheet.papers[position]
    reason, parts = slip.reasons.get(position), slip.parts.get(position)
    if parts:
        paper = _with_parts(paper, parts)
    return paper if reason is None else replace(paper, reason=reason)


def _with_parts(paper: DigestPaper, own: Mapping[str, float]) -> DigestPaper:
    score = round((paper.score or 0) + sum(own.values()), 4)
    return replace(paper, score=score, parts={**paper.parts, **own})


def _paper(paper: EditionPaper, base: str) -> DigestPaper:
    return DigestPaper(
        title=paper.title,
        authors=paper.authors,
        gist=paper.gist if paper.show is not Show.LINK else "",
        reason=paper.reason,
        votes=paper.votes,
        comments=paper.comments,
        links=paper.links,
        page_url=f"{base}/papers/{paper.name}",
        score=paper.score,
        parts=paper.parts,
    )


def _acknowledgements(edition: Edition, positions: tuple[int, ...]) -> tuple[str, ...]:
    chosen = frozenset(positions)
    from_arxiv = any(
        "arxiv" in paper.identifiers for paper in edition.all_papers if paper.position in chosen
    )
    return (ARXIV_THANKS,) if from_arxiv else ()
