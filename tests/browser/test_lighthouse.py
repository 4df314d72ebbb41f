"""The public pages before Lighthouse, as a phone on a slow line sees them.

Its performance is a matter of time, so a machine that has other work tells little: these run by
themselves, in the long form, and of three runs the median counts.
"""

import json
import shutil
import subprocess
from pathlib import Path
from statistics import median

import pytest

from tests.browser.tour import Tour

RUNS = 3
MINUTES = 3
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST = 95
PAGES = ("today", "trending", "edition", "paper", "subscribe")
"""Not the search, whose results ask to stay out of search engines."""
# A sandbox inside the container is more than the kernel there may allow
CHROME = "--headless=new --no-sandbox --disable-dev-shm-usage"


def report(url: str, folder: Path) -> dict[str, object]:
    """What one run says of the page at `url`."""
    program, chromium = shutil.which("lighthouse"), shutil.which("chromium")
    if program is None or chromium is None:
        pytest.skip("needs Lighthouse: npm install --global lighthouse@12, and chromium")
    kept = folder / "report.json"
    subprocess.run(
        [
            *(program, url, "--quiet", "--output=json", f"--output-path={kept}"),
            *(f"--chrome-path={chromium}", f"--chrome-flags={CHROME}"),
            f"--only-categories={','.join(CATEGORIES)}",
        ],
        check=True,
        timeout=60 * MINUTES,
    )
    told: dict[str, object] = json.loads(kept.read_text(encoding="utf-8"))
    return told


def scores(told: dict[str, object]) -> dict[str, float]:
    """The mark of each category, of 100."""
    categories = told["categories"]
    assert isinstance(categories, dict)
    return {name: round(100 * categories[name]["score"]) for name in CATEGORIES}


def blemishes(told: dict[str, object]) -> list[str]:
    """What kept the page from a full mark."""
    audits = told["audits"]
    assert isinstance(audits, dict)
    return [
        f"{name} {audit['score']} {audit.get('displayValue', '')}".strip()
        for name, audit in audits.items()
        if audit["score"] is not None and audit["score"] < 1
    ]


@pytest.mark.long
@pytest.mark.accept("Q14", part="Lighthouse")
@pytest.mark.parametrize("page", PAGES)
def test_a_public_page_is_fast_open_to_everybody_and_easy_to_find(
    tour: Tour, tmp_path: Path, page: str
) -> None:
    url = f"{tour.site.url}{tour.paths[page]}"
    runs = [report(url, tmp_path) for _ in range(RUNS)]
    marks = {name: median(scores(told)[name] for told in runs) for name in CATEGORIES}
    assert min(marks.values()) >= LEAST, (marks, blemishes(runs[-1]))
