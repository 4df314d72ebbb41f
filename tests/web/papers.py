"""Papers on pages, hostile ones among them."""

from datetime import datetime

from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore
from tests.builders import NOW, write
from tests.web.conftest import Site

XSS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 71 * 8111 }}{% include 'base.html' %}",
    "</title></textarea><iframe srcdoc=x>",
    "<!--><a href=javascript:alert(1)>x</a>",
)


def keep(site: Site, *papers: Paper, now: datetime = NOW) -> tuple[PaperId, ...]:
    """Store papers; returns their ids."""
    with site.runtime.database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=now)
    return tuple(real[one.id] for one in papers)


def html(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))
