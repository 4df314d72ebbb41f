"""Real papers, real votes, a real SMTP conversation."""

import email
import email.policy
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.faults import SmtpSink
from tests.story.command_line import CommandLine

READERS = 200


@pytest.fixture(scope="module")
def seed(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    home = CommandLine(tmp_path_factory.mktemp("seed"))
    page = str(real_data / "seed" / "trending_papers_page.txt")
    assert home.json("ingest", "--file", page, "--now", "2026-01-30T07:00:00Z")["new"] == 119
    return home


@pytest.fixture(scope="module")
def archive(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Every paper and every count of the public archive."""
    home = CommandLine(tmp_path_factory.mktemp("archive"))
    folder = real_data / "hf_daily_papers"
    papers = home.json("ingest", "--file", str(folder / "papers.jsonl.gz"))
    assert (papers["new"], papers["rejects"]) == (8277, [])
    votes = home.json("ingest", "--file", str(folder / "upvote_snapshots.jsonl.gz"))
    assert votes["rejects"] == []
    assert votes["observations"] > 12_658
    return home


@pytest.mark.accept("F01", part="read again")
def test_the_seed_page_again_changes_nothing(seed: CommandLine, real_data: Path) -> None:
    page = str(real_data / "seed" / "trending_papers_page.txt")
    again = seed.json("ingest", "--file", page)
    assert (again["unchanged"], again["papers_total"]) == (119, 119)


@pytest.mark.accept("F11", part="no learned prior")
@pytest.mark.accept("Q9")
def test_every_position_of_the_seed_page_is_explained(seed: CommandLine) -> None:
    noon = ("--limit", "119", "--now", "2026-01-30T12:00:00Z")
    ranked = seed.json("rank", *noon)
    assert len(ranked["items"]) >= 115
    for item in ranked["items"]:
        assert item["score"] == round(sum(item["parts"].values()), 4)
        assert item["parts"]
    assert seed.json("rank", *noon)["items"] == ranked["items"]


@pytest.mark.accept("F10", part="a real day")
@pytest.mark.accept("F12", part="CLI")
def test_a_real_day_is_ranked_by_what_was_known_then(archive: CommandLine) -> None:
    ranked = archive.json("rank", "--date", "2026-01-28", "--limit", "50")
    again = archive.json("rank", "--date", "2026-01-28", "--limit", "50")
    assert ranked["items"] == again["items"]
    assert all("votes" in item["parts"] for item in ranked["items"][:12])
    early = archive.json("rank", "--date", "2026-01-28", "--now", "2026-01-28T01:00:00Z")
    assert early["items"] != ranked["items"][:20]


@pytest.mark.accept("F18", part="headers and parts")
@pytest.mark.accept("R2", part="a real day")
@pytest.mark.accept("R12", part="addresses of 200")
def test_a_real_day_is_delivered_to_two_hundred_readers(archive: CommandLine) -> None:
    people = archive.folder / "people.csv"
    rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(READERS)]
    people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
    archive.run("subscribers", "import", str(people))
    with SmtpSink() as sink:
        home = CommandLine(archive.folder, {"SMTP_URL": sink.url})
        sent = home.json("digest", "send", "--date", "2026-01-28")
        delivered = home.json("deliver", "--until-empty")
    assert (sent["planned"], delivered["sent"], delivered["queued"]) == (READERS, READERS, 0)
    assert Counter(one.recipients for one in sink.messages).most_common(1)[0][1] == 1
    for message in sink.messages:
        check_mail(parsed(message.content), message.recipients[0])
        others = [
            f"reader{n}@" for n in range(READERS) if f"reader{n}@" not in message.recipients[0]
        ]
        assert not any(other.encode() in message.content for other in others)


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def check_mail(message: EmailMessage, recipient: str) -> None:
    assert message["To"] == recipient
    assert message["Subject"].endswith(" papers, 28 Jan")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.get_content_type() == "multipart/alternative"
    for subtype in ("plain", "html"):
        part: Any = message.get_body((subtype,))
        words = " ".join(part.get_content().split())
        assert words.count("/unsubscribe/") >= 2
