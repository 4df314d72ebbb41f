"""Channels: ways for a list to reach people that are no mailbox, and where each of them leads.

A channel is a subscriber of another kind. Its hook is all that is needed to post to it, so the
address of a hook and the token of a bot are secrets: they are shown masked, and never logged.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypedDict
from urllib.parse import SplitResult, unquote, urlsplit

from paperround.core.errors import InvalidInput
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import Preferences, SubscriberId, SubscriptionId

LONGEST_URL = 2000
TELEGRAM = "https://api.telegram.org"
KEY_PREFIX = "whsec_"
"""How a key of Standard Webhooks is written: this, and 24 to 64 bytes in base64."""

KEY_OVERLAP = timedelta(days=1)
"""How long a key goes on signing beside the one that took its place."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.ASCII)
_BOT = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}", re.ASCII)
_CHAT = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}|-?[0-9]{1,20}", re.ASCII)
_KEY_BYTES = range(24, 65)
_SHORTEST_SECRET = 8
"""Characters of a part of an address from which on it may be what keeps others out."""

_TELLING = 16
"""Characters of a secret from which on its last four may be shown, to tell it from others."""


class ChannelKind(StrEnum):
    """What stands at the other end."""

    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    WEBHOOK = "webhook"


_HOSTS = {
    ChannelKind.SLACK: ("hooks.slack.com", "hooks.slack-gov.com"),
    ChannelKind.DISCORD: (
        "discord.com",
        "discordapp.com",
        "ptb.discord.com",
        "canary.discord.com",
    ),
    ChannelKind.TELEGRAM: ("api.telegram.org",),
}
"""Who answers at the hooks of a kind. A webhook may be anywhere."""

_PATHS = {
    ChannelKind.SLACK: re.compile(r"/services/\S+"),
    ChannelKind.DISCORD: re.compile(r"/api(/v\d+)?/webhooks/\d+/[\w-]+"),
    ChannelKind.TELEGRAM: re.compile(rf"/bot{_BOT.pattern}"),
    ChannelKind.WEBHOOK: re.compile(r"/\S*|"),
}
_LIKE = {
    ChannelKind.SLACK: "https://hooks.slack.com/services/T.../B.../...",
    ChannelKind.DISCORD: "https://discord.com/api/webhooks/.../...",
    ChannelKind.TELEGRAM: "the token that @BotFather gave the bot, like 123456:ABC...",
    ChannelKind.WEBHOOK: "https://example.org/hooks/papers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OldKey:
    """A key of a webhook that another has taken the place of, and that signs until `until`."""

    key: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where a channel is posted to, and by what right.

    `url` is a secret; so are `key`, which signs what a webhook gets, and the `old_keys` that sign
    beside it for a while. `chat` is where a Telegram bot posts. `lost` says why nobody can read
    these any more, empty where they can be read.
    """

    kind: ChannelKind
    url: str = field(repr=False)
    chat: str = ""
    key: str = field(default="", repr=False)
    old_keys: tuple[OldKey, ...] = ()
    lost: str = ""

    @property
    def shown(self) -> str:
        """Where it leads, without what would let anybody post there."""
        if self.lost:
            return "nobody can read where"
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        if self.kind is ChannelKind.TELEGRAM:
            bot = parts.path.removeprefix("/bot").partition(":")[0]
            return f"{self.chat} by bot {bot} at {host}"
        last = re.split(r"[/?&=]", f"{parts.path}?{parts.query}".rstrip("?"))[-1]
        return f"{host}/…{last[-4:] if len(last) >= _TELLING else ''}"

    def leads_with(self, other: "Hook") -> bool:
        """Whether both lead to the same place."""
        return (self.url, self.chat) == (other.url, other.chat)

    def signing_keys(self, *, now: datetime) -> tuple[str, ...]:
        """The keys that sign at `now`, the newest first."""
        return (self.key, *(old.key for old in self.old_keys if now < old.until))

    def with_key(self, key: str, *, now: datetime) -> "Hook":
        """The same with another key. Those that signed until now go on for a day, or for what is
        left of theirs: whoever checks posts has that long to learn the new one."""
        if key == self.key:
            return self
        mine = (OldKey(key=self.key, until=now + KEY_OVERLAP),) if self.key else ()
        old = (*self.old_keys, *mine)
        kept = tuple(one for one in old if now < one.until and one.key != key)
        return replace(self, key=key, old_keys=kept)

    def scrubbed(self, text: str) -> str:
        """`text` without what would let anybody post there, should somebody have repeated it."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "…")
        return text

    def _secrets(self) -> set[str]:
        """What may keep others out: parts of the address as they stand in it, and as they are read;
        of a bot the token, with and without the word before it."""
        parts = urlsplit(self.url)
        told = re.split(r"[/?&=]", f"{parts.path}?{parts.query}")
        if self.kind is ChannelKind.TELEGRAM:
            token = parts.path.removeprefix("/bot")
            told += [token, token.partition(":")[2]]
        return {one for one in (*told, *map(unquote, told)) if len(one) >= _SHORTEST_SECRET}

    def digest(self, list_name: str) -> str:
        """What tells two channels of a list apart without naming the secret."""
        told = f"{self.kind}\n{self.url}\n{self.chat}\n{list_name}"
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of one list: what it gets, when it is posted to next, and its state.

    `due_at` is None until its clock is started. `stopped_at`: the other end said at that moment
    that the hook is no more, in the words of `stopped_why`. `paused_at`: an operator wants no post
    for now.
    """

    id: SubscriberId
    subscription_id: SubscriptionId
    name: str
    list_name: str
    hook: Hook
    wish: Preferences
    interests: tuple[Interest, ...]
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
    """What can be set of a channel, in the words of the command line and the API.

    `hook` and `key` are secrets. None is "as the list says". An empty `name` means that of the list
    and the kind, an empty `key` for one that is made.
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
    """The name of a channel; raises InvalidInput (code `name`)."""
    if not _NAME.fullmatch(text):
        raise InvalidInput(
            f"{text!r:.80} cannot be a channel's name: use up to 60 small letters, digits, dots, "
            "dashes and underscores, such as lab-slack",
            code="name",
        )
    return text


def read_hook(
    kind: ChannelKind, text: str, *, chat: str = "", key: str = "", opened: Collection[str] = ()
) -> Hook:
    """The hook somebody gave: an address, of Telegram also the bare token of a bot.

    `opened` are the `host:port` an operator opened: those may be of any host and without TLS.
    Raises InvalidInput whose code is `hook`, `chat` or `key` and that repeats no secret.
    """
    text = text.strip()
    if kind is ChannelKind.TELEGRAM and _BOT.fullmatch(text):
        text = f"{TELEGRAM}/bot{text}"
    url = _url(kind, text)
    place = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    if f"{place}:{_port(url)}" not in opened:
        _require_public(kind, url)
    is_cut_off = kind is ChannelKind.TELEGRAM and url.query  # methods are appended to the address
    if not _PATHS[kind].fullmatch(url.path) or url.fragment or is_cut_off:
        raise _no_hook(kind)
    _require_chat(kind, chat)
    if key and kind is not ChannelKind.WEBHOOK:
        raise InvalidInput(f"a {kind} channel signs nothing, so it takes no key", code="key")
    if key:
        key_bytes(key)
    return Hook(kind=kind, url=text, chat=chat, key=key)


def _url(kind: ChannelKind, text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise _no_hook(kind) from None
    if not text.isascii():
        raise InvalidInput(
            "the address holds letters that are none of ASCII: write its name as xn--..., and the "
            "rest with percent signs, as a browser copies it",
            code="hook",
        )
    plain = text.isprintable() and not set(text) & set(' \\"<>')
    if url.scheme not in ("http", "https") or not url.hostname or port == 0 or not plain:
        raise _no_hook(kind)
    if len(text) > LONGEST_URL:
        raise InvalidInput(f"the address may have {LONGEST_URL:,} characters", code="hook")
    if "@" in url.netloc:
        raise InvalidInput("the address may hold no user name: we log in nowhere", code="hook")
    return url


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _require_public(kind: ChannelKind, url: SplitResult) -> None:
    place = f"{url.hostname}:{_port(url)}"
    if url.scheme != "https" or _port(url) != 443:
        raise InvalidInput(
            "a channel is posted to by https, port 443; one of your own network is opened by "
            f"adding {place} to PAPERROUND_FETCH_ALLOW",
            code="hook",
        )
    hosts = _HOSTS.get(kind)
    if hosts is not None and url.hostname not in hosts:
        raise InvalidInput(
            f"{url.hostname} is not where {kind} listens ({hosts[0]}): use the kind webhook, or "
            f"open a server of your own by adding {place} to PAPERROUND_FETCH_ALLOW",
            code="hook",
        )


def _require_chat(kind: ChannelKind, chat: str) -> None:
    if kind is not ChannelKind.TELEGRAM and chat:
        raise InvalidInput(f"only telegram channels have a chat, not {kind}", code="chat")
    if kind is ChannelKind.TELEGRAM and not _CHAT.fullmatch(chat):
        raise InvalidInput(
            "say which chat the bot posts to: @name of a public channel, or a number such as "
            "-1001234567890",
            code="chat",
        )


def _no_hook(kind: ChannelKind) -> InvalidInput:
    return InvalidInput(f"that is no hook of {kind}: it looks like {_LIKE[kind]}", code="hook")


def key_bytes(key: str) -> bytes:
    """The bytes of a key of Standard Webhooks; raises InvalidInput (code `key`)."""
    try:
        found = base64.b64decode(key.removeprefix(KEY_PREFIX), validate=True)
    except ValueError:
        found = b""
    if not key.startswith(KEY_PREFIX) or len(found) not in _KEY_BYTES:
        raise InvalidInput(
            f"the key is {KEY_PREFIX} and 24 to 64 bytes in base64; leave it out to have one made",
            code="key",
        )
    return found


def written_key(found: bytes) -> str:
    """A key as its owner gets it."""
    return KEY_PREFIX + base64.b64encode(found).decode()
