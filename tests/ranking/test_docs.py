from pathlib import Path

import pytest

from paperround.ranking.weights import DEFAULTS

PAGE = (Path(__file__).parents[2] / "docs" / "ranking.md").read_text()


@pytest.mark.accept("F12", part="documented")
@pytest.mark.parametrize(("name", "default"), DEFAULTS.by_name().items())
def test_every_constant_is_explained_with_its_default(name: str, default: float) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` | {default:g} |")]
    assert len(rows) == 1
