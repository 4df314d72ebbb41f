"""Settings, files and programs of others that the documentation shows are what they should be."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import dns.zone
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from apscheduler.triggers.cron import CronTrigger
from fastapi.routing import iter_route_contexts

from paperround.config import PREFIX, Settings, load_settings
from tests.docs.conftest import Documented
from tests.docs.pages import ROOT, Block, block, blocks_in, names, spans, text_of
from tests.docs.programs import check_line

SETTING = re.compile(rf"{PREFIX}[A-Z_]*[A-Z]")
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}
OF_TESTS = {"PAPERROUND_TEST_DATA"}
A_SENDER = {
    f"{PREFIX}{name}": value
    for name, value in {
        "MAIL_FROM": "Papers <digest@papers.example.org>",
        "PRIVATE": "1",
        "OPERATOR": "The reading group",
        "CONTACT": "you@example.org",
    }.items()
}


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.accept("F50", part="settings")
@pytest.mark.parametrize("page", names())
def test_every_setting_that_is_named_exists(page: str) -> None:
    named = {one.removesuffix("_FILE") for one in SETTING.findall(text_of(page))}
    strangers = named - KNOWN - OF_TESTS
    assert not {one for one in strangers if f"`{one}_...`" not in text_of(page)}


def lines_that_set() -> Iterator[tuple[str, str, str]]:
    """(page, name, value) of every setting that is shown with a value."""
    shown = [(one.page, line) for one in blocks_in("dotenv") for line in one.text.splitlines()]
    shown += [(one.page, one.text) for one in spans()]
    for page, line in shown:
        if found := re.match(rf"({PREFIX}[A-Z_]+)=(\S+)", re.sub(r"\s+#.*", "", line)):
            yield page, found[1], found[2].strip('"')


@pytest.mark.accept("F50", part="settings")
@pytest.mark.parametrize(("page", "name", "value"), list(lines_that_set()))
def test_every_value_of_a_setting_is_understood(
    page: str, name: str, value: str, tmp_path: Path
) -> None:
    if name.endswith("_FILE"):
        assert name.removesuffix("_FILE") in KNOWN
        return
    load_settings({**A_SENDER, name: value}, file=None)


def rows() -> Iterator[tuple[str, str]]:
    """(setting, default) of every row of the page on settings whose default is a value."""
    for cell, default in re.findall(
        rf"^\| (`{PREFIX}[^|]*) \| (`[^|`]*`[^|]*?) \|", text_of("docs/settings.md"), re.MULTILINE
    ):
        values = re.findall(r"`([^`]*)`", default.partition(";")[0])
        yield from zip(re.findall(rf"`{PREFIX}(\w+)`", cell), values, strict=False)


STAND_FOR_NOTHING = {
    "COLOR": "the color of the style sheet",
    "SMTP_URL": "put together from DATA_DIR",
    "SMTP_RATE": "no limit",
    "SMTP_RATE_DOMAIN": "depends on the relay",
    "SMTP_DOMAIN_CONNECTIONS": "depends on the relay",
    "SMTP_WARMUP": "no limit",
    "SEND_MARK": "put together from DATA_DIR",
    "BACKUP_DIR": "put together from DATA_DIR",
}
"""Settings without a default of their own, and what the page names in its place."""


@pytest.mark.accept("F50", part="settings")
def test_the_page_on_settings_has_the_defaults() -> None:
    told = {name: value for name, value in rows() if name not in STAND_FOR_NOTHING}
    fields = {name: Settings.model_fields[name.lower()].default for name in told}
    real = {name: str(int(one) if isinstance(one, bool) else one) for name, one in fields.items()}
    assert told == real
    assert len(told) > 25
    assert not any(Settings.model_fields[name.lower()].default for name in STAND_FOR_NOTHING)


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", blocks_in("crontab"), ids=lambda one: one.name)
def test_a_line_of_a_crontab_has_a_time(shown: Block) -> None:
    for line in shown.text.splitlines():
        CronTrigger.from_crontab(" ".join(line.split()[:5]))


@pytest.mark.parametrize("shown", blocks_in("zone"), ids=lambda one: one.name)
def test_records_of_the_dns_can_be_read(shown: Block) -> None:
    lines = [re.sub(r"^(\S+) +", r"\1 3600 IN ", line) for line in shown.text.splitlines()]
    for line in lines:
        assert dns.zone.from_text(f"$ORIGIN .\n{line}\n", check_origin=False).nodes


[PROXY] = blocks_in("nginx")


@pytest.mark.accept("S9", part="the proxy's log")
def test_the_proxy_logs_no_address_that_is_a_key(documented: Documented) -> None:
    text = PROXY.text
    assert text.count("{") == text.count("}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert all(line.startswith("#") or line[-1] in "{};" for line in lines)
    assert text.count("X-Forwarded-For $remote_addr") == text.count("proxy_pass ") == 2
    [kept_out] = re.findall(r"location ~ (\S+) ", text)
    paths = {str(one.path) for one in iter_route_contexts(documented.site.app.routes)}
    keys = [path for path in paths if "{token}" in path]
    assert keys
    assert [path for path in keys if not re.search(kept_out, path)] == []


def test_proxies_pass_on_to_the_port_that_the_site_listens_on() -> None:
    [caddy] = blocks_in("caddyfile")
    ports = re.findall(r"127\.0\.0\.1:(\d+)", caddy.text + PROXY.text)
    assert set(ports) == {Settings().public_url.rpartition(":")[2]}


def test_prometheus_is_configured_with_what_it_knows() -> None:
    [shown] = blocks_in("yaml")
    [job] = yaml.safe_load(shown.text)["scrape_configs"]
    assert {"job_name", "authorization", "static_configs"} == job.keys()
    for line in re.findall(r"# (paperround .*)", shown.text):
        check_line(line.split())


def test_a_plugin_is_entered_as_the_example_does() -> None:
    [shown] = [one for one in blocks_in("toml") if one.page == "docs/plugins.md"]
    example = ROOT / "docs/examples/paperround-tidewater/pyproject.toml"
    real = tomllib.loads(example.read_text(encoding="utf-8"))["project"]["entry-points"]
    assert tomllib.loads(shown.text)["project"]["entry-points"] == real


MAIL_SERVERS = block("docs/bounces.md", 1)
UNITS = (ROOT / "deploy/systemd/paperround.service").read_text(encoding="utf-8")


def test_mail_servers_start_a_command_that_there_is() -> None:
    lines = re.sub(r"\$\{\w+\}", "", MAIL_SERVERS.text)
    started = re.findall(r"(/\S+/paperround (?:bounces .*?))\"?$", lines, re.MULTILINE)
    assert len(started) == 3
    for line in started:
        check_line(line.split(), whole=False)
        assert line.split()[0] in UNITS


def test_postfix_reads_its_service(tmp_path: Path) -> None:
    postconf = shutil.which("postconf") or "/usr/sbin/postconf"
    if not Path(postconf).exists():
        pytest.skip("postconf is not installed")
    [service] = re.findall(r"^paperround unix.*\n(?:  .*\n)+", MAIL_SERVERS.text, re.MULTILINE)
    tmp_path.joinpath("main.cf").write_text("compatibility_level = 3.6\n")
    tmp_path.joinpath("master.cf").write_text(service)
    done = subprocess.run(
        [postconf, "-c", tmp_path, "-M", "paperround/unix"], capture_output=True, text=True
    )
    assert done.stdout.split()[:2] == ["paperround", "unix"], done.stderr


def test_the_function_of_the_shell_starts_what_the_unit_starts(tmp_path: Path) -> None:
    function = block("docs/first-digest.md", 2).text
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\necho "$@"\n')
    sudo.chmod(0o755)
    done = subprocess.run(
        ["sh", "-euc", f"{function}\npaperround feeds list"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = done.stdout.split()
    assert told[-2:] == ["feeds", "list"]
    for option, value in (("User", told[1]), ("WorkingDirectory", told[4])):
        assert f"{option}={value}\n" in UNITS
    assert f"ExecStart={told[5]} " in UNITS
