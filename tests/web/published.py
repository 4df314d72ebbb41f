"""Today's edition of the sample papers, made once and then copied.

To ingest a hundred papers and rank them takes longer than most tests of pages. What comes of it
depends on the database before, and on nothing else: so for each state of a SQLite file it is done
once, and every other file in that state becomes what came of it.
"""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from paperround.bootstrap import AppContext
from paperround.db.schema import tables
from paperround.delivery.restore_guard import INSTALLATION
from paperround.digests.publish import freeze_cuts
from paperround.editions.model import Edition
from paperround.feeds.ingest import ingest
from paperround.plugins.demo import samples
from tests.builders import NOW


@dataclass
class Published:
    """Databases with an edition, in `folder`, by the state of the database before."""

    folder: Path
    editions: dict[str, Edition] = field(default_factory=dict)

    def publish(self, home: AppContext, engine: Engine) -> Edition:
        """Freeze the edition at its last cut, or copy the database of one that is the same."""
        if engine.dialect.name != "sqlite":
            return published(home)
        name_alike(engine)
        with closing(sqlite3.connect(str(engine.url.database))) as here:
            before = hashlib.sha256(here.serialize()).hexdigest()
            with closing(sqlite3.connect(self.folder / before)) as kept:
                if before in self.editions:
                    kept.backup(here)
                else:
                    self.editions[before] = published(home)
                    here.backup(kept)
        return self.editions[before]


def name_alike(engine: Engine) -> None:
    """Give the installation the id of all others, where it has one by chance."""
    with engine.begin() as connection:
        slots = tables.slots
        connection.execute(
            slots.update()
            .where(slots.c.slot.startswith(INSTALLATION))
            .values(slot=f"{INSTALLATION}the-same")
        )


def published(home: AppContext) -> Edition:
    """Today's edition of the sample papers, frozen at its last cut."""
    ingest(
        samples.batch_at(anchor=NOW, now=NOW),
        database=home.database,
        feed_name=samples.FEED,
        feed_kind="samples",
        source="samples",
        captured_at=NOW,
        now=NOW - timedelta(hours=1),
    )
    [edition] = freeze_cuts(database=home.database, ranker=home.ranker, now=NOW)
    return edition
