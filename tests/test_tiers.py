"""Which tests a run takes, and what it says of itself."""

from pathlib import Path

import pytest

from tests import tiers

pytest_plugins = ["pytester"]

MARKS = "\n    ".join(
    f"{name}: of a tier" for name in ("quick", "slow", "long", "early", "postgres")
)
ON_EACH = """
    import pytest

    @pytest.fixture
    def postgres(): pass

    @pytest.fixture(params=["sqlite", "postgres"])
    def database(request): pass

    def test_on_each(database): pass

    def test_on_its_server(postgres): pass

    def test_without_any(): pass

    @pytest.mark.postgres
    def test_that_differs(database): pass
"""


@pytest.fixture
def tree(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A tree of tests, to be filled."""
    pytester.makeini(f"[pytest]\nmarkers = {MARKS}")
    monkeypatch.setattr(tiers, "TESTS", pytester.path)
    return pytester


def put(tree: pytest.Pytester, folder: str, text: str) -> None:
    """Write a test file into a folder."""
    path = tree.path / folder / f"test_{folder or 'top'}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(Path(tree.makepyfile(text)).read_text())


def names(tree: pytest.Pytester, *arguments: str) -> set[str]:
    """The tests that ran."""
    plugins = ["-p", "tests.tiers", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
    result = tree.inline_run(*plugins, *arguments)
    passed, _, failed = result.listoutcomes()
    assert not failed
    return {one.nodeid.partition("::")[2] for one in passed}


@pytest.fixture
def each_tier(tree: pytest.Pytester) -> pytest.Pytester:
    """A test of each tier."""
    put(
        tree,
        "web",
        """
        import pytest

        def test_cheap(): pass

        @pytest.mark.slow
        def test_slow(): pass

        @pytest.mark.long
        def test_long(): pass

        @pytest.mark.early
        def test_scales(long_form): pass
        """,
    )
    put(tree, "browser", "def test_page(): pass")
    put(
        tree,
        "story",
        """
        import pytest

        @pytest.mark.quick
        def test_day(): pass

        def test_year(): pass
        """,
    )
    (tree.path / "test_each_tier.py").unlink(missing_ok=True)
    for leftover in tree.path.glob("test_*.py"):
        leftover.unlink()
    return tree


def test_a_run_without_arguments_takes_the_quick_ones(each_tier: pytest.Pytester) -> None:
    assert names(each_tier) == {"test_cheap", "test_scales", "test_day"}


def test_a_run_of_all_takes_all_but_the_long_ones(each_tier: pytest.Pytester) -> None:
    quick = {"test_cheap", "test_scales", "test_day"}
    assert names(each_tier, "--all") == quick | {"test_slow", "test_page", "test_year"}


def test_a_long_run_takes_the_long_ones_and_those_that_scale(each_tier: pytest.Pytester) -> None:
    assert names(each_tier, "--long") == {"test_long", "test_scales"}


def test_what_is_named_is_run(each_tier: pytest.Pytester) -> None:
    assert names(each_tier, "story") == {"test_day", "test_year"}
    assert names(each_tier, "-k", "page or slow") == {"test_page", "test_slow"}


def test_what_takes_a_minute_begins_first(each_tier: pytest.Pytester) -> None:
    plugins = ["-p", "tests.tiers", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
    passed, _, _ = each_tier.inline_run(*plugins, "--all").listoutcomes()
    assert passed[0].nodeid.endswith("test_scales")


@pytest.mark.parametrize("folder", ["jobs", "contracts"])
def test_only_contracts_are_tried_on_both_engines(tree: pytest.Pytester, folder: str) -> None:
    put(tree, folder, ON_EACH)
    for leftover in tree.path.glob("test_*.py"):
        leftover.unlink()
    alone = {"test_without_any", "test_on_each[sqlite]", "test_that_differs[sqlite]"}
    halves = {"test_on_each[postgres]", "test_that_differs[postgres]"}
    on_server = {"test_on_its_server"}
    assert names(tree, "--all", "--without-postgres") == alone
    assert names(tree, "--all", "--both-engines") == alone | halves | on_server
    if folder == "contracts":
        assert names(tree) == names(tree, "--all") == alone | halves | on_server
    else:
        assert names(tree) == alone
        assert names(tree, "--all") == alone | on_server | {"test_that_differs[postgres]"}
    assert names(tree, folder) == alone | halves | on_server


@pytest.mark.accept("C7", part="what is missing")
def test_what_is_missing_is_said_once_and_not_for_each_test(tree: pytest.Pytester) -> None:
    tree.makepyfile(
        """
        import pytest

        @pytest.fixture
        def data(): pytest.skip("needs real data")

        @pytest.mark.parametrize("number", range(40))
        def test_with_data(data, number): pass

        def test_with_a_browser(): pytest.skip("needs Chromium")

        def test_without_anything(): pass
        """
    )
    plugins = ["-p", "tests.tiers", "-p", "tests.progress", "-p", "no:xdist", "-p", "no:randomly"]
    result = tree.runpytest_inprocess("-q", *plugins, "-p", "no:cacheprovider", "-rfE")
    said = result.stdout.lines
    assert [line for line in said if "skipped" in line and ": needs" in line] == [
        "skipped 40: needs real data",
        "skipped 1: needs Chromium",
    ]
    assert len(said) < 8
    assert result.stderr.lines[-1].startswith("42 of 42 tests, 0 failed, ")
