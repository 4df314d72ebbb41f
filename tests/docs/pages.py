"""What the documentation shows as code: its fenced blocks, and the spans within its sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "tests/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)(?: {4}.*\n)+)(?=\n)")
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
HEADING = re.compile(r"^#+ ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its number on that page from 1 on, its language and its text."""

    page: str
    number: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}#{self.number}"


@dataclass(frozen=True)
class Span:
    """A piece of code in a sentence or a table, and the section that it is in."""

    page: str
    section: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}: {self.text}"


@cache
def text_of(page: str) -> str:
    """The text of a page, which is named from the root: `docs/cli.md`."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def blocks() -> tuple[Block, ...]:
    """Every fenced block of every page."""
    return tuple(one for page in names() for one in _blocks_of(page))


def names() -> tuple[str, ...]:
    """Every page, named from the root."""
    return tuple(page.relative_to(ROOT).as_posix() for page in PAGES)


def block(page: str, number: int) -> Block:
    """One block of a page."""
    return next(one for one in blocks() if (one.page, one.number) == (page, number))


def blocks_in(*languages: str) -> tuple[Block, ...]:
    """Every block in one of these languages."""
    return tuple(one for one in blocks() if one.language in languages)


def _blocks_of(page: str) -> Iterator[Block]:
    for number, match in enumerate(BLOCK.finditer(text_of(page)), 1):
        indent, language, text = match.groups()
        yield Block(page, number, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))


@cache
def spans() -> tuple[Span, ...]:
    """Every span of every page, without line breaks, once a section."""
    found = (
        Span(page, section, re.sub(r"\s+", " ", text).replace(r"\|", "|"))
        for page in names()
        for section in HEADING.split(BLOCK.sub("", text_of(page)))
        for text in SPAN.findall(section)
    )
    return tuple(dict.fromkeys(found))
