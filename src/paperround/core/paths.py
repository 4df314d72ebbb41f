"""Locate data files: in the wheel, or beside `src` in a clone."""

from pathlib import Path

from paperround.core.errors import Misconfigured

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "_data", _PACKAGE.parents[1])


def templates_dir() -> Path:
    """Return the folder of the email and web templates; raises Misconfigured if it is missing."""
    return find("templates", _PLACES)


def translations_dir() -> Path:
    """Return the folder of the translation catalogues; raises Misconfigured if it is missing."""
    return find("translations", _PLACES)


def migrations_dir() -> Path:
    """Return the folder of the database migrations; raises Misconfigured if it is missing."""
    return find("migrations", _PLACES)


def alembic_ini() -> Path:
    """Return the path of Alembic's settings; raises Misconfigured if they are missing."""
    return find("alembic.ini", _PLACES)


def find(name: str, places: tuple[Path, ...]) -> Path:
    """Return `name` in the first of `places` that has it; raises Misconfigured if none does."""
    for place in places:
        if (place / name).exists():
            return place / name
    looked = " and ".join(str(place) for place in places)
    raise Misconfigured(f"{name} is missing from {looked}: install Paperround again")
