"""An invented edition and the values around it. No paper, person or place here exists."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from paperround.core.reasons import freeze
from paperround.core.sender import SenderIdentity
from paperround.delivery.system_mail_model import NoticeMail, NoticeView, SystemMailKind
from paperround.digests.model import (
    DigestMail,
    DigestPaper,
    DigestView,
    PersonalLinks,
    WithdrawnPaper,
)
from paperround.editions.sections import Age, Section, order_of

PUBLIC = "https://papers.example.org"
TOKEN_A = "AQEjAQAAAAAAB" + "a" * 27
TOKEN_B = "AQEjAwAAAAAAC" + "b" * 27
TOKEN_C = "AQEjBAAAAAAAD" + "c" * 27
TOKEN_D = "AQEjBgAAAAAAE" + "d" * 27

PAGES = {
    SystemMailKind.CONFIRM: f"confirm/{TOKEN_A}",
    SystemMailKind.REMINDER: f"confirm/{TOKEN_A}",
    SystemMailKind.CHANGE: f"confirm/{TOKEN_A}",
    SystemMailKind.PREFERENCES: f"preferences/{TOKEN_B}",
    SystemMailKind.UNDO: f"confirm/{TOKEN_A}",
    SystemMailKind.TEST: "",
    SystemMailKind.ALERT: "",
    SystemMailKind.LOGIN: f"admin/login/{TOKEN_D}",
}

INVENTED = (
    (
        "Slow Diffusion: Sharp Images from Four Patient Steps",
        ("Mira Halloway", "Jonas Ekelund", "Teo Marchetti", "Ada Quill", "Wen Liao"),
        (
            "A sampler that spends its four steps where the image still changes matches "
            "fifty-step quality at a twelfth of the cost."
        ),
        freeze("author.followed", name="Mira Halloway"),
        {"votes": 2.1042, "rise": 1.31, "text": 0.4},
    ),
    (
        "Small Models Read Long Books: 1M-Token Memory on One GPU",
        ("Odalys Brandt", "Kofi Asante-Reyes"),
        (
            "Notes written in the margin replace the attention cache, so a 3B model answers "
            "questions about whole novels in 12 GB."
        ),
        freeze("votes.today", votes=28, num=9),
        {"votes": 1.8, "text": 0.92},
    ),
    (
        "Wann lügt ein Sprachmodell? Confidence Probes for 14 Languages",
        ("Žofie Nováková", "José Muñoz Peña", "Łukasz Wójcik"),
        (
            "Linear probes trained on English find unsure answers in thirteen other languages "
            "with 0.91 AUC."
        ),
        freeze("votes.since_yesterday", votes=22, gained=9),
        {"votes": 1.61, "rise": 0.2},
    ),
    (
        "A Robot That Asks: Clarifying Questions Before Grasping",
        ("Ines Okoro",),
        "Asking one question before moving halves the failed grasps in cluttered kitchens.",
        freeze("author.popular", name="Ines Okoro"),
        {"votes": 1.5},
    ),
    (
        "تعلم الترجمة من أمثلة قليلة",
        ("ليلى حداد", "سامي نور"),
        "Forty example sentences are enough to adapt a translation model to a new dialect.",
        freeze("risen.yesterday_more", votes=11, gained=4),
        {"votes": 0.9, "rise": 0.51},
    ),
    (
        "β-Cut: Pruning Transformers Until ‖∇L‖₂ ≤ ε",
        ("Priya Venkataraman", "Elias Thorne", "Noor Haddad", "Yuki Tanabe"),
        "A stopping rule from convex optimisation removes 61 % of the weights without retraining.",
        freeze("rising_topic", term="pruning transformers"),
        {"prior_text": 0.8, "text": 0.43},
    ),
)

WITHDRAWN = (
    WithdrawnPaper(
        title="Cold Fusion in a Teacup: Preliminary Results",
        url=f"{PUBLIC}/papers/9901.09999",
    ),
)

VOTES = (41, 28, 22, 19, 11, None)
COMMENTS = (4, None, 1, 7, 0, None)
STARS = (1250, None, None, 1, None, None)
ORGANIZATIONS = ("Halloway Lab", "", "", "University of Okoro", "", "")
AGES = (
    Age(16, "hour"),
    Age(9, "hour"),
    Age(1, "day"),
    Age(1, "day"),
    Age(3, "day"),
    Age(0, "day"),
)
SECTIONS = (
    Section.FOR_YOU,
    Section.TRENDING,
    Section.TRENDING,
    Section.TRENDING,
    Section.RISING,
    Section.NEW,
)
LEAD = "On images of cats nobody can tell them apart."
"""The second sentence of a gist that leads."""


def paper(number: int = 0, **changes: object) -> DigestPaper:
    """The invented paper `number`; beyond the sixth they come round again."""
    title, authors, gist, reason, parts = INVENTED[number % len(INVENTED)]
    made = DigestPaper(
        title=title if number < len(INVENTED) else f"{title} ({number + 1})",
        authors=authors,
        gist=gist,
        reason=reason,
        votes=VOTES[number % len(VOTES)],
        comments=COMMENTS[number % len(COMMENTS)],
        links=_links(number),
        page_url=f"{PUBLIC}/papers/{101 + number}",
        score=round(sum(parts.values()), 4),
        parts=parts,
        lead_gist=f"{gist} {LEAD}" if number == 0 else "",
        organization=ORGANIZATIONS[number % len(ORGANIZATIONS)],
        stars=STARS[number % len(STARS)],
        age=AGES[number % len(AGES)],
        section=SECTIONS[number % len(SECTIONS)],
    )
    if "gist" in changes:
        made = replace(made, lead_gist="")
    return replace(made, **changes)  # type: ignore[arg-type]


def _links(number: int) -> dict[str, str]:
    links = {
        "abstract": f"https://arxiv.org/abs/9901.{10001 + number}",
        "pdf": f"https://arxiv.org/pdf/9901.{10001 + number}",
    }
    if number % 2 == 0:
        links["code"] = f"https://code.example.org/invented/{number}"
    if number % 3 == 0:
        links["discussion"] = f"https://talk.example.org/t/{number}?sort=new&page=2"
    return links


def links(
    leave: str = TOKEN_A, prefer: str = TOKEN_B, judge: str = TOKEN_C, public: str = PUBLIC
) -> PersonalLinks:
    return PersonalLinks(
        unsubscribe=f"{public}/unsubscribe/{leave}",
        preferences=f"{public}/preferences/{prefer}",
        feedback=f"{public}/feedback/{judge}",
    )


def view(papers: Sequence[DigestPaper] | int = 6, **changes: object) -> DigestView:
    """A digest of the invented papers: a number of them in their sections, or these."""
    if isinstance(papers, int):
        made = [paper(n) for n in range(papers)]
        order = order_of([(one.section or Section.OLDER, None) for one in made])
        papers = [made[at] for at in order]
    shown = DigestView(
        list_name="trending",
        list_title="Trending papers",
        local_date=date(2026, 1, 30),
        papers=tuple(papers),
        links=links(),
        web_url=f"{PUBLIC}/editions/trending/2026-01-30",
        subscribe_url=f"{PUBLIC}/",
        operator="Example Library",
        postal_address="1 Sample Street\nExampletown 12345",
        contact="desk@papers.example.org",
        more_papers=26,
        next_titles=26,
        acknowledgements=("Thank you to arXiv for use of its open access interoperability.",),
        privacy_url=f"{PUBLIC}/privacy",
        imprint_url=f"{PUBLIC}/imprint",
    )
    return replace(shown, **changes)  # type: ignore[arg-type]


def mail(shown: DigestView | None = None, **changes: object) -> DigestMail:
    made = DigestMail(
        view=shown or view(),
        recipient="reader+papers@example.com",
        message_id="<7d1c0a9b2e@papers.example.org>",
        dated=datetime(2026, 1, 30, 7, 5, 9, tzinfo=UTC),
        list_unsubscribe_mail="leave@papers.example.org",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def notice_view(kind: SystemMailKind = SystemMailKind.CONFIRM, **changes: object) -> NoticeView:
    """What a notice of `kind` says; an operator's has something to tell."""
    made = NoticeView(
        kind=kind,
        list_title="Trending papers",
        subject="No mail has left for two hours",
        action_url=f"{PUBLIC}/{PAGES[kind]}",
        public_url=PUBLIC,
        operator="Example Library",
        postal_address="1 Sample Street\nExampletown 12345",
        contact="desk@papers.example.org",
        details=(
            "The relay mail.example.org refuses our name and password (535 5.7.8).",
            "214 digests wait. They expire on Friday 30 January at 23:00 UTC.",
        ),
        privacy_url=f"{PUBLIC}/privacy",
        imprint_url=f"{PUBLIC}/imprint",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def notice(shown: NoticeView | None = None, **changes: object) -> NoticeMail:
    made = NoticeMail(
        view=shown or notice_view(),
        recipient="reader+papers@example.com",
        message_id="<c0ffee0042@papers.example.org>",
        dated=datetime(2026, 1, 30, 7, 5, 9, tzinfo=UTC),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def sender_identity(**changes: str) -> SenderIdentity:
    made = SenderIdentity(
        envelope_from="digest@papers.example.org",
        mail_from="Paperround <digest@papers.example.org>",
        public_url=PUBLIC,
        operator="Example Library",
        postal_address="1 Sample Street\nExampletown 12345",
        contact="desk@papers.example.org",
    )
    return replace(made, **changes)
