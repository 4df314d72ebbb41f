"""Ten real days over again: every reason in a mail is of a kind that readers are told."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
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
from paperround.editions.model import DigestKind
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.evaluate.papers import read_days, votes
from paperround.ranking.models import FinalVotes, TrainingBatch
from paperround.ranking.prior import training
from paperround.ranking.stop_words import may_join
from paperround.ranking.trending import TrendingRanker
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english
from tests.databases import opened
from tests.digests.messages import sender_identity
from tests.ranking.ranked_papers import occurs
from tests.ranking.real_days import Polls, Replay, polls_between
from tests.sample_database import deliveries_of, subscribe

FIRST, LAST = date(2026, 1, 19), date(2026, 1, 30)
"""Two working weeks: ten days with papers."""
EARLIER = date(2026, 1, 5)
"""Papers from here on are known when the first day begins."""
LEARNED_FROM = date(2025, 11, 1)

WISHES = {
    "ada": (),
    "topics": (Interest(InterestKind.TOPIC, "agents"), Interest(InterestKind.TOPIC, "video")),
    "search": (Interest(InterestKind.KEYWORD, "diffusion OR (graph network)"),),
    "category": (Interest(InterestKind.CATEGORY, "cs.CL"),),
}

VOTES = r"\d[\d,]* votes?"
DAY = r"\d\d? [A-Z][a-z]{2}"
LISTED = r"(?:new|first seen) today|(?:listed|first seen) (?:yesterday|\d+ days? ago)"
ALLOWED = {
    "votes": rf"{VOTES}(?: \(as of {DAY}\)|(?:, [\d,]+)? (?:since yesterday|in \d+ \w+)"
    rf"| in its first (?:\d+ )?hours?, listed {DAY}|, (?:{LISTED}))",
    "risen": rf"rose since [A-Za-z]+: {VOTES}(?:, [\d,]+ new)?",
    "rising topic": r"rising topic: “(?P<term>[^”]+)”",
    "author": r"(?:by (?P<followed>.+), whom you follow"
    r"|from (?P<popular>.+), whose papers are often popular here)",
    "followed": r"your topic “.+”|in \S+, which you follow",
    "search": r"your search “.+”(?: found .+)?",
}


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
    polls = without_half_of_the_votes(polls_between(folder, EARLIER, LAST))
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
        replay = Replay(database, ranker_of(folder))
        replay.run(FIRST, LAST, polls)
        yield list(_mailed(database))


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
    assert all(kinds[kind] for kind in ("votes", "rising topic", "author", "followed", "search"))


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


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days", mutant="a-topic-is-a-stop-word")
def test_a_rising_topic_is_of_telling_words_and_stands_in_its_title(
    mails: list[tuple[DigestPaper, str]],
) -> None:
    terms = {
        (found["term"], paper.title)
        for paper, _ in mails
        if (found := re.fullmatch(ALLOWED["rising topic"], paper.reason))
    }
    assert terms
    for term, title in terms:
        assert occurs(term, title)
        assert all(may_join(word) and len(word) > 2 for word in term.split()), term


@pytest.mark.slow
@pytest.mark.accept("Q17", part="ten real days")
def test_no_mail_holds_a_formula(mails: list[tuple[DigestPaper, str]]) -> None:
    for _, text in mails:
        assert not re.search(r"^ *Score|times the usual|burst:", text, re.MULTILINE)
