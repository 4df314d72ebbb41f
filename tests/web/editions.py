"""Editions on the public pages."""

import re
from dataclasses import replace
from datetime import date, timedelta

from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
from tests.builders import DAY, HOUR, NOW, new_edition
from tests.web.conftest import Site

DAYS = timedelta(days=1)


def freeze(
    site: Site,
    papers: tuple[PaperId, ...],
    *,
    day: date = DAY,
    cut: str = "0",
    quiet: str | None = None,
    best: float = 1.5,
    hours: int | None = None,
) -> None:
    """An edition of some day, cut so many hours into it, by default as many as its number."""
    with site.runtime.database.writing() as work:
        made = new_edition(work[ListStore].get("trending"), papers, day=day, cut=cut)
        at = NOW + (day - DAY) + HOUR * (int(cut) if hours is None else hours)
        scored = tuple(replace(one, score=best / one.position) for one in made.papers)
        work[EditionStore].freeze(
            replace(made, papers=scored, cut_at=at, frozen_at=at, quiet_reason=quiet)
        )


def link(page: str, rel: str) -> str:
    """The first address with that relation; empty without."""
    found = re.findall(rf'href="([^"]+)" rel="{rel}"', page)
    return found[0].replace("&amp;", "&") if found else ""
