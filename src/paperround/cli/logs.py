"""Logs of long-running commands: one line an event, to standard error, without addresses."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from paperround.config import Settings

ADDRESS = re.compile(
    r"""("[^"\n]{0,254}"|[^\s<>@"(),:;]{1,254})(@|%40)[^\s<>@"'(),:;=/?&]+""", re.IGNORECASE
)
"""Quoted, escaped or of a domain without a dot: rather a word too many than an address too few."""

SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
"""A token has 40 such characters, a key of the admin API more; a run may have letters stuck on."""


def discreet(text: str) -> str:
    """The text with `<address>` and `<secret>` where there was one."""
    return SECRET.sub("<secret>", ADDRESS.sub("<address>", text))


class Discreet(logging.Formatter):
    """Writes neither addresses nor tokens, wherever in a record they come from: a server's reply
    or a traceback may hold them although no line of ours does. What has several lines is indented
    after the first, so that nobody's words can pass for an event of ours."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return "\n    ".join(discreet(super().format(record)).splitlines())


class JsonLines(logging.Formatter):
    """Writes each event as a JSON object on one line, as discreetly."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        event = {
            "time": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": discreet(record.getMessage()),
        }
        if record.exc_info:
            event["traceback"] = discreet(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


def log_to_stderr(settings: Settings) -> None:
    """Log what the operator wants to read; the libraries' own chatter only from warnings on."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines()
        if settings.log_format == "json"
        else Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("paperround").setLevel(level)
