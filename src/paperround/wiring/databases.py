"""The database of an installation: migrated, asking for jobs, its secrets sealed."""

from functools import partial
from typing import TYPE_CHECKING

from paperround.jobs.ports import JoiningDatabase
from paperround.wiring import hands

if TYPE_CHECKING:
    from paperround.wiring import Runtime


def database_of(home: "Runtime") -> JoiningDatabase:
    """The database, migrated if it is an empty SQLite file."""
    from paperround.store.home import require_home
    from paperround.store.revisions import prepare
    from paperround.store.sealing import RingSeal
    from paperround.store.unit_of_work import SqlDatabase

    prepare(home.engine)
    require_home(home.engine, now=home.clock.now())
    ask = None if home.settings.embedded else partial(hands.put_within, home)
    return SqlDatabase(home.engine, ask=ask, seal=RingSeal(lambda: home.settings.keys))
