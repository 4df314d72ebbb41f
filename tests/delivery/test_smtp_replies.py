"""The reply table as a grid: every stage of a session, every way it can go wrong, with commands in
groups and one by one."""

import socket
from collections.abc import Mapping

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import ErrorScope, ReplyClass
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.conversation import Timeouts
from paperround.delivery.smtp.mailer import SmtpMailer
from paperround.delivery.smtp.session import World, dial
from paperround.editions.model import DeliveryId
from tests.delivery.envelopes import Marks, envelope, envelopes
from tests.faults import Action, Break, Late, Part, Say, SmtpSink

# The state of the mail that met the fault. A mark after it says who is to blame:
# ~ the destination is told to slow down, ! it is our own fault, * the address does not exist.
GRID = """
stage       4xx        421        5.1.1      5.2.2      5.7.26     drop       rst        hang       garbage    half-line
banner      deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
late        deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
multi-line  deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
ehlo        deferred~  deferred~  deferred~  deferred~  deferred!  deferred~  deferred~  deferred~  deferred~  deferred~
mail        deferred   deferred~  deferred!  deferred   deferred!  deferred   deferred   deferred   deferred   deferred
rcpt        deferred   deferred~  failed*    deferred   deferred!  deferred   deferred   deferred   deferred   deferred
data        deferred   deferred~  failed     deferred   deferred!  deferred   deferred   deferred   deferred   deferred
body        deferred   deferred~  failed     deferred   deferred!  deferred   deferred   deferred   deferred   deferred
dot         deferred   deferred~  failed     deferred   deferred!  unknown    unknown    unknown    unknown    unknown
accepted    deferred   deferred~  failed     deferred   deferred!  unknown    unknown    unknown    unknown    unknown
quit        sent       sent       sent       sent       sent       sent       sent       sent       sent       sent
"""  # noqa: E501 - a grid is read by its columns

FAULTS: Mapping[str, Action] = {
    "4xx": Say("451 4.3.0 not now"),
    "421": Say("421 4.7.0 closing"),
    "5.1.1": Say("550 5.1.1 no such user"),
    "5.2.2": Say("552 5.2.2 mailbox full"),
    "5.7.26": Say("550-5.7.26 not\r\n550 5.7.26 authenticated"),
    "drop": Break.DROP,
    "rst": Break.RST,
    "hang": Break.HANG,
    "garbage": Break.GARBAGE,
    "half-line": Break.HALF_LINE,
}
BLAME = {
    "~": ErrorScope(destination=True),
    "!": ErrorScope(us=True),
    "*": ErrorScope(subscriber=True),
}
RACES = {("rcpt", "rst"), ("data", "rst")}
"""A reset may overtake the answer to MAIL that was written before it."""
SHORT = 0.4
LONG = 20.0
LARGE = (b"x" * 998 + b"\r\n") * 8000


def cells() -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in GRID.strip().splitlines()]
    return [
        (row[0], fault, state)
        for row in rows
        for fault, state in zip(header[1:], row[1:], strict=True)
    ]


def script(stage: str, fault: str) -> dict[str, list[Action]]:
    action = FAULTS[fault]
    if stage == "late":
        return {"banner": [Late(0.1, action)]}
    if stage == "multi-line":
        code = action.text[:3] if isinstance(action, Say) else "220"
        return {"banner": [Part(f"{code}-one moment\r\n", action)]}
    return {stage: [action]}


def patience(stage: str, fault: str) -> Timeouts:
    """Short only where the fault is a silence, and only for the silent stage."""
    if fault != "hang":
        return Timeouts(connect=LONG, command=LONG, dot=LONG, goodbye=LONG)
    if stage in ("dot", "accepted"):
        return Timeouts(connect=LONG, command=LONG, dot=SHORT, goodbye=LONG)
    if stage == "quit":
        return Timeouts(connect=LONG, command=LONG, dot=LONG, goodbye=SHORT)
    return Timeouts(connect=LONG, command=SHORT, dot=LONG, goodbye=LONG)


def expected(cell: str) -> tuple[str, ErrorScope]:
    return cell.rstrip("~!*"), BLAME.get(cell[-1], ErrorScope())


@pytest.mark.accept("R6")
@pytest.mark.parametrize("offers", [("PIPELINING",), ()], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize(("stage", "fault", "cell"), cells())
def test_each_fault_at_each_stage_leads_to_its_state_and_the_next_mail_goes_out(
    stage: str, fault: str, cell: str, offers: tuple[str, ...]
) -> None:
    body = LARGE if stage == "body" else b"Papers.\r\n"
    marks = Marks()
    mails = [envelope(1, body=body), envelope(2)]
    with SmtpSink(script(stage, fault), offers=offers) as sink:
        sending = mailer(sink, patience(stage, fault)).send(mails, before_dot=marks)
        found = [verdict(outcome) for outcome in sending]
    assert (found[0].state, found[0].blame) == expected(cell), found[0]
    assert found[1].state == "sent", found[1]
    took_first = stage in ("accepted", "quit")
    assert [m.message_id for m in sink.messages] == [m.message_id for m in mails[not took_first :]]
    if stage != "body":  # what is said while a body is read may come after the mark, not the dot
        assert (1 in marks.ids) == (stage in ("dot", "accepted", "quit"))


@pytest.mark.accept("R6", part="inside a group")
@pytest.mark.parametrize(
    ("stage", "fault", "cell"),
    [cell for cell in cells() if cell[0] in ("mail", "rcpt", "data", "body", "dot", "accepted")],
)
def test_a_fault_behind_the_dot_of_another_mail_is_told_of_the_right_one(
    stage: str, fault: str, cell: str
) -> None:
    """The second mail meets it, its commands having left with the first one's dot. A session that
    ends between two mails has refused neither: the second goes out over another."""
    body = LARGE if stage == "body" else b"Papers.\r\n"
    mails = [envelope(1), envelope(2, body=body), envelope(3)]
    marks = Marks()
    with SmtpSink({stage: [None, FAULTS[fault]]}, offers=("PIPELINING",)) as sink:
        sending = mailer(sink, patience(stage, fault)).send(mails, before_dot=marks)
        found = {outcome.id: verdict(outcome) for outcome in sending}
    ended_between = stage == "mail" and fault not in ("4xx", "5.1.1", "5.2.2", "5.7.26")
    if (stage, fault) in RACES and found[DeliveryId(2)].state == "sent":
        ended_between = True
    state = ("sent", ErrorScope()) if ended_between else expected(cell)
    assert [(one.state, one.blame) for _, one in sorted(found.items())] == [
        ("sent", ErrorScope()),
        state,
        ("sent", ErrorScope()),
    ]
    taken = [1, 2, 3] if ended_between or stage == "accepted" else [1, 3]
    assert sorted(m.message_id for m in sink.messages) == [
        f"<{n}@papers.example.org>" for n in taken
    ]
    if stage != "body":
        assert (2 in marks.ids) == (ended_between or stage in ("dot", "accepted"))


@pytest.mark.accept("R6", part="a body that is wanted all the same")
@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_server_that_wants_the_body_of_a_refused_mail_gets_no_dot(stage: str) -> None:
    script = {stage: [None, Say("550 5.1.1 no such user")]}
    with SmtpSink(script, offers=("PIPELINING",), eager=True) as sink:
        sending = mailer(sink, Timeouts()).send(envelopes(3), before_dot=Marks())
        found = {outcome.id: str(outcome.phase) for outcome in sending}
    assert found == {1: "dot", 2: stage, 3: "dot"}
    assert [m.message_id for m in sink.messages] == [envelope(n).message_id for n in (1, 3)]


def mailer(sink: SmtpSink, timeouts: Timeouts) -> SmtpMailer:
    relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
    world = World(dial=dial_with_a_small_buffer)
    return SmtpMailer(
        [relay], hostname="papers.example", connections=1, timeouts=timeouts, world=world
    )


def dial_with_a_small_buffer(relay: Relay, seconds: float) -> socket.socket:
    """A large body must not leave in one write: the client would reach its dot before it looks at
    what the server said meanwhile."""
    sock = dial(relay, seconds)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    return sock


@pytest.mark.accept("R6", part="banner")
@pytest.mark.parametrize(
    "banner",
    [
        Late(0.2),
        Say("220-sink.example\r\n220-takes mail\r\n220 go on"),
        Part("220-sink.example\r\n", Late(0.2, Say("220 go on"))),
    ],
)
def test_a_late_or_multi_line_banner_is_waited_for_in_silence(banner: Action) -> None:
    with SmtpSink({"banner": [banner]}) as sink:
        sending = mailer(sink, Timeouts()).send([envelope(1)], before_dot=Marks())
        found: list[ReplyClass] = [verdict(outcome) for outcome in sending]
    assert [one.state for one in found] == ["sent"]
    assert sink.early_talkers == 0


@pytest.mark.accept("R5", part="lost after the dot")
def test_a_mail_that_was_taken_before_the_connection_was_lost_is_left_in_doubt() -> None:
    with SmtpSink({"accepted": [Break.DROP]}) as sink:
        (lost,) = mailer(sink, Timeouts()).send([envelope(1)], before_dot=Marks())
    assert verdict(lost).state == "unknown"
    assert verdict(lost).reason.startswith("silent-after-dot: disconnected")
    assert [message.content for message in sink.messages] == [envelope(1).content]
