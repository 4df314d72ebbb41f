"""`python -m paperround` is the `paperround` command."""

from paperround.cli import main

main()
