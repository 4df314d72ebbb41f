"""Compose the email of a ledger row from its frozen edition, deterministically."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from paperround.core.i18n.localize import digest_reason
from paperround.core.reasons import author_named
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import KeyRing, Purpose
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.return_path import TagUse, make_tag, tagged
from paperround.delivery.status import WHY_THIN
from paperround.delivery.system_mail_model import ClaimedNotice
from paperround.digests.model import (
    PERSONAL,
    ClubPaper,
    DigestMail,
    DigestPaper,
    DigestView,
    LeftOutPaper,
    PersonalLinks,
    WithdrawnPaper,
    period_covered,
    positions_for_everyone,
)
from paperround.editions.lists import DEFAULT_LIST, ListLook, MailingList
from paperround.editions.model import Edition, EditionPaper, JournalClub, TrendingPeriod
from paperround.editions.periods import period_name
from paperround.editions.private_lists import access_token
from paperround.editions.sections import Section, age_of, section_for_all, section_of
from paperround.papers.formatting import with_author_shown
from paperround.papers.identifiers import addresses_of
from paperround.papers.model import Show

ARXIV_THANKS = "Thank you to arXiv for use of its open access interoperability."


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionContent:
    """An edition prepared for its digests.

    All digests share its paper objects, so a renderer can compare digests by object identity.
    """

    edition: Edition
    list_title: str
    sender_identity: SenderIdentity
    papers: Mapping[int, DigestPaper]
    web_url: str
    size: int
    """Papers in a full digest; a shorter one explains why. 0: no explanation."""
    look: ListLook = field(default_factory=ListLook)
    access: str = ""
    """The token in links to the archive of a private list."""


def edition_content(
    edition: Edition,
    list_title: str,
    sender_identity: SenderIdentity,
    *,
    size: int = 0,
    look: ListLook = ListLook(),  # noqa: B008 - a frozen value
) -> EditionContent:
    """Return the content of `edition` as sent by `sender_identity`, with the look of its list."""
    base = sender_identity.public_url
    return EditionContent(
        edition=edition,
        list_title=list_title,
        sender_identity=sender_identity,
        papers={
            one.position: paper_for_all(
                one, edition.as_of, base, section_for_all(one, edition.as_of)
            )
            for one in edition.all_papers
        },
        web_url=f"{base}/editions/{edition.list_name}/{edition.day.isoformat()}/{edition.cut}",
        size=size,
        look=look,
    )


def content_of_list(
    edition: Edition,
    mailing_list: MailingList,
    sender_identity: SenderIdentity,
    keys: KeyRing,
    *,
    size: int = 0,
) -> EditionContent:
    """Return the content of an edition of this list, with links that open a private archive."""
    content = edition_content(
        edition, mailing_list.title, sender_identity, size=size, look=mailing_list.look
    )
    if not mailing_list.private:
        return content
    access = access_token(keys, mailing_list.name)
    return replace(content, access=access, web_url=f"{content.web_url}?access={access}")


def digest_mail(content: EditionContent, delivery: DeliveryContent, keys: KeyRing) -> DigestMail:
    """Return the digest of `delivery` for a renderer. Raises Misconfigured when its key is lost."""
    token = keys.token(Purpose.UNSUBSCRIBE, delivery.row, delivery.nonce, delivery.key_id)
    return DigestMail(
        view=digest_view(content, delivery, token),
        recipient=delivery.address,
        message_id=delivery.message_id,
        dated=delivery.dated,
        list_unsubscribe_mail=_unsubscribe_address(content.sender_identity, delivery, keys),
    )


def new_subscriber_digest(
    edition: Edition,
    mailing_list: MailingList,
    notice: ClaimedNotice,
    sender_identity: SenderIdentity,
    keys: KeyRing,
) -> DigestMail:
    """Return the digest a new subscriber would get, with the ids of a test or sample message.

    Its personal links are invalid: they name row 0, which never exists.
    """
    delivery = DeliveryContent(
        row=0,
        edition_id=edition.id,
        address=notice.address,
        positions=positions_for_everyone(edition, mailing_list.size),
        local_date=edition.day,
        message_id=notice.message_id,
        dated=notice.dated,
        key_id=notice.key_id,
        nonce=notice.nonce,
    )
    return digest_mail(
        content_of_list(edition, mailing_list, sender_identity, keys),
        delivery,
        keys,
    )


def _unsubscribe_address(
    sender_identity: SenderIdentity, delivery: DeliveryContent, keys: KeyRing
) -> str | None:
    """Return the address for unsubscribing by email, None without one.

    It is unique to this digest and handled automatically; without a bounce address it is the
    operator's contact.
    """
    to = sender_identity.contact
    if sender_identity.bounce_address:
        day = delivery.dated.date()
        tag = make_tag(
            keys, TagUse.LEAVE, delivery.row, nonce=delivery.nonce, day=day, key_id=delivery.key_id
        )
        to = tagged(sender_identity.bounce_address, tag)
    return f"{to}?subject=unsubscribe" if "@" in to else None


def digest_view(content: EditionContent, delivery: DeliveryContent, token: str) -> DigestView:
    """Return the view of the digest of `delivery`, with the reader's links built from `token`."""
    edition, sender_identity = content.edition, content.sender_identity
    base = sender_identity.public_url
    period, web_url = period_covered(delivery), content.web_url
    if period is not TrendingPeriod.DAY:
        # the page of yesterday's week or month, as a digest covers the days before
        last = delivery.local_date - timedelta(days=1)
        query = {"period": period.value, "date": period_name(period, last)}
        if edition.list_name != DEFAULT_LIST:
            query["list"] = edition.list_name
        if content.access:
            query["access"] = content.access
        web_url = f"{base}/trending?{urlencode(query)}"
    held = {*delivery.positions}
    left = sum(one.position not in held for one in edition.papers)
    # Papers are shared, except those of a week, or with a reason or score parts of this reader.
    is_day = period is TrendingPeriod.DAY
    personal = {*delivery.reasons, *delivery.parts} if is_day else delivery.positions
    papers = [
        _personal_paper(content, delivery, at, period) if at in personal else content.papers[at]
        for at in delivery.positions
    ]
    is_of_arxiv = any(
        "arxiv" in one.identifiers
        for one in edition.all_papers
        if one.position in delivery.positions
    )
    # a source that is late today does not explain a short month
    is_thin = len(delivery.positions) < content.size and period is not TrendingPeriod.MONTH
    return DigestView(
        list_name=edition.list_name,
        list_title=content.list_title,
        local_date=delivery.local_date,
        papers=tuple(papers),
        links=PersonalLinks(
            unsubscribe=f"{base}/unsubscribe/{token}",
            preferences=f"{base}/preferences/{token}",
            feedback=f"{base}/feedback/{token}",
        ),
        web_url=web_url,
        subscribe_url=f"{base}/",
        operator=sender_identity.operator,
        postal_address=sender_identity.postal_address,
        contact=sender_identity.contact,
        language=delivery.language,
        more_papers=left if is_day else 0,
        note=edition.edits.note,
        thin=WHY_THIN.get(edition.quiet_reason or "", "") if is_thin else "",
        withdrawn=tuple(
            WithdrawnPaper(title=one.title, url=f"{base}/papers/{one.page}")
            for one in delivery.withdrawn
        ),
        club=None if delivery.club is None else _club_paper(delivery.club, base),
        new_papers=delivery.new_papers,
        next_titles=len(delivery.next_papers),
        risen=tuple(
            LeftOutPaper(title=one.title, url=f"{base}/papers/{one.page}", votes=one.votes)
            for one in delivery.risen
        ),
        acknowledgements=(ARXIV_THANKS,) if is_of_arxiv else (),
        privacy_url=sender_identity.privacy_url,
        imprint_url=sender_identity.imprint_url,
        logo_url=content.look.logo_url or sender_identity.logo_url,
        period=period,
        from_name=content.look.from_name,
        colour=content.look.colour,
        reply_to=content.look.reply_to,
        intro=content.look.intro,
        footer=content.look.footer,
        archive=_archive(content),
    )


def _archive(content: EditionContent) -> str:
    """Return what follows `/editions` in the address of the list's archive."""
    name = content.edition.list_name
    query = {"list": name} if name != DEFAULT_LIST or content.access else {}
    if content.access:
        query["access"] = content.access
    return f"?{urlencode(query)}" if query else ""


def _club_paper(club: JournalClub, base: str) -> ClubPaper:
    return ClubPaper(title=club.title, url=f"{base}/papers/{club.page}", readers=club.readers)


def without_site(view: DigestView) -> DigestView:
    """Return the view of a digest that readers make for themselves, without a site: titles link to
    the papers' own pages, and no sender is named."""
    own_papers = []
    for one in view.papers:
        shown = (one.links[name] for name in ("abstract", "project", "code") if name in one.links)
        own_papers.append(replace(one, page_url=next(shown, "")))
    return replace(
        view,
        papers=tuple(own_papers),
        links=PersonalLinks(unsubscribe="", preferences=""),
        withdrawn=tuple(replace(one, url=_own_page(one.url)) for one in view.withdrawn),
        risen=tuple(
            replace(one, url=_own_page(one.url)) for one in view.risen if _own_page(one.url)
        ),
        club=None,
        web_url="",
        subscribe_url="",
        privacy_url="",
        imprint_url="",
        operator="",
        postal_address="",
        contact="",
    )


def _own_page(url: str) -> str:
    """Return the address of the paper's page on arXiv, derived from that of its page on the site;
    empty if it is not on arXiv."""
    name = url.rpartition("/papers/")[2]
    return "" if name.isdecimal() else addresses_of({"arxiv": name})["abstract"]


def _personal_paper(
    content: EditionContent, delivery: DeliveryContent, position: int, period: TrendingPeriod
) -> DigestPaper:
    """Return a paper with this reader's reason, score parts and section."""
    paper, own = content.papers[position], delivery.parts.get(position) or {}
    frozen = delivery.reasons.get(position)
    reason = paper.reason if frozen is None else digest_reason(frozen)
    section = section_of(
        paper,
        reason=frozen or reason,
        worth=own.get(PERSONAL, 0.0),
        as_of=content.edition.as_of,
        period=period,
    )
    return replace(
        paper,
        authors=with_author_shown(paper.authors, author_named(reason)),
        reason=reason,
        section=section,
        score=round((paper.score or 0) + sum(own.values()), 4) if own else paper.score,
        parts={**paper.parts, **own},
    )


def paper_for_all(paper: EditionPaper, as_of: datetime, base: str, section: Section) -> DigestPaper:
    """Return a paper as it is shown to readers without preferences."""
    return DigestPaper(
        title=paper.title,
        authors=paper.authors,
        gist=paper.gist if paper.show is not Show.LINK else "",
        lead_gist=paper.lead_gist if paper.show is Show.FULL else "",
        organization=paper.organization,
        stars=paper.stars,
        listed=paper.listed,
        age=age_of(paper.listed, as_of),
        section=section,
        reason=digest_reason(paper.reason),
        votes=paper.votes,
        comments=paper.comments,
        links=paper.links,
        page_url=f"{base}/papers/{paper.name}",
        note=paper.note,
        score=paper.score,
        parts=paper.parts,
    )
