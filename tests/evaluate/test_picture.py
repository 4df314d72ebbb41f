"""`tools.picture`: what was measured, as bars that can be looked at."""

import json
import re
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.evaluate.report import Figure, Report
from tools.picture import main, picture, read_report

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
REPORT = Report(
    task="trending",
    metrics={
        "early_rank": Figure(value=0.8, low=0.75, high=0.85),
        "cold_text_rank": Figure(value=0.4, low=0.35, high=0.45),
    },
    baselines={"raw_votes": {"early_rank": 0.6}},
)


def drawn(**reports: Report) -> Element:
    return fromstring(picture(reports))  # noqa: S314 - our own text


def bars(svg: Element) -> list[float]:
    """Their lengths; the ground and the marks of the legend are no bars."""
    return [
        float(one.attrib["width"]) for one in svg.iter(f"{SVG}rect") if one.get("height") == "9"
    ]


def texts(svg: Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def test_bars_are_as_long_as_the_values() -> None:
    ours, raw_votes, cold = bars(drawn(trending=REPORT))
    assert raw_votes / ours == pytest.approx(0.6 / 0.8, abs=0.001)
    assert cold / ours == pytest.approx(0.4 / 0.8, abs=0.001)


def test_the_interval_is_a_line_from_its_low_end_to_its_high_end() -> None:
    svg = drawn(trending=REPORT)
    strong = [one.attrib for one in svg.iter(f"{SVG}line") if one.get("stroke-width") == "2"]
    lengths = [float(one["x2"]) - float(one["x1"]) for one in strong]
    assert lengths == pytest.approx([0.1 / 0.8 * bars(svg)[0]] * 2, abs=0.2)


def test_metrics_and_methods_are_named_and_values_written() -> None:
    found = texts(drawn(trending=REPORT))
    for told in ("ours", "raw votes", "early rank", "cold text rank", "0.800", "0.600", "0.400"):
        assert told in found


def test_of_several_reports_each_metric_tells_whose_it_is() -> None:
    found = texts(drawn(cacm=REPORT, cisi=REPORT))
    assert [one for one in found if "early" in one] == ["cacm: early rank", "cisi: early rank"]


def test_what_a_report_says_cannot_break_out_of_the_picture() -> None:
    hostile = Report(task='"><script>', metrics={"<b>&": Figure(value=0.5, low=0.4, high=0.6)})
    assert "<b>&" in texts(drawn(x=hostile))


def test_a_report_without_metrics_cannot_be_drawn() -> None:
    with pytest.raises(InvalidInput, match="nothing to draw"):
        picture({"empty": Report(task="gist", metrics={})})


def test_the_command_draws_what_the_others_print(tmp_path: Path) -> None:
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    told = {"task": "personal", "metrics": {"recall_at_50": figure}, "baselines": {}, "notes": []}
    report, out = tmp_path / "personal.json", tmp_path / "personal.svg"
    report.write_text(json.dumps(told), encoding="utf-8")
    main([str(report), "--out", str(out)])
    assert "recall at 50" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"task": "x"}', '{"task":1,"metrics":[]}'])
def test_a_file_that_is_no_report_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"odd\.json is no report: write it with"):
        read_report(tmp_path / "odd.json")


def test_a_missing_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"none\.json: No such file"):
        read_report(tmp_path / "none.json")


@pytest.mark.parametrize("page", ["ranking", "search", "personal"])
def test_each_page_of_figures_shows_the_picture_and_how_to_draw_it_again(page: str) -> None:
    told = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert f"]({page}.svg)" in told
    assert re.search(rf"python -m tools\.picture .*--out docs/{page}\.svg", told)
    svg = fromstring((DOCS / f"{page}.svg").read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert len(bars(svg)) >= 6
