"""Old papers leave the state folder, and nothing that the reader was sent comes again."""

import json
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.db.schema import tables as db
from tests.plugins.once.once_folder import OnceFolder
from tests.sample_database import NOW

DAY = timedelta(days=1)
FILES = "size = 2\n[files]\nmarkdown = 'digest.md'"


def listing(number: int, listed_on: date | None, **facts: object) -> dict[str, object]:
    listed = {} if listed_on is None else {"listed_on": listed_on.isoformat()}
    title = f"Counting {number} bees"
    return {"id": f"2601.0000{number}", "title": title, "summary": f"{title}.", **listed, **facts}


def write(once: OnceFolder, *papers: dict[str, object]) -> None:
    text = "\n".join(map(json.dumps, papers))
    once.folder.joinpath("papers.jsonl").write_text(text)


def kept(once: OnceFolder, *, after: int) -> set[str]:
    """Run `after` so many days; the titles that are known then."""
    once.run(NOW + after * DAY)
    titles: list[str] = []

    def read(engine: Engine) -> None:
        with engine.connect() as connection:
            titles.extend(connection.execute(select(db.papers.c.title)).scalars())
            found = connection.exec_driver_sql(
                "SELECT count(*) FROM papers_search WHERE papers_search MATCH 'bees'"
            )
            assert found.scalar() == len(titles)

    once.run(NOW + after * DAY, prepare=read)
    return set(titles)


@pytest.fixture
def once(tmp_path) -> OnceFolder:  # type: ignore[no-untyped-def]
    folder = OnceFolder(tmp_path)
    folder.configure(FILES)
    return folder


@pytest.mark.accept("F58", part="old papers", mutant="once-deletes-what-was-sent")
def test_old_papers_that_were_not_sent_are_deleted(once: OnceFolder) -> None:
    day = NOW.date()
    voted = [listing(n, day, upvotes=n) for n in (6, 7, 8)]
    write(once, *(listing(n, day) for n in range(1, 6)), *voted, listing(9, None))
    once.run()
    sent = set(re.findall(r"Counting \d bees", once.folder.joinpath("digest.md").read_text()))
    assert len(sent) == 2
    write(once)
    assert len(kept(once, after=34)) == 9
    undated, with_votes = {"Counting 9 bees"}, {f"Counting {n} bees" for n in (6, 7, 8)}
    assert not with_votes <= sent
    assert kept(once, after=37) == sent | undated | with_votes
    assert kept(once, after=190) == sent | undated


@pytest.mark.accept("F58", part="old papers")
def test_a_paper_that_the_reader_named_as_an_interest_stays(once: OnceFolder) -> None:
    once.configure(f"interests = ['seed:-2601.00005']\n{FILES}")
    write(once, *(listing(n, NOW.date()) for n in range(1, 9)))
    once.run()
    sent = set(re.findall(r"Counting \d bees", once.folder.joinpath("digest.md").read_text()))
    write(once)
    assert "Counting 5 bees" not in sent
    assert kept(once, after=37) == sent | {"Counting 5 bees"}


@pytest.mark.accept("F58", part="old papers")
def test_papers_stay_as_long_as_the_file_says(once: OnceFolder) -> None:
    once.configure(f"keep_days = 100\n{FILES}")
    write(once, *(listing(n, NOW.date()) for n in range(1, 9)))
    once.run()
    write(once)
    assert len(kept(once, after=99)) == 8
    assert len(kept(once, after=102)) == 2
