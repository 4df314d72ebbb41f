"""How much of an abstract leaves the house in mails, previews and trials: what its feed allows."""

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.digests.compose import ARXIV_THANKS
from paperround.digests.render.composer import MailRenderer
from paperround.papers.model import Show
from paperround.papers.store.papers import PaperStore
from paperround.plugins.demo.trial import digest_view, every_candidate
from paperround.self_service.preview import DigestPreviewer
from tests.digests.messages import sender_identity
from tests.digests.reading import modern_parts
from tests.fakes import NewestFirst, PlainRenderer
from tests.sample_database import IDENTITY, NOW, fill, record

FIRST = "We count how often things are counted in many places."
BETWEEN = f"{FIRST} " * 8
REST = f"Then more of it follows{' and follows' * 40}."
"""Longer than any gist."""
SHOWN = [(Show.FULL, True), (Show.GIST, True), (Show.LINK, False)]
"""A mail shows the gist at most."""


@pytest.mark.accept("F51", part="mail and preview")
@pytest.mark.parametrize(("show", "first"), SHOWN)
def test_a_mail_shows_the_gist_at_most_and_of_a_link_nothing(
    database: SqlDatabase, show: Show, first: bool
) -> None:
    one = record(1, abstract=f"{FIRST} {BETWEEN} {REST}", licence="CC-BY-4.0", show=show)
    fill(database, [one])
    with database.reading() as work:
        (id_,) = work[PaperStore].find([("arxiv", "2601.00001")]).values()
        assert work[PaperStore].load([id_])[id_].licence == "CC-BY-4.0"
    made = DigestPreviewer(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        sender_identity=sender_identity(),
        renderer=PlainRenderer(),
    ).preview("trending", now=NOW)
    assert made.mail is not None
    for part in modern_parts(MailRenderer(sender_identity()).compose(made.mail)):
        flat = " ".join(part.split())
        assert (FIRST in flat, REST in flat) == (first, False)
        assert ARXIV_THANKS in flat


@pytest.mark.accept("F51", part="try")
@pytest.mark.parametrize(("show", "first"), SHOWN)
def test_a_trial_shows_no_more_than_a_mail(database: SqlDatabase, show: Show, first: bool) -> None:
    fill(database, [record(1, abstract=f"{FIRST} {BETWEEN} {REST}", show=show)])
    candidates = every_candidate(database, now=NOW)
    view = digest_view(
        NewestFirst().rank(candidates, background=(), as_of=NOW, submitter_cap=0),
        title="Counting",
        limit=5,
        sender_identity=sender_identity(),
        now=NOW,
    )
    words = MailRenderer(sender_identity()).render(view)
    for part in (words.text, words.html):
        flat = " ".join(part.split())
        assert (FIRST in flat, REST in flat) == (first, False)
