"""Paperround: trending papers in your inbox once a day, from a server of your own."""

from importlib import metadata


def version() -> str:
    """Return the installed version, or `unreleased` when run from a clone."""
    try:
        return metadata.version("paperround")
    except metadata.PackageNotFoundError:
        return "unreleased"
