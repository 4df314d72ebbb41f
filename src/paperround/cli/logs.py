"""Logs of long-running commands: one line an event, to standard error, without addresses."""

import logging
import re
import sys

ADDRESS = re.compile(
    r"""("[^"\n]{0,254}"|[^\s<>@"(),:;]{1,254})(@|%40)[^\s<>@"'(),:;=/?&]+""", re.IGNORECASE
)
"""Quoted, escaped or of a domain without a dot: rather a word too many than an address too few."""

SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
"""A token has 40 such characters, a key of the admin API more; a run may have letters stuck on."""


class Discreet(logging.Formatter):
    """Writes neither addresses nor tokens, wherever in a record they come from: a server's reply
    or a traceback may hold them although no line of ours does. What has several lines is indented
    after the first, so that nobody's words can pass for an event of ours."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with `<address>` and `<secret>` where there was one."""
        text = SECRET.sub("<secret>", ADDRESS.sub("<address>", super().format(record)))
        return "\n    ".join(text.splitlines())


def log_to_stderr() -> None:
    """Log what happens; the libraries' own chatter only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("paperround").setLevel(logging.INFO)
