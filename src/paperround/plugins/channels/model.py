"""Channels (Slack, Discord, Telegram, webhooks), their hooks and keys.

A channel is a subscriber of another kind. Anyone with its hook can post to it, so hook URLs and bot
tokens are secrets: they are displayed masked and never logged.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote, urlsplit

from paperround.core.errors import InvalidInput

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.subscribers.interests import Interest
    from paperround.subscribers.model import Preferences, SubscriberId, SubscriptionId

LONGEST_URL = 2000
TELEGRAM = "https://api.telegram.org"
KEY_PREFIX = "whsec_"
"""The prefix of a Standard Webhooks key; 24 to 64 bytes in base64 follow."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.ASCII)
_BOT = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}", re.ASCII)
_CHAT = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-?[0-9]{1,20}", re.ASCII)
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[\w.-]+|\[[\da-fA-F:.]+\])(:(?P<port>\d{1,5}))?"
    r"(?P<path>[!$-;=?-\[\]-~]*)",
    re.ASCII,
)
"""A URL without user name and fragment: nobody logs in, and a fragment is never sent."""

_KEY_BYTES = range(24, 65)
_SHORTEST_SECRET = 8
"""A part of a URL with at least this many characters may be a secret."""

_SHORTEST_HINTED = 16
"""The last four characters of a secret are displayed only if it has at least this many."""


class ChannelKind(StrEnum):
    """The service that a channel posts to."""

    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    WEBHOOK = "webhook"


_HOSTS = {
    ChannelKind.SLACK: r"hooks\.slack(-gov)?\.com",
    ChannelKind.DISCORD: r"((ptb|canary)\.)?discord\.com|discordapp\.com",
    ChannelKind.TELEGRAM: r"api\.telegram\.org",
    ChannelKind.WEBHOOK: r".+",
}
"""The hosts of each kind of hook, unless the operator allows another."""

_PATHS = {
    ChannelKind.SLACK: r"/services/.+",
    ChannelKind.DISCORD: r"/api(/v\d+)?/webhooks/\d+/[\w-]+(\?.*)?",
    ChannelKind.TELEGRAM: rf"/bot{_BOT.pattern}",
    ChannelKind.WEBHOOK: r"([/?].*)?",
}
_EXAMPLES = {
    ChannelKind.SLACK: "https://hooks.slack.com/services/T.../B.../...",
    ChannelKind.DISCORD: "https://discord.com/api/webhooks/.../...",
    ChannelKind.TELEGRAM: "the token that @BotFather gave the bot, like 123456:ABC...",
    ChannelKind.WEBHOOK: "https://example.org/hooks/papers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The URL and secrets needed to post to a channel.

    `url` is a secret; so is `key`, which signs webhook requests. `chat` is where a Telegram bot
    posts. `lost` explains why the secrets cannot be decrypted, empty if they can.
    """

    kind: ChannelKind
    url: str = field(repr=False)
    chat: str = ""
    key: str = field(default="", repr=False)
    lost: str = ""

    @property
    def shown(self) -> str:
        """The target of the hook without its secrets, for display."""
        if self.lost:
            return "an unreadable address"
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        if self.kind is ChannelKind.TELEGRAM:
            bot = parts.path.removeprefix("/bot").partition(":")[0]
            return f"{self.chat} by bot {bot} at {host}"
        last = re.split(r"[/?&=]", f"{parts.path}?{parts.query}".rstrip("?"))[-1]
        return f"{host}/…{last[-4:] if len(last) >= _SHORTEST_HINTED else ''}"

    def leads_with(self, other: "Hook") -> bool:
        """Whether both hooks have the same URL and chat."""
        return (self.url, self.chat) == (other.url, other.chat)

    def scrubbed(self, text: str) -> str:
        """Return `text` with secrets of the hook replaced."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "…")
        return text

    def _secrets(self) -> set[str]:
        """Return the possible secrets: long parts of the URL, raw and percent-decoded; for a bot
        also the token, with and without the bot's number."""
        parts = urlsplit(self.url)
        pieces = re.split(r"[/?&=]", f"{parts.path}?{parts.query}")
        if self.kind is ChannelKind.TELEGRAM:
            token = parts.path.removeprefix("/bot")
            pieces += [token, token.partition(":")[2]]
        return {one for one in (*pieces, *map(unquote, pieces)) if len(one) >= _SHORTEST_SECRET}

    def digest(self, list_name: str) -> str:
        """Return a hash that identifies the hook within a list without revealing secrets."""
        identity = f"{self.kind}\n{self.url}\n{self.chat}\n{list_name}"
        return hashlib.sha256(identity.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of one list: its hook, preferences, next due time and state.

    `due_at` is None until the first digest is scheduled. `stopped_at` is when the service reported
    that the hook no longer exists, `stopped_why` its reason. `paused_at` is when an operator paused
    the channel.
    """

    id: "SubscriberId"
    subscription_id: "SubscriptionId"
    name: str
    list_name: str
    hook: Hook
    wish: "Preferences"
    interests: "tuple[Interest, ...]"
    due_at: datetime | None
    created_at: datetime
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_why: str = ""

    @property
    def state(self) -> str:
        """`active`, `paused` or `stopped`."""
        if self.stopped_at is not None:
            return "stopped"
        return "active" if self.paused_at is None else "paused"


class ChannelSettings(TypedDict, total=False):
    """The settings of a channel, named as in the command line and the API.

    `hook` and `key` are secrets. None means the list's setting. An empty `name` is replaced by one
    made of the list and the kind, an empty `key` by a generated one.
    """

    name: str
    hook: str
    chat: str
    key: str
    timezone: str | None
    hour: int | None
    frequency: str
    size: int | None
    floor: float | None
    topics: Sequence[str]
    interests: Sequence[str]


def read_name(text: str) -> str:
    """Validate and return the name of a channel. Raises InvalidInput (code `name`)."""
    if not _NAME.fullmatch(text):
        raise InvalidInput(
            f"{text!r:.80} cannot be a channel's name: use up to 60 lowercase letters, digits, "
            "dots, "
            "dashes and underscores, such as lab-slack",
            code="name",
        )
    return text


def read_hook(
    kind: ChannelKind, text: str, *, chat: str = "", key: str = "", opened: Collection[str] = ()
) -> Hook:
    """Parse a hook: a URL, or for Telegram also the bare token of a bot.

    `opened` are the `host:port` that the operator allows: any host, and without TLS. Raises
    InvalidInput with code `hook`, `chat` or `key`; the message contains no secret.
    """
    text = text.strip()
    if kind is ChannelKind.TELEGRAM and _BOT.fullmatch(text):
        text = f"{TELEGRAM}/bot{text}"
    _check_url(kind, text, opened)
    if kind is not ChannelKind.TELEGRAM and chat:
        raise InvalidInput(f"only telegram channels have a chat, not {kind}", code="chat")
    if kind is ChannelKind.TELEGRAM and not _CHAT.fullmatch(chat):
        raise InvalidInput(
            "say which chat the bot posts to: @name of a public channel, or a number such as "
            "-1001234567890",
            code="chat",
        )
    if key and kind is not ChannelKind.WEBHOOK:
        raise InvalidInput(f"a {kind} channel does not sign posts, so it has no key", code="key")
    if key:
        key_bytes(key)
    return Hook(kind=kind, url=text, chat=chat, key=key)


def _check_url(kind: ChannelKind, text: str, opened: Collection[str]) -> None:
    """Raise InvalidInput (code `hook`) unless this is the URL of a hook: with https, port 443 and a
    host of its kind, or at a `host:port` that is `opened`."""
    if not text.isascii():
        raise InvalidInput(
            "the address has non-ASCII letters: write its host as xn--..., and percent-encode the "
            "rest, as a browser copies it",
            code="hook",
        )
    url = _URL.fullmatch(text)
    if url is None or not re.fullmatch(_PATHS[kind], url["path"]) or len(text) > LONGEST_URL:
        raise InvalidInput(
            f"that is not a {kind} hook, which looks like {_EXAMPLES[kind]}", code="hook"
        )
    host, is_https = url["host"].lower(), url["scheme"] == "https"
    port = url["port"] or ("443" if is_https else "80")
    is_public = is_https and port == "443" and re.fullmatch(_HOSTS[kind], host)
    if not is_public and f"{host}:{port}" not in opened:
        raise InvalidInput(
            f"{host}:{port} has no hooks of {kind}, which look like {_EXAMPLES[kind]}. For other "
            "hosts use the kind webhook, with https on port 443. To allow a server of your own "
            f"network, add {host}:{port} to PAPERROUND_FETCH_ALLOW",
            code="hook",
        )


def key_bytes(key: str) -> bytes:
    """Return the bytes of a Standard Webhooks key. Raises InvalidInput (code `key`)."""
    try:
        found = base64.b64decode(key.removeprefix(KEY_PREFIX), validate=True)
    except ValueError:
        found = b""
    if not key.startswith(KEY_PREFIX) or len(found) not in _KEY_BYTES:
        raise InvalidInput(
            f"the key is {KEY_PREFIX} and 24 to 64 bytes in base64; leave it out to create one",
            code="key",
        )
    return found


def written_key(found: bytes) -> str:
    """Format the bytes of a key as a Standard Webhooks key."""
    return KEY_PREFIX + base64.b64encode(found).decode()
