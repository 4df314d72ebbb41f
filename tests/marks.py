"""The `accept` marks of the tree, read without importing it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Written:
    """A mark as it is written: on which test or file, and what it says."""

    test: str
    id: str
    part: str | None
    mutant: str | None


def written_marks() -> Iterator[Written]:
    """Every `accept` mark of the tree."""
    for path in sorted(TESTS.rglob("test_*.py")):
        name = path.relative_to(TESTS.parent).as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            test = f"{name}::{node.name}" if isinstance(node, ast.FunctionDef) else name
            if isinstance(node, ast.FunctionDef | ast.Assign):
                yield from _marks_in(test, node)


def _marks_in(test: str, node: ast.FunctionDef | ast.Assign) -> Iterator[Written]:
    places = node.decorator_list if isinstance(node, ast.FunctionDef) else [node.value]
    for call in (one for place in places for one in ast.walk(place) if isinstance(one, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "accept":
            said = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            yield Written(
                test, ast.literal_eval(call.args[0]), said.get("part"), said.get("mutant")
            )
