"""Locate data files: in the wheel, or beside `src` in a clone."""

from pathlib import Path

from paperround.core.errors import Misconfigured

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "_data", _PACKAGE.parents[1])


def data_path(name: str, places: tuple[Path, ...] = _PLACES) -> Path:
    """Return `name` (`templates`, `translations`, `migrations`, `alembic.ini`) in the first of
    `places` that has it. Raises Misconfigured if none does."""
    for place in places:
        if (place / name).exists():
            return place / name
    looked = " and ".join(str(place) for place in places)
    raise Misconfigured(f"{name} is missing from {looked}: install Paperround again")


ENV_FILE = Path(".env")
"""The settings of an installation, in the working folder."""
