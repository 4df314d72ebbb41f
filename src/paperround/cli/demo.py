"""`paperround demo`: everything on one machine, with invented papers and no network."""

import contextlib
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.ingest import paper_file
from paperround.cli.options import Papers
from paperround.cli.output import counts, say
from paperround.cli.process import DRAIN_SECONDS, leave_on_signals, log_to_stderr
from paperround.config import Settings, load_settings
from paperround.core.clock import SystemClock
from paperround.core.errors import Conflict, InvalidInput, Misconfigured, PaperroundError
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.model import Edition

if TYPE_CHECKING:
    import socket

    from paperround.bootstrap import AppContext
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore

HOST = "127.0.0.1"
PORT = 8000
FOLDER = Path("paperround-demo")
"""Where a demo keeps its data unless a setting says so: never beside an installation's."""

TRIED_PORTS = 20
"""How many ports after the usual one are tried before any free one is taken."""

AS_OFTEN_AS_ONE_LIKES: Mapping[str, str] = {
    "rate_signup_address": "60/h",
    "rate_signup_ip": "600/h",
    "rate_signup_net": "600/h",
    "rate_signup_domain": "600/h",
}
"""How often somebody may sign up on their own machine where no setting says it: they are everybody
there, with one address for all, and see each mail in the outbox. A program that runs wild still
meets an end."""

EVERY_SECONDS = 60.0
"""How often the samples of later hours are looked for."""


def demo(
    papers: Papers = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", min=0, max=65535, help="The port; 0 takes a free one. [8000]"
        ),
    ] = None,
) -> None:
    """Show everything on this machine: the site, sign-up, ranking, and mails in an outbox.

    Needs no network, no account and no settings; invented papers unless --papers names others. It
    keeps a folder of its own, and leaves an installation that is here alone, with its .env.
    """
    from paperround.digests.cuts import freeze_cuts

    settings = load_settings(file=None)  # .env is an installation's
    log_to_stderr(settings)
    logging.getLogger("paperround").setLevel(logging.WARNING)
    if settings.leaves_this_machine:
        raise Misconfigured(
            "a demo sends no mail to other machines, and PAPERROUND_SMTP_URL names one: unset it "
            "for this command, or run `paperround serve`"
        )
    settings.require_sender()
    leave_on_signals()
    # Where somebody said how the site is reached, its port is not ours to choose.
    is_free = port is None and "public_url" not in settings.model_fields_set
    with contextlib.closing(_listen(port, is_free=is_free)) as door:
        home = _home(settings, door.getsockname()[1])
        source = _read_file(home, papers) if papers else _read_samples(home)
        now = home.clock.now()
        freeze_cuts(database=home.database, ranker=home.ranker, now=now)
        with home.database.reading() as work:
            edition = work[EditionStore].newest(work[ListStore].get(DEFAULT_LIST).id, by=now)
        _run(home, door, source, edition)


# --- before it runs ----------------------------------------------------------------------------


def _listen(port: int | None, *, is_free: bool) -> "socket.socket":
    """A socket that is bound to `port`, by default the usual one; or to one near it when that is
    taken and `is_free`. Raises InvalidInput for a port that cannot be had."""
    from paperround.cli.server import listen

    first = PORT if port is None else port
    for number in range(first, first + TRIED_PORTS) if is_free else ():
        with contextlib.suppress(InvalidInput):
            return listen(HOST, number)
    return listen(HOST, 0 if is_free else first)


def _home(settings: Settings, port: int) -> "AppContext":
    """The demo's installation, whose database is marked as a demo's. Raises Conflict where that is
    the database of an installation."""
    from paperround.bootstrap import AppContext
    from paperround.bootstrap.database import database_of, place_of
    from paperround.ops.demo import claim

    usual = {"public_url": f"http://{HOST}:{port}", "data_dir": FOLDER, **AS_OFTEN_AS_ONE_LIKES}
    said = settings.model_fields_set
    unsaid = {name: value for name, value in usual.items() if name not in said}
    home = AppContext(settings.model_copy(update=unsaid), SystemClock(), demo=True)
    if not claim(database_of(home), now=home.clock.now()):
        raise Conflict(
            f"{place_of(home.settings)} is the database of an installation: name "
            "another folder for the demo, PAPERROUND_DATA_DIR=my-demo, or none"
        )
    return home


# --- papers ------------------------------------------------------------------------------------


def _read_samples(home: "AppContext") -> str:
    """Begin a demo if the database is empty, and go on with it; returns what papers there are."""
    from paperround.ops.demo import Samples, begin, read_samples
    from paperround.samples import days

    if not begin(home.database, now=home.clock.now()):
        return f"those that {home.settings.data_dir} holds; samples go into an empty database only"
    content = days.read()
    samples = Samples(
        feed=days.FEED,
        listed=lambda anchor, now: days.batch_at(content, anchor=anchor, now=now),
    )
    read_samples(home.database, samples, now=home.clock.now())

    def keep_reading() -> None:
        """Read the samples of later hours until the demo stops."""
        while not home.stopping.wait(EVERY_SECONDS):
            try:
                read_samples(home.database, samples, now=home.clock.now())
            except PaperroundError as error:
                logging.getLogger(__name__).warning("no samples were read: %s", error)

    threading.Thread(target=keep_reading, name="paperround-samples", daemon=True).start()
    return "invented samples; more of them appear as hours go by"


def _read_file(home: "AppContext", file: Path) -> str:
    """Read papers from `file` into the database; returns how many there are."""
    from paperround.feeds.ingest import ingest
    from paperround.ops.demo import has_samples

    if has_samples(home.database):
        raise Conflict(
            f"{home.settings.data_dir} holds the invented papers of an earlier demo: delete that "
            "folder, or name another one: PAPERROUND_DATA_DIR=my-demo"
        )
    read, now = paper_file(file), home.clock.now()
    report = ingest(
        read.batch,
        database=home.database,
        feed_name=f"file:{read.format}",
        feed_kind="file",
        source=read.name,
        captured_at=min(read.written_at, now),
        now=now,
    )
    numbers = {"new": report.new, "rejected entries": sum(report.rejects.values())}
    return f"{report.records:,} from {read.name} ({counts(numbers)})"


# --- while it runs -----------------------------------------------------------------------------


def _run(home: "AppContext", door: "socket.socket", source: str, edition: Edition | None) -> None:
    from paperround.cli.server import server
    from paperround.scheduler import Scheduler
    from paperround.web.app import create_app

    def welcome() -> None:
        url = home.settings.public_url
        say(f"Paperround demo: open {url}/")
        say()
        say(f"  Subscribe there with any address. The mails appear at {url}/outbox")
        say(f"  Papers: {source}.")
        if edition is None or not edition.papers:
            say("  None of them is of the last days, so today has no edition.")
        say(f"  Data: {home.settings.data_dir} (delete the folder to begin anew)")
        say("  Stop: Ctrl-C")

    site = create_app(home)
    minutes = Scheduler(home)
    try:
        minutes.start()
        port = door.getsockname()[1]
        server(site, host=HOST, port=port, on_ready=welcome).run(sockets=[door])
    finally:
        minutes.stop(drain_seconds=DRAIN_SECONDS)
        say(f"Stopped. Started again, the demo goes on with {home.settings.data_dir}.")
