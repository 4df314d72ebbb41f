"""The command line: read arguments, call a service, print the result."""


def main() -> None:
    """Run a command.

    The commands are imported only here: they load plugins, and a plugin may itself be what imports
    this package for its options.
    """
    from paperround.cli.app import main as run

    run()
