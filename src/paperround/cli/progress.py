"""A bar for work that takes a while, where somebody is looking."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from paperround.jobs.progress import Advance, no_progress


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Yields a function to call with how much more is done.

    Draws on standard error and leaves nothing there; draws nothing when that is no terminal.
    """
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)
