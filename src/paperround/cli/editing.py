"""`paperround digest preview|hold|approve|drop|pin|note|why`: review an edition before it is sent,
and see why nothing was sent."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import (
    AsJson,
    ListName,
    Now,
    actor,
    address_of,
    argument,
    day_option,
    runtime,
    switch,
    takes,
    usage,
)
from paperround.cli.output import outline_lines, print_result, to_json
from paperround.core.reasons import counted
from paperround.editions.lists import DEFAULT_LIST

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.db.transactions import Transaction
    from paperround.editions.lists import MailingList
    from paperround.editions.model import Edition

HeldCut = Annotated[
    str | None,
    takes("--cut", "CUT", "0-3. Default: that of the held edition, if there is only one."),
]
HeldDate = Annotated[
    date | None, day_option("Default: that of the held edition, if there is only one.")
]
PaperName = Annotated[
    str, argument("PAPER", "Its arXiv id, DOI or link, or its number: `rank --json` has it.")
]
Undo = Annotated[bool, switch("--undo", "Undo it.")]


def preview(
    out: Annotated[Path, takes("--out", "DIR", "Where to write the files.")],
    list_name: ListName = DEFAULT_LIST,
    of_day: Annotated[
        date | None,
        day_option("The edition's date. Default: that of the newest held edition, else today."),
    ] = None,
    cut: Annotated[
        str | None,
        takes(
            "--cut",
            "CUT",
            "0-3 or manual. Default: the newest held edition, else the one sent by hand, else "
            "the newest.",
        ),
    ] = None,
    subscriber: Annotated[
        str | None, takes("--subscriber", "EMAIL", "As this person would get it.")
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Write digest.html, digest.txt and digest.eml, even of a held edition. Sends nothing.

    Fails, with the reason, if there would be no email."""
    from paperround.ops.why import reason_text

    context = runtime(now)
    shown = context.previewer.preview(
        list_name,
        day=of_day,
        cut=cut,
        reader=address_of(subscriber, "--subscriber") if subscriber else None,
        now=context.clock.now(),
        with_held=True,
    )
    files = []
    if shown.mail is not None and shown.rendered is not None:
        out.mkdir(parents=True, exist_ok=True)
        written = {
            "digest.html": shown.rendered.html.encode(),
            "digest.txt": shown.rendered.text.encode(),
            "digest.eml": context.renderer.compose(shown.mail),
        }
        for name, content in written.items():
            (out / name).write_bytes(content)
            files.append(str(out / name))
    edition = shown.edition
    became = f"wrote {', '.join(files)}"
    if shown.skipped:
        became = f"no email, because {reason_text(shown.skipped)}"
    line = f"{edition.list_name}, {edition.day} ({edition.cut}): {became}"
    value = {
        "edition": {"list": edition.list_name, "date": edition.day, "cut": edition.cut},
        "skipped": shown.skipped,
        "planned": shown.planned,
        "files": files,
    }
    print_result(value, line, as_json=as_json)
    if shown.skipped:
        raise typer.Exit(1)


def hold(
    minutes: Annotated[int | None, argument("MINUTES", "0 to 720; 0 holds nothing.")] = None,
    list_name: Annotated[
        str | None, takes("--list", "LIST", "Default: trending; without MINUTES, all of them.")
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Hold later editions for MINUTES before they are sent. Without it, show the hold of every list
    and the editions that are held.

    A held edition is not public. View it with `digest preview`, change it with `digest drop`, `pin`
    and `note`, and release it with `digest approve`, or wait.
    """
    from paperround.digests.editing import set_hold
    from paperround.editions.store.lists import ListStore

    context = runtime(now)
    moment = context.clock.now()
    if minutes is not None:
        list_name = list_name or DEFAULT_LIST
        with usage(minutes="MINUTES"):
            set_hold(context.database, list_name, minutes, by=actor(), now=moment)
    with context.database.reading() as work:
        store = work[ListStore]
        lists = store.live() if list_name is None else [store.get(list_name)]
        holds = [_hold_as_json(work, one, moment) for one in lists]
    lines = [line for one in holds for line in _hold_lines(one)]
    print_result({"lists": holds} if list_name is None else holds[0], lines, as_json=as_json)


def _hold_as_json(work: "Transaction", one: "MailingList", now: datetime) -> dict[str, Any]:
    from paperround.core.times import format_instant
    from paperround.digests.editing import held_editions

    held = [
        {
            "date": edition.day,
            "cut": edition.cut,
            "held_until": format_instant(edition.held_until) if edition.held_until else "",
        }
        for edition in held_editions(work, one.name, now=now)
    ]
    return {"list": one.name, "hold_minutes": one.hold_minutes, "held": held}


def _hold_lines(one: dict[str, Any]) -> Iterator[str]:
    minutes = one["hold_minutes"]
    goes = f"are held for {counted(minutes, 'minute')}" if minutes else "go out at once"
    yield f"{one['list']}: editions {goes}"
    for edition in one["held"]:
        yield f"  {edition['date']}, cut {edition['cut']}, is held until {edition['held_until']}"


def approve(
    list_name: ListName = DEFAULT_LIST,
    of_day: HeldDate = None,
    cut: HeldCut = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Release a held edition now, with its changes. Digests are planned within a minute."""
    from paperround.digests.editing import approve as run

    _edit(runtime(now), (list_name, of_day, cut), run, as_json=as_json)


def drop(
    paper: PaperName,
    undo: Undo = False,
    list_name: ListName = DEFAULT_LIST,
    of_day: HeldDate = None,
    cut: HeldCut = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Leave a paper out of a held edition. Its page says that one was left out."""
    from paperround.digests.editing import drop as run

    change = partial(run, paper=paper, undo=undo)
    _edit(runtime(now), (list_name, of_day, cut), change, as_json=as_json)


def pin(
    paper: PaperName,
    undo: Undo = False,
    list_name: ListName = DEFAULT_LIST,
    of_day: HeldDate = None,
    cut: HeldCut = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Put any paper first in a held edition. Its reason is “Chosen by the editor”."""
    from paperround.digests.editing import choose

    context = runtime(now)
    change = partial(choose, paper=paper, undo=undo, gist=context.gist)
    _edit(context, (list_name, of_day, cut), change, as_json=as_json)


def note(
    text: Annotated[str, argument("TEXT", "One line; an empty one removes the note.")],
    paper: Annotated[
        str | None, takes("--paper", "PAPER", "Show it at this paper, not at the top.")
    ] = None,
    list_name: ListName = DEFAULT_LIST,
    of_day: HeldDate = None,
    cut: HeldCut = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Add a note for readers to a held edition. It is shown below the heading, or at a paper."""
    from paperround.digests.editing import add_note

    change = partial(add_note, text=text, paper=paper)
    _edit(runtime(now), (list_name, of_day, cut), change, as_json=as_json, paper="--paper")


def why(
    list_name: ListName = DEFAULT_LIST,
    subscriber: Annotated[
        str | None, takes("--subscriber", "WHO", "One person only: an address or number.")
    ] = None,
    of_day: Annotated[date | None, day_option("Default: today in the list's time zone.")] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Explain why nothing, or not everything, was sent. The reasons are those on record."""
    from paperround.digests.plan import Hours
    from paperround.ops.why import why as run
    from paperround.self_service.help_desk import person_number
    from paperround.web.admin_sending import WhyAnswer

    context, person = runtime(now), None
    if subscriber is not None:
        with usage("--subscriber"):
            person = person_number(context.database, subscriber)
    reasons = run(
        context.database,
        list_name,
        hours=Hours(hour=context.settings.default_hour),
        now=context.clock.now(),
        day=of_day,
        person=person,
        pacing=context.settings.pacing,
    )
    value = {"list": list_name, "reasons": to_json(map(WhyAnswer.of, reasons))}
    print_result(value, [one.text for one in reasons] or EVERYTHING_IS_WELL, as_json=as_json)


EVERYTHING_IS_WELL = "no reason is recorded"


def _edit(
    context: "AppContext",
    named: tuple[str, date | None, str | None],
    change: Callable[..., "Edition"],
    *,
    as_json: bool,
    paper: str = "PAPER",
) -> None:
    """Change the edition of (list, date, cut), and print it with the first of its papers. `paper`
    is the argument or option for a paper."""
    from paperround.digests.editing import EditionRef
    from paperround.web.admin_editions import EditionWithPapers

    list_name, of_day, cut = named
    ref, now = EditionRef(list_name=list_name, day=of_day, cut=cut), context.clock.now()
    with usage(text="TEXT", paper=paper, held="--cut"):
        edition = change(context.database, ref, by=actor(), now=now)
    value = to_json(EditionWithPapers.of_edition(edition, now))
    shown = value | {"papers": value["papers"][:5]}
    print_result(value, outline_lines(shown), as_json=as_json)
