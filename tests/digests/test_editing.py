"""Editions that are held, what an editor changes of them, and what readers then get."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest

from paperround.access.store import AuditStore
from paperround.core.clock import FixedClock
from paperround.core.errors import InvalidInput, NotFound
from paperround.db.transactions import SqlDatabase
from paperround.digests import editing
from paperround.digests.build import BuildContext, DigestReader, build
from paperround.digests.cancel import cancel
from paperround.digests.editing import EditionRef, set_hold
from paperround.digests.pages import edition_page, front_page
from paperround.digests.publish import freeze_cuts
from paperround.digests.sending import deliver
from paperround.editions.model import Edition, EditionState
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import Batches, post
from tests.digests.planning import DAY, HOUR, MINUTE, SEVEN, at, days, history, plan
from tests.digests.publishing import mailed, titles
from tests.fakes import NewestFirst
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

HELD = EditionRef(list_name="trending")
EDITOR = "operator 3"
TODAY = SEVEN.date()
SIX = at(6)
"""The cut before the digest of seven."""


def a_morning(database: SqlDatabase, *names: str, hold: int = 120) -> None:
    """Papers and readers of the day before, and editions that are held."""
    fill(database, [record(number) for number in range(1, 9)])
    subscribe(database, *(names or ("ada",)))
    plan(database, NOW + MINUTE)
    set_hold(database, "trending", hold, by=EDITOR, now=NOW)


def freeze_at(database: SqlDatabase, now: datetime = SIX) -> Edition | None:
    frozen = freeze_cuts(database=database, ranker=NewestFirst(), now=now)
    return frozen[0] if frozen else None


def held_morning(database: SqlDatabase, *names: str, hold: int = 120) -> Edition:
    a_morning(database, *names, hold=hold)
    edition = freeze_at(database)
    assert edition is not None
    return edition


def drop(database: SqlDatabase, paper: int, *, now: datetime = SIX, undo: bool = False) -> Edition:
    return editing.drop(database, HELD, str(paper), by=EDITOR, now=now, undo=undo)


def pin(database: SqlDatabase, paper: int, *, now: datetime = SIX, undo: bool = False) -> Edition:
    return editing.choose(database, HELD, str(paper), by=EDITOR, now=now, undo=undo)


def note(database: SqlDatabase, text: str, paper: int | None = None) -> Edition:
    named = None if paper is None else str(paper)
    return editing.add_note(database, HELD, text, by=EDITOR, now=SIX, paper=named)


def approve(database: SqlDatabase, now: datetime) -> Edition:
    return editing.approve(database, HELD, by=EDITOR, now=now)


def ids(edition: Edition) -> list[int]:
    return [one.paper_id for one in edition.papers]


def audited(database: SqlDatabase) -> list[tuple[str, str, str]]:
    with database.reading() as work:
        found = work[AuditStore].page(before=None, limit=50)
    return [(one.actor, one.action, one.target) for one in found][::-1]


# --- holding -----------------------------------------------------------------------------------


@pytest.mark.accept("F55", part="hold", mutant="a-held-edition-is-planned")
def test_a_reader_waits_for_a_held_edition_and_gets_it_when_the_hold_ends(
    database: SqlDatabase,
) -> None:
    held = held_morning(database)
    assert held.held_until == SIX + 2 * HOUR
    assert plan(database, SEVEN).waiting == 1
    assert plan(database, SIX + 2 * HOUR - MINUTE).planned == 0
    assert plan(database, SIX + 2 * HOUR).planned == 1
    assert days(database)[-1] == (TODAY, "queued", "")


@pytest.mark.accept("F55", part="hold")
def test_an_approved_edition_goes_at_once_and_a_reader_of_later_gets_it_at_their_hour(
    database: SqlDatabase,
) -> None:
    held_morning(database)
    went = approve(database, SIX + MINUTE)
    assert (went.held_until, went.released_at) == (None, SIX + MINUTE)
    assert plan(database, SEVEN - MINUTE).planned == 0
    assert plan(database, SEVEN).planned == 1
    assert history(database)[-1].due_at == SEVEN


@pytest.mark.accept("F55", part="hold", mutant="a-long-hold-costs-the-digest")
def test_a_hold_longer_than_a_readers_wait_means_the_edition_when_it_goes(
    database: SqlDatabase,
) -> None:
    a_morning(database, hold=0)
    assert freeze_at(database, at(0)) is not None
    set_hold(database, "trending", 12 * 60, by=EDITOR, now=at(1))
    held = freeze_at(database)
    assert held is not None
    for cut in (12, 18):
        freeze_at(database, at(cut))
        assert plan(database, at(cut) - MINUTE).planned == 0
    late = SIX + 12 * HOUR
    report = plan(database, late)
    assert (report.planned, report.missed) == (1, {})
    sent = history(database)[-1]
    assert (sent.edition_id, sent.local_date, sent.due_at) == (held.id, TODAY, late)


@pytest.mark.accept("F55", part="hold", mutant="a-held-digest-expires-early")
def test_the_life_of_a_digest_counts_from_the_end_of_the_hold(database: SqlDatabase) -> None:
    held_morning(database, hold=12 * 60)
    after_all = SIX + 12 * HOUR + 19 * HOUR
    report = plan(database, after_all)
    assert report.missed == {}
    assert days(database)[-2][:2] == (TODAY, "queued")


@pytest.mark.accept("F55", part="hold", mutant="a-hold-past-midnight-skips-a-day")
def test_a_hold_past_midnight_costs_nobody_the_next_day(database: SqlDatabase) -> None:
    fill(database, [record(number) for number in range(1, 40)])
    subscribe(database, "ada", wish=Preferences(hour=22, size=3))
    plan(database, NOW)
    set_hold(database, "trending", 6 * 60, by=EDITOR, now=NOW)
    start = at(18, 30)
    for hours in range(3 * 24 + 1):
        freeze_at(database, start + hours * HOUR)
        plan(database, start + hours * HOUR)
    assert [day for day, _, _ in days(database)] == [start.date() + n * DAY for n in range(3)]
    assert "missed" not in [reason for _, _, reason in days(database)]


@pytest.mark.accept("F55", part="hold")
def test_waiting_for_an_editor_is_no_alarm(database: SqlDatabase) -> None:
    held_morning(database, hold=240)
    assert plan(database, SEVEN + HOUR).late == 0


@pytest.mark.accept("F55", part="hold")
def test_a_list_without_a_hold_goes_as_before(database: SqlDatabase) -> None:
    went = held_morning(database, hold=0)
    assert (went.held_until, went.released_at) == (None, None)
    assert plan(database, SEVEN).planned == 1


@pytest.mark.accept("F55", part="hold")
@pytest.mark.parametrize("minutes", [-1, 721])
def test_a_hold_is_at_most_twelve_hours(database: SqlDatabase, minutes: int) -> None:
    with pytest.raises(InvalidInput, match="0 to 720 minutes"):
        set_hold(database, "trending", minutes, by=EDITOR, now=NOW)


@pytest.mark.accept("F55", part="hold")
def test_a_cancelled_edition_is_not_approved(database: SqlDatabase) -> None:
    held = held_morning(database)
    cancel(database, "trending", day=held.day, cut=held.cut, now=SIX)
    ref = EditionRef(list_name="trending", day=held.day, cut=held.cut)
    with pytest.raises(InvalidInput, match="was cancelled"):
        editing.approve(database, ref, by=EDITOR, now=SIX)


@pytest.mark.accept(
    "F55", part="seen by readers only when it goes", mutant="a-held-edition-is-public"
)
def test_readers_do_not_see_an_edition_while_it_is_held(database: SqlDatabase) -> None:
    held = held_morning(database)
    with pytest.raises(NotFound):
        edition_page(database, "trending", held.day, held.cut)
    before = front_page(database, now=SIX)
    assert before is not None
    assert before.edition is None
    approve(database, SIX)
    assert edition_page(database, "trending", held.day, held.cut).edition.id == held.id
    shown = front_page(database, now=SIX)
    assert shown is not None
    assert shown.edition is not None
    assert shown.edition.id == held.id


# --- changing ----------------------------------------------------------------------------------


@pytest.mark.accept("F55", part="drop", mutant="a-dropped-paper-is-sent")
def test_a_dropped_paper_is_in_no_digest_and_the_page_says_so(database: SqlDatabase) -> None:
    held = held_morning(database)
    first = held.papers[0]
    assert first.paper_id not in ids(drop(database, first.paper_id))
    approve(database, SIX)
    plan(database, SEVEN)
    assert first.title not in titles(mailed(database, "ada", TODAY))
    page = edition_page(database, "trending", held.day, held.cut)
    assert [one.paper_id for one in page.edition.dropped] == [first.paper_id]


@pytest.mark.accept("F55", part="drop", mutant="a-dropped-paper-comes-in-a-roundup")
@pytest.mark.parametrize("frequency", [Frequency.WEEKLY, Frequency.MONTHLY])
def test_a_dropped_paper_is_not_in_a_weekly_or_monthly_digest_of_that_edition(
    database: SqlDatabase, frequency: Frequency
) -> None:
    held = held_morning(database)
    drop(database, held.papers[0].paper_id)
    weekday = "sat" if frequency is Frequency.WEEKLY else None
    subscribe(database, "weekly", wish=Preferences(frequency=frequency, weekday=weekday))
    approve(database, SIX)
    day = TODAY if frequency is Frequency.WEEKLY else TODAY + DAY
    sent = papers_of(database, "weekly", held, day)
    assert {*sent} == {*ids(held)[1:]}


def papers_of(database: SqlDatabase, name: str, edition: Edition, day: date) -> Sequence[int]:
    """The papers that a reader's digest of the edition holds."""
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        people = {one.address: one for one, _ in work[SubscriberStore].export(trending.id)}
        person = people[f"{name}@example.org"]
        subscription = work[SubscriberStore].subscription(person.id, trending.id)
        assert subscription is not None
        one = DigestReader(subscription=subscription, day=day, due_at=SEVEN)
        now = work[EditionStore].get(edition.id)
        (row,) = build(work, BuildContext(identity=IDENTITY, now=SEVEN), now, trending, [one])
    assert not row.reason, row.reason
    return [paper for paper, _ in row.papers]


@pytest.mark.accept("F55", part="pin", mutant="a-pinned-paper-is-not-first")
@pytest.mark.accept("Q17", part="editor")
def test_a_pinned_paper_comes_first_and_says_who_chose_it(database: SqlDatabase) -> None:
    held = held_morning(database)
    last = held.papers[-1]
    pin(database, last.paper_id)
    approve(database, SIX)
    plan(database, SEVEN)
    view = mailed(database, "ada", TODAY)
    assert view.papers[0].title == last.title
    assert view.papers[0].reason == '["editor.chosen",{}]'
    assert [one.reason for one in view.papers[1:] if "editor" in one.reason] == []
    page = edition_page(database, "trending", held.day, held.cut)
    assert page.digest[0].section == "chosen"
    assert page.digest[0].items[0].paper.title == last.title


@pytest.mark.accept("F55", part="pin", mutant="a-pinned-paper-is-sent-twice")
def test_nobody_is_sent_a_pinned_paper_twice(database: SqlDatabase) -> None:
    held = held_morning(database)
    paper = held.papers[0]
    approve(database, SIX)
    plan(database, SEVEN)
    deliver(replace(post(database, Batches()), clock=FixedClock(SEVEN)))
    fill(database, [record(30)])
    freeze_at(database, SIX + DAY)
    pin(database, paper.paper_id, now=SIX + DAY)
    approve(database, SIX + DAY)
    plan(database, SEVEN + DAY)
    assert paper.title not in titles(mailed(database, "ada", TODAY + DAY))


@pytest.mark.accept("F55", part="pin", mutant="a-pin-overrides-a-mute")
def test_a_reader_does_not_get_a_pinned_paper_that_they_muted(database: SqlDatabase) -> None:
    a_morning(database, "ada", "alan")
    fill(database, [record(30, title="Quantum annealing"), record(31)])
    mute = Interest(InterestKind.MUTE, "quantum annealing")
    with database.writing() as work:
        store, trending = work[SubscriberStore], work[ListStore].get("trending")
        people = {one.address: one.id for one, _ in store.export(trending.id)}
        store.set_interests(people["ada@example.org"], [mute], now=NOW)
    held = freeze_at(database)
    assert held is not None
    quantum = next(one for one in held.papers if one.title == "Quantum annealing")
    pin(database, quantum.paper_id)
    assert quantum.paper_id not in papers_of(database, "ada", held, TODAY)
    assert papers_of(database, "alan", held, TODAY)[0] == quantum.paper_id


@pytest.mark.accept("F55", part="pin")
def test_any_paper_known_here_can_be_pinned(database: SqlDatabase) -> None:
    fill(database, [record(77, listed_on=(NOW - 40 * DAY).date())], now=NOW - 40 * DAY)
    held = held_morning(database)
    assert record(77).title not in [one.title for one in held.papers]
    edition = editing.choose(database, HELD, "2601.00077", by=EDITOR, now=SIX)
    assert edition.papers[0].title == record(77).title
    assert edition.papers[0].position == 900_000
    approve(database, SIX)
    plan(database, SEVEN)
    assert titles(mailed(database, "ada", TODAY))[0] == record(77).title


@pytest.mark.accept("F55", part="note")
def test_notes_are_in_the_digest_and_on_the_page(database: SqlDatabase) -> None:
    held = held_morning(database)
    note(database, "Read both.")
    note(database, "Wrong in figure 2.", held.papers[1].paper_id)
    approve(database, SIX)
    plan(database, SEVEN)
    view = mailed(database, "ada", TODAY)
    assert view.note == "Read both."
    assert [one.note for one in view.papers if one.note] == ["Wrong in figure 2."]
    page = edition_page(database, "trending", held.day, held.cut)
    assert page.edition.edits.note == "Read both."


@pytest.mark.accept("F55", part="note")
@pytest.mark.parametrize("text", ["two\nlines", "x" * 301])
def test_a_note_is_one_line(database: SqlDatabase, text: str) -> None:
    held_morning(database)
    with pytest.raises(InvalidInput, match="one line of at most 300"):
        note(database, text)


@pytest.mark.accept("F55", part="undo")
def test_every_change_can_be_taken_back(database: SqlDatabase) -> None:
    held = held_morning(database)
    first, last = held.papers[0].paper_id, held.papers[-1].paper_id
    drop(database, first)
    pin(database, last)
    note(database, "Read both.")
    note(database, "Wrong in figure 2.", last)
    drop(database, first, undo=True)
    pin(database, last, undo=True)
    edition = note(database, "")
    assert edition == held


@pytest.mark.accept("F55", part="undo")
def test_what_was_done_already_changes_nothing(database: SqlDatabase) -> None:
    held = held_morning(database)
    once = drop(database, held.papers[0].paper_id)
    count = len(audited(database))
    assert drop(database, held.papers[0].paper_id) == once
    assert pin(database, held.papers[1].paper_id, undo=True) == once
    assert note(database, "") == once
    assert len(audited(database)) == count


@pytest.mark.accept("F55", part="audit", mutant="a-pin-is-not-audited")
def test_every_change_is_audited(database: SqlDatabase) -> None:
    held = held_morning(database)
    drop(database, held.papers[0].paper_id)
    pin(database, held.papers[1].paper_id)
    note(database, "Read both.")
    approve(database, SIX)
    name = f"trending/{held.day}/{held.cut}"
    assert audited(database) == [
        (EDITOR, "set hold", "trending"),
        (EDITOR, "drop paper", name),
        (EDITOR, "pin paper", name),
        (EDITOR, "add note", name),
        (EDITOR, "approve edition", name),
    ]


@pytest.mark.parametrize(
    "link",
    ["http://lab.example/p/4", "http://lab.example/p/4#abstract", "https://doi.org/10.1000/xyz"],
)
def test_a_paper_is_named_by_the_link_of_its_email(database: SqlDatabase, link: str) -> None:
    fill(database, [record(20, identifiers={"url": "http://lab.example/p/4"})])
    fill(database, [record(21, identifiers={"doi": "10.1000/xyz"})])
    held_morning(database)
    first = editing.choose(database, HELD, link, by=EDITOR, now=SIX).papers[0]
    assert first.title == ("Paper 21" if "doi" in link else "Paper 20")
    editing.choose(database, HELD, link, by=EDITOR, now=SIX, undo=True)
    assert first.paper_id not in ids(editing.drop(database, HELD, link, by=EDITOR, now=SIX))


@pytest.mark.accept("F55", part="only while held", mutant="an-edition-that-is-out-is-changed")
def test_an_edition_that_is_out_is_not_changed_any_more(database: SqlDatabase) -> None:
    held = held_morning(database)
    ref = EditionRef(list_name="trending", day=held.day, cut=held.cut)
    for now, approved in ((SIX + 2 * HOUR, False), (SIX + MINUTE, True)):
        if approved:
            approve(database, SIX)
        paper = str(held.papers[0].paper_id)
        with pytest.raises(InvalidInput, match="was released"):
            editing.drop(database, ref, paper, by=EDITOR, now=now)
        with pytest.raises(InvalidInput, match="was released"):
            editing.add_note(database, ref, "Too late.", by=EDITOR, now=now)
    with database.reading() as work:
        assert work[EditionStore].get(held.id).papers == held.papers


@pytest.mark.accept("F55", part="only while held")
def test_what_cannot_be_says_why(database: SqlDatabase) -> None:
    held = held_morning(database)
    papers = ids(held)
    pin(database, papers[1])
    with pytest.raises(InvalidInput, match="was chosen by an editor"):
        drop(database, papers[1])
    drop(database, papers[0])
    with pytest.raises(InvalidInput, match="was dropped"):
        pin(database, papers[0])
    with pytest.raises(NotFound):
        drop(database, 4711)
    for paper in papers[2:]:
        drop(database, paper)
    pin(database, papers[1], undo=True)
    with pytest.raises(InvalidInput, match="needs at least one paper"):
        drop(database, papers[1])


@pytest.mark.accept("F55", part="hold")
def test_a_held_edition_is_frozen_once(database: SqlDatabase) -> None:
    held_morning(database)
    assert freeze_at(database, SIX + MINUTE) is None
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        found = work[EditionStore].newest(trending.id, by=SIX, with_held=True)
    assert found is not None
    assert found.state is EditionState.FROZEN
