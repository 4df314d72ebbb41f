"""`./run test-mutants [NAME ...]`: exit 0 when every break is caught by its test."""

import sys
import tempfile
from pathlib import Path

from tests.mutants.runner import Mutant, Result, copy_tree, judge, read_mutants, run_tests

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = Path(__file__).parent


def main(names: list[str]) -> int:
    """Judge the named mutants, or all of them; the exit code."""
    known = {mutant.name: mutant for mutant in read_mutants(MUTANTS)}
    unknown = [name for name in names if name not in known]
    if unknown:
        say(f"no mutant is called {unknown[0]!r}; there are: {', '.join(known)}")
        return 2
    chosen = [known[name] for name in names or known]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        copy_tree(ROOT, tree)
        green = run_tests(sorted({mutant.test for mutant in chosen}), tree) == 0
        results = [tell(mutant, judge(mutant, tree, known_green=green)) for mutant in chosen]
    caught = results.count(Result.CAUGHT)
    say(f"{caught} passed, {len(results) - caught} failed")
    return 0 if caught == len(results) else 1


def tell(mutant: Mutant, result: Result) -> Result:
    """Print how a mutant ended, at once: the whole list takes minutes."""
    say(f"{mutant.shows:<5} {mutant.name}: {result}")
    return result


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command of its own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
