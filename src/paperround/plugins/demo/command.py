"""`paperround demo`: run everything on one machine, with sample papers and no network; and
`paperround try`: rank papers for some words, without an installation."""

import contextlib
import logging
import sys
import threading
import webbrowser
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.feed_lists import preset_feeds
from paperround.cli.ingest import paper_file, store_papers
from paperround.cli.options import AsJson, Papers, argument, runtime, switch, takes
from paperround.cli.output import counts, print_result, progress, say
from paperround.cli.process import DRAIN_SECONDS, leave_on_signals, log_to_stderr
from paperround.cli.rank import item_as_json, item_lines
from paperround.core.clock import SystemClock
from paperround.core.errors import (
    Conflict,
    FetchFailed,
    InvalidInput,
    Misconfigured,
    NotFound,
    PaperroundError,
)
from paperround.core.reasons import counted

if TYPE_CHECKING:
    import socket

    from paperround.bootstrap import AppContext
    from paperround.config import Settings
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
        int | None, takes("--port", "N", "The port; 0 takes a free one. [8000]", min=0, max=65535)
    ] = None,
) -> None:
    """Try the site, sign-up and emails on this machine. Emails are kept in an outbox.

    Needs no network, account or settings. Its papers are invented, unless you give --papers. It
    uses its own folder, and does not touch an installation in the current one or its .env.
    """
    from paperround.config import load_settings
    from paperround.digests.publish import freeze_cuts
    from paperround.editions.lists import DEFAULT_LIST
    from paperround.editions.store.editions import EditionStore
    from paperround.editions.store.lists import ListStore

    settings = load_settings(file=None)  # .env belongs to an installation
    log_to_stderr(settings)
    logging.getLogger("paperround").setLevel(logging.WARNING)
    if settings.leaves_this_machine:
        raise Misconfigured(
            "a demo sends no email to other machines, but PAPERROUND_SMTP_URL is set: unset it "
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


def _create_context(settings: "Settings", port: int) -> "AppContext":
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
    from paperround.plugins.demo.samples import has_samples

    if has_samples(context.database):
        raise Conflict(
            f"{context.settings.data_dir} holds the invented papers of an earlier demo: "
            "delete that folder, or name another one: PAPERROUND_DATA_DIR=my-demo"
        )
    read = paper_file(file)
    report = store_papers(context, read)
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
        say(f"  Subscribe there with any address. The emails appear at {url}/outbox")
        say(f"  Papers: {source}.")
        if edition is None or not edition.papers:
            say("  None of them is from the last days, so today has no edition.")
        say(f"  Data: {context.settings.data_dir} (delete the folder to start over)")
        say("  Stop: Ctrl-C")

    site = create_app(context)
    scheduler = Scheduler(context)
    try:
        scheduler.start()
        port = listener.getsockname()[1]
        server(site, host=HOST, port=port, on_ready=welcome).run(sockets=[listener])
    finally:
        scheduler.stop(drain_seconds=DRAIN_SECONDS)
        say(f"Stopped. Start it again to continue with {context.settings.data_dir}.")


# --- try ---------------------------------------------------------------------------------------

SAMPLES = "invented samples; --papers FILE or --preset NAME read real ones"


def try_(
    query: Annotated[str, argument("QUERY", "Words to look for.")],
    papers: Papers = None,
    preset: Annotated[
        str | None, takes("--preset", "NAME", "Today's papers of a field: ml, cs, bio, ...")
    ] = None,
    out: Annotated[Path, takes("--out", "FILE", "Where the digest is written.")] = Path(
        "digest.html"
    ),
    limit: Annotated[int, takes("--limit", "N", "How many papers.", min=1)] = 12,
    no_open: Annotated[bool, switch("--no-open", "Do not show the digest in a browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rank papers for QUERY, say why, and write the digest. Without --papers or --preset, it uses
    invented samples. It keeps only that file: no database, email or account."""
    from paperround.plugins.demo.trial import (
        digest_view,
        every_candidate,
        rank_for,
        temporary_installation,
    )

    context = runtime()
    with temporary_installation(context) as temporary:
        source = _read_papers(temporary, papers, preset, context.clock.now())
        now = context.clock.now()  # papers of a file without dates count from when they are read
        candidates = every_candidate(temporary.database, now=now)
    ranking = rank_for(query, candidates, now=now)
    found = f"{counted(len(candidates), 'paper')} ({source})"
    if not ranking.items:
        raise NotFound(f"none of {found} has a word of {query!r}: try others")
    title = f"Papers for “{query}”"
    view = digest_view(
        ranking, title=title, limit=limit, sender_identity=context.sender_identity, now=now
    )
    out.write_text(context.renderer.render(view).html, encoding="utf-8")
    shown = ranking.items[:limit]
    value = {
        "query": query,
        "source": source,
        "papers": len(candidates),
        "found": len(ranking.items),
        "ranker": ranking.ranker,
        "items": [item_as_json(number, item) for number, item in enumerate(shown, 1)],
        "digest": str(out),
    }
    lines = [
        f"“{query}”: the best {len(shown)} of {len(ranking.items):,} that match, among {found}",
        *item_lines(shown, explain=True),
        f"The digest: {out}",
    ]
    print_result(value, lines, as_json=as_json)
    if not (as_json or no_open) and sys.stdout.isatty():
        _open_in_browser(out)


def _read_papers(
    context: "AppContext", papers: Path | None, preset: str | None, now: datetime
) -> str:
    """Store the papers, and return their source as text."""
    from paperround.plugins.demo.samples import begin, read_samples

    if papers is not None and preset is not None:
        raise typer.BadParameter("give --papers FILE or --preset NAME, not both")
    if papers is not None:
        store_papers(context, paper_file(papers))
        return papers.name
    if preset is not None:
        return _fetch_preset(context, preset, now)
    begin(context.database, now=now)
    read_samples(context.database, now=now)
    return SAMPLES


def _fetch_preset(context: "AppContext", preset: str, now: datetime) -> str:
    """Read the feeds of a preset; the source names those that failed. Raises FetchFailed if all
    did."""
    from paperround.feeds.due import create_feed, run_all_now

    feeds = [create_feed(context.feed_context, one, now=now) for one in preset_feeds(preset)]
    with progress("feeds read", len(feeds)) as advance:
        failed = run_all_now(context.feed_context, feeds, now=now, progress=advance)
    failures = "; ".join(f"{name}: {words}" for name, words in failed.items())
    if len(failed) == len(feeds):
        raise FetchFailed(f"no feed could be read ({failures})")
    source = ", ".join(feed.name for feed in feeds if feed.name not in failed)
    return source + (f"; not read to its end: {failures}" if failures else "")


def _open_in_browser(out: Path) -> None:
    """Open the digest in a graphical browser, not in one that takes over the terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(out.resolve().as_uri())
