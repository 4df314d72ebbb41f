"""The container, the compose file and the units say what is true of this tree. tests/docs reads the
pages."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import requires
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest
from dotenv import dotenv_values
from packaging.requirements import Requirement

from deploy.sbom import NotTheLock, bill, locked
from paperround.cli.app import app
from paperround.config import PREFIX, Settings, load_settings
from paperround.editions.model import DeliveryState, SkipReason
from tests.documented import commands

ROOT = Path(__file__).resolve().parents[1]
UNITS = sorted((ROOT / "deploy/systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
PLACES = [
    ROOT / "Dockerfile",
    ROOT / "compose.yaml",
    ROOT / "deploy/many.env",
    *UNITS,
]


def name_of(path: Path) -> str:
    """A test's name for the file it looks at."""
    return path.relative_to(ROOT).as_posix()


# --- the container -------------------------------------------------------------------------------


DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions(stage: int) -> list[tuple[str, str]]:
    """The (word, rest) of every instruction of one stage of the Dockerfile; -1 is the image."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    stages: list[list[tuple[str, str]]] = [[]]
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, re.sub(r"\s+", " ", rest.strip())))
    return stages[stage]


def said(word: str, stage: int = -1) -> list[str]:
    return [rest for instruction, rest in instructions(stage) if instruction == word]


def array(rest: str) -> list[str]:
    """The arguments of an instruction in exec form; fails for one that needs a shell."""
    return [str(part) for part in json.loads(rest.partition("[")[1] + rest.partition("[")[2])]


@pytest.mark.accept("C3")
def test_the_container_runs_as_a_numbered_user_that_is_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", said("USER")[-1])


@pytest.mark.accept("C3")
def test_the_container_needs_no_shell() -> None:
    check = said("HEALTHCHECK")[0]
    assert array(said("CMD")[0])[:2] == ["paperround", "serve"]
    assert array(check[check.index("CMD") :])[0] == "python"
    assert all(array(run) for run in said("RUN"))


@pytest.mark.accept("O4", part="the signal")
def test_the_container_is_stopped_politely_and_given_the_time() -> None:
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert compose_block("x-paperround")["stop_grace_period"] == "45s"
    stops = [unit.read_text(encoding="utf-8") for unit in SERVICES]
    assert all("TimeoutStopSec=45" in text and "KillMode=mixed" in text for text in stops)


@pytest.mark.accept("C3")
def test_the_image_writes_in_its_data_folder_only() -> None:
    assert said("VOLUME") == said("WORKDIR") == ["/data"]
    settings = " ".join(said("ENV"))
    assert "PAPERROUND_DATA_DIR=/data" in settings
    assert "PYTHONDONTWRITEBYTECODE=1" in settings


@pytest.mark.accept("F49")
@pytest.mark.parametrize("source", [s for copy in said("COPY", 1) for s in copy.split()[:-1]])
def test_what_the_image_is_built_from_is_there_and_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    assert not ignored(source), f"{source} is left out by .dockerignore"


def ignored(path: str) -> bool:
    """Whether .dockerignore leaves `path` out: the last line that matches it, or a parent, wins."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    parents = [path, *[parent.as_posix() for parent in Path(path).parents][:-1]]
    out = False
    for line in [line for line in lines if line and not line.startswith("#")]:
        if any(fnmatch(parent, line.removeprefix("!")) for parent in parents):
            out = not line.startswith("!")
    return out


@pytest.mark.parametrize("private", [".env", "secrets/secret_key", "paperround-data", ".git"])
def test_nothing_private_is_sent_to_the_builder(private: str) -> None:
    assert ignored(private)


@contextmanager
def health_page(status: int) -> Iterator[int]:
    """The port of a server whose every page answers `status`."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(timeout=10)


@pytest.mark.accept("F49")
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_believes_the_page_and_no_proxy(status: int, healthy: bool) -> None:
    check = said("HEALTHCHECK")[0]
    with health_page(status) as port:
        script = array(check[check.index("CMD") :])[2].replace(":8000", f":{port}")
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={"http_proxy": "http://127.0.0.1:9"},
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode == 0) is healthy


# --- what is installed ---------------------------------------------------------------------------

INSTALL = (ROOT / "deploy/install.sh").read_text(encoding="utf-8")


@pytest.mark.accept("C1")
def test_nothing_is_installed_without_its_hash() -> None:
    calls = re.findall(r"^ +pip_into .*? install (.*)$", INSTALL, re.MULTILINE)
    assert len(calls) == 3
    assert all("--require-hashes" in call or "--no-deps --no-index" in call for call in calls)
    assert all("install.sh" in run for run in said("RUN", 1))


def test_the_script_knows_everything_that_builds_the_wheel() -> None:
    found = re.search(r"^ +names='(.*)'$", INSTALL, re.MULTILINE)
    assert found is not None
    assert needs("hatchling") == set(found[1].split("|"))


def needs(name: str) -> set[str]:
    """The distribution `name` and all that it cannot be installed without."""
    wanted = [Requirement(line) for line in requires(name) or []]
    asked = [part for part in wanted if part.marker is None or part.marker.evaluate({"extra": ""})]
    return {name}.union(*(needs(part.name) for part in asked))


def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck here: apt-get install shellcheck")
    scripts = [ROOT / name for name in ("deploy/install.sh", ".ci/image", ".ci/run", "run")]
    subprocess.run(["shellcheck", *scripts], check=True, timeout=60)


def test_the_script_refuses_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("keep me", encoding="utf-8")
    done = subprocess.run(
        ["sh", ROOT / "deploy/install.sh", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is in the way" in done.stderr
    assert (tmp_path / "letters").exists()


@pytest.mark.accept("C3")
def test_the_list_of_parts_is_what_is_installed_and_nothing_that_is_not_locked() -> None:
    lock = locked("a-b==1.0 ; python_version < '4' \\\n    --hash=sha256:" + "0" * 64 + "\n")
    parts = bill([("a-b", "1.0"), ("paperround", "2")], lock)["components"]
    assert isinstance(parts, list)
    assert [part["purl"] for part in parts] == ["pkg:pypi/a-b@1.0", "pkg:pypi/paperround@2"]
    assert parts[0]["properties"] == [{"name": "lock:sha256", "value": "0" * 64}]
    with pytest.raises(NotTheLock, match=r"stranger 3, a-b 1\.1"):
        bill([("stranger", "3"), ("a-b", "1.1")], lock)


# --- compose -------------------------------------------------------------------------------------

COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
POWERLESS = {
    "read_only": "true",
    "cap_drop": "[ALL]",
    "security_opt": '["no-new-privileges:true"]',
}


def compose_block(name: str, indent: int = 0) -> dict[str, str]:
    """The one-line entries of a mapping of compose.yaml: the file keeps to a plain style."""
    pad = " " * indent
    found = re.search(rf"^{pad}{name}:.*\n((?:(?:{pad} +.*)?\n)+)", COMPOSE, re.MULTILINE)
    assert found is not None, f"compose.yaml has no {name}"
    return dict(re.findall(rf"^{pad}  ([\w<-]+): *(.*)$", found[1], re.MULTILINE))


@pytest.mark.accept("C3")
def test_no_part_of_ours_has_power_or_a_writable_root() -> None:
    assert POWERLESS.items() <= compose_block("x-paperround").items()
    assert compose_block("x-many")["<<"] == "*paperround"
    for name in ("postgres", "backup"):
        assert POWERLESS.items() <= compose_block(name, indent=2).items()
    for name in ("app", "web", "scheduler", "worker"):
        own = compose_block(name, indent=2)
        assert own["<<"] in {"*paperround", "*many"}
        assert not POWERLESS.keys() & own.keys()


def test_the_relay_shares_a_network_and_cannot_forge_packets_in_it() -> None:
    relay = compose_block("relay", indent=2)
    assert relay["network_mode"].startswith("service:")
    assert "NET_RAW" in relay["cap_drop"]


@pytest.mark.accept("S16", part="memory", mutant="a-container-may-take-all-memory")
def test_no_container_of_ours_takes_all_memory() -> None:
    assert compose_block("x-paperround")["mem_limit"] == "${MEMORY:-1g}"
    assert compose_block("postgres", indent=2)["mem_limit"] == "${POSTGRES_MEMORY:-2g}"
    for name in ("backup", "relay"):
        assert compose_block(name, indent=2)["mem_limit"] == "256m"
    for name in ("x-many", "app", "web", "scheduler", "worker"):
        assert "mem_limit" not in compose_block(name, indent=0 if name == "x-many" else 2)


@pytest.mark.accept("F49", part="health of every role")
@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_a_role_without_pages_answers_where_the_image_asks(role: str) -> None:
    assert compose_block(role, indent=2)["command"] == f'[paperround, {role}, --health, "8000"]'


def test_the_site_is_published_to_this_machine_only() -> None:
    ports = re.findall(r"^ +ports: (.*)$", COMPOSE, re.MULTILINE)
    assert ports
    assert set(ports) == {'["${PUBLISH:-127.0.0.1:8000}:8000"]'}


def test_no_image_floats() -> None:
    images = re.findall(r"^ +image: (.*)$", COMPOSE, re.MULTILINE)
    bases = re.findall(r"^ARG \w+_IMAGE=(.*)$", DOCKERFILE, re.MULTILINE)
    assert len(images) == 4
    assert len(bases) == 1
    for image in [*images, *bases]:
        assert re.search(r":v?\d+[\w.-]*\}?$", image), f"{image} names no version"


def test_the_backups_of_the_compose_file_outlive_restarts_and_failures(tmp_path: Path) -> None:
    written = re.search(r"^  backup:.*?      - \|\n(.*?)\n\n", COMPOSE, re.DOTALL | re.MULTILINE)
    assert written is not None
    script = dedent(written[1]).replace("$$", "$")
    programs, folder = tmp_path / "bin", tmp_path / "backups"
    folder.mkdir()
    programs.mkdir()
    write_program(programs / "cat", "echo secret")
    write_program(programs / "sleep", "exit 1")  # ends the script

    def start_container(pg_dump: str) -> None:
        write_program(
            programs / "pg_dump", f'echo begun > "${{2#--file=}}"; echo 1 >> ../begun; {pg_dump}'
        )
        path = f"{programs}:{os.environ['PATH']}"
        subprocess.run(["/bin/sh", "-ec", script], cwd=folder, env={"PATH": path}, check=False)

    start_container("exit 1")
    assert [*folder.glob("*.dump")] == []
    start_container("exit 0")
    start_container("exit 0")
    assert (tmp_path / "begun").read_text() == "1\n1\n", "a restart makes no second one of a day"
    (only,) = folder.iterdir()
    assert only.suffix == ".dump"
    assert only.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("hours", "status"), [(1, 0), (47, 0), (49, 1)])
def test_the_backups_of_the_compose_file_are_unhealthy_once_they_are_old(
    hours: int, status: int, tmp_path: Path
) -> None:
    [health] = re.findall(r'test: \[CMD-SHELL, "(find .*)"\]', COMPOSE)
    dump = tmp_path / "paperround-20260302T020000Z.dump"
    dump.touch()
    made = dump.stat().st_mtime - hours * 3600
    os.utime(dump, (made, made))
    assert subprocess.run(["/bin/sh", "-c", health], cwd=tmp_path, check=False).returncode == status


def write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o700)


@pytest.mark.accept("C5", part="secrets of the compose file")
def test_the_recipe_for_the_secrets_makes_strong_ones(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, which the recipe calls")
    text = (ROOT / "deploy/many.env").read_text(encoding="utf-8")
    recipe = "".join(re.findall(r"^#     (.*\n)", text, re.MULTILINE))
    subprocess.run(["sh", "-eu", "-c", recipe], cwd=tmp_path, check=True, timeout=60)
    names = ("database_url", "secret_key", "smtp_url")
    files = {f"{PREFIX}{name.upper()}_FILE": str(tmp_path / "secrets" / name) for name in names}
    settings = load_settings({**said_in_many_env(), **files})
    settings.require_sender()
    assert len(settings.secret_key or "") >= 40
    assert re.fullmatch(r"postgresql://paperround:\w{30,}@postgres/paperround", settings.database)


def said_in_many_env() -> dict[str, str]:
    values = dotenv_values(ROOT / "deploy/many.env")
    return {name: value or "" for name, value in values.items() if name.startswith(PREFIX)}


# --- systemd -------------------------------------------------------------------------------------

HARDENED = (
    "User=paperround NoNewPrivileges=yes CapabilityBoundingSet= ProtectSystem=strict"
    " ProtectHome=yes PrivateTmp=yes PrivateDevices=yes RestrictSUIDSGID=yes UMask=0077"
    " SystemCallFilter=@system-service WorkingDirectory=/var/lib/paperround"
).split()


@pytest.mark.accept("F49")
@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_a_service_has_little_power(unit: Path) -> None:
    lines = unit.read_text(encoding="utf-8").splitlines()
    assert set(HARDENED) <= set(lines)
    # The kernel's boot id stands there; without it no dead process is ever noticed.
    assert not [line for line in lines if line.startswith("ProcSubset=")]


@pytest.mark.accept("S16", part="memory", mutant="a-service-may-take-all-memory")
@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_a_service_takes_no_more_memory_than_it_is_given(unit: Path) -> None:
    lines = set(unit.read_text(encoding="utf-8").splitlines())
    assert {"MemoryHigh=768M", "MemoryMax=1G"} <= lines


def test_every_timer_has_its_service() -> None:
    timers = [unit for unit in UNITS if unit.suffix == ".timer"]
    assert timers
    assert all(timer.with_suffix(".service") in SERVICES for timer in timers)


@pytest.mark.accept("F49")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/paperround/bin/paperround", "/bin/sh")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert (done.returncode, ours) == (0, []), done.stderr


# --- words that must stay true -------------------------------------------------------------------

KNOWN_SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
KNOWN_COMMANDS = {line.removeprefix("paperround ") for line in commands(app, "paperround")}
COMMAND = re.compile(r"(?<!-u )(?<![\w=-])paperround ([a-z]+(?: [a-z]+(?:-[a-z]+)*)?)(?![\w-])")


@pytest.mark.parametrize("place", PLACES, ids=name_of)
def test_every_setting_that_is_named_exists(place: Path) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", place.read_text(encoding="utf-8")))
    strangers = {name for name in named if name.removesuffix("_FILE") not in KNOWN_SETTINGS}
    assert not strangers, f"no such setting: {sorted(strangers)}"


@pytest.mark.parametrize("place", PLACES, ids=name_of)
def test_every_command_that_is_named_exists(place: Path) -> None:
    named = {words for line in typed(place) for words in COMMAND.findall(line)}
    strangers = {words for words in named if not is_command(words)}
    assert not strangers, f"no such command: {sorted(strangers)}"


def typed(place: Path) -> list[str]:
    """The command lines that a file shows."""
    text = place.read_text(encoding="utf-8")
    lines = re.findall(r"^\s*(?:CMD|command:|ExecStart=|#).*$", text, re.MULTILINE)
    return [re.sub(r"[\[\]\",\s]+", " ", line) for line in lines]


def is_command(words: str) -> bool:
    """Whether `words` begin with a command: `serve`, `digest status`, `db backup FILE`."""
    return words in KNOWN_COMMANDS or words.split()[0] in KNOWN_COMMANDS


OUTCOMES = ("sent", "deferred", "failed", "unknown", "expired")


@pytest.mark.accept("F20", part="every reason is explained")
@pytest.mark.parametrize("word", [*SkipReason, *map(DeliveryState, OUTCOMES)])
def test_the_operator_reads_what_every_reason_and_outcome_means(word: str) -> None:
    assert f"`{word}`" in (ROOT / "docs/operating.md").read_text(encoding="utf-8")
