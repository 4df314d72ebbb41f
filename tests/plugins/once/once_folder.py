"""A folder with the file of `paperround once` and papers to read, run at any instant."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from paperround.core.clock import FixedClock
from paperround.plugins.once.config import read_config
from paperround.plugins.once.installation import installation
from paperround.plugins.once.run import OnceReport, run_once
from tests.sample_database import NOW

ADA = "ada@lab.example.org"
GUIDE = Path(__file__).parents[3] / "docs" / "once.md"


@dataclass
class OnceFolder:
    """The folder of one reader, who reads the files of papers in it unless told otherwise."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "paperround-state"

    def papers(self, *numbers: int) -> None:
        """Let the file of papers hold these."""
        lines = [
            {"id": f"2601.0000{n}", "title": f"Counting {n} bees", "summary": f"We count {n} bees."}
            for n in numbers
        ]
        self.folder.joinpath("papers.jsonl").write_text("\n".join(map(json.dumps, lines)))

    def configure(
        self, keys: str = "", *, papers: str = "papers.jsonl", settings: str = ""
    ) -> Path:
        """Write the file; `settings` are lines of its table, `keys` those above all tables."""
        place = self.folder / "once.toml"
        files = f"papers = ['{papers}']" if papers else ""
        place.write_text(f"{files}\n{keys}\n[settings]\nenrich = 'off'\n{settings}\n")
        return place

    def mailed_to(
        self, relay: str, *, email: str = ADA, keys: str = "", settings: str = ""
    ) -> None:
        """Write a file that has the digest mailed."""
        self.configure(f"email = '{email}'\n{keys}", settings=f"smtp_url = '{relay}'\n{settings}")

    def run(
        self,
        now: datetime = NOW,
        *,
        is_trial: bool = False,
        prepare: Callable[[Engine], None] = lambda _: None,
    ) -> OnceReport:
        """Run once at `now`; `prepare` gets the engine of the database first."""
        config = read_config(self.folder / "once.toml")
        with installation(config, FixedClock(now), is_trial=is_trial) as app:
            prepare(app.engine)
            return run_once(app, config, is_trial=is_trial)
