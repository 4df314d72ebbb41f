"""Reading a mail back: three parsers for its bytes, an outline of its HTML, its colours."""

import email
import email.policy
import json
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

CLIENTS = {"gmail", "outlook", "apple-mail", "yahoo"}
FALLBACKS = {
    "css-at-media": "without it the wider padding stays",
    "css-at-media-prefers-color-scheme": "without it the light colours stay, or the client inverts",
    "css-border-radius": "a button with square corners is a button",
    "css-display-none": "max-height 0 and overflow hide the preheader as well",
    "css-max-height": "display none and mso-hide hide the preheader as well",
    "css-overflow": "display none and mso-hide hide the preheader as well",
    "css-max-width": "a table of 640 pixels in a conditional comment does it for Outlook",
    "css-word-break": "only a word longer than the column would stick out",
    "css-white-space": "without it a link may end a line inside a word",
    "html-aria-label": "the visible text stays: PDF, Code, More like this",
    "html-body": "the table of class back carries the same background",
    "html-doctype": "every size and colour is set on the cells themselves",
    "html-role": "headings and paragraphs read the same",
    "html-style": "all of the light look is inlined",
}
HOSTILE = [
    "One\r\nBcc: evil@example.com",
    "=?utf-8?q?hi=0D=0ABcc:_evil@example.com?=",
    "nul \x00 bell \x07 next \x85 line \u2028 par \u2029 end",
    "\u202eright to left\u202c and \u2066isolated",
    "x" * 10_000,
    "word " * 2_000,
    "😀" * 200,
    "مرحبا بالعالم " * 30,
    "<script>alert(1)</script>",
    "{{ view.links }} {% raw %} ${7*7}",
    r"$\mathcal{O}(n^2)$ \textbf{and} more",
    "\ud800 a lone half",
    ".\n.\nFrom here\n--=_paperround_",
]


def modern(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def modern_parts(content: bytes) -> list[str]:
    parts = [part for part in modern(content).walk() if not part.is_multipart()]
    return [part.get_content().replace("\r\n", "\n") for part in parts]


def classic_parts(content: bytes) -> list[str]:
    found = []
    for part in email.message_from_bytes(content).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            found.append(payload.decode().replace("\r\n", "\n"))
    return found


def split_by_hand(content: bytes) -> tuple[list[str], list[str]]:
    """Header names and decoded parts, by the RFCs alone: no library in between."""
    head, body = content.decode("ascii").split("\r\n\r\n", 1)
    names = [line.split(":")[0] for line in head.split("\r\n") if not line.startswith(" ")]
    boundary = head.rsplit('boundary="', 1)[1].split('"')[0]
    chunks = f"\r\n{body}".split(f"\r\n--{boundary}")
    assert chunks[0] == ""
    assert chunks[-1] == "--\r\n"
    return names, [_unquoted(chunk.split("\r\n\r\n", 1)[1]) for chunk in chunks[1:-1]]


def _unquoted(encoded: str) -> str:
    octets = re.sub("=([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), encoded.replace("=\r\n", ""))
    return octets.encode("latin-1").decode().replace("\r\n", "\n")


def body_lines(content: bytes) -> list[bytes]:
    return content.partition(b"\r\n\r\n")[2].split(b"\r\n")


class Outline(HTMLParser):
    """Every start tag with its attributes, and the words inside links and headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def colours(html: str) -> Iterator[tuple[set[str], set[str]]]:
    """Colours of texts and of backgrounds, those of the light look and those of the dark one."""
    dark = html[html.index("prefers-color-scheme") : html.index("</style>")]
    light = html.replace(html[html.index("@media") : html.index("</style>")], "")
    for mode in (light, dark):
        texts = set(re.findall(r"[ {\";]color: (#[0-9a-f]{6})", mode))
        yield texts, set(re.findall(r"background-color: (#[0-9a-f]{6})", mode))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lacking_features(real_data: Path) -> set[str]:
    """What at least one large mail client does not know, as the support table spells it."""
    lines = (real_data / "caniemail" / "support.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["slug"] for row in rows if row["client"] in CLIENTS and row["support"] == "n"}


def used_features(html: str) -> set[str]:
    """Names of features, as the support table spells them."""
    outline = Outline(html)
    styles = [attributes.get("style", "") for _, attributes in outline.tags]
    styles += re.findall(r"{([^{}]*)}", html)
    used = {f"css-{name}" for name in re.findall(r"([a-z-]+)\s*:", " ".join(styles))}
    used |= {f"html-{name}" for tag, attributes in outline.tags for name in (tag, *attributes)}
    used |= {"css-at-media", "css-at-media-prefers-color-scheme", "css-display-none"}
    return used | {"html-doctype", "html-h1-h6", "html-comments"}
