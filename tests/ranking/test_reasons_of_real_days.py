"""Ten real days over again: every reason in a mail is of a kind that readers are told."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from paperround.core.i18n.locale import locale_for
from paperround.core.times import midnight_utc
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.digests.compose import digest_view, edition_content
from paperround.digests.model import DigestPaper
from paperround.digests.render.composer import MailRenderer
from paperround.editions.labels import localized_authors
from paperround.editions.model import Candidate, DigestKind, Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.evaluate.papers import read_days, votes
from paperround.papers.model import PaperId
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.models import FinalVotes, TrainingBatch
from paperround.ranking.prior import training
from paperround.ranking.stop_words import may_join, stands_alone
from paperround.ranking.trending import TrendingRanker
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english
from tests.databases import opened
from tests.digests.messages import sender_identity
from tests.ranking.ranked_papers import occurs
from tests.ranking.real_days import MAIL_ALONE, Polls, Replay, polls_between
from tests.sample_database import deliveries_of, subscribe

FIRST, LAST = date(2025, 12, 1), date(2025, 12, 12)
"""Two working weeks: ten days with papers."""
EARLIER = date(2025, 11, 17)
"""Papers from here on are known when the first day begins."""
LEARNED_FROM = date(2025, 9, 15)

WISHES = {
    "ada": (),
    "topics": (Interest(InterestKind.TOPIC, "agents"), Interest(InterestKind.TOPIC, "video")),
    "search": (Interest(InterestKind.KEYWORD, "diffusion OR (graph network)"),),
    "category": (Interest(InterestKind.CATEGORY, "cs.CL"),),
    "saver": (),
    "giver": (
        Interest(InterestKind.SEED, "A Survey of Vision-Language-Action Models"),
        Interest(InterestKind.SEED, "Video generation with diffusion transformers"),
    ),
}
SAVED = 4
"""Papers that the saver saves of their first digest."""

LONGEST_LINE = 140
BACKGROUND = 3000
RISING = {
    "3D geometry",
    "4DGS",
    "Qwen3-VL",
    "camera-controlled video",
    "dynamic scenes",
    "video generation",
}
VOTES = r"\d[\d,]* votes?"
DATE = r"\d\d? [A-Z][a-z]{2}"
LISTED = r"(?:new|first seen) today|(?:listed|first seen) (?:yesterday|\d+ days? ago)"
ALLOWED = {
    "votes": rf"{VOTES}(?: \(as of {DATE}\)|, [\d,]+ since yesterday"
    rf"|(?:, [\d,]+ of them within| in) \d+ (?:hour|day)s?"
    rf"| in its first (?:\d+ )?hours?, listed {DATE}|, (?:{LISTED}))",
    "risen": rf"Rose since [A-Za-z]+: {VOTES}(?:, [\d,]+ new)?",
    "rising topic": r"Rising topic: “(?P<term>[^”]+)”",
    "author": r"(?:By (?P<followed>.+), whom you follow"
    r"|From (?P<popular>.+), whose papers are often popular here)",
    "followed": r"On your topic “.+”|In \S+, which you follow|Related to “.+”, which you follow",
    "search": r"Matches your search “.+?”(?:: “.+)?",
    "near saved": r"Similar to “(?P<title>.+?)…?”, which you (?P<relation>saved|liked|added): "
    r"also about (?P<about>.+)",
}


def read_at_once(polls: Polls, *, until: datetime) -> Polls:
    """As if all papers of before were read at once, with their last counts of that time."""
    before = {row["id"]: row for at in sorted(polls) if at <= until for row in polls[at]}
    return {until: list(before.values())} | {at: rows for at, rows in polls.items() if at > until}


def without_half_of_the_votes(polls: Polls) -> Polls:
    """As if a feed told no votes of half of the papers: then other reasons are looked for."""
    return {
        at: [
            {key: value for key, value in row.items() if key != "upvotes" or _is_odd(row["id"])}
            for row in rows
        ]
        for at, rows in polls.items()
    }


def _is_odd(identifier: str) -> bool:
    return int(identifier[-1]) % 2 == 1


def ranker_of(folder: Path) -> TrendingRanker:
    """It learned of the months before."""
    days = read_days([folder / "papers.jsonl.gz"], [folder / "upvote_snapshots.jsonl.gz"])
    known = {day: listed for day, listed in days.items() if LEARNED_FROM <= day < FIRST}
    cohorts = [
        TrainingBatch(
            day=day,
            feed=None,
            settled=tuple(
                FinalVotes(paper=one.paper, votes=count)
                for one in listed
                if (count := votes(one.afternoon)) is not None
            ),
        )
        for day, listed in known.items()
    ]
    model = training.fit([one for one in cohorts if one.settled])
    assert model is not None
    return TrendingRanker(prior=model.prior, popular_author=model.popular_author)


def followed_authors(polls: Polls) -> tuple[Interest, ...]:
    """The last authors of long lists, who are not among those that are shown."""
    long = [row["authors"] for rows in polls.values() for row in rows if len(row["authors"]) > 9]
    names = dict.fromkeys(authors[-1] for authors in long)
    return tuple(Interest(InterestKind.AUTHOR, name) for name in list(names)[:40])


@pytest.fixture(scope="module")
def mails(
    real_data: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[tuple[DigestPaper, str]]]:
    """Every paper of every mail, with the words of the mail."""
    folder = real_data / "hf_daily_papers"
    polls = without_half_of_the_votes(
        read_at_once(polls_between(folder, EARLIER, LAST), until=midnight_utc(FIRST))
    )
    path = tmp_path_factory.mktemp("replay") / "paperround.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=midnight_utc(FIRST))
        wishes = WISHES | {"author": followed_authors(polls)}
        subscribe(database, *wishes)
        with database.writing() as work:
            for person, _ in work[SubscriberStore].export(work[ListStore].get("trending").id):
                name = person.address.partition("@")[0]
                work[SubscriberStore].set_interests(
                    person.id, wishes[name], now=midnight_utc(FIRST)
                )
        replay = Replay(database, ranker_of(folder), PersonalRanking())
        replay.run(FIRST, FIRST, polls, hours=MAIL_ALONE)
        save_papers(database, replay.editions[-1])
        later = {at: rows for at, rows in polls.items() if at > replay.editions[-1].as_of}
        replay.run(FIRST + timedelta(days=1), LAST, later, hours=MAIL_ALONE)
        yield list(_mailed(database))


def save_papers(database: SqlDatabase, edition: Edition) -> None:
    """Let the saver press "save" under the first papers of a digest."""
    with database.writing() as work:
        people = work[SubscriberStore].export(edition.list_id)
        [saver] = [one.id for one, _ in people if one.address.startswith("saver@")]
        for paper in edition.papers[:SAVED]:
            work[SubscriberStore].give_feedback(
                saver, paper.paper_id, "save", now=edition.frozen_at
            )


@pytest.fixture(scope="module")
def texts(real_data: Path) -> dict[str, str]:
    """Title and abstract of every paper, by title."""
    days = read_days([real_data / "hf_daily_papers" / "papers.jsonl.gz"], [])
    papers = [one.paper for listed in days.values() for one in listed]
    return {one.title: f"{one.title} | {one.abstract}" for one in papers}


def _mailed(database: SqlDatabase) -> Iterator[tuple[DigestPaper, str]]:
    renderer = MailRenderer(sender_identity())
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        for person, _ in work[SubscriberStore].export(trending.id):
            for row in deliveries_of(work, person.id, limit=1000):
                slip = work[Ledger].find(trending.id, person.id, DigestKind.DIGEST, row.local_date)
                if slip is None or not slip.positions:
                    continue
                sheet = edition_content(
                    work[EditionStore].get(slip.edition_id), "Trending", sender_identity()
                )
                view = digest_view(sheet, slip, "x" * 40)
                text = renderer.render(view).text
                for paper in view.papers:
                    yield replace(paper, reason=english(paper.reason)), text


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days", mutant="a-count-reads-like-a-deadline")
def test_every_reason_is_of_an_allowed_kind(mails: list[tuple[DigestPaper, str]]) -> None:
    kinds = dict.fromkeys((*ALLOWED, ""), 0)
    for paper, _ in mails:
        kind = next((k for k, form in ALLOWED.items() if re.fullmatch(form, paper.reason)), "")
        assert kind or not paper.reason, paper.reason
        kinds[kind] += 1
    assert len(mails) > 500
    expected = ("votes", "author", "followed", "search", "near saved")
    assert all(kinds[kind] for kind in expected), kinds


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days")
def test_every_reason_is_one_short_line_in_sentence_case(
    mails: list[tuple[DigestPaper, str]],
) -> None:
    reasons = {paper.reason for paper, _ in mails if paper.reason}
    for reason in reasons:
        assert len(reason) <= LONGEST_LINE, reason
        assert reason[0].isupper() or reason[0].isdigit(), reason
        assert not re.search(r"\d times|[\[\]{}_=]|\n", reason), reason


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days")
def test_what_two_papers_have_in_common_is_a_topic_that_stands_in_both(
    mails: list[tuple[DigestPaper, str]], texts: dict[str, str]
) -> None:
    near = [
        (paper, found)
        for paper, _ in mails
        if (found := re.fullmatch(ALLOWED["near saved"], paper.reason))
    ]
    assert {found["relation"] for _, found in near} == {"saved", "added"}
    for paper, found in near:
        words = found["about"].split()
        assert occurs(found["about"], texts[paper.title])
        assert all(may_join(word.lower()) for word in words), found["about"]
        assert len(words) > 1 or stands_alone(words[0].lower()), found["about"]
        if found["relation"] == "saved":
            saved = (text for title, text in texts.items() if title.startswith(found["title"]))
            assert any(occurs(found["about"], text) for text in saved)


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days", mutant="a-followed-author-is-not-shown")
def test_every_author_a_reason_names_is_shown(mails: list[tuple[DigestPaper, str]]) -> None:
    named = 0
    for paper, _ in mails:
        found = re.fullmatch(ALLOWED["author"], paper.reason)
        if found is not None:
            named += 1
            assert (found["followed"] or found["popular"]) in localized_authors(
                locale_for(), paper.authors
            )
    assert named > 5


@pytest.fixture(scope="module")
def rising(real_data: Path) -> dict[str, set[str]]:
    """The titles that each rising topic of these days stands under, where no votes are known."""
    days = read_days([real_data / "hf_daily_papers" / "papers.jsonl.gz"], [])
    found: dict[str, set[str]] = defaultdict(set)
    for day in (one for one in days if FIRST <= one <= LAST):
        week = timedelta(days=7)
        recent = [
            one.paper for on, listed in days.items() if day - week <= on <= day for one in listed
        ]
        before = [one.paper for on, listed in days.items() if on < day - week for one in listed]
        ranking = TrendingRanker().rank(
            [Candidate(paper=replace(one, id=PaperId(n))) for n, one in enumerate(recent)],
            background=[f"{one.title} . {one.abstract}" for one in before[-BACKGROUND:]],
            as_of=midnight_utc(day) + timedelta(days=1),
            submitter_cap=0,
        )
        for item in ranking.items:
            told = re.fullmatch(ALLOWED["rising topic"], english(item.reason))
            assert bool(told) == bool(item.reason), item.reason
            if told:
                found[told["term"]].add(item.paper.title)
    return found


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days", mutant="a-topic-is-a-stop-word")
def test_a_rising_topic_is_of_telling_words_and_stands_in_its_title(
    rising: dict[str, set[str]],
) -> None:
    assert rising
    for term, titles in rising.items():
        assert all(occurs(term, title) for title in titles)
        assert all(may_join(word.lower()) and len(word) > 1 for word in term.split()), term


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days")
def test_the_rising_topics_of_ten_days_are_names_and_things(rising: dict[str, set[str]]) -> None:
    """Beside them "temporal", "stability" and "local" were as suddenly frequent."""
    assert set(rising) == RISING


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days")
def test_no_mail_holds_a_formula(mails: list[tuple[DigestPaper, str]]) -> None:
    for _, text in mails:
        assert not re.search(r"^ *Score|times the usual|burst:", text, re.MULTILINE)
