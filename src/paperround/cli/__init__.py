"""The command line: read arguments, call a service, print the result."""

from paperround.cli.app import main

__all__ = ["main"]
