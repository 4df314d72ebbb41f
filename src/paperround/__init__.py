"""Paperround: trending papers in your inbox once a day, from a server of your own."""

from importlib import metadata


def version() -> str:
    """The version that is installed; run from its sources it has none."""
    try:
        return metadata.version("paperround")
    except metadata.PackageNotFoundError:
        return "unreleased"
