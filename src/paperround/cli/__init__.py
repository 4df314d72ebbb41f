"""The command line: read arguments, call a service, print the result."""

import os
import signal


def main() -> None:
    """Run a command.

    The commands are imported only here: they load plugins, and a plugin may itself be what imports
    this package for its options. Ctrl-C ends the process meanwhile: half of an import can raise
    anything.
    """
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from paperround.cli.app import main as run

    signal.signal(signal.SIGINT, before)
    run()
