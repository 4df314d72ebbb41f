"""`./run bench [ID ...]`: run every benchmark in its small form; write a table and results.json.

A benchmark is a function without arguments that takes a few seconds and returns its measurements.
To add one, write it in its own module and add it to BENCHMARKS.
"""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.backfill import store_speed
from benchmarks.capped import confirmation_over_a_capped_relay
from benchmarks.compose import personal_digest, shared_digest, signed_digest
from benchmarks.day import (
    whole_day,
    whole_day_long,
    whole_day_on_postgres,
    whole_day_on_postgres_long,
)
from benchmarks.deliver import (
    delivery_speed,
    distant_delivery_speed,
    signed_delivery_speed,
)
from benchmarks.growth import growth_of_ingest
from benchmarks.growth_of_ranking import growth_of_ranking
from benchmarks.ingest import ingest_speed
from benchmarks.interests import choosing_by_interests
from benchmarks.on_postgres import (
    growth_on_postgres,
    memory_on_postgres,
    memory_on_postgres_long,
)
from benchmarks.pages import speed_of_pages
from benchmarks.personal import personal_order
from benchmarks.planning import (
    growth_of_publishing,
    memory_of_planning,
    memory_of_planning_long,
)
from benchmarks.search import speed_of_search, speed_of_search_on_postgres
from benchmarks.service import memory_of_the_service, memory_of_the_service_long
from benchmarks.signing_up import signing_up, signing_up_long
from benchmarks.start import start_of_a_command, start_of_the_service
from benchmarks.table import Measured, as_json, as_table
from benchmarks.whole_run import memory_of_a_run, memory_of_a_run_long
from benchmarks.workers import many_workers, many_workers_long

RESULTS = Path(__file__).with_name("results.json")

BENCHMARKS: Mapping[str, Sequence[Callable[[], list[Measured]]]] = {
    "B1": [delivery_speed],
    "B2": [signed_delivery_speed],
    "B4": [distant_delivery_speed],
    "B5": [shared_digest, signed_digest, personal_digest],
    "B6": [personal_order, choosing_by_interests],
    "B7": [ingest_speed],
    "B8": [ingest_speed],
    "B9": [store_speed],
    "B10": [signing_up],
    "B11": [speed_of_pages],
    "B12": [memory_of_planning, memory_of_a_run, memory_on_postgres],
    "B13": [whole_day, whole_day_on_postgres],
    "B14": [many_workers],
    "B15": [speed_of_search, speed_of_search_on_postgres],
    "B16": [growth_of_ingest, growth_of_ranking, growth_of_publishing, growth_on_postgres],
    "B17": [start_of_a_command, start_of_the_service],
    "B18": [confirmation_over_a_capped_relay],
    "B19": [memory_of_the_service],
}

LONG: Mapping[str, Sequence[Callable[[], list[Measured]]]] = {
    "B10-long": [signing_up_long],
    "B12-long": [memory_of_planning_long],
    "B12-run-long": [memory_of_a_run_long],
    "B12-postgres": [memory_on_postgres],
    "B12-postgres-long": [memory_on_postgres_long],
    "B13-long": [whole_day_long],
    "B13-postgres": [whole_day_on_postgres],
    "B13-postgres-long": [whole_day_on_postgres_long],
    "B14-long": [many_workers_long],
    "B16-postgres": [growth_on_postgres],
    "B19-long": [memory_of_the_service_long],
}
"""Benchmarks that take many minutes or are part of another one, and so run only by name."""


def main(ids: Sequence[str]) -> int:
    """Run the named benchmarks, or all but the long ones; return 1 if one failed, after all
    others."""
    known = {**BENCHMARKS, **LONG}
    unknown = [name for name in ids if name not in known]
    if unknown:
        print(f"no benchmark measures {unknown[0]!r}; there are: {', '.join(known)}")
        return 2
    runs = dict.fromkeys(run for name in ids or BENCHMARKS for run in known[name])
    rows, failed = [], 0
    for run in runs:
        try:
            rows += run()
        except Exception:  # run the other benchmarks in any case
            print(f"{run.__name__} failed:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            failed = 1
    print(as_table(rows))
    RESULTS.write_text(as_json(rows) + "\n", encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
