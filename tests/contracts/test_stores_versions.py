"""What is kept beside the papers themselves: earlier texts, and when things were seen."""

from dataclasses import replace

from sqlalchemy import Engine, select

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from tests.builders import HOUR, NOW, seed_papers, write


def _change(engine: Engine, paper_id: PaperId, title: str, *, text_changed: bool) -> None:
    with SqlDatabase(engine).writing() as work:
        changed = replace(work[PaperStore].load([paper_id])[paper_id], title=title)
        work[PaperStore].save([write(changed, text_changed=text_changed)], now=NOW + HOUR)


def test_a_change_that_leaves_the_text_alone_keeps_no_version(engine: Engine) -> None:
    (one,) = seed_papers(SqlDatabase(engine), 1)
    _change(engine, one, "Repaired spelling", text_changed=False)
    with engine.connect() as connection:
        assert connection.execute(select(db.paper_versions)).all() == []


def test_a_paper_keeps_the_date_it_was_first_seen(engine: Engine) -> None:
    (one,) = seed_papers(SqlDatabase(engine), 1)
    _change(engine, one, "Second", text_changed=True)
    with engine.connect() as connection:
        dates = connection.execute(select(db.papers.c.first_seen_at, db.papers.c.changed_at))
        assert dates.one() == (NOW, NOW + HOUR)
