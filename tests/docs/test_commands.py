"""Every command line of the documentation can be typed as it is: programs, commands, options."""

import re

import pytest

from tests.docs.pages import Span, blocks_in, names, spans, text_of
from tests.docs.programs import check_line, is_line
from tests.docs.shell import commands_in, find_command, options_of, root

A_SCRIPT = {
    "docs/once.md#5": "tests/plugins/once/test_recipe.py runs it",
    "docs/first-digest.md#2": "a function of the shell: test_configuration.py",
}
"""Blocks of shell that are more than a list of commands, and what tries them."""

NO_COMMAND = {
    "docs/cli.md: paperround COMMAND --help": "COMMAND is any of them",
    "docs/doctor.md: digest headers": "a check of the doctor",
}
"""Spans that begin like a command of ours, and what they are."""

OPTIONS_OF_OTHERS = {
    "-n 0": "pytest",
    "--all": "./run test",
    "--picked": "tools.evaluate",
    "--option": "any option",
    "-sparse": "a search",
    "-lab.example": "a mail domain",
}
"""Spans that begin with a hyphen and are no options of `paperround`, and whose they are."""


def typed(span: Span) -> list[str]:
    """The words of the command in a span; none if it holds no command."""
    text = re.sub(r"(?<!\w)\[([^\]]*)\]|\.\.\.", r"\1 ", span.text)
    try:
        words = next(commands_in(text), [])
    except AssertionError:
        return []
    group = root().commands.get(words[0]) if words else None
    if len(words) > 1 and hasattr(group, "commands"):
        return ["paperround", *words]
    return words if is_line(words) else []


@pytest.mark.accept("F50", part="command lines")
@pytest.mark.parametrize("page", names())
def test_every_command_of_a_block_can_be_typed(page: str) -> None:
    for block in (one for one in blocks_in("sh", "crontab") if one.page == page):
        if block.name in A_SCRIPT:
            continue
        text = block.text
        if block.language == "crontab":
            text = re.sub(r"^(?:\S+ ){5}", "", text, flags=re.MULTILINE)
        for words in commands_in(text):
            check_line(words)


@pytest.mark.accept("F50", part="command lines")
@pytest.mark.parametrize("page", names())
def test_every_command_in_a_sentence_can_be_typed(page: str) -> None:
    for span in (one for one in spans() if one.page == page and one.name not in NO_COMMAND):
        if words := typed(span):
            check_line(words, whole=False)


@pytest.mark.accept("F50", part="command lines")
@pytest.mark.parametrize("page", names())
def test_every_option_in_a_sentence_is_one_of_a_command_of_its_page(page: str) -> None:
    found = [one.text for one in spans() if one.page == page and re.match(r"--?[a-z]", one.text)]
    options = {one: re.split(r"[ =]", one)[0] for one in found if one not in OPTIONS_OF_OTHERS}
    strangers = {one for one, name in options.items() if name not in options_on(page)}
    assert not strangers


def options_on(page: str) -> set[str]:
    """Every option of the commands that a page names."""
    lines = [typed(one) for one in spans() if one.page == page and one.name not in NO_COMMAND]
    text = re.sub(r"\s+", " ", text_of(page))
    lines += [["paperround", *one.split()] for one in re.findall(r"paperround ([a-z]+)", text)]
    found: set[str] = set()
    for words in (one for one in lines if one[:1] == ["paperround"]):
        if words[1:2] and words[1] in root().commands:
            found |= options_of(find_command(words[1:])[0])
    return found


def test_every_exception_is_needed() -> None:
    assert set(NO_COMMAND) <= {one.name for one in spans()}
    assert set(OPTIONS_OF_OTHERS) <= {one.text for one in spans()}
    assert set(A_SCRIPT) <= {one.name for one in blocks_in("sh")}
