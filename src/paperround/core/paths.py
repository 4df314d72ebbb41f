"""Where the files that are not Python live: in the wheel, or beside `src` in a clone."""

from pathlib import Path

from paperround.core.errors import Misconfigured

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "_data", _PACKAGE.parents[1])


def templates_dir() -> Path:
    """The folder of the mail and web templates; raises Misconfigured when it is missing."""
    return find("templates", _PLACES)


def translations_dir() -> Path:
    """The folder of the catalogues of translations; raises Misconfigured when it is missing."""
    return find("translations", _PLACES)


def migrations_dir() -> Path:
    """The folder of the database migrations; raises Misconfigured when it is missing."""
    return find("migrations", _PLACES)


def alembic_ini() -> Path:
    """The settings of the migration tool; raises Misconfigured when they are missing."""
    return find("alembic.ini", _PLACES)


def find(name: str, places: tuple[Path, ...]) -> Path:
    """The first of `places` that holds `name`; raises Misconfigured when none does."""
    for place in places:
        if (place / name).exists():
            return place / name
    looked = " and ".join(str(place) for place in places)
    raise Misconfigured(f"{name} is missing from {looked}: install Paperround again")
