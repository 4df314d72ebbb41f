"""Posts that end otherwise: hooks that are gone, long digests, operators who stop them, deaths."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest
from sqlalchemy import Engine

from paperround.core.interfaces import Worker
from paperround.core.times import Boot
from paperround.core.tokens import KeyRing
from paperround.db.encryption import SecretCipher
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.holds import CLOCK, HOLD, check_clock_leap
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.restore_guard import MARK, SendMarks
from paperround.delivery.send_mark import SendMarkFile
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.digests.cancel import cancel, pause, resume
from paperround.digests.resend import send_missed
from paperround.editions.model import DeliveryState
from paperround.ops.alerts import current_alerts
from paperround.papers.store.papers import PaperStore
from paperround.plugins.channels.delivery import ChannelContext, deliver_channels
from paperround.plugins.channels.model import ChannelKind
from paperround.plugins.channels.store import ChannelStore, PostLedger
from paperround.subscribers.model import SubscriberId
from tests.builders import lease
from tests.delivery.publishing import send
from tests.fakes import Neighbours
from tests.http.faults import page
from tests.plugins.channels.services import (
    SLACK,
    Services,
    add,
    admin,
    last,
    later,
    meddling,
    post_room,
    totals,
)
from tests.sample_database import IDENTITY, NOW, fill, record


def shown(made: Services, place: int) -> set[str]:
    """The titles in a message to Discord."""
    return {one["title"].partition(" ")[2] for one in made.posted()[place]["embeds"]}


def remembered(database: SqlDatabase, channel: SubscriberId) -> set[str]:
    """The titles of the papers that are not posted there again."""
    with database.reading() as work:
        papers = work[SentPapers].already_sent([channel])[channel]
        return {one.title for one in work[PaperStore].load(papers).values()}


def around_mark(room: ChannelContext, when: str, do: Callable[[], None]) -> ChannelContext:
    """One hand, to which something happens `before_mark` or `after_mark`."""
    is_before = when == "before_mark"
    meddled = meddling(room, before_mark=do) if is_before else meddling(room, after_mark=do)
    return replace(meddled, concurrency=1)


DYING = Worker(host="here", pid=9, started="boot/9")
SURVIVORS = Neighbours(dead={9})


# --- a hook that is no more --------------------------------------------------------------------

GONE = [
    (ChannelKind.SLACK, page(b"no_service", status="404 Not Found")),
    (ChannelKind.SLACK, page(b"channel_is_archived", status="410 Gone")),
    (ChannelKind.SLACK, page(b"invalid_token", status="403 Forbidden")),
    (
        ChannelKind.DISCORD,
        page(b'{"message": "Unknown Webhook", "code": 10015}', status="404 Not Found"),
    ),
    (
        ChannelKind.TELEGRAM,
        page(
            b'{"ok": false, "description": "Forbidden: bot was blocked by the user"}',
            status="403 Forbidden",
        ),
    ),
    (
        ChannelKind.TELEGRAM,
        page(b'{"ok": false, "description": "Bad Request: chat not found"}', status="400 Bad"),
    ),
    (ChannelKind.TELEGRAM, page(b'{"ok": false}', status="401 Unauthorized")),
    (ChannelKind.WEBHOOK, page(b"", status="410 Gone")),
    (ChannelKind.WEBHOOK, page(b"", status="404 Not Found")),
]


@pytest.mark.accept("F25", part="gone")
@pytest.mark.parametrize(("kind", "answer"), GONE)
def test_a_hook_that_is_no_more_stops_its_channel_and_the_operator_hears_it(
    papers: SqlDatabase, made: Services, kind: ChannelKind, answer: bytes
) -> None:
    made.answers_with(kind, answer)
    channel = add(papers, made, kind)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
    assert last(papers, channel.id).reason.startswith("gone: ")
    with papers.reading() as work:
        stopped = work[ChannelStore].get(channel.id)
        alerts = [one for one in current_alerts(work, {}, now=NOW) if kind.value in one.subject]
    assert stopped.state == "stopped"
    assert [one.subject for one in alerts] == [
        f"The channel {channel.name} is stopped: its hook no longer exists"
    ]
    assert not alerts[0].stops_mail


def test_a_stopped_channel_is_planned_nothing_until_it_leads_elsewhere(
    papers: SqlDatabase, made: Services
) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"no_service", status="404 Not Found"))
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        deliver_channels(room)
        send(papers, days=1)
        assert deliver_channels(later(room, days=1)).messages == 0
        new = f"http://{made.server.at}{SLACK}2"
        changed = admin(later(room, days=2), made.server.at).change(channel.id, {"hook": new})
        assert (changed.state, changed.due_at) == ("active", None)


def test_a_hook_that_was_replaced_meanwhile_stops_nothing(
    papers: SqlDatabase, made: Services
) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"no_service", status="404 Not Found"))
    channel = add(papers, made)
    send(papers)

    def leads_elsewhere() -> None:
        new = f"http://{made.server.at}{SLACK}2"
        admin(room, made.server.at).change(channel.id, {"hook": new})

    with post_room(papers, made) as room:
        deliver_channels(meddling(room, after_mark=leads_elsewhere))
    assert last(papers, channel.id).state is DeliveryState.FAILED
    with papers.reading() as work:
        assert work[ChannelStore].get(channel.id).state == "active"


@pytest.mark.parametrize("when", ["before_mark", "after_mark"])
def test_a_channel_that_is_removed_in_the_middle_ends_its_post_and_no_other(
    papers: SqlDatabase, made: Services, when: str
) -> None:
    made.answers_with(ChannelKind.SLACK, page(b"no_service", status="404 Not Found"))
    channel = add(papers, made)
    add(papers, made, ChannelKind.DISCORD)
    send(papers)
    left = [channel.id]

    def removes() -> None:
        if left:
            admin(room).remove(left.pop())

    with post_room(papers, made) as room:
        deliver_channels(around_mark(room, when, removes))
    ended = {"before_mark": DeliveryState.SKIPPED, "after_mark": DeliveryState.FAILED}
    assert last(papers, channel.id).state is ended[when]
    assert totals(papers).sent == 1
    assert totals(papers).queued == 0


# --- digests of several messages ---------------------------------------------------------------


@pytest.fixture
def long(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(n) for n in range(1, 13)])
    return database


def test_a_message_that_was_taken_is_not_posted_again(long: SqlDatabase, made: Services) -> None:
    taken = page(b'{"id": "1"}')
    made.answers_with(ChannelKind.DISCORD, taken, page(b"", status="503 Unavailable"))
    add(long, made, ChannelKind.DISCORD)
    send(long)
    with post_room(long, made) as room:
        deliver_channels(room)
        assert totals(long) == LedgerTotals(deferred=1)
        deliver_channels(later(room, minutes=7))
    assert [len(one["embeds"]) for one in made.posted()] == [10, 2, 2]
    assert totals(long) == LedgerTotals(sent=1)


def test_of_a_post_that_broke_off_only_what_was_not_shown_may_come_again(
    long: SqlDatabase, made: Services
) -> None:
    made.answers_with(ChannelKind.DISCORD, page(b'{"id": "1"}'), page(b"{}", status="400 Bad"))
    channel = add(long, made, ChannelKind.DISCORD)
    send(long)
    with post_room(long, made) as room:
        deliver_channels(room)
    found = last(long, channel.id)
    assert found.state is DeliveryState.FAILED
    assert found.reason.startswith("1 of 2 messages were posted, then: refused: ")
    assert remembered(long, channel.id) == shown(made, 0)
    fill(long, [record(13)], NOW + timedelta(hours=20))
    send(long, days=1)
    with post_room(long, made) as room:
        deliver_channels(later(room, days=1))
    assert shown(made, 2) == shown(made, 1) | {"Paper 13"}


class Ends(Enum):
    """What ends a post between two of its messages."""

    CANCELLED = "its edition is cancelled"
    EXPIRED = "its life is over"
    EXPIRED_BY_MAIL = "its life is over, and those who send mail see it first"
    LEFT = "the channel is stopped"


@pytest.mark.accept("F25", part="split")
@pytest.mark.parametrize("end", list(Ends), ids=lambda end: end.name.lower())
def test_papers_that_a_channel_saw_stay_seen_when_the_rest_never_comes(
    long: SqlDatabase, made: Services, end: Ends
) -> None:
    made.answers_with(ChannelKind.DISCORD, page(b'{"id": "1"}'), page(b"", status="503 Not now"))
    channel = add(long, made, ChannelKind.DISCORD)
    send(long)
    with post_room(long, made) as room:
        deliver_channels(room)
        match end:
            case Ends.CANCELLED:
                cancel(long, "trending", day=None, cut=None, now=NOW)
            case Ends.EXPIRED_BY_MAIL:
                with long.writing() as work:
                    work[Ledger].expire(now=NOW + timedelta(hours=21))
            case Ends.LEFT:
                with long.writing() as work:
                    work[ChannelStore].stop(channel.id, channel.hook, "gone", now=NOW)
        deliver_channels(later(room, hours=21 if end is Ends.EXPIRED else 1))
    assert last(long, channel.id).state in (DeliveryState.SKIPPED, DeliveryState.EXPIRED)
    assert remembered(long, channel.id) == shown(made, 0)


def test_a_post_that_is_done_is_remembered_whole(long: SqlDatabase, made: Services) -> None:
    channel = add(long, made, ChannelKind.DISCORD)
    send(long)
    with post_room(long, made) as room:
        deliver_channels(room)
    assert len(remembered(long, channel.id)) == 12


# --- stopped by operators ----------------------------------------------------------------------


@pytest.mark.accept("F25", part="stop")
def test_a_paused_list_posts_nothing_until_it_goes_on(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    send(papers)
    pause(papers, "trending", now=NOW)
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 0
        resume(papers, "trending", now=NOW)
        assert deliver_channels(room).messages == 1


def test_a_cancelled_post_may_be_replaced(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    send(papers)
    cancel(papers, "trending", day=None, cut=None, now=NOW)
    send_missed(papers, "trending", identity=IDENTITY, day=None, now=NOW)
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 1


def test_a_paused_channel_waits_and_says_so_every_day(papers: SqlDatabase, made: Services) -> None:
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        admin(room).pause(channel.id)
        assert deliver_channels(room).messages == 0
    fill(papers, [record(4)], NOW + timedelta(hours=20))
    send(papers, days=1)
    assert last(papers, channel.id).reason == "paused"
    with post_room(papers, made) as room:
        admin(room).resume(channel.id)
        assert deliver_channels(room).messages == 1


def test_a_channel_paused_while_it_is_connected_to_gets_nothing(
    papers: SqlDatabase, made: Services
) -> None:
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:

        def pauses() -> None:
            admin(room).pause(channel.id)

        deliver_channels(meddling(room, before_mark=pauses))
    assert not any(made.server.bodies)
    assert totals(papers) == LedgerTotals(queued=1)


def test_a_removed_channel_leaves_its_history_and_no_secret(
    papers: SqlDatabase, made: Services
) -> None:
    channel = add(papers, made)
    send(papers)
    with post_room(papers, made) as room:
        admin(room).remove(channel.id)
        assert deliver_channels(room).messages == 0
    assert last(papers, channel.id).reason == "unsubscribed"
    with papers.reading() as work:
        assert work[ChannelStore].all() == []
    add(papers, made)  # its name and its hook are free again


def test_nothing_is_posted_while_the_clock_is_held(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    send(papers)
    with papers.writing() as work:
        work[SlotStore].take(HOLD, CLOCK, now=NOW)
    with post_room(papers, made) as room:
        assert deliver_channels(room).messages == 0


@pytest.mark.accept("D12", part="posts", mutant="an-old-copy-is-posted")
def test_nothing_is_posted_from_an_older_copy_of_the_database(
    papers: SqlDatabase, made: Services, tmp_path: Path
) -> None:
    add(papers, made)
    send(papers)
    marks = SendMarks(file=SendMarkFile(tmp_path / "sending.mark"), host="here")
    with post_room(papers, made) as room:
        assert deliver_channels(replace(room, marks=marks)).messages > 0
        with papers.writing() as work:
            work[SlotStore].beat(f"{MARK}here", now=NOW - timedelta(days=1))
        fill(papers, [record(n) for n in range(7, 9)])
        send(papers, days=1)
        assert deliver_channels(replace(later(room, days=1), marks=marks)).messages == 0
    assert totals(papers) == LedgerTotals(sent=1, queued=1)


def test_a_clock_that_leapt_gives_up_no_post(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    send(papers)
    boot = Boot(name="this", uptime=timedelta(hours=1))
    check_clock_leap(papers, boot, now=NOW)
    with post_room(papers, made) as room:
        far = later(room, days=3)
        assert deliver_channels(replace(far, boot=lambda: boot)).messages == 0
        assert totals(papers) == LedgerTotals(queued=1)


# --- processes that die ------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("R1", part="channel")
def test_a_process_that_dies_after_the_mark_leaves_it_unknown(
    papers: SqlDatabase, made: Services
) -> None:
    channel = add(papers, made)
    send(papers)
    dying = replace(lease("dead"), worker=DYING)
    with papers.writing() as work:
        [post] = work[PostLedger].claim(dying, limit=1, now=NOW)
        work[PostLedger].mark_in_data([post.id], dying.token, until=dying.until, now=NOW)
    assert last(papers, channel.id).state is DeliveryState.IN_DATA
    with post_room(papers, made) as room:
        assert deliver_channels(replace(room, processes=SURVIVORS)).messages == 0
    assert last(papers, channel.id).state is DeliveryState.UNKNOWN
    assert last(papers, channel.id).reason == "process-died"


def test_one_that_dies_before_the_mark_costs_nothing(papers: SqlDatabase, made: Services) -> None:
    add(papers, made)
    send(papers)
    with papers.writing() as work:
        assert work[PostLedger].claim(replace(lease("dead"), worker=DYING), limit=1, now=NOW)
    with post_room(papers, made) as room:
        assert deliver_channels(replace(room, processes=SURVIVORS)).messages == 1
    assert totals(papers) == LedgerTotals(sent=1)


@pytest.mark.parametrize(
    ("when", "state"),
    [("before_mark", DeliveryState.DEFERRED), ("after_mark", DeliveryState.UNKNOWN)],
)
def test_one_that_breaks_down_on_its_way_stops_no_other_and_tells_no_secret(
    papers: SqlDatabase,
    made: Services,
    caplog: pytest.LogCaptureFixture,
    when: str,
    state: DeliveryState,
) -> None:
    slack, _ = add(papers, made), add(papers, made, ChannelKind.DISCORD)
    send(papers)
    broken: list[str] = []

    def breaks() -> None:
        if not broken:
            broken.append(slack.hook.url)
            raise ValueError(f"nobody foresaw {slack.hook.url}")

    with post_room(papers, made) as room:
        deliver_channels(around_mark(room, when, breaks))
    assert last(papers, slack.id).state is state
    assert totals(papers).sent == 1
    told = caplog.text + last(papers, slack.id).reason
    assert "ValueError" in told
    assert "a-secret-of-slack" not in told


def test_a_post_that_cannot_be_made_stops_no_other(
    papers: SqlDatabase, made: Services, caplog: pytest.LogCaptureFixture
) -> None:
    add(papers, made)
    add(papers, made, ChannelKind.DISCORD)
    send(papers)
    with post_room(papers, made) as room, caplog.at_level(logging.CRITICAL):
        deliver_channels(meddling(room, poison=ChannelKind.SLACK))
    assert totals(papers) == LedgerTotals(sent=1, deferred=1)


def sealed(engine: Engine, secret: bytes) -> SqlDatabase:
    return SqlDatabase(engine, seal=SecretCipher(lambda: KeyRing((secret,))))


@pytest.mark.accept("A2", part="lost secret")
def test_a_hook_that_was_lost_with_its_secret_holds_up_no_other_and_says_so(
    papers: SqlDatabase, engine: Engine, made: Services
) -> None:
    old, new = (sealed(engine, one) for one in (b"the secret that is lost", b"one that is there"))
    lost, kept = add(old, made), add(new, made, ChannelKind.DISCORD)
    send(new)
    with post_room(new, made) as room:
        assert deliver_channels(room).messages == 1
    assert last(new, kept.id).state is DeliveryState.SENT
    waiting = last(new, lost.id)
    assert waiting.state is DeliveryState.DEFERRED
    assert "add it to the end of PAPERROUND_SECRET_KEY" in waiting.reason
    with post_room(old, made) as room:
        assert deliver_channels(later(room, hours=1)).messages == 1
