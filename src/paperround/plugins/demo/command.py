"""`paperround demo`: run everything on one machine, with sample papers and no network."""

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

if TYPE_CHECKING:
    import socket

    from paperround.bootstrap import AppContext
    from paperround.editions.model import Edition

FOLDER = Path("paperround-demo")
"""Default data directory of a demo, apart from that of an installation."""

DEMO_LIMITS: Mapping[str, str] = {
    "rate_signup_address": "60/h",
    "rate_signup_ip": "600/h",
    "rate_signup_net": "600/h",
    "rate_signup_domain": "600/h",
}
"""Default sign-up limits of a demo, where one person at one IP address plays every role."""

EVERY_SECONDS = 60.0
"""Interval at which samples of later hours are read."""


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
    from paperround.digests.publish import freeze_cuts
    from paperround.editions.lists import DEFAULT_LIST
    from paperround.editions.store.editions import EditionStore
    from paperround.editions.store.lists import ListStore

    settings = load_settings(file=None)  # .env belongs to an installation
    log_to_stderr(settings)
    logging.getLogger("paperround").setLevel(logging.WARNING)
    if settings.leaves_this_machine:
        raise Misconfigured(
            "a demo sends no mail to other machines, and PAPERROUND_SMTP_URL names one: unset it "
            "for this command, or run `paperround serve`"
        )
    settings.require_sender()
    leave_on_signals()
    # If PAPERROUND_PUBLIC_URL is set, it names the port.
    is_free = port is None and "public_url" not in settings.model_fields_set
    with contextlib.closing(_listen(port, is_free=is_free)) as listener:
        context = _create_context(settings, listener.getsockname()[1])
        source = _read_file(context, papers) if papers else _read_samples(context)
        now = context.clock.now()
        freeze_cuts(database=context.database, ranker=context.ranker, now=now)
        with context.database.reading() as work:
            edition = work[EditionStore].newest(work[ListStore].get(DEFAULT_LIST).id, by=now)
        _run(context, listener, source, edition)


def _listen(port: int | None, *, is_free: bool) -> "socket.socket":
    """Return a socket at `port`, by default 8000, or at any free one if that may be replaced."""
    from paperround.cli.server import HOST, PORT, listen

    try:
        return listen(HOST, PORT if port is None else port)
    except InvalidInput:
        if not is_free:
            raise
        return listen(HOST, 0)


def _create_context(settings: Settings, port: int) -> "AppContext":
    """Create the demo's context; raises Conflict if the database belongs to an installation."""
    from paperround.bootstrap import AppContext
    from paperround.bootstrap.database import database_of, place_of
    from paperround.cli.server import HOST
    from paperround.plugins.demo.samples import claim

    demo_settings = {"public_url": f"http://{HOST}:{port}", "data_dir": FOLDER, **DEMO_LIMITS}
    given = settings.model_fields_set
    defaults = {name: value for name, value in demo_settings.items() if name not in given}
    context = AppContext(settings.model_copy(update=defaults), SystemClock(), demo=True)
    if not claim(database_of(context), now=context.clock.now()):
        raise Conflict(
            f"{place_of(context.settings)} is the database of an installation: name "
            "another folder for the demo, PAPERROUND_DATA_DIR=my-demo, or none"
        )
    return context


def _read_samples(context: "AppContext") -> str:
    """Begin or continue a demo, unless there are other papers; return where papers come from."""
    from paperround.plugins.demo.samples import begin, read_samples

    if not begin(context.database, now=context.clock.now()):
        return (
            f"those that {context.settings.data_dir} holds; samples go into an empty database only"
        )
    read_samples(context.database, now=context.clock.now())

    def keep_reading() -> None:
        """Read the samples of later hours until the demo stops."""
        while not context.stopping.wait(EVERY_SECONDS):
            try:
                read_samples(context.database, now=context.clock.now())
            except PaperroundError as error:
                logging.getLogger(__name__).warning("no samples were read: %s", error)

    threading.Thread(target=keep_reading, name="paperround-samples", daemon=True).start()
    return "invented samples; more of them appear as hours go by"


def _read_file(context: "AppContext", file: Path) -> str:
    """Read papers from `file` into the database; return their number as text."""
    from paperround.feeds.ingest import ingest
    from paperround.plugins.demo.samples import has_samples

    if has_samples(context.database):
        raise Conflict(
            f"{context.settings.data_dir} holds the invented papers of an earlier demo: "
            "delete that folder, or name another one: PAPERROUND_DATA_DIR=my-demo"
        )
    read, now = paper_file(file), context.clock.now()
    report = ingest(
        read.batch,
        database=context.database,
        feed_name=f"file:{read.format}",
        feed_kind="file",
        source=read.name,
        captured_at=min(read.written_at, now),
        now=now,
    )
    totals = {"new": report.new, "rejected entries": sum(report.rejects.values())}
    return f"{report.records:,} from {read.name} ({counts(totals)})"


def _run(
    context: "AppContext", listener: "socket.socket", source: str, edition: "Edition | None"
) -> None:
    from paperround.cli.server import HOST, server
    from paperround.scheduler import Scheduler
    from paperround.web.app import create_app

    def welcome() -> None:
        url = context.settings.public_url
        say(f"Paperround demo: open {url}/")
        say()
        say(f"  Subscribe there with any address. The mails appear at {url}/outbox")
        say(f"  Papers: {source}.")
        if edition is None or not edition.papers:
            say("  None of them is of the last days, so today has no edition.")
        say(f"  Data: {context.settings.data_dir} (delete the folder to begin anew)")
        say("  Stop: Ctrl-C")

    site = create_app(context)
    scheduler = Scheduler(context)
    try:
        scheduler.start()
        port = listener.getsockname()[1]
        server(site, host=HOST, port=port, on_ready=welcome).run(sockets=[listener])
    finally:
        scheduler.stop(drain_seconds=DRAIN_SECONDS)
        say(f"Stopped. Started again, the demo goes on with {context.settings.data_dir}.")
