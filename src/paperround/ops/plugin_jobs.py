"""Periodic jobs of plugins, and what they add to alerts, cleanup and status.

A plugin names a `PluginJob` in the group `paperround.jobs`. It is loaded when commands or the site
set up their jobs, so its module imports `paperround.bootstrap` within functions only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from paperround.core.jobs import Job
from paperround.core.plugins import plugins
from paperround.db.transactions import Transaction
from paperround.delivery.system_mail_model import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What `paperround deliver` prints about a run: `values` with --json, else `lines`."""

    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginJob:
    """A job that runs with every tick, and between two ticks when it `has_due` work.

    `run` takes the `AppContext`. `alerts` reports what is wrong, `clean_up` runs once an hour, and
    `list_status` returns what `digest status` adds to the list of this name.
    """

    job: Job
    run: Callable[[Any], JobReport]
    has_due: Callable[[Transaction, datetime], bool]
    alerts: Callable[[Transaction], Iterable[Alert]] = lambda _: ()
    clean_up: Callable[[Transaction], object] = lambda _: None
    list_status: Callable[[Transaction, str], Mapping[str, Any]] = lambda *_: {}


def plugin_jobs() -> Sequence[PluginJob]:
    """Return the jobs of all plugins. Raises Misconfigured when one cannot be loaded."""
    return tuple(plugins("jobs").values())
