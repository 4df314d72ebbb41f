"""Paperround: trending papers in your inbox once a day, from a server of your own."""


def version() -> str:
    """Return the installed version, or `unreleased` when run from a clone."""
    from importlib import metadata  # slow

    try:
        return metadata.version("paperround")
    except metadata.PackageNotFoundError:
        return "unreleased"
