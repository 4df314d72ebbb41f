"""Count the source files that a sign-up, a delivery, an ingest and a new feed enter.

    python -m tools.files_entered [--list]

Each action runs twice in an installation of its own; the second run is watched. A file counts when
one of its functions is called. Imports, constructors and comprehensions are left out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

from starlette.testclient import TestClient

import paperround
from paperround.bootstrap import AppContext
from paperround.cli.app import app
from paperround.config import Settings
from paperround.core.clock import SystemClock
from paperround.web.app import create_app

ROOT = Path(paperround.__file__).parent
LEFT_OUT = frozenset(
    "<module> <lambda> <listcomp> <genexpr> <dictcomp> <setcomp> __init__ __post_init__ __new__"
    " __hash__ __eq__ __repr__".split()
)
PAPERS = [{"id": f"2601.0000{n}", "title": f"Paper {n}", "upvotes": n} for n in range(1, 9)]
PEOPLE = "email,status,consent_at,consent_source\n"


class Watch:
    """Notes the files whose functions are called while it is on, in every thread."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.is_on = False

    def note(self, frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        is_entered = self.is_on and event == "call" and code.co_name not in LEFT_OUT
        if is_entered and code.co_filename.startswith(str(ROOT)):
            self.files.add(str(Path(code.co_filename).relative_to(ROOT)))


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Watch this thread, and threads that start within the block."""
    threading.setprofile(watch.note)
    sys.setprofile(watch.note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


class Action:
    """An action that runs twice; its `prepare` is not watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, number: int) -> None:
        """Prepare the run with this number."""

    def act(self, number: int) -> None:
        """Run the action."""
        raise NotImplementedError


def entered(action: Action) -> set[str]:
    """Return the files that the second run of `action` enters."""
    watch = Watch()
    with watching(watch):
        for number in (1, 2):
            action.prepare(number)
            watch.is_on = number == 2
            action.act(number)
            watch.is_on = False
    return watch.files


def command(*arguments: str) -> None:
    """Run a command in this process, silently."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        app(list(arguments), standalone_mode=False)


def paper_file(folder: Path, number: int) -> Path:
    """Write a file of papers that no other number has, and return its path."""
    file = folder / f"{number}.jsonl"
    rows = [{**paper, "id": f"26{number:02}.{n:05}"} for n, paper in enumerate(PAPERS, start=1)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


class SignUp(Action):
    """`POST /subscribe`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        settings = Settings(data_dir=folder, public_url="http://testserver")
        self.client = TestClient(create_app(AppContext(settings, SystemClock())))

    def act(self, number: int) -> None:
        answer = self.client.post("/subscribe", data={"email": f"reader{number}@example.org"})
        answer.raise_for_status()


class CreateFeed(SignUp):
    """`POST /api/v1/admin/feeds`."""

    def prepare(self, number: int) -> None:
        if number == 1:
            arguments = [sys.executable, "-m", "paperround", "keys", "create", "tools"]
            made = subprocess.run(
                [*arguments, "--scope", "feeds:write", "--json"],
                stdout=subprocess.PIPE,
                check=True,
            )
            self.headers = {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}

    def act(self, number: int) -> None:
        body = {"name": f"feed{number}", "kind": "arxiv", "settings": {"categories": "cs.AI"}}
        answer = self.client.post("/api/v1/admin/feeds", json=body, headers=self.headers)
        answer.raise_for_status()


class Ingest(Action):
    """`paperround ingest --file`."""

    def act(self, number: int) -> None:
        command("ingest", "--file", str(paper_file(self.folder, number)))


class Deliver(Action):
    """`paperround deliver`, of one digest."""

    def prepare(self, number: int) -> None:
        command("ingest", "--file", str(paper_file(self.folder, number)))
        people = self.folder / "people.csv"
        row = f"reader{number}@example.org,active,2026-01-05T09:00:00Z,tools\n"
        people.write_text(PEOPLE + row)
        command("subscribers", "import", str(people))
        command("digest", "send")

    def act(self, number: int) -> None:
        del number
        command("deliver")


ACTIONS: dict[str, type[Action]] = {
    "POST /subscribe": SignUp,
    "deliver": Deliver,
    "ingest --file": Ingest,
    "create a feed": CreateFeed,
}


def main() -> None:
    """Print a line for each action; with `--list` the files too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="print the files too")
    shows_files = parser.parse_args().list
    for name, kind in ACTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PAPERROUND_DATA_DIR"] = folder
            found = entered(kind(Path(folder)))
        sys.stdout.write(f"{len(found):4} {name}\n")
        if shows_files:
            sys.stdout.writelines(f"       {one}\n" for one in sorted(found))


if __name__ == "__main__":
    main()
