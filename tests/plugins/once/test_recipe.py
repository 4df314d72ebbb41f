"""The script of the guide that keeps the state in a branch, run as a CI does: in a fresh checkout
whose own configuration alone can reach the repository."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugins.once.once_folder import GUIDE

SSH = '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n'
ONCE = """#!/bin/sh
mkdir -p paperround-state
echo run >> paperround-state/runs
cat paperround-state/runs
exit $EXIT
"""


@dataclass(frozen=True)
class Ci:
    """A bare repository, and jobs that check it out."""

    folder: Path

    def prepare(self) -> None:
        for name, text in {"ssh": SSH, "bin/paperround": ONCE}.items():
            place = self.folder / name
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
            place.chmod(0o755)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
        self.git("clone", "--quiet", "origin.git", "first")
        first = self.folder / "first"
        first.joinpath(".gitignore").write_text("*\n")
        author = ("-c", "user.name=a", "-c", "user.email=a@lab.example.org")
        self.git("add", "--force", ".gitignore", place=first)
        self.git(*author, "commit", "--quiet", "--message", "Start", place=first)
        self.git("push", "--quiet", "origin", "HEAD:main", place=first)

    def git(self, *words: str, place: Path | None = None) -> None:
        self._run(["git", *words], place or self.folder).check_returncode()

    def job(self, number: int, *, status: int = 0) -> subprocess.CompletedProcess[str]:
        place = self.folder / f"job{number}"
        self.git("clone", "--quiet", "--depth=1", f"file://{self.folder}/origin.git", str(place))
        self.git("config", "core.sshCommand", str(self.folder / "ssh"), place=place)
        url = f"ssh://host{self.folder}/origin.git"
        self.git("remote", "set-url", "origin", url, place=place)
        shown = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
        [script] = [one for one in shown if "git push" in one]
        return self._run(["sh", "-c", script], place, status=status)

    def _run(
        self, words: list[str], place: Path, *, status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "EXIT": str(status),
        }
        return subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True)


@pytest.fixture
def ci(tmp_path: Path) -> Ci:
    made = Ci(tmp_path)
    made.prepare()
    return made


@pytest.mark.accept("F58", part="command")
def test_the_branch_of_the_guide_keeps_the_state_of_failed_runs_too(ci: Ci) -> None:
    for number, status in enumerate((0, 1, 0), start=1):
        done = ci.job(number, status=status)
        assert (done.returncode, done.stdout) == (status, "run\n" * number), done.stderr


def test_the_branch_of_the_guide_is_not_replaced_while_the_repository_is_out_of_reach(
    ci: Ci,
) -> None:
    ci.job(1)
    ci.folder.joinpath("ssh").write_text("#!/bin/sh\nexit 1\n")
    assert ci.job(2).stdout == ""
