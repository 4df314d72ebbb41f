"""The rules for Prometheus speak of metrics that exist, and when something is wrong."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from prometheus_client.parser import text_string_to_metric_families

from paperround.access.model import Scope
from tests.web.admin import key_for, program
from tests.web.conftest import Site

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/alerts.yml"
TIMES = ROOT / "tests/web/alert_rules.yml"
METRIC = re.compile(r"\bpaperround_\w*[a-z]\b")
CAUSES = """
    DigestsLate RelayRefuses FeedStale UnknownRising DiskFull SignupFlood NothingTicks BackupOld
""".split()


def rules() -> list[dict[str, Any]]:
    """The rules, in their order."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def exported(site: Site) -> set[str]:
    """The names of all metrics and their samples, also of those without a value yet."""
    answer = program(site.app, key_for(site.runtime, Scope.METRICS_READ)).get("/metrics")
    endings = {"counter": ("_total",), "histogram": ("", "_bucket", "_count", "_sum")}
    return {
        family.name + ending
        for family in text_string_to_metric_families(answer.text)
        for ending in endings.get(family.type, ("",))
    }


@pytest.mark.accept("O3", part="alert rules", mutant="a-rule-names-no-metric")
def test_each_rule_names_metrics_that_exist(site: Site) -> None:
    known = exported(site)
    for rule in rules():
        named = set(METRIC.findall(rule["expr"]))
        assert named <= known, rule["alert"]
        assert named or rule["expr"].startswith("up{"), rule["alert"]


@pytest.mark.accept("O3", part="alert rules")
def test_the_documentation_names_metrics_that_exist(site: Site) -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    on_postgres = {"paperround_schedulers", "paperround_workers", "paperround_queue_jobs"}
    assert set(METRIC.findall(text)) - on_postgres <= exported(site)


def test_there_is_a_rule_for_each_cause_and_it_says_what_is_wrong() -> None:
    found = {rule["alert"]: rule for rule in rules()}
    assert found.keys() >= {f"Paperround{cause}" for cause in CAUSES}
    for rule in found.values():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


@pytest.mark.accept("O3", part="alert rules")
@pytest.mark.parametrize("command", [("check", RULES), ("test", TIMES)])
def test_prometheus_reads_the_rules_and_they_speak_up(command: tuple[str, Path]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    what, file = command
    done = subprocess.run(
        [promtool, what, "rules", file], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
