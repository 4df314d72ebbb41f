"""Shell of the documentation, split into commands, and the paperround commands among them."""

import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import typer
from typer.main import get_command

from paperround.cli.app import app

PUNCTUATION = frozenset("; && || | & ( ) { }".split())
REDIRECTIONS = frozenset("> >> < 2> >&".split())


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of every command of a script, without comments and redirections."""
    waiting = ""
    for line in text.splitlines():
        waiting = f"{waiting}{line}\n"
        if line.endswith("\\"):
            waiting = waiting.removesuffix("\\\n")
            continue
        try:
            tokens = _tokens(waiting)
        except ValueError:  # a quotation that goes on
            continue
        waiting = ""
        yield from _split(tokens)
    assert not waiting, f"this does not end: {waiting}"


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def _split(tokens: list[str]) -> Iterator[list[str]]:
    words: list[str] = []
    skips = False
    for token in tokens:
        if token in PUNCTUATION:
            if words:
                yield words
            words = []
        elif skips or token in REDIRECTIONS:
            skips = not skips
        else:
            words.append(token)
    if words:
        yield words


PLACEHOLDERS = {
    "DATE": "2026-01-30",
    "EMAIL": "ada@example.org",
    "FIELD": "ml",
    "FORMAT": "jsonl",
    "ID": "1",
    "KIND": "webhook",
    "MINUTES": "60",
    "N": "3",
    "PREFIX": "abcd1234",
    "TIME": "2026-01-30T07:00:00Z",
    "WEIGHTS": "recency=1",
}
"""What the words in capitals mean. All others may be any text."""


@cache
def root() -> Any:
    """The command `paperround`."""
    return get_command(app)


def find_command(words: list[str], group: Any = None) -> tuple[Any, list[str]]:
    """The command that `words` begin with, and the other words. Fails where there is none."""
    found: Any = group or root()
    rest = list(words)
    while hasattr(found, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in found.commands, f"no such command: {' '.join(words)}"
        found = found.commands[rest.pop(0)]
    return found, rest


def check_typed(words: list[str], group: Any = None, *, whole: bool = True) -> None:
    """Fail unless a command takes these words: its options, their values, its arguments. What is
    not the `whole` command line may lack some."""
    command, rest = find_command(words, group)
    if hasattr(command, "commands"):  # its options, such as --version, act while they are read
        assert rest if whole else True, f"this is only a group of commands: {' '.join(words)}"
        assert set(rest) <= own_options(command), f"no such options: {rest}"
        return
    if "--help" in rest:
        return
    try:
        command.make_context(command.name, [PLACEHOLDERS.get(one, one) for one in rest])
    except typer.TyperException as error:
        if whole or type(error).__name__ not in ("MissingParameter", "BadOptionUsage"):
            raise AssertionError(f"{' '.join(words)}: {error}") from None


def own_options(command: Any) -> set[str]:
    """Every option of a command."""
    found = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return found | {"--help"}


def options_of(command: Any) -> set[str]:
    """Every option of a command, or of all commands of a group."""
    inner = command.commands.values() if hasattr(command, "commands") else ()
    return own_options(command).union(*map(options_of, inner))
