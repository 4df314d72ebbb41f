"""The digest as files: made anew by each run, and by a dry run that leaves nothing else."""

from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree  # type: ignore[import-untyped]

from paperround.digests.model import LeftOutPaper, WithdrawnPaper
from paperround.plugins.once.files import digest_markdown
from tests.digests.messages import view
from tests.faults import SmtpSink
from tests.plugins.once.once_folder import OnceFolder
from tests.sample_database import NOW

DAY = timedelta(days=1)
GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).parents[2] / "web" / "atom.rng"))
ATOM = {"a": "http://www.w3.org/2005/Atom"}
ALL = "[files]\nhtml = 'out/digest.html'\nmarkdown = 'digest.md'\natom = 'digest.xml'"


@pytest.fixture
def once(tmp_path: Path) -> OnceFolder:
    folder = OnceFolder(tmp_path)
    folder.papers(1, 2)
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.accept("F58", part="files", mutant="once-files-of-another-digest")
def test_the_files_hold_the_newest_digest_and_the_feed_all_papers(once: OnceFolder) -> None:
    once.configure(ALL)
    first = once.run()
    assert (first.sent, len(first.files)) == (1, 3)
    once.papers(1, 2, 3)
    once.run(NOW + DAY)
    html = once.folder.joinpath("out", "digest.html").read_text()
    lines = once.folder.joinpath("digest.md").read_text().splitlines()
    assert "Counting 3 bees" in html
    assert "Counting 1 bees" not in html
    assert lines[0] == "# Trending papers, Saturday 31 January 2026"
    assert lines[4] == "## 1\\. [Counting 3 bees](<https://arxiv.org/abs/2601.00003>)"
    feed = etree.parse(once.folder / "digest.xml")
    assert GRAMMAR.validate(feed), GRAMMAR.error_log
    titles = feed.xpath("//a:entry/a:title/text()", namespaces=ATOM)
    assert titles[0] == "Counting 3 bees"
    assert sorted(titles) == [f"Counting {n} bees" for n in (1, 2, 3)]


def test_markdown_tells_what_rose_and_what_was_withdrawn_too() -> None:
    rose = LeftOutPaper(title="Kites", url="https://arxiv.org/abs/2601.00007", votes=9)
    gone = WithdrawnPaper(title="A *kite*", url="")
    text = digest_markdown(view(1, risen=(rose,), withdrawn=(gone,))).decode()
    assert (
        "## Left out of your digests, but popular later\n\n- [Kites](<https://arxiv.org/abs/"
        in text
    )
    assert "## Withdrawn since we sent it:\n\n- A \\*kite\\*\n" in text


@pytest.mark.accept("F58", part="files")
def test_the_feed_names_papers_the_same_every_day_and_leads_to_no_site(once: OnceFolder) -> None:
    once.configure(ALL)
    once.run()
    ids = "//a:id/text()"
    before = etree.parse(once.folder / "digest.xml").xpath(ids, namespaces=ATOM)
    once.run(NOW + DAY)
    after = etree.parse(once.folder / "digest.xml").xpath(ids, namespaces=ATOM)
    assert before == after
    assert all(one.startswith("urn:uuid:") for one in after)
    assert b"127.0.0.1" not in b"".join(content_of(once.folder / "out").values())
    assert "127.0.0.1" not in (once.folder / "digest.xml").read_text()


@pytest.mark.accept("F58", part="files")
def test_files_that_are_gone_are_made_again_by_a_run_that_sends_nothing(once: OnceFolder) -> None:
    once.configure(ALL)
    once.run()
    written = once.folder.joinpath("digest.md").read_bytes()
    once.folder.joinpath("digest.md").unlink()
    assert once.run(NOW + timedelta(hours=1)).sent == 0
    assert once.folder.joinpath("digest.md").read_bytes() == written


@pytest.mark.accept("F58", part="dry run", mutant="once-tries-in-the-state")
def test_a_dry_run_writes_the_files_and_marks_nothing(once: OnceFolder) -> None:
    with SmtpSink() as sink:
        once.configure(f"email = 'ada@lab.example.org'\n{ALL}", settings=f"smtp_url = '{sink.url}'")
        tried = once.run(is_trial=True)
        assert len(tried.files) == 3
        assert not once.state.exists()
        once.run()
        kept = content_of(once.state)
        once.papers(1, 2, 3)
        again = once.run(NOW + DAY, is_trial=True)
        assert again.papers == 1
        assert content_of(once.state) == kept
        assert len(sink.messages) == 1
        assert "Counting 3 bees" in once.folder.joinpath("digest.md").read_text()


def test_a_day_without_papers_leaves_the_files_as_they_are(once: OnceFolder) -> None:
    once.configure(ALL)
    once.run()
    before = once.folder.joinpath("digest.md").read_bytes()
    once.folder.joinpath("papers.jsonl").unlink()
    report = once.run(NOW + DAY)
    assert report.trouble == "no papers could be read"
    assert once.folder.joinpath("digest.md").read_bytes() == before
