"""The command line: reads arguments, calls a job, prints what it did."""

from paperround.cli.app import main

__all__ = ["main"]
