"""What the command lines of the documentation start, and how each is checked without starting it.

`paperround` and what belongs to this tree is checked word by word; other programs only where they
are given something of ours. A program that is not named here fails.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from typer.main import get_command

from benchmarks.__main__ import BENCHMARKS, LONG
from tests.docs.pages import ROOT
from tests.docs.shell import check_typed
from tools.evaluate.__main__ import app as evaluate

UNIT = "deploy/systemd/{}.service"
OF_THE_SYSTEM = frozenset(
    "alembic apt-get cd createdb curl export git install npm pip pipx sqlite3 useradd uv".split()
)
"""Programs that are given nothing of ours, or whose requests `test_requests.py` sends."""


def check_line(words: list[str], *, whole: bool = True) -> None:
    """Fail unless a program can be started with these words."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if not words:
        return
    name = words[0] if words[0].startswith("./") else Path(words[0]).name
    if name == "paperround":
        check_typed(words[1:], whole=whole)
    elif name in PROGRAMS:
        PROGRAMS[name](words[1:])
    else:
        assert name in OF_THE_SYSTEM, f"no test knows the program {name}: {' '.join(words)}"


def is_line(words: list[str]) -> bool:
    """Whether these words start a program that is known here."""
    words = [one for one in words if not re.match(r"[A-Z_]+=", one)]
    return len(words) > 1 and (words[0] in PROGRAMS or words[0] in {"paperround", *OF_THE_SYSTEM})


def _sudo(words: list[str]) -> None:
    check_line(words)


def _copy(words: list[str]) -> None:
    missing = [one for one in words[:-1] if not (ROOT / one).exists()]
    assert not missing, f"no such files: {missing}"


def _install_script(words: list[str]) -> None:
    assert (ROOT / "deploy/install.sh").exists()
    assert len(words) == 1, "deploy/install.sh takes a folder"


def _systemctl(words: list[str]) -> None:
    for unit in (one.removesuffix(".service") for one in words[1:] if not one.startswith("-")):
        assert (ROOT / UNIT.format(unit)).exists(), f"there is no unit {unit}"


def _docker(words: list[str]) -> None:
    compose, command, *rest = words
    assert compose == "compose"
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    services = set(re.findall(r"^  ([a-z]+):", text.partition("\nservices:")[2], re.MULTILINE))
    names = [one for one in rest if not one.startswith("-")]
    if command in ("exec", "run", "stop") and names:
        assert names[0] in services, f"compose.yaml has no service {names[0]}"
    if names[1:2] == ["paperround"]:
        check_line(names[1:], whole=False)
    scaled = {one.partition("=")[0] for one in rest if "=" in one}
    assert scaled <= services, f"compose.yaml has no services {scaled}"


@cache
def _words_of_run() -> frozenset[str]:
    text = (ROOT / "run").read_text(encoding="utf-8").partition("<<'TEXT'\n")[2]
    return frozenset({"help", *re.findall(r"^\./run ([a-z-]+)", text, re.MULTILINE)})


def _run(words: list[str]) -> None:
    word, *rest = words
    assert word in _words_of_run(), f"./run has no {word}"
    if word == "bench":
        assert set(rest) <= BENCHMARKS.keys() | LONG.keys(), f"no such benchmarks: {rest}"
    missing = [one for one in rest if "/" in one and not (ROOT / one.split("::")[0]).exists()]
    assert not missing, f"no such tests: {missing}"


def _python(words: list[str]) -> None:
    option, module, *rest = words
    if option == "-c":
        return
    assert option == "-m"
    assert find_spec(module), f"there is no module {module}"
    if module == "tools.evaluate":
        check_typed(rest, get_command(evaluate), whole=bool(rest))
        return
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    strangers = [one for one in rest if one.startswith("-") and f'"{one}"' not in source]
    assert not strangers, f"{module} has no {strangers}"


PROGRAMS: Mapping[str, Callable[[list[str]], None]] = {
    "./run": _run,
    "cp": _copy,
    "docker": _docker,
    "install.sh": _install_script,
    "python": _python,
    "python3": _python,
    "sudo": _sudo,
    "systemctl": _systemctl,
}
