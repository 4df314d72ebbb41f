"""B16: the cost of an ingest grows at most in proportion to the number of papers."""

import gc
import time
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.ingest import copy_of, empty_file
from benchmarks.invented import as_jsonl, papers, store
from benchmarks.rounds import cost_exponent, interleaved
from benchmarks.table import Bar, Measured
from paperround.feeds.formats.jsonl import read_jsonl

SIZES = (300, 3_000, 30_000)
ROUNDS = 3


def growth_of_ingest() -> list[Measured]:
    """The steepest growth of the CPU time of a first ingest, from 300 papers to 30,000."""
    rows = papers(max(SIZES))
    with empty_file() as empty:
        rounds = interleaved(
            {str(size): partial(_ingest, as_jsonl(rows[:size]), empty) for size in SIZES},
            rounds=ROUNDS,
            timer=time.process_time,
        )
    cost = {int(size): median(seconds) for size, seconds in rounds.items()}
    shown = ", ".join(f"{1e6 * cost[size] / size:.0f}" for size in SIZES)
    return [
        Measured(
            id="B16",
            measure=f"ingest of 300, 3,000, 30,000 papers: exponent ({shown} µs a paper)",
            value=cost_exponent(cost),
            bar=Bar("at most", 1.05),
        )
    ]


def _ingest(content: bytes, empty: Path) -> None:
    with copy_of(empty) as database:
        batch = read_jsonl(content)
        gc.freeze()  # as the command does
        store(batch, database)
