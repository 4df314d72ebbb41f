"""Reading the metrics."""

from prometheus_client.parser import text_string_to_metric_families

from paperround.access.model import Scope
from tests.web.admin import key_for, program
from tests.web.conftest import Site


def numbers(site: Site) -> dict[tuple[str, ...], float]:
    """Every number by its name and the values of its labels."""
    answer = program(site.app, key_for(site.runtime, Scope.METRICS_READ)).get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("paperround_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
