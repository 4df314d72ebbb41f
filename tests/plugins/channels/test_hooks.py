"""Hooks: which are taken, and what is shown of them."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.plugins.channels.model import ChannelKind, Hook, read_hook, read_name

SLACK = "https://hooks.slack.com/services/T0123/B0123/abcdefghijklmnopqrstuvwx"
DISCORD = "https://discord.com/api/webhooks/1234567890/abcdefghijklmnopqrstuvwxyz"
TOKEN = "123456789:ABCdefGhIJKlmNoPQRsTUVwxyZ012345678"
WEBHOOK = "https://lab.example/hooks/papers?token=abcdefghijklmnop"


@pytest.mark.accept("F25", part="hooks")
@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (ChannelKind.SLACK, SLACK, "hooks.slack.com/…uvwx"),
        (ChannelKind.DISCORD, DISCORD, "discord.com/…wxyz"),
        (ChannelKind.WEBHOOK, WEBHOOK, "lab.example/…mnop"),
        (ChannelKind.WEBHOOK, "https://lab.example/hooks/short", "lab.example/…"),
        (ChannelKind.WEBHOOK, "https://lab.example", "lab.example/…"),
    ],
)
def test_a_hook_is_taken_and_shown_masked(kind: ChannelKind, text: str, shown: str) -> None:
    hook = read_hook(kind, f" {text}\n")
    assert (hook.url, hook.shown) == (text, shown)
    assert text not in repr(hook)


def test_a_bot_is_given_by_its_token_and_a_chat() -> None:
    hook = read_hook(ChannelKind.TELEGRAM, TOKEN, chat="-1001234567890")
    assert hook.url == f"https://api.telegram.org/bot{TOKEN}"
    assert hook.shown == "-1001234567890 by bot 123456789 at api.telegram.org"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ChannelKind.SLACK, "http://hooks.slack.com/services/T/B/x"),
        (ChannelKind.SLACK, "https://hooks.slack.com.evil.example/services/T/B/x"),
        (ChannelKind.SLACK, "https://hooks.slack.com/"),
        (ChannelKind.SLACK, "https://hooks.slack.com/services/T/B/x#y"),
        (ChannelKind.SLACK, DISCORD),
        (ChannelKind.DISCORD, "https://discord.com/channels/1/2"),
        (ChannelKind.WEBHOOK, "https://lab.example:8443/hooks"),
        (ChannelKind.WEBHOOK, "https://user:pass@lab.example/hooks"),
        (ChannelKind.WEBHOOK, "ftp://lab.example/hooks"),
        (ChannelKind.WEBHOOK, "https://lab.example/a b"),
        (ChannelKind.WEBHOOK, "https://lab.example/\n"[:-1] + "\x00"),
        (ChannelKind.WEBHOOK, "https://[::1/"),
        (ChannelKind.WEBHOOK, "https://lab.example/" + "x" * 2000),
        (ChannelKind.WEBHOOK, ""),
        (ChannelKind.TELEGRAM, f"https://api.telegram.org/bot{TOKEN}?x=1"),
    ],
)
def test_what_leads_nowhere_or_to_somebody_else_is_refused(kind: ChannelKind, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_hook(kind, text)
    assert caught.value.code == "hook"
    assert "x" * 20 not in str(caught.value)


def test_an_international_address_is_asked_for_as_a_browser_copies_it() -> None:
    with pytest.raises(InvalidInput, match="xn--"):
        read_hook(ChannelKind.WEBHOOK, "https://bücher.example/hooks")
    told = "https://xn--bcher-kva.example/hooks"
    assert read_hook(ChannelKind.WEBHOOK, told).url == told


@pytest.mark.parametrize("chat", ["", "papers", "@a", "12 34", "https://t.me/papers"])
def test_a_bot_needs_a_chat_it_can_post_to(chat: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_hook(ChannelKind.TELEGRAM, TOKEN, chat=chat)
    assert caught.value.code == "chat"


def test_a_place_that_was_opened_may_be_of_any_host_and_port() -> None:
    opened = {"127.0.0.1:8080", "[::1]:8081"}
    for url in ("http://127.0.0.1:8080/services/x/y/z", "http://[::1]:8081/services/x/y/z"):
        assert read_hook(ChannelKind.SLACK, url, opened=opened).url == url
    with pytest.raises(InvalidInput, match="PAPERROUND_FETCH_ALLOW"):
        read_hook(ChannelKind.SLACK, "http://127.0.0.1:8082/services/x/y/z", opened=opened)


def test_secrets_that_somebody_repeats_are_struck_out() -> None:
    hook = Hook(kind=ChannelKind.WEBHOOK, url=WEBHOOK)
    assert hook.scrubbed("Cannot POST /hooks/papers?token=abcdefghijklmnop") == (
        "Cannot POST /hooks/papers?token=…"
    )


def test_the_token_of_a_bot_is_struck_out_however_it_is_repeated() -> None:
    hook = read_hook(ChannelKind.TELEGRAM, TOKEN, chat="@papers")
    secret = TOKEN.partition(":")[2]
    for said in (f"POST /bot{TOKEN}/sendMessage", f"token {TOKEN} is wrong", f"{secret}?"):
        assert secret not in hook.scrubbed(said)


def test_a_secret_is_struck_out_as_it_is_written_and_as_it_is_read() -> None:
    hook = Hook(kind=ChannelKind.WEBHOOK, url="https://lab.example/hooks?key=abc%2Bdefghijk")
    assert hook.scrubbed("abc+defghijk or abc%2Bdefghijk") == "… or …"


@pytest.mark.parametrize("name", ["", "Lab", "a b", "-x", "x" * 61, "lab/slack"])
def test_a_name_is_one_that_can_be_typed(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_name(name)
    assert caught.value.code == "name"
