"""Numbers and what they count: one channel, two channels."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import paperround

ROOMS = ("cli", "doctor", "plugins/doctor_checks")
SOURCE = Path(paperround.__file__).parent
FILES = sorted(path for room in ROOMS for path in (SOURCE / room).glob("*.py"))
SEVERAL = re.compile(r" (?:[a-zA-Z]+ )?(?!is\b|was\b|has\b|us\b|as\b)[a-z]+[^s\W]s\b")
"""A word in the plural, or one before it, right behind a number."""


def said_of_any_number(source: str) -> Iterator[tuple[int, str]]:
    """What is said in the plural of a number that may be one, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for number, words in pairwise(node.values):
                if _is_number(number) and isinstance(words, ast.Constant):
                    found = SEVERAL.match(str(words.value))
                    if found is not None:
                        yield node.lineno, found[0].strip()


def _is_number(part: ast.expr) -> bool:
    """A number as it is written: in groups, or how many there are of something."""
    if not isinstance(part, ast.FormattedValue):
        return False
    grouped = part.format_spec is not None and ast.unparse(part.format_spec) == "f','"
    called = isinstance(part.value, ast.Call) and ast.unparse(part.value.func) in ("len", "sum")
    return grouped or called


def test_nothing_is_said_in_the_plural_of_what_may_be_one() -> None:
    said = {str(path): [*said_of_any_number(path.read_text(encoding="utf-8"))] for path in FILES}
    assert {path: found for path, found in said.items() if found} == {}


def test_a_plural_behind_a_number_is_found() -> None:
    wrong = 'f"{n:,} keys"; f"{len(a)} SPF records of {b}"; f"{a} is {n:,} miles off"'
    assert [words for _, words in said_of_any_number(wrong)] == ["keys", "SPF records", "miles"]
    right = 'f"{n:,} of them"; f"{name} says so"; f"{n:,} was read"; f"{counted(n, \'key\')} left"'
    assert [*said_of_any_number(right)] == []
