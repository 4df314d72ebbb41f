"""Posts to channels: the same ledger and the same promises as for mail."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Engine

from paperround.bootstrap.workers import MAIL
from paperround.core.jobs import Job
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Outcome, Phase, Reply
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US, Pacing
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import PaceStore
from paperround.digests.plan import Hours, plan_due
from paperround.digests.sending import deliver
from paperround.editions.model import DeliveryId, DeliveryState
from paperround.editions.store.lists import ListStore
from paperround.ops.cluster import check_in
from paperround.ops.status import history_of
from paperround.plugins.channels.delivery import deliver_channels
from paperround.plugins.channels.job import POSTS
from paperround.plugins.channels.model import ChannelKind
from paperround.plugins.channels.store import ChannelStore, PostLedger
from tests.builders import lease
from tests.delivery.delivering import post
from tests.delivery.publishing import send
from tests.fakes import HERE, ScriptedMailer
from tests.http.faults import PATIENCE, Caller, page, says
from tests.plugins.channels.services import (
    SLACK,
    TAKES,
    WEBHOOK,
    Services,
    add,
    admin,
    last,
    later,
    post_room,
    services,
    silence,
    totals,
)
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

EACH_KIND = pytest.mark.parametrize("kind", list(ChannelKind))
REFUSED = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=Reply(550, "5.7.1", "no"))
BUSY = page(b"slow down", "Retry-After: 3600", status="429 Too Many Requests")


# --- asked for ---------------------------------------------------------------------------------


@pytest.mark.accept("F25", part="asked for by a scheduler")
def test_a_post_that_waits_is_asked_for_between_two_ticks(
    papers: SqlDatabase, engine: Engine, made: Services
) -> None:
    add(papers, made)
    send(papers)
    asked: list[Job] = []
    many = SqlDatabase(engine, ask=lambda _, jobs: asked.extend(jobs))
    assert check_in(many, HERE, (), MAIL, now=NOW)
    assert asked == []
    check_in(many, HERE, (), MAIL, now=NOW)
    assert POSTS.job in asked


# --- sent --------------------------------------------------------------------------------------


@pytest.mark.accept("F25", part="posted once")
@EACH_KIND
def test_an_edition_is_posted_once(papers: SqlDatabase, made: Services, kind: ChannelKind) -> None:
    channel = add(papers, made, kind)
    send(papers)
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 1
        assert deliver_channels(room).messages == 0
        send(papers)  # the same edition again plans only missing rows
        assert deliver_channels(room).messages == 0
    [posted] = made.posted()
    assert "Paper 1" in json.dumps(posted)
    assert totals(papers) == LedgerTotals(sent=1)
    assert last(papers, channel.id).sent_at == NOW


@pytest.mark.postgres
@pytest.mark.accept("F25", part="schedule")
def test_a_channel_is_posted_to_at_its_hour_like_anybody(
    papers: SqlDatabase, made: Services
) -> None:
    add(papers, made)
    add(papers, made, ChannelKind.DISCORD, at_once=True)
    send(papers)
    round_ = {"database": papers, "identity": IDENTITY, "hours": Hours(hour=9)}
    plan_due(**round_, now=NOW)  # type: ignore[arg-type]
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 2  # the manual edition is everybody's of that day
    assert [one["content"] for one in made.posted() if "content" in one]


def test_a_paper_is_never_posted_twice(papers: SqlDatabase, made: Services) -> None:
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
    fill(papers, [record(4)], NOW + timedelta(hours=20))
    send(papers, days=1)
    with post_room(papers, made) as room:
        deliver_channels(later(room, days=1))
    told = json.dumps(made.posted()[1])
    assert "Paper 4" in told
    assert "Paper 1" not in told
    assert len(last(papers, channel.id).positions) == 1


def test_mail_and_posts_leave_each_other_alone(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    subscribe(papers, "ada")
    send(papers)
    mails = post(papers)
    assert deliver(mails).totals == LedgerTotals(sent=1, queued=1)
    assert isinstance(mails.mailer, ScriptedMailer)
    assert [one.recipient for one in mails.mailer.offered] == ["ada@example.org"]
    assert made.server.requests == []
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 1
    assert totals(papers) == LedgerTotals(sent=2)


def test_posts_take_no_mail(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    subscribe(papers, "ada", "grace")
    send(papers)
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 1
    assert totals(papers) == LedgerTotals(sent=1, queued=2)


def test_a_post_in_hand_holds_up_no_mail_of_a_relay_that_is_tried_again(
    papers: SqlDatabase, made: Services
) -> None:
    add(papers, made)
    subscribe(papers, "ada")
    send(papers)
    after = NOW + timedelta(hours=1)  # the relay's rest is over
    with papers.writing() as work:
        work[PaceStore].record_outcomes([REFUSED] * MOST_REFUSALS_OF_US, now=NOW)
        assert len(work[PostLedger].claim(lease("a post"), limit=1, now=after)) == 1
        gate = work[PaceStore].open(Pacing(), first=False, now=after)
        mails = work[Ledger].claim(lease("a mail"), limit=9, now=after, gate=gate)
        gate.close()
    assert len(mails) == 1


# --- not sent, or perhaps ----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("R5", part="channel")
@EACH_KIND
def test_a_post_without_an_answer_is_unknown_and_never_posted_again(
    papers: SqlDatabase, made: Services, kind: ChannelKind
) -> None:
    made.answers_with(kind, silence)
    channel = add(papers, made, kind)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
        assert totals(papers) == LedgerTotals(unknown=1)
        deliver_channels(later(room, hours=5))
    assert len(made.server.bodies) == 1
    assert last(papers, channel.id).reason.startswith("unanswered: 127.0.0.1")


@pytest.mark.postgres
@pytest.mark.accept("R5", part="channel")
@pytest.mark.parametrize("status", ["504 Gateway Timeout", "520 Unknown Error", "524 Timed Out"])
def test_a_gateway_that_got_no_answer_leaves_it_unknown(
    papers: SqlDatabase, made: Services, status: str
) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"", status=status))
    add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
    assert totals(papers) == LedgerTotals(unknown=1)


@pytest.mark.accept("F25", part="retries")
@EACH_KIND
def test_a_service_that_is_busy_is_asked_again_after_the_pause_it_wants(
    papers: SqlDatabase, made: Services, kind: ChannelKind
) -> None:
    made.answers_with(kind, BUSY)
    add(papers, made, kind)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
        assert totals(papers) == LedgerTotals(deferred=1)
        assert deliver_channels(later(room, minutes=59)).messages == 0
        assert deliver_channels(later(room, minutes=61)).messages == 1
    assert totals(papers) == LedgerTotals(sent=1)
    assert made.posted()[0] == made.posted()[1]


@pytest.mark.accept("F25", part="retries", mutant="a-post-is-tried-again-at-once")
def test_a_service_that_asks_for_no_pause_gets_ours(papers: SqlDatabase, made: Services) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"", "Retry-After: 0", status="503 Busy"))
    add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
        assert deliver_channels(later(room, minutes=4)).messages == 0
        assert deliver_channels(later(room, minutes=7)).messages == 1


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (
            ChannelKind.DISCORD,
            page(b'{"message": "x", "retry_after": 1800.5}', status="429 Too Many"),
        ),
        (
            ChannelKind.TELEGRAM,
            page(
                b'{"ok": false, "description": "x", "parameters": {"retry_after": 1800}}',
                status="429 Too Many",
            ),
        ),
    ],
)
def test_a_pause_may_stand_in_the_answer(
    papers: SqlDatabase, made: Services, kind: ChannelKind, answer: bytes
) -> None:
    made.answers_with(kind, answer)
    add(papers, made, kind)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
        assert deliver_channels(later(room, minutes=29)).messages == 0
        assert deliver_channels(later(room, minutes=31)).messages == 1


def test_a_server_that_fails_is_asked_again_and_then_less_often(
    papers: SqlDatabase, made: Services
) -> None:
    made.answers_with(ChannelKind.SLACK, *[page(b"", status="503 Unavailable")] * 2)
    add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
        assert deliver_channels(later(room, minutes=4)).messages == 0
        assert deliver_channels(later(room, minutes=7)).messages == 1
        assert deliver_channels(later(room, minutes=15)).messages == 0
        assert deliver_channels(later(room, minutes=20)).messages == 1
    assert totals(papers) == LedgerTotals(sent=1)


def test_a_server_that_is_not_there_is_tried_again_and_keeps_no_mail_late(
    papers: SqlDatabase, made: Services
) -> None:
    channel = add(papers, made)
    with services() as gone:
        nobody = f"http://{gone.server.at}{SLACK}"
    with post_room(papers, gone) as room:
        admin(room, gone.server.at).change(channel.id, {"hook": nobody})
        send(papers)
        deliver_channels(room)
    assert last(papers, channel.id).state is DeliveryState.DEFERRED
    assert last(papers, channel.id).reason.startswith("unreached: ")
    with papers.reading() as work:
        backlog = work[Ledger].backlog(work[ListStore].get("trending").id, now=NOW)
    assert backlog.oldest_due == NOW
    assert backlog.oldest_held_due is None


def test_a_post_is_given_up_with_its_digest(papers: SqlDatabase, made: Services) -> None:
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(later(room, hours=21))
    assert made.server.requests == []
    assert last(papers, channel.id).state is DeliveryState.EXPIRED
    with papers.reading() as work:  # so a later digest may carry them
        assert work[SentPapers].already_sent([channel.id]) == {channel.id: frozenset()}


def test_a_pause_longer_than_the_digest_lives_ends_it(papers: SqlDatabase, made: Services) -> None:
    wait = page(b"", "Retry-After: 86000", status="429 Too Many Requests")
    made.answers_with(ChannelKind.SLACK, wait)
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
    assert last(papers, channel.id).state is DeliveryState.EXPIRED


def test_what_a_service_will_not_take_has_failed_and_its_papers_may_come_again(
    papers: SqlDatabase, made: Services
) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"invalid_blocks", status="400 Bad Request"))
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        report = deliver_channels(room)
    reason = "refused: Slack says invalid_blocks (status 400)"
    assert report.troubles == {reason: 1}
    assert last(papers, channel.id).reason == reason
    with papers.reading() as work:
        assert work[SentPapers].already_sent([channel.id]) == {channel.id: frozenset()}
        assert work[ChannelStore].get(channel.id).state == "active"


# --- several at once ---------------------------------------------------------------------------


@pytest.mark.accept("F25", part="hands")
def test_hooks_that_do_not_answer_hold_up_no_other(papers: SqlDatabase, made: Services) -> None:
    others_were_served = Event()

    def waits_for_the_others(caller: Caller) -> None:
        assert others_were_served.wait(PATIENCE)
        says(TAKES[ChannelKind.SLACK])(caller)

    def serves(caller: Caller) -> None:
        others_were_served.set()
        says(TAKES[ChannelKind.WEBHOOK])(caller)

    made.answers_with(ChannelKind.SLACK, waits_for_the_others)
    made.answers_with(ChannelKind.WEBHOOK, serves)
    add(papers, made)
    add(papers, made, ChannelKind.WEBHOOK)
    send(papers)
    with post_room(papers, made) as room:
        assert deliver_channels(replace(room, concurrency=2)).messages == 2
    assert totals(papers) == LedgerTotals(sent=2)


@pytest.mark.postgres
def test_many_hands_post_everything_once(papers: SqlDatabase, made: Services) -> None:
    for kind in ChannelKind:
        add(papers, made, kind)
    send(papers)
    with post_room(papers, made) as room, ThreadPoolExecutor(2) as processes:
        runs = [processes.submit(deliver_channels, room) for _ in range(2)]
        assert sum(run.result().messages for run in runs) == 4
    assert totals(papers) == LedgerTotals(sent=4)
    assert len(made.server.bodies) == 4


# --- what is kept of answers -------------------------------------------------------------------


@pytest.mark.parametrize("where", [f"{'x' * 490}", "it says no: "])
def test_no_part_of_a_hook_is_kept_of_an_answer_that_repeats_it(
    papers: SqlDatabase, made: Services, where: str
) -> None:
    said = page(f"{where}{WEBHOOK}".encode(), status="400 Bad Request")
    made.answers_with(ChannelKind.WEBHOOK, said)
    channel = add(papers, made, ChannelKind.WEBHOOK)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
    past = history_of(papers, channel.id).mails[0]
    assert "a-sec" not in f"{past.reply} {past.reason}"
    assert past.code == 400
